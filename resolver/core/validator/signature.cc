// Signed bytes (RFC 4034 section 3.1.8.1):
//
//   signed := RRSIG RDATA without signature, signer in lower case | rr*     rr in canonical order, duplicates
//   removed rr     := owner, lower case (or "*." and the closest encloser) | u16 type | u16 class | u32
//   original TTL
//             | u16 length | canonical RDATA
#include "resolver/core/validator/signature.h"

#include <algorithm>
#include <utility>

#include "proto/dns/rdata_form.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::EdeCode;
using dns::SigResult;

constexpr size_t kFixedRrsigSize = 18;

// How far a signature came before it was refused; the furthest one gives the reason.
enum class Stage : uint8_t { kNone, kMissing, kNames, kAlgorithm, kKey, kTime, kCrypto, kLimit };

struct Refusal {
  Stage stage = Stage::kNone;
  EdeCode code = EdeCode::kRrsigsMissing;
  const char* text = "no signature";

  void Note(Stage at, EdeCode why, const char* what) {
    if (at <= stage) return;
    stage = at;
    code = why;
    text = what;
  }
};

void AppendU16(uint16_t v, std::string* out) {
  out->push_back(static_cast<char>(v >> 8));
  out->push_back(static_cast<char>(v & 0xff));
}

void AppendBytes(std::span<const uint8_t> bytes, std::string* out) {
  out->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// RFC 4034 section 6.3: as unsigned bytes, a prefix first.
std::vector<std::string> CanonicalOrder(const dns::RRset& rrset) {
  std::vector<std::string> all;
  all.reserve(rrset.rdata.size());
  for (const auto rdata : rrset.rdata) all.push_back(dns::CanonicalRdata(rrset.type, rdata));
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::string SignedBytes(const dns::RRset& rrset, const dns::RrsigView& sig,
                        const std::vector<std::string>& canonical) {
  std::string owner;
  const int labels = SignedLabels(rrset.owner);
  if (sig.labels < labels) {
    owner.assign("\x01*", 2);
    owner += dns::Name(rrset.owner.view().Suffix(sig.labels)).LowercaseBytes();
  } else {
    owner = rrset.owner.LowercaseBytes();
  }
  std::string out;
  AppendBytes(sig.before_signature.first(kFixedRrsigSize), &out);
  out += dns::Name(sig.signer).LowercaseBytes();
  for (const std::string& rdata : canonical) {
    out += owner;
    AppendU16(static_cast<uint16_t>(rrset.type), &out);
    AppendU16(static_cast<uint16_t>(rrset.rrclass), &out);
    AppendU16(static_cast<uint16_t>(sig.original_ttl >> 16), &out);
    AppendU16(static_cast<uint16_t>(sig.original_ttl & 0xffff), &out);
    AppendU16(static_cast<uint16_t>(rdata.size()), &out);
    out += rdata;
  }
  return out;
}

// Seconds from `b` to `a` in serial arithmetic (RFC 4034 section 3.1.5).
int64_t SerialDifference(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b); }

bool TimesHold(const dns::RrsigView& sig, const Check& check, Refusal* refusal) {
  const auto now = static_cast<uint32_t>(check.now);
  const int64_t validity = SerialDifference(sig.expiration, sig.inception);
  if (validity < 0) {
    refusal->Note(Stage::kTime, EdeCode::kSignatureExpiredBeforeValid, "signature ends before it begins");
    return false;
  }
  const int64_t skew = check.policy.Skew(validity);
  if (SerialDifference(sig.inception, now) > skew) {
    refusal->Note(Stage::kTime, EdeCode::kSignatureNotYetValid, "signature not yet valid");
    return false;
  }
  if (SerialDifference(now, sig.expiration) > skew) {
    refusal->Note(Stage::kTime, EdeCode::kSignatureExpired, "signature expired");
    return false;
  }
  return true;
}

// RFC 4035 section 5.3.3.
uint32_t TtlCap(const dns::RrsigView& sig, int64_t now) {
  const int64_t left = SerialDifference(sig.expiration, static_cast<uint32_t>(now));
  const uint32_t until = left > 0 ? static_cast<uint32_t>(left) : kSkewTtl;
  return std::min(dns::MeantTtl(sig.original_ttl), until);
}

// One RRset on its way through its signatures.
class Verification {
 public:
  Verification(const dns::RRset& rrset, const ZoneKeys& keys, Check& check)
      : rrset_(rrset), keys_(keys), check_(check) {}

  RRsetVerdict Run() {
    if (rrset_.rrclass != dns::RRClass::kIN || rrset_.rdata.size() > limits::kRecordsPerRrset) {
      refusal_.Note(Stage::kLimit, EdeCode::kDnssecBogus, "more records than are accepted");
      return Refused();
    }
    size_t scanned = 0;
    for (const auto rdata : rrset_.signatures) {
      if (++scanned > kSignaturesScanned || done_) break;
      const auto sig = dns::ReadRrsig(rdata);
      if (!sig || !Acceptable(*sig)) continue;
      if (TryKeys(*sig)) return Accepted(*sig);
    }
    return Refused();
  }

 private:
  bool Acceptable(const dns::RrsigView& sig) {
    if (sig.covered != rrset_.type) return false;
    if (sig.signer != keys_.zone.view() || !NamesAgree(sig, rrset_.owner)) {
      refusal_.Note(Stage::kNames, EdeCode::kDnssecBogus, "signature by a name that may not sign this");
      return false;
    }
    if (!check_.policy.AllowsAlgorithm(sig.algorithm)) {
      refusal_.Note(Stage::kAlgorithm, EdeCode::kRrsigsMissing, "no signature of a supported algorithm");
      return false;
    }
    return true;
  }

  // Keys are looked up before times are judged so that an expired signature by an unknown key says "unknown
  // key".
  bool TryKeys(const dns::RrsigView& sig) {
    int tried = 0;
    for (const ZoneKey& key : keys_.keys) {
      if (key.tag != sig.key_tag || key.algorithm != sig.algorithm) continue;
      if (tried == 0 && !TimesHold(sig, check_, &refusal_)) return false;
      if (++tried > limits::kKeysPerTag) break;
      const SigResult result = VerifyOnce(sig, key);
      if (result == SigResult::kValid) return true;
      // A malformed key that matches is one failure, not an invitation to try its siblings (row D10).
      if (done_ || result != SigResult::kInvalid) break;
    }
    if (tried == 0)
      refusal_.Note(Stage::kKey, EdeCode::kDnskeyMissing, "no DNSKEY for the signature's key tag");
    return false;
  }

  SigResult VerifyOnce(const dns::RrsigView& sig, const ZoneKey& key) {
    if (verifications_ == limits::kSignaturesPerRrset) {
      done_ = true;
      refusal_.Note(Stage::kLimit, EdeCode::kDnssecBogus, "too many signatures that do not verify");
      return SigResult::kInvalid;
    }
    if (!check_.budget.HasSignatureFailure() || !check_.budget.TakeSignature()) {
      done_ = exhausted_ = true;
      refusal_.Note(Stage::kLimit, EdeCode::kDnssecBogus, "limit of signature checks reached");
      return SigResult::kInvalid;
    }
    ++verifications_;
    if (canonical_.empty()) canonical_ = CanonicalOrder(rrset_);
    const std::string bytes = SignedBytes(rrset_, sig, canonical_);
    const SigResult result =
        check_.crypto.VerifySignature(sig.algorithm, AsBytes(key.rdata), AsBytes(bytes), sig.signature);
    if (result == SigResult::kValid) return result;
    check_.budget.TakeSignatureFailure();
    refusal_.Note(Stage::kCrypto, EdeCode::kDnssecBogus,
                  result == SigResult::kBadKey ? "malformed key" : "signature does not verify");
    return result;
  }

  RRsetVerdict Accepted(const dns::RrsigView& sig) const {
    RRsetVerdict verdict;
    verdict.valid = true;
    verdict.ttl_cap = TtlCap(sig, check_.now);
    if (sig.labels < SignedLabels(rrset_.owner)) verdict.wildcard_encloser = sig.labels;
    return verdict;
  }

  RRsetVerdict Refused() const {
    RRsetVerdict verdict;
    verdict.exhausted = exhausted_;
    verdict.why = {refusal_.code, Describe(rrset_) + ": " + refusal_.text};
    return verdict;
  }

  const dns::RRset& rrset_;
  const ZoneKeys& keys_;
  Check& check_;
  Refusal refusal_;
  std::vector<std::string> canonical_;
  int verifications_ = 0;
  bool done_ = false;
  bool exhausted_ = false;
};

}  // namespace

