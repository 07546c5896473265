// FeedImport: brings a feed's next version into the store: compared with the one before, written in batches,
// committed at once.
//
//   FeedImport import(store, feed, {.sort_folder = dir});
//   for (indicator) import.Add({.name_key = …, .kind = …, .evidence = url});
//   auto change = import.Compare();              // nothing written yet: the gate decides on this
//   import.Commit(&feed_record, now);            // or just drop the import
//
// What is written before the commit carries the new version's number and does not count; if the process dies
// there, the next import of the feed takes another number and clears away what it meets. So at any moment the
// store holds the old version whole or the new one whole.
//
// Threads: one; one import at a time per feed. Limits: memory is the sorter's; at most kMaxSpans spans and
// kMaxEvidence URLs are kept for a claim.
#ifndef SEKISHO_STORAGE_INDICATORS_FEED_IMPORT_H_
#define SEKISHO_STORAGE_INDICATORS_FEED_IMPORT_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "storage/indicators/external_sorter.h"
#include "storage/indicators/indicator_store.h"

namespace sekisho::indicators {

inline constexpr int kMaxSpans = 16;
inline constexpr int kMaxEvidence = 4;
inline constexpr size_t kMaxEvidenceSize = 512;
inline constexpr size_t kMaxReferenceSize = 200;

inline constexpr size_t kMaxCategorySize = 64;
inline constexpr size_t kMaxActionData = 2000;

struct NewClaim {
  std::string_view name_key{};  // for kinds that speak of names
  IpPrefix prefix{};            // for the others
  EntryKind kind = EntryKind::kExact;
  bool allow = false;
  std::string_view reference{};
  std::string_view evidence{};  // a URL; may be empty
  int64_t reported_us = 0;
  int64_t valid_from_us = 0;
  int64_t valid_until_us = 0;
  uint32_t confidence = 0;  // 1 to 100
  std::string_view category{};
  std::string_view actor{};
  std::string_view link{};
  std::string_view marking{};
  ClaimAction action = ACTION_BY_POLICY;
  std::string_view action_data{};
};

// What a version would change.
struct VersionChange {
  uint64_t indicators = 0;  // distinct entries of the new version
  uint64_t before = 0;      // of the committed one
  uint64_t added = 0;
  uint64_t removed = 0;
};

class FeedImport {
 public:
  struct Options {
    std::string sort_folder;
    size_t sort_memory = size_t{64} << 20;
    size_t batch_bytes = size_t{2} << 20;
    // Asked before each batch and before the commit; false abandons the import there, as a crash would.
    std::function<bool()> go_on;
  };

  FeedImport(IndicatorStore& store, const FeedRecord& feed, Options options);

  absl::Status Add(const NewClaim& claim);
  // A claim as the store has it, e.g. of an older version.
  absl::Status AddStored(std::string_view entry, const Claim& claim);
  absl::StatusOr<VersionChange> Compare();
  // Every entry of the new version or the committed one: whether it is in each of them.
  using Entry = std::function<void(std::string_view entry, const Claim& claim, bool before, bool after)>;
  absl::Status ForEachEntry(const Entry& visit);
  // Writes the claims, then `feed` with the new version's number and counts, and the version's record, in one
  // batch. On success *feed is what was stored. kCancelled when go_on said no.
  absl::StatusOr<VersionChange> Commit(FeedRecord* feed, WallTime now);

 private:
  class Batch;
  using Visit =
      std::function<absl::Status(std::string_view entry, const Claim* old_claim, const Claim* new_claim)>;

  // Walks the stored and the new claims side by side.
  absl::Status ForEach(const Visit& visit);
  absl::StatusOr<VersionChange> WriteClaims(uint64_t version);
  absl::Status BeginVersion(FeedRecord* feed);
  bool GoOn() const { return !options_.go_on || options_.go_on(); }

  IndicatorStore& store_;
  const uint32_t feed_id_;
  const uint64_t committed_;
  Options options_;
  ExternalSorter sorter_;
};

}  // namespace sekisho::indicators

#endif  // SEKISHO_STORAGE_INDICATORS_FEED_IMPORT_H_
