#include "resolver/config/static_config.h"

#include <algorithm>
#include <thread>

namespace sekisho::resolver {

StaticConfig::StaticConfig(const config::Config& config)
    : paths(config),
      node(config.node()),
      workers(config.resolver().workers()),
      cache_bytes(config.resolver().cache_bytes()),
      cache_wall_clock(config.resolver().cache_wall_clock()),
      record_ring_bytes(config.resolver().record_ring_bytes()),
      spool_quota_bytes(config.resolver().spool().quota_bytes()),
      spool_segment_bytes(config.resolver().spool().segment_bytes()),
      user(config.resolver().user()) {
  if (workers == 0) workers = std::clamp(std::thread::hardware_concurrency(), 1u, 256u);
  for (const std::string& text : config.resolver().listen()) {
    if (auto endpoint = Endpoint::Parse(text, 53)) listen.push_back(*endpoint);
  }
}

std::vector<std::string> NeedsRestart(const StaticConfig& running, const StaticConfig& wanted) {
  std::vector<std::string> names;
  const auto compare = [&](const char* name, bool same) {
    if (!same) names.emplace_back(name);
  };
  compare("data_dir", running.paths.data_dir == wanted.paths.data_dir);
  compare("run_dir", running.paths.run_dir == wanted.paths.run_dir);
  compare("node", running.node == wanted.node);
  compare("resolver.listen", running.listen == wanted.listen);
  compare("resolver.workers", running.workers == wanted.workers);
  compare("resolver.cache_bytes", running.cache_bytes == wanted.cache_bytes);
  compare("resolver.cache_wall_clock", running.cache_wall_clock == wanted.cache_wall_clock);
  compare("resolver.record_ring_bytes", running.record_ring_bytes == wanted.record_ring_bytes);
  compare("resolver.spool.quota_bytes", running.spool_quota_bytes == wanted.spool_quota_bytes);
  compare("resolver.spool.segment_bytes", running.spool_segment_bytes == wanted.spool_segment_bytes);
  compare("resolver.user", running.user == wanted.user);
  return names;
}

}  // namespace sekisho::resolver
