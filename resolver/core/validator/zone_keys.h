// EntryPoints → ZoneKeys: the DNSKEY RRset of a zone, validated by the DS RRset at its parent or by a trust
// anchor.
//
//   UsableEntryPoints(points, policy, &why)      nothing usable → the zone counts as unsigned (RFC 4035
//   section 5.2) VerifyZoneKeys(points, dnskey_rrset, check)  → the keys that may sign the zone's data, or
//   why not
//
// One valid path is enough (RFC 6840 section 5.11). SHA-1 digests are not looked at when better ones are
// there (RFC 4509 section 3).
//
// Threads: functions without state.
// Limits: kDsPerZone digests that do not match, kKeysPerTag keys per DS (rows D07, D10).
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_ZONE_KEYS_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_ZONE_KEYS_H_

#include <span>
#include <string>
#include <vector>

#include "proto/dns/edns.h"
#include "proto/dns/name.h"
#include "proto/dns/rrset.h"
#include "resolver/core/validator/policy.h"
#include "resolver/core/validator/signature.h"

namespace sekisho::resolver::dnssec {

// What vouches for a zone's keys.
struct EntryPoints {
  dns::Name zone;
  dns::RdataList ds;
  dns::RdataList dnskeys;  // trust anchors only
};

// Leaves what this resolver can judge. When nothing is left, *why says so in an extended error's terms.
EntryPoints UsableEntryPoints(const EntryPoints& points, const Policy& policy, dns::ExtendedError* why);

struct KeysVerdict {
  bool valid = false;
  bool exhausted = false;
  dns::ExtendedError why;
  ZoneKeys keys;
  uint32_t ttl_cap = kNoTtlCap;
};

// `points` are usable ones and not empty.
KeysVerdict VerifyZoneKeys(const EntryPoints& points, const dns::RRset& dnskeys, Check& check);

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_ZONE_KEYS_H_
