#include "resolver/core/rebinding.h"

#include <algorithm>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/dns/rdata.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;

bool IsRebinding(const IpAddress& a) {
  static const std::vector<IpPrefix> kNetworks = [] {
    std::vector<IpPrefix> out;
    for (const char* text :
         {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
          "192.168.0.0/16", "::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "64:ff9b::a00:0/104",
          "64:ff9b::7f00:0/104", "64:ff9b::c0a8:0/112", "64:ff9b::ac10:0/108", "64:ff9b::a9fe:0/112"}) {
      if (auto p = IpPrefix::Parse(text)) out.push_back(*p);
    }
    return out;
  }();
  return std::any_of(kNetworks.begin(), kNetworks.end(), [&](const IpPrefix& p) { return p.Contains(a); });
}

}  // namespace

bool HoldsRebinding(const dns::RRset& rrset) {
  for (auto rdata : rrset.rdata) {
    if (rrset.type == RRType::kA || rrset.type == RRType::kAAAA) {
      if (const auto a = IpAddress::FromRdata(rdata); a && IsRebinding(*a)) return true;
    } else if (rrset.type == RRType::kSVCB || rrset.type == RRType::kHTTPS) {
      const auto svcb = dns::ReadSvcb(rdata);
      if (!svcb) continue;
      const auto hints = svcb->Hints();
      if (std::any_of(hints.begin(), hints.end(), IsRebinding)) return true;
    }
  }
  return false;
}

const dns::RRset* FindRebinding(const Answer& answer, const Settings& settings) {
  const auto exempt = [&](dns::NameView name) {
    return std::any_of(settings.rebinding_exempt.begin(), settings.rebinding_exempt.end(),
                       [&](const dns::Name& n) { return name.IsAtOrBelow(n); }) ||
           std::any_of(settings.zones.begin(), settings.zones.end(),
                       [&](const ConfiguredZone& z) { return !z.zone.IsRoot() && name.IsAtOrBelow(z.zone); });
  };
  for (const auto& link : answer.chain) {
    for (const auto& rrset : link->answer) {
      if (HoldsRebinding(*rrset) && !exempt(rrset->owner)) return rrset.get();
    }
  }
  return nullptr;
}

}  // namespace sekisho::resolver
