#include "resolver/core/iterator/zone_cut.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;

// Never a public authoritative server, and asking them may reach somebody it should not: RFC 6890 and the
// IANA special-purpose registries. The documentation prefixes reach nobody.
constexpr std::array<std::string_view, 20> kSpecialNetworks = {
    "0.0.0.0/8",     "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",   "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4",
    "240.0.0.0/4",   "::/128",       "::1/128",        "64:ff9b::/96",  "64:ff9b:1::/48",
    "100::/64",      "fc00::/7",     "fe80::/10",      "fec0::/10",     "ff00::/8"};

// Asking these never makes sense, test network or not.
constexpr std::array<std::string_view, 6> kNeverNetworks = {"0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4",
                                                            "::/128",    "ff00::/8",    "255.255.255.255/32"};

template <size_t N>
std::vector<IpPrefix> ParseAll(const std::array<std::string_view, N>& texts) {
  std::vector<IpPrefix> out;
  for (const auto text : texts) {
    if (auto p = IpPrefix::Parse(text)) out.push_back(*p);
  }
  return out;
}

bool InAny(const std::vector<IpPrefix>& networks, const IpAddress& a) {
  return std::any_of(networks.begin(), networks.end(), [&](const IpPrefix& p) { return p.Contains(a); });
}

void AddAddresses(const dns::RRset& rrset, const Settings& settings, ZoneCut::Server* server) {
  size_t kept = 0;
  for (auto rdata : rrset.rdata) {
    const auto a = IpAddress::FromRdata(rdata);
    if (!a || !MayAsk(*a, settings)) continue;
    if (kept++ >= limits::kAddressesPerNs) break;
    const Endpoint at{*a, settings.upstream_port};
    if (std::find(server->addresses.begin(), server->addresses.end(), at) == server->addresses.end()) {
      server->addresses.push_back(at);
    }
  }
}

// Addresses that are already there: what the server's own zone said, else the delegation's glue.
void FillFromCache(RrsetCache& cache, const Settings& settings, MonoTime now,
                   const std::vector<dns::RRsetPtr>& glue, ZoneCut::Server* server) {
  for (const RRType type : {RRType::kA, RRType::kAAAA}) {
    if (!(type == RRType::kA ? settings.ipv4 : settings.ipv6)) continue;
    const CacheEntryPtr entry = cache.Find(server->name, type);
    if (entry && entry->kind == CacheKind::kRrset && entry->expires > now &&
        entry->security != Security::kBogus) {
      AddAddresses(*entry->rrset, settings, server);
      continue;
    }
    for (const auto& g : glue) {
      if (g->type == type && g->owner == server->name) AddAddresses(*g, settings, server);
    }
  }
}

ZoneCut MakeCut(const dns::RRset& ns, const std::vector<dns::RRsetPtr>& glue, RrsetCache& cache,
                const Settings& settings, MonoTime now) {
  ZoneCut cut{.zone = ns.owner, .servers = {}};
  for (auto rdata : ns.rdata) {
    const auto name = dns::ReadTarget(rdata);
    if (!name || cut.servers.size() >= limits::kNsNames) continue;
    ZoneCut::Server server;
    server.name = dns::Name(*name);
    FillFromCache(cache, settings, now, glue, &server);
    cut.servers.push_back(std::move(server));
  }
  return cut;
}

// Some server has an address, or its name can be looked up without asking this very zone.
bool Reachable(const ZoneCut& cut) {
  return std::any_of(cut.servers.begin(), cut.servers.end(), [&](const ZoneCut::Server& s) {
    return !s.addresses.empty() || !s.name.view().IsAtOrBelow(cut.zone);
  });
}

ZoneCut RootFromHints(const Settings& settings) {
  ZoneCut cut{.zone = dns::Name(), .servers = {}};
  for (const RootHint& hint : settings.root_hints) {
    auto server = std::find_if(cut.servers.begin(), cut.servers.end(),
                               [&](const auto& s) { return s.name == hint.name; });
    if (server == cut.servers.end()) {
      server = cut.servers.insert(cut.servers.end(),
                                  ZoneCut::Server{.name = hint.name, .addresses = {}, .lookups = 2});
    }
    // The operator's own word: asked wherever it is.
    if (hint.address.is_v4() ? settings.ipv4 : settings.ipv6) {
      server->addresses.push_back({hint.address, settings.upstream_port});
    }
  }
  return cut;
}

MonoTime ExpiresAfter(Now now, uint32_t ttl, const Settings& settings) {
  return now.mono + std::chrono::seconds(std::min(ttl, settings.max_ttl));
}

}  // namespace

bool MayAsk(const IpAddress& address, const Settings& settings) {
  static const std::vector<IpPrefix> special = ParseAll(kSpecialNetworks);
  static const std::vector<IpPrefix> never = ParseAll(kNeverNetworks);
  return !InAny(settings.query_private_addresses ? never : special, address);
}

std::optional<ZoneCut> FindConfiguredZone(dns::NameView name, dns::NameView cut, const Settings& settings) {
  const ConfiguredZone* best = nullptr;
  for (const ConfiguredZone& z : settings.zones) {
    if (!name.IsAtOrBelow(z.zone) || !z.zone.view().IsAtOrBelow(cut)) continue;
    if (best == nullptr || z.zone.view().IsBelow(best->zone)) best = &z;
  }
  if (best == nullptr) return std::nullopt;
  ZoneCut out{.zone = best->zone, .servers = {}, .forward = best->forward, .fallback = best->fallback};
  out.servers.push_back({.name = best->zone, .addresses = best->servers, .lookups = 2});
  return out;
}

