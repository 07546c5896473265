// SyncService: fetches feeds when they are due or when somebody asks, and has the base compiled when anything
// changed.
//
//   SyncService service(store, publisher, folder, log);
//   service.Configure(inputs);   service.Start();
//   service.Sync("", [](absl::Status, uint64_t generation) { … });
//   service.Stop();
//
// Failed feeds are tried again after 1 minute, doubling to 1 hour, spread by ±10 %; never later than the
// feed's interval says.
//
// Threads: kWorkers threads fetch, one compiles; the methods may be called from any thread; callbacks run on
// a worker. Limits: kMaxWaiting requests at once. Standards: reliability row S10.
#ifndef SEKISHO_BLOCKLIST_FEEDD_SYNC_SERVICE_H_
#define SEKISHO_BLOCKLIST_FEEDD_SYNC_SERVICE_H_

#include <absl/status/status.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "blocklist/feedd/feed_sync.h"
#include "blocklist/feedd/policy_inputs.h"
#include "blocklist/feedd/policy_publisher.h"
#include "proto/base/now.h"
#include "proto/base/rng.h"

namespace sekisho::feedd {

// Seconds between fetches of a feed that does not say it.
inline constexpr uint32_t kDefaultInterval = 3600;

class SyncService {
 public:
  static constexpr size_t kWorkers = 3;
  static constexpr size_t kMaxWaiting = 64;

  // Called with what the operator should read in the log.
  using Log = std::function<void(bool warning, const std::string& text)>;
  // The generation that holds the change.
  using Done = std::function<void(absl::Status, uint64_t generation)>;

  SyncService(indicators::IndicatorStore& store, PolicyPublisher& publisher, std::string folder, Log log);
  ~SyncService();

  // Also compiles the base anew: the guard or the set of feeds may be another.
  void Configure(std::shared_ptr<const PolicyInputs> inputs);
  std::shared_ptr<const PolicyInputs> inputs() const;
  // The store is new while rules of an older one are in force: they stay until every feed has been read
  // again. Before Start.
  void Rebuild() { rebuilding_ = true; }
  bool rebuilding() const { return rebuilding_; }
  // Damage of the store that a compile or an import met; empty: none.
  std::string damage() const;
  void Start();
  // Ends fetches and compiles; callbacks that wait get an error.
  void Stop();

  // `feed` empty: all.
  void Sync(const std::string& feed, Done done);
  void Decide(const std::string& feed, const Decision& decision, Done done);
  // Runs what takes long on a worker, so that the control loop does not wait; false when too much waits
  // already.
  bool Post(std::function<void()> task);

  std::string HeldPath(const config::Feed& feed) const { return sync_.HeldPath(feed); }
  const std::string& folder() const { return sync_.folder(); }

  // The version whose rules were published last, and when; 0: it was in force before the service began.
  struct InForce {
    uint64_t version = 0;
    uint64_t generation = 0;
    int64_t since_us = 0;
  };
  struct FeedTimes {
    WallTime next_attempt{};
    std::string error;  // of the store, not of the publisher
    InForce in_force;
  };
  std::optional<FeedTimes> Times(const std::string& feed) const;

 private:
  // One request: finished when its feeds are, and compiled if any of them changed.
  struct Request {
    size_t left = 0;
    bool changed = false;
    absl::Status status;
    Done done;
  };
  struct FeedState {
    MonoTime due{};
    bool running = false;
    uint32_t failures = 0;
    std::string error;
    std::optional<Decision> decision;
    std::vector<std::shared_ptr<Request>> waiting;
    bool accepted_here = false;  // some version, since the service began
    InForce in_force;
  };

  void Work();
  void Compile();
  // The versions that a compile now would take, by feed.
  std::map<std::string, uint64_t> Versions(const PolicyInputs& inputs) const;
  // With the lock held.
  void NoteInForce(const std::map<std::string, uint64_t>& versions, uint64_t generation);
  // Whether a feed of the configuration has no version yet.
  bool AnyUnread(const PolicyInputs& inputs) const;
  // With the lock held.
  void NoteDamage(const absl::Status& status);
  void WaitToCompile(std::unique_lock<std::mutex>& lock);
  void RunFeed(const std::string& name, std::unique_lock<std::mutex>& lock);
  void Reschedule(const config::Feed& feed, bool failed, FeedState* state);
  void FinishRequests(std::vector<std::shared_ptr<Request>> requests, bool changed,
                      const absl::Status& status, std::unique_lock<std::mutex>& lock);
  void LogResult(const std::string& name, const absl::StatusOr<SyncResult>& result);
  // The feed to run now, or when the next one is due.
  std::string Choose(MonoTime now, std::optional<MonoTime>* next) const;

  indicators::IndicatorStore& store_;
  PolicyPublisher& publisher_;
  FeedSync sync_;
  Log log_;
  KernelRng rng_;  // with the lock held

  mutable std::mutex mutex_;
  std::condition_variable wake_workers_;
  std::condition_variable wake_compiler_;
  std::shared_ptr<const PolicyInputs> inputs_;
  std::map<std::string, FeedState> feeds_;
  std::deque<std::function<void()>> tasks_;
  bool dirty_ = false;
  bool compiling_ = false;
  std::atomic<bool> rebuilding_{false};
  std::string damage_;
  bool stopping_ = false;
  std::vector<std::shared_ptr<Request>> for_next_compile_;
  std::vector<std::thread> threads_;
};

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_SYNC_SERVICE_H_
