#include "resolver/core/validator/denial.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver::dnssec {

using dns::EdeCode;
using dns::NameView;
using dns::RRType;

DenialVerdict Denial::NameError(NameView qname) { return Run(Question::kNameError, qname, RRType::kNone, 0); }

DenialVerdict Denial::Nodata(NameView qname, RRType type) { return Run(Question::kNodata, qname, type, 0); }

DenialVerdict Denial::WildcardAnswer(NameView qname, int encloser_labels) {
  return Run(Question::kWildcardAnswer, qname, RRType::kNone, encloser_labels);
}

DenialVerdict Denial::Run(Question question, NameView qname, RRType type, int encloser_labels) {
  Choose(qname);
  verdict_.proof = Prove(question, qname, type, encloser_labels);
  const std::string name = qname.ToString();
  switch (verdict_.proof) {
    case Proof::kProven:
    case Proof::kOptOut:
      verdict_.why = {};
      break;
    case Proof::kTooManyIterations:
      verdict_.why = {EdeCode::kUnsupportedNsec3Iterations, name + ": NSEC3 iterations above the limit"};
      break;
    case Proof::kOverBudget:
      verdict_.exhausted = true;
      verdict_.why = {EdeCode::kDnssecBogus, name + ": limit of NSEC3 hashes reached"};
      break;
    case Proof::kNotProven:
      // A record that did not verify explains the failure better than its absence from the proof.
      if (!verdict_.why.text.empty()) break;
      verdict_.why = Unproven(name);
      break;
  }
  return std::move(verdict_);
}

dns::ExtendedError Denial::Unproven(const std::string& name) const {
  if (!tried_.empty()) return {EdeCode::kDnssecBogus, name + ": denial not proven"};
  const bool any =
      std::any_of(authority_.begin(), authority_.end(), [](const auto& r) { return !r->signatures.empty(); });
  if (!any) return {EdeCode::kRrsigsMissing, name + ": denial without signatures"};
  return {EdeCode::kNsecMissing, name + ": no NSEC or NSEC3 that applies"};
}

// NSEC first: what spans or owns the name, then what does so for the wildcard at the closest encloser.
void Denial::Choose(NameView qname) {
  for (const auto& rrset : authority_) {
    if (rrset->type == RRType::kNSEC) ChooseNsec(*rrset, qname);
  }
  std::optional<dns::Name> wildcard;
  for (const NsecRecord& record : nsec_) {
    if (NsecSpans(record, keys_.zone, qname)) {
      wildcard = dns::Name::Prepend("*", NsecProver::ClosestEncloser(record, qname));
      break;
    }
  }
  if (wildcard) {
    for (const auto& rrset : authority_) {
      if (rrset->type == RRType::kNSEC) ChooseNsec(*rrset, *wildcard);
    }
  }
  for (const auto& rrset : authority_) {
    if (rrset->type == RRType::kNSEC3) ChooseNsec3(*rrset);
  }
}

void Denial::ChooseNsec(const dns::RRset& rrset, NameView name) {
  if (rrset.rdata.size() != 1 || Full() || Tried(rrset)) return;
  const auto data = dns::ReadNsec(rrset.rdata.front());
  if (!data) return;
  const NsecRecord record{rrset.owner, *data};
  if (!NsecStaysInZone(record, keys_.zone)) return;
  if (record.owner != name && !NsecSpans(record, keys_.zone, name)) return;
  if (Verify(rrset)) nsec_.push_back(record);
}

void Denial::ChooseNsec3(const dns::RRset& rrset) {
  if (rrset.rdata.size() != 1 || Full() || Tried(rrset)) return;
  if (rrset.owner.IsRoot() || rrset.owner.view().Parent() != keys_.zone.view()) return;
  const auto data = dns::ReadNsec3(rrset.rdata.front());
  const auto hash = Nsec3OwnerHash(rrset.owner);
  if (!data || !hash || !IsUsableNsec3(*data)) return;
  if (!nsec3_.empty() && !SameParameters(nsec3_.front().data, *data)) return;
  if (Verify(rrset)) nsec3_.push_back({*hash, *data});
}

bool Denial::Tried(const dns::RRset& rrset) const {
  return std::find(tried_.begin(), tried_.end(), &rrset) != tried_.end();
}

bool Denial::Verify(const dns::RRset& rrset) {
  tried_.push_back(&rrset);
  RRsetVerdict signature = VerifyRRset(rrset, keys_, check_);
  if (!signature.valid) {
    verdict_.exhausted |= signature.exhausted;
    verdict_.why = std::move(signature.why);
    return false;
  }
  // An existing record only: one made from a wildcard speaks of a name that is not there.
  if (signature.wildcard_encloser) return false;
  if (check_.proven != nullptr) check_.proven->push_back(&rrset);
  verdict_.ttl_cap = std::min(verdict_.ttl_cap, signature.ttl_cap);
  verdict_.ttl = std::min(verdict_.ttl, rrset.ttl);
  return true;
}

Proof Denial::Prove(Question question, NameView qname, RRType type, int encloser_labels) {
  NsecProver nsec(keys_.zone, nsec_);
  Nsec3Prover nsec3(keys_.zone, nsec3_, check_.crypto, check_.budget, check_.policy.nsec3_iterations);
  Proof proof = Proof::kNotProven;
  switch (question) {
    case Question::kNameError:
      if (!nsec_.empty()) proof = nsec.NameError(qname);
      return proof == Proof::kProven ? proof : nsec3.NameError(qname);
    case Question::kNodata:
      if (!nsec_.empty()) proof = nsec.Nodata(qname, type, &verdict_.delegation);
      return proof == Proof::kProven ? proof : nsec3.Nodata(qname, type, &verdict_.delegation);
    case Question::kWildcardAnswer:
      if (!nsec_.empty()) proof = nsec.WildcardAnswer(qname, encloser_labels);
      return proof == Proof::kProven ? proof : nsec3.WildcardAnswer(qname, encloser_labels);
  }
  return proof;
}

}  // namespace sekisho::resolver::dnssec