ZoneCut FindZoneCut(dns::NameView name, RrsetCache& cache, const Settings& settings, MonoTime now) {
  for (dns::NameView at = name; !at.IsRoot(); at = at.Parent()) {
    const CacheEntryPtr entry = cache.Find(at, RRType::kNS, Slot::kDelegation);
    if (!entry || entry->expires <= now) continue;
    ZoneCut cut = MakeCut(*entry->rrset, entry->glue, cache, settings, now);
    if (Reachable(cut)) return cut;
  }
  if (const CacheEntryPtr root = cache.Find(dns::NameView(), RRType::kNS, Slot::kDelegation);
      root && root->expires > now) {
    ZoneCut cut = MakeCut(*root->rrset, root->glue, cache, settings, now);
    if (std::any_of(cut.servers.begin(), cut.servers.end(),
                    [](const auto& s) { return !s.addresses.empty(); })) {
      return cut;
    }
  }
  return RootFromHints(settings);
}

std::vector<Endpoint> GlueOf(dns::NameView name, RrsetCache& cache, const Settings& settings, MonoTime now) {
  ZoneCut::Server server{.name = dns::Name(name), .addresses = {}};
  for (dns::NameView at = name; !at.IsRoot() && server.addresses.empty(); at = at.Parent()) {
    const CacheEntryPtr entry = cache.Find(at, RRType::kNS, Slot::kDelegation);
    if (!entry || entry->expires <= now) continue;
    for (const auto& g : entry->glue) {
      const bool usable = g->type == RRType::kA ? settings.ipv4 : settings.ipv6;
      if (usable && g->owner.view() == name) AddAddresses(*g, settings, &server);
    }
  }
  return std::move(server.addresses);
}

std::vector<rpz::KnownServer> KnownServersAbove(dns::NameView name, RrsetCache& cache,
                                                const Settings& settings) {
  std::vector<rpz::KnownServer> out;
  const auto configured = FindConfiguredZone(name, dns::NameView(), settings);
  const auto add = [](const dns::RRset& set, rpz::KnownServer* server) {
    for (const auto rdata : set.rdata) {
      const auto a = IpAddress::FromRdata(rdata);
      const bool there = a && std::count(server->addresses.begin(), server->addresses.end(), *a) != 0;
      if (a && !there && server->addresses.size() < 2 * limits::kAddressesPerNs)
        server->addresses.push_back(*a);
    }
  };
  for (dns::NameView at = name; !at.IsRoot(); at = at.Parent()) {
    if (configured && !at.IsBelow(configured->zone)) break;
    const CacheEntryPtr cut = cache.Find(at, RRType::kNS, Slot::kDelegation);
    if (!cut) continue;
    size_t count = 0;
    for (const auto rdata : cut->rrset->rdata) {
      const auto target = dns::ReadTarget(rdata);
      if (!target || count++ >= limits::kNsNames) continue;
      rpz::KnownServer server{.name = dns::Name(*target), .addresses = {}};
      for (const auto& g : cut->glue) {
        if (g->owner.view() == *target) add(*g, &server);
      }
      for (const RRType type : {RRType::kA, RRType::kAAAA}) {
        const CacheEntryPtr entry = cache.Find(*target, type);
        if (entry && entry->kind == CacheKind::kRrset) add(*entry->rrset, &server);
      }
      out.push_back(std::move(server));
    }
  }
  return out;
}

ZoneCut CutFromReferral(const Referral& referral, RrsetCache& cache, const Settings& settings, MonoTime now) {
  return MakeCut(*referral.ns, referral.glue, cache, settings, now);
}

void StoreRoot(const Response& response, RrsetCache& cache, const Settings& settings, Now now) {
  if (response.kind != ResponseKind::kAnswer || response.security == Security::kBogus || !response.beside)
    return;
  CacheEntry root;
  root.kind = CacheKind::kRrset;
  root.rank = Rank::kDelegation;
  root.rrset = response.answer.back();
  root.glue = response.beside->additional;
  root.stored = now.mono;
  root.expires = ExpiresAfter(now, root.rrset->ttl, settings);
  cache.Store(dns::NameView(), RRType::kNS, Slot::kDelegation, std::move(root), now);
}

void StoreReferral(const Referral& referral, const dns::Name& parent, RrsetCache& cache,
                   const Settings& settings, Now now) {
  CacheEntry cut;
  cut.kind = CacheKind::kRrset;
  cut.rank = Rank::kDelegation;
  cut.rrset = referral.ns;
  cut.glue = referral.glue;
  cut.zone = parent;
  cut.stored = now.mono;
  cut.expires = ExpiresAfter(now, referral.ns->ttl, settings);
  cache.Store(referral.zone, RRType::kNS, Slot::kDelegation, std::move(cut), now);

  CacheEntry ds;
  ds.rank = Rank::kAuthority;
  ds.zone = parent;
  ds.stored = now.mono;
  if (referral.ds) {
    ds.kind = CacheKind::kRrset;
    ds.rrset = referral.ds;
    ds.expires = ExpiresAfter(now, referral.ds->ttl, settings);
  } else if (!referral.denial.empty()) {
    ds.kind = CacheKind::kNodata;
    ds.proof = referral.denial;
    uint32_t ttl = settings.max_negative_ttl;
    for (const auto& s : referral.denial) ttl = std::min(ttl, s->ttl);
    ds.expires = ExpiresAfter(now, ttl, settings);
  } else {
    return;
  }
  const Slot slot = ds.kind == CacheKind::kRrset ? Slot::kData : Slot::kReferral;
  cache.Store(referral.zone, RRType::kDS, slot, std::move(ds), now);
}

}  // namespace sekisho::resolver
