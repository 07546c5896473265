// Paths: where the daemons keep what they keep, derived from the two folders of the configuration.
//
//   data_dir/indicators/   feedd: claims and history (RocksDB)
//   data_dir/feeds/        feedd: lists as fetched
//   data_dir/snapshots/    feedd → resolverd: compiled policy
//   data_dir/anchors/      resolverd: the state of the trust anchors (RFC 5011)
//   data_dir/spool/        resolverd → logd: lookup segments
//   data_dir/lookups/      logd: the lookup log (RocksDB)
//   data_dir/passive/      logd: passive DNS (RocksDB)
//   data_dir/events/       logd: what was found in past lookups, and which rules were hunted
//   data_dir/tokens        tool → logd: who may ask the API, as hashes
//   data_dir/searches/     logd: who asked the API what
//   data_dir/pseudonyms/   logd: the keys of pseudonyms, apart from the log
//   data_dir/exports/      logd: what receivers have not taken yet
//   run_dir/NAME.sock      control sockets
//   run_dir/NAME.lock      held while the daemon NAME runs; holds its process id
//
// Threads: values.
#ifndef SEKISHO_PROTO_CONFIG_PATHS_H_
#define SEKISHO_PROTO_CONFIG_PATHS_H_

#include <string>

#include "proto/schema/config.pb.h"

namespace sekisho::config {

inline constexpr char kDefaultConfigFile[] = "/etc/sekisho/sekisho.yaml";
inline constexpr char kDefaultDataDir[] = "/var/lib/sekisho";

struct Paths {
  explicit Paths(const Config& config)
      : data_dir(config.data_dir().empty() ? kDefaultDataDir : config.data_dir()),
        run_dir(config.run_dir().empty() ? data_dir + "/run" : config.run_dir()) {}

  std::string Indicators() const { return data_dir + "/indicators"; }
  std::string Feeds() const { return data_dir + "/feeds"; }
  std::string Snapshots() const { return data_dir + "/snapshots"; }
  std::string Anchors() const { return data_dir + "/anchors"; }
  std::string Spool() const { return data_dir + "/spool"; }
  std::string Lookups() const { return data_dir + "/lookups"; }
  std::string Passive() const { return data_dir + "/passive"; }
  std::string Events() const { return data_dir + "/events"; }
  std::string Tokens() const { return data_dir + "/tokens"; }
  std::string Searches() const { return data_dir + "/searches"; }
  std::string Pseudonyms() const { return data_dir + "/pseudonyms"; }
  std::string Exports() const { return data_dir + "/exports"; }

  std::string ResolverdSocket() const { return run_dir + "/resolverd.sock"; }
  std::string FeeddSocket() const { return run_dir + "/feedd.sock"; }
  std::string LogdSocket() const { return run_dir + "/logd.sock"; }
  // `daemon`: resolverd, feedd or logd.
  std::string Lock(const std::string& daemon) const { return run_dir + "/" + daemon + ".lock"; }

  std::string data_dir;
  std::string run_dir;
};

}  // namespace sekisho::config

#endif  // SEKISHO_PROTO_CONFIG_PATHS_H_
