// Server: resolverd without its command line: sockets, workers, cache, policy watch and record writer, put
// together.
//
//   auto server = Server::Bind(static_config, live, Now);   // all sockets are bound; privileges may go now
//   server->Start();                                        // answers; TCP listens last
//   server->Reload(live);   server->Status();   server->Stop();
//
// Threads: one main thread. Limits: StaticConfig. Standards: see the parts.
#ifndef SEKISHO_RESOLVER_SERVER_SERVER_H_
#define SEKISHO_RESOLVER_SERVER_SERVER_H_

#include <absl/status/statusor.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proto/base/now.h"
#include "proto/base/published.h"
#include "proto/base/rng.h"
#include "resolver/config/live_config.h"
#include "resolver/config/static_config.h"
#include "resolver/core/cache/rrset_cache.h"
#include "resolver/server/anchor_keeper.h"
#include "resolver/server/connection_quota.h"
#include "resolver/server/descriptors.h"
#include "resolver/server/policy_watch.h"
#include "resolver/server/outlook.h"
#include "resolver/server/policy_zone_files.h"
#include "resolver/server/policy_zone_transfers.h"
#include "resolver/server/record_writer.h"
#include "resolver/server/worker.h"

namespace sekisho::resolver {

class Server {
 public:
  // What is told to the log: a new policy, or why it could not be taken. Called on the watch's thread.
  using PolicyNews = std::function<void(const PolicyWatch::State&)>;
  // The same of a response policy zone's file.
  using PolicyZoneNews = std::function<void(const PolicyZoneFiles::State&)>;

  static absl::StatusOr<std::unique_ptr<Server>> Bind(
      const StaticConfig& config, LiveConfig live, Now started, PolicyNews news,
      AnchorKeeper::News anchor_news = [](const auto&, bool) {},
      PolicyZoneNews zone_news = [](const auto&) {});
  ~Server();

  absl::Status Start();
  // Stops answering, then writes all records out.
  void Stop();
  // An error changes nothing.
  absl::Status Reload(LiveConfig live);

  const StaticConfig& config() const { return config_; }
  const LiveConfig& live() const { return live_; }
  Now started() const { return started_; }
  const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  RrsetCache::Stats cache_stats() const { return cache_.stats(); }
  std::vector<PolicyZoneFiles::State> policy_zone_states() const { return policy_zone_files_.states(); }
  std::vector<PolicyZoneTransfers::State> policy_zone_transfers() const {
    return policy_zone_transfers_.states();
  }
  // As the workers have them, or will with their next question.
  RulesInForce rules() const { return {live_.settings.get(), policy_.Current(), zones_.Current()}; }
  std::vector<PolicyWatch::InForce> policy_history() const { return policy_watch_.history(); }
  PolicyWatch::State policy_state() const { return policy_watch_.state(); }
  const record::LookupSpooler& spooler() const { return records_.spooler(); }
  AnchorKeeper::State anchor_state() const { return anchors_.state(); }
  const ConnectionQuota& tcp_connections() const { return quota_; }

 private:
  Server(const StaticConfig& config, LiveConfig live, Now started, PolicyNews news,
         AnchorKeeper::News anchor_news, PolicyZoneNews zone_news);
  absl::Status BindSockets();
  DescriptorShares Shares() const;
  void WakeWorkers();
  void OnPolicy(const PolicyWatch::State& state);
  void OnPolicyZone(const PolicyZoneFiles::State& state);

  StaticConfig config_;
  LiveConfig live_;
  Now started_;
  PolicyNews news_;
  PolicyZoneNews zone_news_;
  FollowingClock clock_;
  KernelRng rng_;
  CookieSecret cookie_secret_{};  // drawn at the start; all workers know it
  Published<const Settings> settings_;
  Published<const blocklist::PolicySnapshot> policy_;
  Published<const rpz::Zones> zones_;
  AnchorKeeper anchors_;
  RrsetCache cache_;
  ConnectionQuota quota_;
  RecordWriter records_;
  std::vector<WorkerSockets> sockets_;  // per worker, until Start
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<bool> running_{false};  // workers_ is complete
  PolicyWatch policy_watch_;
  PolicyZoneFiles policy_zone_files_;
  PolicyZoneTransfers policy_zone_transfers_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_SERVER_H_
