// Settings: what the core must be told. resolver/config makes one from the configuration file; the core never
// reads it from anywhere else. Published whole and immutable; a reload publishes another.
//
// Threads: immutable after construction.
#ifndef SEKISHO_RESOLVER_CORE_SETTINGS_H_
#define SEKISHO_RESOLVER_CORE_SETTINGS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/base/now.h"
#include "proto/dns/name.h"
#include "proto/dns/presentation.h"
#include "resolver/core/admission/server_cookies.h"
#include "resolver/core/limits.h"
#include "resolver/core/local_zones.h"
#include "resolver/core/policy/agency_policy.h"
#include "resolver/core/policy/agency_table.h"
#include "resolver/core/rpz/zone_list.h"

namespace sekisho::resolver {

struct RootHint {
  dns::Name name;
  IpAddress address;
};

// A zone whose servers are given by the operator.
struct ConfiguredZone {
  dns::Name zone;
  // Forward: the servers are resolvers and are asked with RD. Otherwise they are the zone's own (stub).
  bool forward = false;
  std::vector<Endpoint> servers;
  // Forward only: when none of them answers, resolve from the root.
  bool fallback = false;
};

// How long expired data may still serve, RFC 8767.
struct ServeStale {
  bool enabled = true;
  Duration client_timeout = std::chrono::milliseconds(1800);  // then the client gets stale data; 0: at once
  Duration max_age = std::chrono::hours(24);                  // after expiry
  uint32_t ttl = 30;
};

// DNS cookies, RFC 7873.
struct Cookies {
  bool answer = true;                 // clients that send one get ours
  bool require = false;               // UDP clients that send one get BADCOOKIE until they know ours
  bool upstream = true;               // sent to servers, and expected of those that have given theirs
  std::vector<CookieSecret> secrets;  // the first makes cookies, all are accepted; none: one of the process
};

// How often one client may ask over UDP without a proven address, and anybody what is not in the cache. A
// second's worth may come at once.
struct RateLimit {
  uint32_t per_second = 0;           // 0: no limit; over it the client is sent to TCP
  uint32_t uncached_per_second = 0;  // 0: no limit; over it stale data or SERVFAIL
  int ipv4_prefix = 32;              // what one client is
  int ipv6_prefix = 56;
  uint32_t slip =
      1;  // every n-th question over the limit gets the truncated reply, the others none; 0: none at all
  std::vector<IpPrefix> exempt;
};

// What may be in progress at once, in one worker.
struct Bounds {
  size_t pending = limits::kPendingQuestions;
  size_t pending_per_client = limits::kPendingPerClient;
  size_t fetches_per_zone = limits::kFetchesPerZone;      // 0: no bound
  size_t fetches_per_server = limits::kFetchesPerServer;  // 0: no bound
};

// Below `name` nothing is validated until then (RFC 7646).
struct NegativeTrustAnchor {
  dns::Name name;
  WallTime until = WallTime::max();
};

struct Settings {
  AgencyTable agencies;
  // Response policy zones in the order in which they are asked, and by policy group those that count for it
  // (policy/policy_groups.h).
  std::vector<std::shared_ptr<const rpz::ZoneConfig>> policy_zones;
  std::vector<std::vector<std::shared_ptr<const rpz::ZoneConfig>>> group_zones;
  // What the lists come to, by agency and by policy group; null and none: all that is listed is blocked.
  std::vector<std::shared_ptr<const AgencyPolicy>> agency_policies;
  std::vector<std::shared_ptr<const AgencyPolicy>> group_policies;
  // Names (with all below) and addresses that nothing blocks; null: none.
  std::shared_ptr<const blocklist::PolicySnapshot> never_block;

  std::vector<RootHint> root_hints;
  uint16_t upstream_port = 53;
  bool ipv4 = true;
  bool ipv6 = true;
  bool query_private_addresses = false;
  bool qname_minimisation = true;
  dns::RRType minimise_type = dns::RRType::kA;  // of the shortened questions; A, or NS: one for each zone
  bool mix_case = true;                         // 0x20
  bool answer_rotation = true;                  // each reply begins a set with another record
  bool minimal_responses = true;                // nothing beside the answer and what proves it
  bool ns_in_negative_answers = false;          // beside the SOA, as the zone's servers send them
  bool root_priming = false;                    // RFC 9609; the hints serve otherwise
  bool aggressive_nsec = true;                  // RFC 8198
  bool harden_glue = true;                      // glue only from inside the zone that refers
  std::vector<ConfiguredZone> zones;            // the deepest that holds a name counts
  LocalZones local;
  Cookies cookies;
  Bounds bounds;
  RateLimit rate_limit;
  ServeStale stale;
  bool prefetch = true;
  // Names outside `rebinding_exempt` may not answer with private addresses.
  bool rebinding_guard = true;
  std::vector<dns::Name> rebinding_exempt;

  uint16_t edns_size = 1232;           // largest UDP answer to a client
  uint16_t upstream_edns_size = 1232;  // largest UDP reply taken from a server
  uint32_t max_ttl = 86400;
  uint32_t min_ttl = 0;
  uint32_t max_negative_ttl = 900;

  bool validate = true;
  bool rfc5011 = false;                        // anchors follow what their zones do with their keys
  std::vector<dns::TextRecord> trust_anchors;  // DS or DNSKEY records
  std::vector<NegativeTrustAnchor> negative_trust_anchors;
  // What RFC 9905 lets a resolver refuse: a zone that has nothing else counts as unsigned.
  bool accept_sha1_digests = false;
  bool accept_rsasha1 = false;
  int min_rsa_bits = 1024;
  int nsec3_iterations = limits::kNsec3Iterations;  // above, a zone counts as unsigned
  // Signature times may be off by a tenth of the signature's life, at least and at most this (seconds; 0, 0:
  // exact).
  uint32_t signature_skew_min = 3600;
  uint32_t signature_skew_max = 86400;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_SETTINGS_H_
