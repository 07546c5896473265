#include "resolver/core/validator/zone_keys.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::EdeCode;

constexpr uint8_t kSha1 = 1;

bool SameBytes(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

// The keys among `candidates` that the entry points name.
std::vector<ZoneKey> Matching(const EntryPoints& points, const std::vector<ZoneKey>& candidates,
                              Check& check) {
  std::vector<ZoneKey> matched;
  const auto add = [&](const ZoneKey& key) {
    const bool known =
        std::any_of(matched.begin(), matched.end(), [&](const ZoneKey& k) { return k.rdata == key.rdata; });
    if (!known) matched.push_back(key);
  };
  for (const ZoneKey& key : candidates) {
    for (const auto anchor : points.dnskeys) {
      if (SameBytes(anchor, AsBytes(key.rdata))) add(key);
    }
  }
  int mismatches = 0;
  for (const auto rdata : points.ds) {
    const auto ds = dns::ReadDs(rdata);
    if (!ds) continue;
    for (const ZoneKey& key : candidates) {
      if (key.tag != ds->key_tag || key.algorithm != ds->algorithm) continue;
      const auto digest = check.crypto.DsDigest(ds->digest_type, points.zone, AsBytes(key.rdata));
      if (digest && SameBytes(digest->view(), ds->digest)) {
        add(key);
      } else if (++mismatches == limits::kDsPerZone) {
        return matched;
      }
    }
  }
  return matched;
}

}  // namespace

EntryPoints UsableEntryPoints(const EntryPoints& points, const Policy& policy, dns::ExtendedError* why) {
  EntryPoints usable;
  usable.zone = points.zone;
  bool algorithm_known = false;
  bool better_digest = false;
  for (const auto rdata : points.ds) {
    const auto ds = dns::ReadDs(rdata);
    if (!ds || !policy.AllowsAlgorithm(ds->algorithm)) continue;
    algorithm_known = true;
    if (policy.AllowsDigest(ds->digest_type) && ds->digest_type != kSha1) better_digest = true;
  }
  for (const auto rdata : points.ds) {
    const auto ds = dns::ReadDs(rdata);
    if (!ds || !policy.AllowsAlgorithm(ds->algorithm) || !policy.AllowsDigest(ds->digest_type)) continue;
    if (ds->digest_type == kSha1 && better_digest) continue;
    usable.ds.Add(rdata);
  }
  for (const auto rdata : points.dnskeys) {
    const auto key = dns::ReadDnskey(rdata);
    if (key && policy.AllowsAlgorithm(key->algorithm)) usable.dnskeys.Add(rdata);
  }
  if (usable.ds.empty() && usable.dnskeys.empty()) {
    const std::string zone = points.zone.ToString();
    *why =
        algorithm_known
            ? dns::ExtendedError{EdeCode::kUnsupportedDsDigestType, zone + " DS: no supported digest type"}
            : dns::ExtendedError{EdeCode::kUnsupportedDnskeyAlgorithm, zone + " DS: no supported algorithm"};
  }
  return usable;
}

KeysVerdict VerifyZoneKeys(const EntryPoints& points, const dns::RRset& dnskeys, Check& check) {
  KeysVerdict verdict;
  bool no_zone_bit = false;
  std::vector<ZoneKey> candidates = UsableKeys(dnskeys.rdata, check.policy, &no_zone_bit);
  ZoneKeys entry{points.zone, Matching(points, candidates, check)};
  if (entry.keys.empty()) {
    const std::string zone = points.zone.ToString();
    verdict.why =
        no_zone_bit && candidates.empty()
            ? dns::ExtendedError{EdeCode::kNoZoneKeyBitSet, zone + " DNSKEY: no zone key bit"}
            : dns::ExtendedError{EdeCode::kDnskeyMissing, zone + " DNSKEY: none matches the DS or anchor"};
    return verdict;
  }
  RRsetVerdict signature = VerifyRRset(dnskeys, entry, check);
  verdict.exhausted = signature.exhausted;
  verdict.why = std::move(signature.why);
  if (!signature.valid) return verdict;
  verdict.valid = true;
  verdict.ttl_cap = signature.ttl_cap;
  verdict.keys = {points.zone, std::move(candidates)};
  return verdict;
}

}  // namespace sekisho::resolver::dnssec
