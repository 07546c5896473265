// Judge: what a zone's validated keys say of an answer or a denial. No waiting: the chain to the keys is
// chain.h's.
//
// Threads: functions without state. Limits: those of signature.h and denial.h.
// Standards: RFC 4035 section 5, RFC 5155 section 8, RFC 6672 section 5.3 (DNAME); rows P20–P26, D07–D11.
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_JUDGE_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_JUDGE_H_

#include <optional>
#include <vector>

#include "proto/dns/edns.h"
#include "proto/dns/rrset.h"
#include "resolver/core/response.h"
#include "resolver/core/validator/denial.h"
#include "resolver/core/validator/signature.h"

namespace sekisho::resolver::dnssec {

struct Judgement {
  Security security = Security::kBogus;
  dns::ExtendedError why;  // text empty: nothing to tell
  uint32_t ttl_cap = kNoTtlCap;
  bool exhausted = false;
  bool by_zone = false;  // follows from what the zone is, not from what the response holds
  std::optional<int> wildcard_encloser = {};
  bool is_nodata = false;  // what came as NXDOMAIN proves that the name exists without the type

  static Judgement Bogus(dns::EdeCode code, std::string text) {
    return {Security::kBogus, {code, std::move(text)}, kNoTtlCap, false, false, {}, false};
  }
};

// The worse of two: bogus, insecure, secure.
void Merge(Judgement&& other, Judgement* into);

// One RRset with signatures; when it was made from a wildcard, `authority` must prove that nothing closer
// exists.
Judgement JudgeRRset(const dns::RRset& rrset, std::span<const dns::RRsetPtr> authority, const ZoneKeys& keys,
                     Check& check);

// kNodata or kNxdomain.
Judgement JudgeDenial(const Response& response, const ZoneKeys& keys, Check& check);

// Turns a denial's verdict into a judgement.
Judgement FromDenial(DenialVerdict&& verdict);

// The DNAME before answer[index] that an unsigned CNAME there claims to be made from, or null.
const dns::RRset* DnameFor(std::span<const dns::RRsetPtr> answer, size_t index);
// Is the CNAME what the DNAME makes of its owner?
bool IsMadeFrom(const dns::RRset& cname, const dns::RRset& dname);

// Does the answer hold what its kind says, owned by who was asked for, and nothing beside but a DNAME above?
bool AnswersQuestion(const Response& response);

// Where the zone that holds this type of data at `owner` must be: at or above this name. DS lives in the
// parent.
dns::NameView HolderOf(dns::NameView owner, dns::RRType type);

// The longest signer among `rrset`'s signatures that may sign it and is at or above `target`.
std::optional<dns::Name> BestSigner(const dns::RRset& rrset, dns::NameView target);

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_JUDGE_H_
