// AddressGuard: decides whether a claim about an address may become a rule. An address is shared more often
// than a name: by the sites behind one front end, by everybody who resolves, by ourselves.
//
//   guard.Check(*IpPrefix::Parse("127.0.0.1")) → GuardVerdict::kSpecialAddress
//
// What is asked, in this order; a prefix that holds a guarded one, or lies in one, is held back:
//   1. the special-purpose registries and multicast            → never
//   2. private networks                                        → only where `block_private` says so
//   3. wider than /16 (IPv4) or /28 (IPv6)                     → never by a feed
//   4. protected: root and TLD servers, public resolvers, the operator's files, the agencies' own networks
//   5. shared: content networks and front ends, the operator's files
// Of the registries the documentation prefixes are left out: nobody is there, so blocking them hurts nobody;
// and 2002::/16 (6to4), in which a prefix is one holder's of an IPv4 address.
//
// Threads: immutable after construction. Limits: a few binary searches a check, no allocation.
// Standards: RFC 6890 and the IANA IPv4 and IPv6 special-purpose address registries, reliability row S15.
#ifndef SEKISHO_BLOCKLIST_MERGE_ADDRESS_GUARD_H_
#define SEKISHO_BLOCKLIST_MERGE_ADDRESS_GUARD_H_

#include "blocklist/merge/address_list.h"
#include "blocklist/merge/guard_verdict.h"

namespace sekisho::blocklist {

inline constexpr int kWidestV4 = 16;
inline constexpr int kWidestV6 = 28;

struct AddressGuardLists {
  AddressList protected_addresses;
  AddressList shared_addresses;
  AddressList own_networks;
  bool block_private = false;
};

class AddressGuard {
 public:
  explicit AddressGuard(AddressGuardLists lists);

  GuardVerdict Check(const IpPrefix& prefix) const;

 private:
  AddressGuardLists lists_;
  AddressList special_;
  AddressList private_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_ADDRESS_GUARD_H_
