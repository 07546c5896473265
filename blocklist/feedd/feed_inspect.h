// FeedInspect: questions about one feed's versions that read many claims: differences, what is not enforced
// and why, what a version would decide about given names.
//
// Threads: functions without state; they take seconds for large feeds, so they run on a worker. Limits:
// kMaxShown entries in an answer, kMaxPreviewNames names.
#ifndef SEKISHO_BLOCKLIST_FEEDD_FEED_INSPECT_H_
#define SEKISHO_BLOCKLIST_FEEDD_FEED_INSPECT_H_

#include <absl/status/statusor.h>

#include <atomic>
#include <string>

#include "blocklist/feedd/policy_inputs.h"
#include "blocklist/snapshot/snapshot_reader.h"
#include "proto/schema/control.pb.h"
#include "storage/indicators/indicator_store.h"

namespace sekisho::feedd {

inline constexpr uint32_t kMaxShown = 100'000;
inline constexpr uint32_t kShownByDefault = 1000;
inline constexpr int kMaxPreviewNames = 50'000;

// What the questions are asked of.
struct InspectInputs {
  const PolicyInputs& inputs;
  const config::Feed& feed;
  indicators::IndicatorStore& store;
  std::string held_path;
  std::string sort_folder;
};

absl::StatusOr<control::FeedVersions> ListVersions(const InspectInputs& about);
absl::StatusOr<control::FeedDiff> DiffVersions(const InspectInputs& about,
                                               const control::FeedDiffRequest& request);
absl::StatusOr<control::FeedQuarantine> ListQuarantine(const InspectInputs& about, uint32_t limit);
absl::StatusOr<control::FeedPreview> PreviewNames(const InspectInputs& about,
                                                  const control::FeedPreviewRequest& request,
                                                  blocklist::SnapshotReader* snapshots);

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_FEED_INSPECT_H_
