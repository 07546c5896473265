// PrefixRules: address prefixes of one kind of trigger; the longest that holds an address is the rule.
//
// Threads: immutable. Limits: 24 bytes a prefix; a look-up is one binary search for each length in use.
// Standards: draft-vixie-dnsop-dns-rpz-00 (longest prefix first).
#ifndef SEKISHO_RESOLVER_CORE_RPZ_PREFIX_RULES_H_
#define SEKISHO_RESOLVER_CORE_RPZ_PREFIX_RULES_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "proto/base/ip_address.h"

namespace sekisho::resolver::rpz {

class PrefixRules {
 public:
  struct Match {
    uint32_t value = 0;
    IpPrefix prefix;
  };

  PrefixRules() = default;
  // No prefix twice; in any order.
  explicit PrefixRules(const std::vector<std::pair<IpPrefix, uint32_t>>& prefixes);

  std::optional<Match> Find(const IpAddress& address) const;
  bool empty() const { return levels_.empty(); }
  size_t size() const;
  size_t bytes() const;

 private:
  struct Level {
    int mapped_length = 0;
    std::vector<std::pair<IpAddress, uint32_t>> prefixes;  // sorted
  };
  std::vector<Level> levels_;  // longest first
};

}  // namespace sekisho::resolver::rpz

#endif  // SEKISHO_RESOLVER_CORE_RPZ_PREFIX_RULES_H_