int SignedLabels(dns::NameView owner) { return owner.LabelCount() - (owner.IsWildcard() ? 1 : 0); }

bool NamesAgree(const dns::RrsigView& sig, dns::NameView owner) {
  return owner.IsAtOrBelow(sig.signer) && sig.labels <= SignedLabels(owner) &&
         sig.labels >= sig.signer.LabelCount();
}

RRsetVerdict VerifyRRset(const dns::RRset& rrset, const ZoneKeys& keys, Check& check) {
  return Verification(rrset, keys, check).Run();
}

std::vector<ZoneKey> UsableKeys(const dns::RdataList& dnskeys, const Policy& policy, bool* no_zone_bit) {
  std::vector<ZoneKey> usable;
  for (const auto rdata : dnskeys) {
    const auto key = dns::ReadDnskey(rdata);
    if (!key || key->protocol != 3 || key->is_revoked() || !policy.AllowsAlgorithm(key->algorithm)) continue;
    if (rdata.size() > kMaxKeyRdata) continue;
    if (!key->is_zone_key()) {
      *no_zone_bit = true;
      continue;
    }
    const auto same = std::count_if(usable.begin(), usable.end(), [&](const ZoneKey& k) {
      return k.tag == key->key_tag && k.algorithm == key->algorithm;
    });
    if (same >= limits::kKeysPerTag) continue;
    usable.push_back({key->key_tag, key->algorithm,
                      std::string(reinterpret_cast<const char*>(rdata.data()), rdata.size())});
    if (usable.size() == kKeysPerZone) break;
  }
  return usable;
}

std::string Describe(const dns::RRset& rrset) {
  return rrset.owner.ToString() + " " + dns::ToString(rrset.type);
}

}  // namespace sekisho::resolver::dnssec
