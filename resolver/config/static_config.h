// StaticConfig: the part of the configuration that is fixed when resolverd starts: sockets, threads, folders,
// sizes.
//
// Threads: values.
#ifndef SEKISHO_RESOLVER_CONFIG_STATIC_CONFIG_H_
#define SEKISHO_RESOLVER_CONFIG_STATIC_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/config/paths.h"
#include "proto/schema/config.pb.h"

namespace sekisho::resolver {

struct StaticConfig {
  // `config` must be as LoadConfig gives it: valid and complete.
  explicit StaticConfig(const config::Config& config);

  config::Paths paths;
  uint32_t node = 0;
  std::vector<Endpoint> listen;
  uint32_t workers = 1;  // never 0
  size_t cache_bytes = 0;
  bool cache_wall_clock = false;
  size_t record_ring_bytes = 0;
  uint64_t spool_quota_bytes = 0;
  uint64_t spool_segment_bytes = 0;
  std::string user;  // empty: stay who we are
};

// The settings that differ and take effect only after a restart, by their names in the file.
std::vector<std::string> NeedsRestart(const StaticConfig& running, const StaticConfig& wanted);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CONFIG_STATIC_CONFIG_H_
