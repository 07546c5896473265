// GuardSources: loads what the guard goes by: the public suffix list, the lists that come with Sekisho, and
// the files that the configuration names.
//
//   auto guard = LoadGuard({.shared_hosts = {"/etc/sekisho/shared.txt"}});
//
// Threads: a function without state. Limits: those of NameList.
#ifndef SEKISHO_BLOCKLIST_MERGE_GUARD_SOURCES_H_
#define SEKISHO_BLOCKLIST_MERGE_GUARD_SOURCES_H_

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <vector>

#include "blocklist/merge/guard.h"
#include "proto/base/ip_address.h"

namespace sekisho::blocklist {

inline constexpr char kDebianSuffixList[] = "/usr/share/publicsuffix/public_suffix_list.dat";

struct GuardSources {
  std::string public_suffix_list;  // empty: Debian's
  std::vector<std::string> protected_names;
  std::vector<std::string> shared_hosts;
  std::vector<std::string> tenant_suffixes;
  std::vector<std::string> protected_addresses;
  std::vector<std::string> shared_addresses;
  std::vector<IpPrefix> own_networks;
  bool block_private_addresses = false;
  bool builtin_lists = true;
};

struct LoadedGuard {
  std::shared_ptr<const Guard> guard;
  // What could not be had though Sekisho can do without: an operator should look.
  std::vector<std::string> warnings;
};

// Fails when a file that the configuration names cannot be read: a guard with a hole is worse than the one
// before.
absl::StatusOr<LoadedGuard> LoadGuard(const GuardSources& sources);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_GUARD_SOURCES_H_
