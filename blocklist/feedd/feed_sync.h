// FeedSync: one feed's way from its publisher into the store: fetch, read, gate, commit.
//
// Threads: one call per feed at a time; imports of different feeds wait for each other. Limits: the feed's
// max_bytes.
#ifndef SEKISHO_BLOCKLIST_FEEDD_FEED_SYNC_H_
#define SEKISHO_BLOCKLIST_FEEDD_FEED_SYNC_H_

#include <absl/status/statusor.h>

#include <atomic>
#include <mutex>
#include <string>

#include "blocklist/feed/fetcher.h"
#include "blocklist/feedd/version_reader.h"
#include "blocklist/merge/guard.h"
#include "proto/schema/config.pb.h"
#include "storage/indicators/indicator_store.h"

namespace sekisho::feedd {

enum class SyncResult : uint8_t { kAccepted, kUnchanged, kHeld, kFailed };

class FeedSync {
 public:
  // `folder` keeps lists as fetched.
  FeedSync(indicators::IndicatorStore& store, std::string folder);

  // What became of it stands in the feed's record too. The error is the store's; a feed's own failure is a
  // result.
  absl::StatusOr<SyncResult> Fetch(const config::Feed& feed, const blocklist::Guard& guard);
  // Takes the held version, or throws it away.
  absl::StatusOr<SyncResult> Decide(const config::Feed& feed, const blocklist::Guard& guard, bool approve,
                                    const std::string& who);
  // Ends a running fetch or import soon; for good.
  void Stop();

 private:
  // Reads the file and commits it when the gate lets it pass; `approved`: a person has said so.
  absl::StatusOr<SyncResult> Import(const std::string& path, const config::Feed& feed,
                                    const blocklist::Guard& guard, bool approved,
                                    indicators::FeedRecord* record);
  absl::Status Save(indicators::FeedRecord* record, const std::string& what, const std::string& detail,
                    const std::string& who);
  std::string FetchedPath(const config::Feed& feed) const { return folder_ + "/" + feed.name() + ".fetched"; }
  std::string HeldPath(const config::Feed& feed) const { return folder_ + "/" + feed.name() + ".held"; }

  indicators::IndicatorStore& store_;
  const std::string folder_;
  blocklist::Fetcher fetcher_;
  std::atomic<bool> stopping_{false};
  std::mutex import_mutex_;
};

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_FEED_SYNC_H_
