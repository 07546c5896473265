// PolicyWatch: looks for new policy snapshots, on a thread of its own, and publishes them to the workers.
//
// The snapshot that a new one replaces is kept here until no worker holds it, so that unmapping a large file
// never falls to a thread that answers.
//
// Threads: Start, Stop on the main thread; state() from any. Limits: one look each kPause.
#ifndef SEKISHO_RESOLVER_SERVER_POLICY_WATCH_H_
#define SEKISHO_RESOLVER_SERVER_POLICY_WATCH_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "blocklist/snapshot/snapshot_watcher.h"
#include "blocklist/trie/policy_snapshot.h"
#include "proto/base/now.h"
#include "proto/base/published.h"

namespace sekisho::resolver {

class PolicyWatch {
 public:
  static constexpr Duration kPause = std::chrono::milliseconds(50);

  struct State {
    uint64_t generation = 0;  // 0: none
    size_t rules = 0;
    WallTime loaded{};
    std::string error;  // of the last look that failed; empty when the last change was taken
  };
  static constexpr size_t kRemembered = 100;
  struct InForce {
    uint64_t generation = 0;
    WallTime since{};  // every worker's next question goes by it
  };

  // `on_publish` runs on the watch's thread after each publish and must not block.
  PolicyWatch(std::string folder, Published<const blocklist::PolicySnapshot>* published,
              std::function<void(const State&)> on_publish);
  ~PolicyWatch();

  // Returns when the first look is done, so that nothing is answered unfiltered while a snapshot is being
  // read.
  void Start();
  void Stop();
  State state() const;
  // The last kRemembered, the oldest first.
  std::vector<InForce> history() const;

 private:
  void Run();
  void Look();

  blocklist::SnapshotWatcher watcher_;
  Published<const blocklist::PolicySnapshot>* published_;
  std::function<void(const State&)> on_publish_;
  std::vector<std::shared_ptr<const blocklist::PolicySnapshot>> retired_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  State state_;
  std::deque<InForce> history_;
  bool first_look_done_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_POLICY_WATCH_H_
