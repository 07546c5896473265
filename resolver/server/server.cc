#include "resolver/server/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "proto/io/socket.h"

namespace sekisho::resolver {
namespace {

constexpr size_t kShardsPerWorker = 16;
constexpr size_t kMinShards = 64;

record::SpoolerOptions SpoolerOptionsOf(const StaticConfig& config, Now started, Rng& rng) {
  record::SpoolerOptions options;
  options.spool.dir = config.paths.Spool();
  options.spool.node = config.node;
  options.spool.boot = static_cast<uint64_t>(UnixMicros(started.wall));
  options.spool.quota_bytes = config.spool_quota_bytes;
  options.spool.segment_bytes = config.spool_segment_bytes;
  options.seed = rng.Uint64();
  return options;
}

}  // namespace

Server::Server(const StaticConfig& config, LiveConfig live, Now started, PolicyNews news,
               AnchorKeeper::News anchor_news, PolicyZoneNews zone_news)
    : config_(config),
      live_(std::move(live)),
      started_(started),
      news_(std::move(news)),
      zone_news_(std::move(zone_news)),
      clock_(config.cache_wall_clock),
      anchors_(
          config.paths.Anchors(), &settings_, [this] { WakeWorkers(); }, std::move(anchor_news)),
      cache_(config.cache_bytes, std::max(kMinShards, kShardsPerWorker * config.workers), rng_),
      records_(SpoolerOptionsOf(config, started, rng_), config.workers, config.record_ring_bytes),
      policy_watch_(config.paths.Snapshots(), &policy_, [this](const PolicyWatch::State& s) { OnPolicy(s); }),
      policy_zone_files_(&zones_, [this](const PolicyZoneFiles::State& s) { OnPolicyZone(s); }),
      policy_zone_transfers_([this] { policy_zone_files_.Look(true); }) {
  rng_.Fill(cookie_secret_);
  anchors_.Configure(live_.settings);
}

Server::~Server() { Stop(); }

absl::StatusOr<std::unique_ptr<Server>> Server::Bind(const StaticConfig& config, LiveConfig live, Now started,
                                                     PolicyNews news, AnchorKeeper::News anchor_news,
                                                     PolicyZoneNews zone_news) {
  std::unique_ptr<Server> server(new Server(config, std::move(live), started, std::move(news),
                                            std::move(anchor_news), std::move(zone_news)));
  if (auto status = server->policy_zone_files_.Load(server->live_.policy_zones); !status.ok()) return status;
  server->policy_zone_transfers_.Configure(server->live_.policy_zones);
  if (auto status = server->BindSockets(); !status.ok()) return status;
  return server;
}

absl::Status Server::BindSockets() {
  sockets_.resize(config_.workers);
  for (const Endpoint& local : config_.listen) {
    if (auto free = io::CheckUdpPortFree(local); !free.ok()) return free;
    for (WorkerSockets& sockets : sockets_) {
      auto udp = io::BindUdp(local);
      if (!udp.ok()) return udp.status();
      sockets.udp.push_back(*std::move(udp));
    }
  }
  for (const Endpoint& local : config_.listen) {
    for (WorkerSockets& sockets : sockets_) {
      auto tcp = io::BindTcp(local);
      if (!tcp.ok()) return tcp.status();
      sockets.tcp.push_back(*std::move(tcp));
    }
  }
  return absl::OkStatus();
}

absl::Status Server::Start() {
  // The first look at the policy comes before the first answer.
  policy_watch_.Start();
  policy_zone_files_.Start();
  policy_zone_transfers_.Start();
  records_.Start();
  anchors_.Start();
  // The UDP sockets are bound and keep what arrives, so an open TCP port says that both are served.
  for (const WorkerSockets& sockets : sockets_) {
    for (size_t i = 0; i < sockets.tcp.size(); ++i) {
      if (auto status = io::Listen(sockets.tcp[i].get(), config_.listen[i]); !status.ok()) return status;
    }
  }
  const DescriptorShares shares = Shares();
  for (uint32_t i = 0; i < config_.workers; ++i) {
    WorkerDeps deps;
    deps.index = static_cast<uint16_t>(i);
    deps.settings = &settings_;
    deps.policy = &policy_;
    deps.zones = &zones_;
    deps.cache = &cache_;
    deps.sink = records_.sink(i);
    deps.notify = &policy_zone_transfers_;
    deps.quota = &quota_;
    deps.clock = &clock_;
    deps.tcp = live_.tcp;
    deps.tcp.max_connections = shares.clients;
    deps.max_upstream = shares.upstream_per_worker;
    if (i == 0) deps.rollover = anchors_.rollover();
    deps.cookie_secret = cookie_secret_;
    workers_.push_back(std::make_unique<Worker>(deps, std::move(sockets_[i])));
  }
  sockets_.clear();
  for (auto& worker : workers_) worker->Start();
  running_.store(true, std::memory_order_release);
  for (auto& worker : workers_) worker->Wake();
  return absl::OkStatus();
}

DescriptorShares Server::Shares() const {
  rlimit limit{};
  const bool known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
  return ShareDescriptors(known ? limit.rlim_cur : 1024, config_.workers,
                          static_cast<uint32_t>(config_.listen.size()), live_.tcp.max_connections);
}

void Server::Stop() {
  policy_watch_.Stop();
  policy_zone_transfers_.Stop();
  policy_zone_files_.Stop();
  for (auto& worker : workers_) worker->Stop();
  anchors_.Stop();
  records_.Stop();
}

absl::Status Server::Reload(LiveConfig live) {
  // Zones before the settings that name them, so that none is missing in between.
  if (auto status = policy_zone_files_.Load(live.policy_zones); !status.ok()) return status;
  policy_zone_transfers_.Configure(live.policy_zones);
  live_ = std::move(live);
  anchors_.Configure(live_.settings);
  TcpLimits tcp = live_.tcp;
  tcp.max_connections = Shares().clients;
  for (auto& worker : workers_) {
    worker->SetTcpLimits(tcp);
    worker->Wake();
  }
  return absl::OkStatus();
}

// On the watch's thread. Idle workers are woken so that they let go of the old snapshot.
void Server::OnPolicy(const PolicyWatch::State& state) {
  WakeWorkers();
  news_(state);
}

// On the files' thread, or the main one.
void Server::OnPolicyZone(const PolicyZoneFiles::State& state) {
  WakeWorkers();
  zone_news_(state);
}

void Server::WakeWorkers() {
  if (!running_.load(std::memory_order_acquire)) return;
  for (auto& worker : workers_) worker->Wake();
}

}  // namespace sekisho::resolver
