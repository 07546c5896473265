// Zone: one response policy zone in memory: for each kind of trigger the rules, and what they say.
//
//   Zone zone = *builder.Finish();
//   if (auto hit = zone.names(TriggerKind::kQname).Find(qname)) Rule r = zone.rule(hit->value); …
//
// Threads: immutable; any thread. Limits: about 28 bytes a rule with an action (with a name of 20 bytes), and
// what its records take for one with local data; kMaxRules rules. Standards: draft-vixie-dnsop-dns-rpz-00.
#ifndef SEKISHO_RESOLVER_CORE_RPZ_ZONE_H_
#define SEKISHO_RESOLVER_CORE_RPZ_ZONE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "proto/dns/name.h"
#include "proto/dns/rrset.h"
#include "resolver/core/rpz/name_rules.h"
#include "resolver/core/rpz/prefix_rules.h"
#include "resolver/core/rpz/trigger.h"

namespace sekisho::resolver::rpz {

inline constexpr size_t kMaxRules = 20'000'000;

enum class Told : uint8_t { kNxdomain, kNodata, kPassthru, kDrop, kTcpOnly, kData };

// A rule's word; `data` points into its zone.
struct Rule {
  Told told = Told::kNxdomain;
  const std::vector<dns::RRsetPtr>* data = nullptr;  // kData: a CNAME alone, or sets of other types
};

class Zone {
 public:
  const dns::Name& origin() const { return origin_; }
  const dns::RRsetPtr& soa() const { return soa_; }  // null: it has none
  size_t rules() const { return rules_; }
  size_t bytes() const;

  // kQname, kNsName.
  const NameRules& names(TriggerKind kind) const { return names_[static_cast<size_t>(kind)]; }
  // kClient, kAddress, kNsAddress.
  const PrefixRules& prefixes(TriggerKind kind) const { return prefixes_[static_cast<size_t>(kind)]; }
  // Rules that cannot be judged before the answer is known.
  bool needs_answer() const { return !prefixes(TriggerKind::kAddress).empty() || needs_servers(); }
  bool needs_servers() const {
    return !names(TriggerKind::kNsName).empty() || !prefixes(TriggerKind::kNsAddress).empty();
  }
  Rule rule(uint32_t value) const {
    if (value < kDataFrom) return {static_cast<Told>(value), nullptr};
    return {Told::kData, &data_[value - kDataFrom]};
  }

 private:
  friend class ZoneBuilder;
  static constexpr uint32_t kDataFrom = 16;

  dns::Name origin_;
  dns::RRsetPtr soa_;
  size_t rules_ = 0;
  std::array<NameRules, kTriggerKinds> names_;
  std::array<PrefixRules, kTriggerKinds> prefixes_;
  std::vector<std::vector<dns::RRsetPtr>> data_;
};

}  // namespace sekisho::resolver::rpz

#endif  // SEKISHO_RESOLVER_CORE_RPZ_ZONE_H_
