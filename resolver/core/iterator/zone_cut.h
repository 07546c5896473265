// ZoneCut: a zone and the servers that can be asked about it, found from the cache, a referral or the hints.
//
// Threads: values; the finder functions read the shared cache. Standards: RFC 1034 section 5.3.3, RFC 8109
// (hints).
#ifndef SEKISHO_RESOLVER_CORE_ITERATOR_ZONE_CUT_H_
#define SEKISHO_RESOLVER_CORE_ITERATOR_ZONE_CUT_H_

#include <optional>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/base/now.h"
#include "proto/dns/name.h"
#include "resolver/core/cache/rrset_cache.h"
#include "resolver/core/iterator/classify.h"
#include "resolver/core/rpz/judge.h"
#include "resolver/core/settings.h"

namespace sekisho::resolver {

struct ZoneCut {
  struct Server {
    dns::Name name;
    std::vector<Endpoint> addresses;  // known so far
    size_t lookups = 0;               // address types asked for, of the two
  };
  dns::Name zone;
  std::vector<Server> servers;
  bool forward = false;   // the servers are resolvers: the whole question, with RD
  bool fallback = false;  // when they fail, resolve from the root
};

// The zone from the configuration that holds `name`, when it is at least as deep as `cut`.
std::optional<ZoneCut> FindConfiguredZone(dns::NameView name, dns::NameView cut, const Settings& settings);

// The deepest delegation known at or above `name` whose servers can be reached; the root from the hints at
// worst.
ZoneCut FindZoneCut(dns::NameView name, RrsetCache& cache, const Settings& settings, MonoTime now);

// The addresses of a server in the delegation of the zone that it stands in itself: what the parent says,
// whatever the zone says.
std::vector<Endpoint> GlueOf(dns::NameView name, RrsetCache& cache, const Settings& settings, MonoTime now);

// The servers of every delegation above `name` that the cache knows, the root's not among them, the closest
// first; with all their addresses that are known. What has expired counts: what it led to may be in the cache
// still. Of names in a configured zone, only delegations below that zone.
std::vector<rpz::KnownServer> KnownServersAbove(dns::NameView name, RrsetCache& cache,
                                                const Settings& settings);

// The cut that a referral makes.
ZoneCut CutFromReferral(const Referral& referral, RrsetCache& cache, const Settings& settings, MonoTime now);

// Keeps a referral in the cache: the delegation with its glue, and DS or the proof that there is none.
void StoreReferral(const Referral& referral, const dns::Name& parent, RrsetCache& cache,
                   const Settings& settings, Now now);

// Keeps what the root says of its servers as the delegation to begin with, instead of the hints.
void StoreRoot(const Response& response, RrsetCache& cache, const Settings& settings, Now now);

// May this address be asked at all? Not special ones, unless the settings say so (row D39).
bool MayAsk(const IpAddress& address, const Settings& settings);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_ITERATOR_ZONE_CUT_H_
