// PolicyPublisher: from the store to the snapshot that resolverd maps. Feeds make the base, local entries the
// delta.
//
//   publisher->PublishLocal();                     // milliseconds: after `sekisho block add`
//   publisher->PublishBase(feeds, guard, …);       // seconds: after a feed's new version
//
// The base is compiled into memory before the publisher's lock is taken, so a local change never waits for a
// compile.
//
// Threads: any; PublishBase by one thread at a time. Limits: the compiled base is held in memory (some 12
// bytes a rule) while it is written.
#ifndef SEKISHO_BLOCKLIST_FEEDD_POLICY_PUBLISHER_H_
#define SEKISHO_BLOCKLIST_FEEDD_POLICY_PUBLISHER_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "blocklist/feedd/claim_terms.h"
#include "blocklist/merge/guard.h"
#include "blocklist/snapshot/snapshot_writer.h"
#include "proto/base/now.h"
#include "proto/schema/config.pb.h"
#include "storage/indicators/indicator_store.h"

namespace sekisho::feedd {

class PolicyPublisher {
 public:
  struct State {
    uint64_t generation = 0;
    uint64_t base_generation = 0;
    uint64_t rules = 0;         // of the base made by this process; 0: not yet
    uint64_t not_enforced = 0;  // claims that the guard holds back
    uint64_t local = 0;
    Duration compile_time{};
    int64_t next_change_us = kNever;     // when a claim begins or ceases to count by itself
    int64_t next_local_end_us = kNever;  // when a local entry ends
    std::string error;                   // of the last publish that failed
    std::string damage;                  // what was wrong with the folder at start
  };

  static absl::StatusOr<std::unique_ptr<PolicyPublisher>> Open(const std::string& folder, size_t keep,
                                                               const indicators::IndicatorStore& store);

  // Feeds that are not among `feeds` are left out. Returns the generation.
  absl::StatusOr<uint64_t> PublishBase(const std::vector<config::Feed>& feeds, const blocklist::Guard& guard);
  absl::StatusOr<uint64_t> PublishLocal();

  State state() const;

 private:
  PolicyPublisher(blocklist::SnapshotWriter writer, const indicators::IndicatorStore& store);
  absl::Status CompileFeeds(const std::vector<config::Feed>& feeds, const blocklist::Guard& guard,
                            std::string* bytes, State* counts) const;
  absl::StatusOr<std::string> CompileLocals(uint64_t* count, int64_t* next_end_us) const;
  absl::StatusOr<uint64_t> Write(const std::string* base);
  absl::StatusOr<uint64_t> Remember(absl::StatusOr<uint64_t> result);

  const indicators::IndicatorStore& store_;
  mutable std::mutex mutex_;
  blocklist::SnapshotWriter writer_;
  State state_;
};

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_POLICY_PUBLISHER_H_
