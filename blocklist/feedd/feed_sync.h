// FeedSync: one feed's way from its publisher into the store: fetch, read, gate, commit.
//
// Threads: one call per feed at a time; imports of different feeds wait for each other. Limits: the feed's
// max_bytes.
#ifndef SEKISHO_BLOCKLIST_FEEDD_FEED_SYNC_H_
#define SEKISHO_BLOCKLIST_FEEDD_FEED_SYNC_H_

#include <absl/status/statusor.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "blocklist/feed/fetcher.h"
#include "blocklist/feedd/version_reader.h"
#include "blocklist/merge/guard.h"
#include "proto/schema/config.pb.h"
#include "storage/indicators/indicator_store.h"

namespace sekisho::feedd {

enum class SyncResult : uint8_t { kAccepted, kUnchanged, kHeld, kFailed };

// What a person says about a feed's versions.
struct Decision {
  enum Kind : uint8_t { kApprove, kReject, kRollback } kind = kApprove;
  uint64_t version = 0;  // to roll back to
  std::string who;
};

class FeedSync {
 public:
  // `folder` keeps lists as fetched.
  FeedSync(indicators::IndicatorStore& store, std::string folder);

  // What became of it stands in the feed's record too. The error is the store's; a feed's own failure is a
  // result.
  absl::StatusOr<SyncResult> Fetch(const config::Feed& feed, const blocklist::Guard& guard);
  // Takes the held version, throws it away, or makes a new version of what stood in an older one.
  absl::StatusOr<SyncResult> Decide(const config::Feed& feed, const blocklist::Guard& guard,
                                    const Decision& decision);
  // Ends a running fetch or import soon; for good.
  void Stop();

  std::string HeldPath(const config::Feed& feed) const { return folder_ + "/" + feed.name() + ".held"; }
  const std::string& folder() const { return folder_; }

 private:
  // `last`: what is known of the version before; empty: fetch anyhow.
  blocklist::FetchResult FetchList(const config::Feed& feed, const indicators::FeedRecord& last);
  absl::StatusOr<uint64_t> Median(const indicators::FeedRecord& feed) const;
  absl::StatusOr<SyncResult> Rollback(const config::Feed& feed, const Decision& decision);
  // Whether the body was seen before: in force, rejected, or held.
  absl::StatusOr<std::optional<SyncResult>> Known(const config::Feed& feed, const blocklist::Guard& guard,
                                                  const blocklist::FetchResult& fetched, bool same_settings,
                                                  indicators::FeedRecord* record);
  // What became of it when the gate did not let it pass.
  absl::StatusOr<SyncResult> Refuse(const VersionContent& content, const std::string& reason,
                                    const indicators::FeedRecord& next, indicators::FeedRecord record);
  absl::StatusOr<SyncResult> Hold(const std::string& path, const config::Feed& feed,
                                  const std::string& reason, const indicators::FeedRecord& next,
                                  indicators::FeedRecord record);
  // Reads the file and commits it when the gate lets it pass; `approved`: a person has said so.
  absl::StatusOr<SyncResult> Import(const std::string& path, const config::Feed& feed,
                                    const blocklist::Guard& guard, bool approved,
                                    indicators::FeedRecord* record);
  absl::Status Save(indicators::FeedRecord* record, const std::string& what, const std::string& detail,
                    const std::string& who);
  std::string FetchedPath(const config::Feed& feed) const { return folder_ + "/" + feed.name() + ".fetched"; }

  indicators::IndicatorStore& store_;
  const std::string folder_;
  blocklist::Fetcher fetcher_;
  std::atomic<bool> stopping_{false};
  std::mutex import_mutex_;
};

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_FEED_SYNC_H_
