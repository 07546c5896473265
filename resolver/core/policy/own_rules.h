// OwnRules: names and addresses that the configuration allows or blocks, compiled as the lists are.
//
// Threads: immutable. Limits: those of a trie file.
#ifndef SEKISHO_RESOLVER_CORE_POLICY_OWN_RULES_H_
#define SEKISHO_RESOLVER_CORE_POLICY_OWN_RULES_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blocklist/trie/policy_snapshot.h"
#include "proto/base/ip_address.h"
#include "proto/base/now.h"
#include "proto/dns/name.h"

namespace sekisho::resolver {

// With everything below the name, or in the prefix.
struct OwnRule {
  dns::Name name;                  // when there is no prefix
  std::optional<IpPrefix> prefix;  // answer addresses
  bool allow = false;
  std::string reason{};
  WallTime until = WallTime::max();  // holds before this moment
};

// As rules of a snapshot; a rule's end stands in its source (EndOf). Of an entry that is both allowed and
// blocked allow holds. Null when there is none.
std::shared_ptr<const blocklist::PolicySnapshot> CompileOwnRules(const std::vector<OwnRule>& rules);

WallTime EndOf(const blocklist::RuleSource& source);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_POLICY_OWN_RULES_H_
