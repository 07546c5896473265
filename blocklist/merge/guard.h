// Guard: decides whether a claim may become a rule at all. A feed can be wrong, bought or poisoned; no list
// may block a top-level domain, a name that many share, or a name that everyone needs.
//
//   guard.Check("docs.popular.example", ClaimKind::kUrlHost) → GuardVerdict::kSharedHost: kept as evidence,
//   not enforced
//
// What is asked, in this order:
//   1. the root, a TLD, a public suffix of either section, a tenant suffix         → never
//   2. a subtree rule with public or tenant suffixes, protected or shared names below it → never
//   3. protected names: the name, "www." and the name, all below a dotted entry    → never
//   4. shared hosts (shorteners, document, hosting and content services), likewise → never: a URL there is
//   one tenant's
//   5. a registered name (or its "www.") of one or two letters: brands and shorteners → never by a feed
//   6. a registered name (or its "www.") under a suffix that admits only schools, ministries, armed forces:
//   broken into
//      rather than registered for abuse                                            → never by a feed
// Names under a tenant suffix (dynamic DNS, hosting) are one tenant's own and may be blocked. A dotted
// shared-host entry that is itself a private public suffix counts as a tenant suffix. Central allow and block
// lists do not pass here: what an operator says by hand holds.
//
// Threads: immutable after construction. Limits: at most six hash probes per label; no allocation.
// Standards: reliability rows S15 and F06.
#ifndef SEKISHO_BLOCKLIST_MERGE_GUARD_H_
#define SEKISHO_BLOCKLIST_MERGE_GUARD_H_

#include <cstdint>
#include <string_view>

#include "blocklist/merge/address_guard.h"
#include "blocklist/merge/guard_verdict.h"
#include "blocklist/merge/name_list.h"
#include "blocklist/merge/public_suffix_list.h"

namespace sekisho::blocklist {

// What a feed claims to be bad. Values are stored; never renumber.
enum class ClaimKind : uint8_t { kExact = 0, kSubtree = 1, kUrlHost = 2, kAddress = 3, kUrlAddress = 4 };

struct GuardLists {
  PublicSuffixList suffixes;
  NameList protected_names;
  NameList shared_hosts;
  NameList tenant_suffixes;
  AddressGuardLists addresses{};
};

class Guard {
 public:
  explicit Guard(GuardLists lists);

  // `name` in the normaliser's spelling; empty: the root.
  GuardVerdict Check(std::string_view name, ClaimKind kind) const;
  const GuardLists& lists() const { return lists_; }
  // A URL or a port says nothing about all else on its address.
  GuardVerdict CheckAddress(const IpPrefix& prefix, ClaimKind kind) const {
    return kind == ClaimKind::kUrlAddress ? GuardVerdict::kUrlOnAddress : addresses_.Check(prefix);
  }

 private:
  GuardVerdict CheckRegistered(std::string_view name, const PublicSuffixList::Suffix& suffix) const;

  GuardLists lists_;
  AddressGuard addresses_;
  NameSet above_suffix_;     // proper ancestors of tenant and private public suffixes
  NameSet above_protected_;  // proper ancestors of protected and shared names
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_GUARD_H_
