// LiveConfig: the part of the configuration that a reload changes while questions are being answered.
//
//   auto live = MakeLiveConfig(*LoadConfig(path));
//   if (!live.ok()) …say why, keep the old one
//
// Threads: immutable once made. Limits: files that the configuration names are read here, at most
// kMaxListFile bytes. Standards: RFC 1035 section 5 (root hints, anchors as records).
#ifndef SEKISHO_RESOLVER_CONFIG_LIVE_CONFIG_H_
#define SEKISHO_RESOLVER_CONFIG_LIVE_CONFIG_H_

#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/dns/tsig.h"
#include "proto/schema/config.pb.h"
#include "resolver/config/tcp_limits.h"
#include "resolver/core/settings.h"

namespace sekisho::resolver {

// Where a response policy zone stands.
struct PolicyZoneFile {
  std::string name;  // as in Settings::policy_zones
  dns::Name origin;
  std::string path;
  // Where it is fetched from; none: somebody else puts it there.
  std::vector<Endpoint> primaries = {};
  std::optional<dns::TsigKey> key = {};
};

struct LiveConfig {
  std::shared_ptr<const Settings> settings;
  std::vector<PolicyZoneFile> policy_zones;
  TcpLimits tcp;
  // Where root hints and anchors came from, for status: a file's path, "configuration" or "built in".
  std::string root_hints_origin;
  std::string trust_anchors_origin;
  std::vector<std::string> anchor_warnings;  // of those that can match no key
};

// The system's own files, tried when the configuration names none. Tests give others.
struct SystemFiles {
  std::string root_hints = "/usr/share/dns/root.hints";
  std::string root_ds = "/usr/share/dns/root.ds";
  std::string root_key = "/usr/share/dns/root.key";
};

// Errors name the setting or the file with its line.
absl::StatusOr<LiveConfig> MakeLiveConfig(const config::Config& config, const SystemFiles& files = {});

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CONFIG_LIVE_CONFIG_H_
