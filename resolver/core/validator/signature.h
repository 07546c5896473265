// VerifyRRset: does a signature by one of a zone's validated keys cover this RRset, and until when?
//
// Threads: functions without state; Check holds what they may use and spend.
// Limits: kSignaturesPerRrset verifications for one RRset, kKeysPerTag keys for one signature,
// kSignaturesScanned signatures looked at; the rest by Budget (KeyTrap, rows D07 and D10). Standards: RFC
// 4035 section 5.3, RFC 4034 sections 3.1 and 6, RFC 6840 sections 5.1 and 5.11, RFC 1982 (times); row P20
// (labels and signer). EDE codes per RFC 8914.
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_SIGNATURE_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_SIGNATURE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/dns/dnssec_crypto.h"
#include "proto/dns/edns.h"
#include "proto/dns/name.h"
#include "proto/dns/rdata.h"
#include "proto/dns/rrset.h"
#include "resolver/core/budget.h"
#include "resolver/core/validator/policy.h"

namespace sekisho::resolver::dnssec {

inline constexpr size_t kSignaturesScanned = 64;
inline constexpr size_t kKeysPerZone = 32;
// No key of a supported algorithm is longer (RSA of 4096 bits with the longest exponent allowed).
inline constexpr size_t kMaxKeyRdata = 1100;
// TTL of what is good only because of the clock skew allowed: its signature has just ended (seconds).
inline constexpr uint32_t kSkewTtl = 60;
inline constexpr uint32_t kNoTtlCap = 0xffffffff;

struct ZoneKey {
  uint16_t tag = 0;
  uint8_t algorithm = 0;
  std::string rdata;
};

// Keys that may sign a zone's data; validated, or about to be tried for the DNSKEY RRset itself.
struct ZoneKeys {
  dns::Name zone;
  std::vector<ZoneKey> keys;
};

// What judging may use and spend.
struct Check {
  dns::DnssecCrypto& crypto;
  Budget& budget;
  const Policy& policy;
  int64_t now;  // Unix seconds
  // Gathers the denials that verify; null: nobody wants them.
  std::vector<const dns::RRset*>* proven = nullptr;
};

struct RRsetVerdict {
  bool valid = false;
  bool exhausted = false;  // the budget ended before a verdict
  dns::ExtendedError why;  // when not valid
  // When the RRset was made from a wildcard: labels of the closest encloser, the name below which "*" stands.
  std::optional<int> wildcard_encloser;
  uint32_t ttl_cap = kNoTtlCap;
};

RRsetVerdict VerifyRRset(const dns::RRset& rrset, const ZoneKeys& keys, Check& check);

// Labels as RRSIG counts them: without the root and without a leading "*".
int SignedLabels(dns::NameView owner);

// May a signature with these fields cover data owned by `owner`, as far as names say?
bool NamesAgree(const dns::RrsigView& sig, dns::NameView owner);

// The DNSKEYs of an RRset that may sign data: zone key bit, protocol 3, not revoked, algorithm allowed.
// *no_zone_bit becomes true when a key was left out for want of the zone key bit alone.
std::vector<ZoneKey> UsableKeys(const dns::RdataList& dnskeys, const Policy& policy, bool* no_zone_bit);

// "www.example.test. A": for the text of an extended error.
std::string Describe(const dns::RRset& rrset);

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_SIGNATURE_H_
