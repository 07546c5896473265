#include "blocklist/merge/address_guard.h"

#include <utility>

namespace sekisho::blocklist {

AddressGuard::AddressGuard(AddressGuardLists lists) : lists_(std::move(lists)) {
  // 64:ff9b::/96 is in front of every IPv4 address behind a translator: a claim there belongs to the IPv4
  // address, which is judged within the translated one, too. 192.31.196.0/24, 192.52.193.0/24,
  // 192.175.48.0/24 and their like in IPv6 are anycast that all share (AS112, AMT).
  for (const char* text :
       {"0.0.0.0/8",       "127.0.0.0/8",    "169.254.0.0/16",  "192.0.0.0/24",      "192.31.196.0/24",
        "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24", "198.18.0.0/15",     "224.0.0.0/4",
        "240.0.0.0/4",     "::/128",         "::1/128",         "64:ff9b::/96",      "64:ff9b:1::/48",
        "100::/64",        "100:0:0:1::/64", "2001::/23",       "2620:4f:8000::/48", "5f00::/16",
        "fe80::/10",       "ff00::/8"}) {
    special_.AddEntry(text);
  }
  for (const char* text :
       {"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"}) {
    private_.AddEntry(text);
  }
  for (AddressList* list :
       {&special_, &private_, &lists_.protected_addresses, &lists_.shared_addresses, &lists_.own_networks}) {
    list->Seal();
  }
}

GuardVerdict AddressGuard::Check(const IpPrefix& prefix) const {
  if (special_.Meets(prefix)) return GuardVerdict::kSpecialAddress;
  if (!lists_.block_private && private_.Meets(prefix)) return GuardVerdict::kPrivateAddress;
  if (LengthOf(prefix) < (IsV4(prefix) ? kWidestV4 : kWidestV6)) return GuardVerdict::kWidePrefix;
  if (lists_.own_networks.Meets(prefix)) return GuardVerdict::kOwnNetwork;
  if (lists_.protected_addresses.Meets(prefix)) return GuardVerdict::kProtected;
  if (lists_.shared_addresses.Meets(prefix)) return GuardVerdict::kSharedAddress;
  return GuardVerdict::kEnforce;
}

}  // namespace sekisho::blocklist
