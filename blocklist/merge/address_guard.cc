#include "blocklist/merge/address_guard.h"

#include <utility>

namespace sekisho::blocklist {

AddressGuard::AddressGuard(AddressGuardLists lists) : lists_(std::move(lists)) {
  for (const char* text : {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4",
                           "240.0.0.0/4", "::/128", "::1/128", "fe80::/10", "ff00::/8"}) {
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
