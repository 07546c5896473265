#include "resolver/core/validator/judge.h"

#include <algorithm>
#include <utility>

#include "proto/dns/rdata.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::EdeCode;
using dns::RRType;

int Badness(Security security) {
  switch (security) {
    case Security::kSecure:
      return 0;
    case Security::kUnchecked:
    case Security::kInsecure:
      return 1;
    case Security::kBogus:
      return 2;
  }
  return 2;
}

Judgement BogusBy(RRsetVerdict&& signature) {
  Judgement judgement;
  judgement.why = std::move(signature.why);
  judgement.exhausted = signature.exhausted;
  return judgement;
}

}  // namespace

void Merge(Judgement&& other, Judgement* into) {
  into->ttl_cap = std::min(into->ttl_cap, other.ttl_cap);
  into->exhausted |= other.exhausted;
  if (other.wildcard_encloser) into->wildcard_encloser = other.wildcard_encloser;
  if (Badness(other.security) <= Badness(into->security)) return;
  into->security = other.security;
  into->by_zone = other.by_zone;
  into->why = std::move(other.why);
}

Judgement FromDenial(DenialVerdict&& verdict) {
  Judgement judgement;
  judgement.ttl_cap = verdict.ttl_cap;
  judgement.exhausted = verdict.exhausted;
  judgement.why = std::move(verdict.why);
  switch (verdict.proof) {
    case Proof::kProven:
      judgement.security = Security::kSecure;
      break;
    case Proof::kOptOut:
    case Proof::kTooManyIterations:
      judgement.security = Security::kInsecure;
      break;
    case Proof::kNotProven:
    case Proof::kOverBudget:
      judgement.security = Security::kBogus;
      break;
  }
  return judgement;
}

Judgement JudgeRRset(const dns::RRset& rrset, std::span<const dns::RRsetPtr> authority, const ZoneKeys& keys,
                     Check& check) {
  RRsetVerdict signature = VerifyRRset(rrset, keys, check);
  if (!signature.valid) return BogusBy(std::move(signature));
  Judgement judgement;
  judgement.security = Security::kSecure;
  judgement.ttl_cap = signature.ttl_cap;
  judgement.wildcard_encloser = signature.wildcard_encloser;
  if (signature.wildcard_encloser) {
    Denial denial(authority, keys, check);
    Merge(FromDenial(denial.WildcardAnswer(rrset.owner, *signature.wildcard_encloser)), &judgement);
  }
  return judgement;
}

Judgement JudgeDenial(const Response& response, const ZoneKeys& keys, Check& check) {
  Judgement judgement;
  judgement.security = Security::kSecure;
  for (const auto& rrset : response.authority) {
    if (rrset->type != RRType::kSOA) continue;
    if (rrset->owner != keys.zone) {
      return Judgement::Bogus(EdeCode::kDnssecBogus,
                              Describe(*rrset) + ": not of the zone that signed the denial");
    }
    RRsetVerdict signature = VerifyRRset(*rrset, keys, check);
    if (!signature.valid) return BogusBy(std::move(signature));
    judgement.ttl_cap = std::min(judgement.ttl_cap, signature.ttl_cap);
  }
  Denial denial(response.authority, keys, check);
  DenialVerdict verdict = response.kind == ResponseKind::kNxdomain
                              ? denial.NameError(response.qname)
                              : denial.Nodata(response.qname, response.qtype);
  // An empty non-terminal, which some servers deny altogether.
  if (response.kind == ResponseKind::kNxdomain && verdict.proof == Proof::kNotProven) {
    judgement.is_nodata = denial.AlsoNodata(response.qname, response.qtype);
    if (judgement.is_nodata) {
      verdict.proof = Proof::kProven;
      verdict.why = {};
    }
  }
  Merge(FromDenial(std::move(verdict)), &judgement);
  return judgement;
}

const dns::RRset* DnameFor(std::span<const dns::RRsetPtr> answer, size_t index) {
  const dns::RRset& cname = *answer[index];
  if (cname.type != RRType::kCNAME || !cname.signatures.empty()) return nullptr;
  for (const auto& rrset : answer) {
    if (rrset->type == RRType::kDNAME && cname.owner.view().IsBelow(rrset->owner)) return rrset.get();
  }
  return nullptr;
}

bool IsMadeFrom(const dns::RRset& cname, const dns::RRset& dname) {
  if (cname.rdata.size() != 1 || dname.rdata.size() != 1) return false;
  const auto target = dns::ReadTarget(cname.rdata.front());
  const auto to = dns::ReadTarget(dname.rdata.front());
  if (!target || !to) return false;
  const auto made = dns::Name::ReplaceSuffix(cname.owner, dname.owner, *to);
  return made && made->view() == *target;
}

bool AnswersQuestion(const Response& response) {
  if (response.answer.empty()) return false;
  const RRType wanted = response.kind == ResponseKind::kCname ? RRType::kCNAME : response.qtype;
  const dns::RRset& last = *response.answer.back();
  // What its DNAME makes of the name would be too long (RFC 6672 section 2.2).
  if (response.kind == ResponseKind::kCname && response.rcode == dns::Rcode::kYXDomain) {
    return response.answer.size() == 1 && last.type == RRType::kDNAME && last.rdata.size() == 1 &&
           response.qname.view().IsBelow(last.owner);
  }
  if (last.owner != response.qname) return false;
  if (wanted != RRType::kANY && last.type != wanted) return false;
  return std::all_of(response.answer.begin(), response.answer.end(), [&](const dns::RRsetPtr& rrset) {
    if (rrset->rdata.empty()) return false;
    if (rrset.get() == &last) return true;
    if (wanted == RRType::kANY) return rrset->owner == response.qname;
    return wanted == RRType::kCNAME && rrset->type == RRType::kDNAME &&
           response.qname.view().IsBelow(rrset->owner);
  });
}

dns::NameView HolderOf(dns::NameView owner, RRType type) {
  return type == RRType::kDS ? owner.Parent() : owner;
}

std::optional<dns::Name> BestSigner(const dns::RRset& rrset, dns::NameView target) {
  std::optional<dns::NameView> best;
  size_t scanned = 0;
  for (const auto rdata : rrset.signatures) {
    if (++scanned > kSignaturesScanned) break;
    const auto sig = dns::ReadRrsig(rdata);
    if (!sig || sig->covered != rrset.type || !NamesAgree(*sig, rrset.owner) ||
        !target.IsAtOrBelow(sig->signer))
      continue;
    if (!best || sig->signer.size() > best->size()) best = sig->signer;
  }
  if (!best) return std::nullopt;
  return dns::Name(*best);
}

}  // namespace sekisho::resolver::dnssec
