// Denial: the NSEC and NSEC3 records of an authority section, chosen, verified and put to the proof.
//
//   Denial denial(authority, keys, check);
//   denial.NameError(qname) → DenialVerdict
//
// Only records that could matter to the question are verified, and no more than kDenialRecords of them (row
// D11).
//
// Threads: one. Limits: kDenialRecords; Budget. Standards: those of nsec.h and nsec3.h; rows P20 (a denial
// record made from a wildcard proves nothing), P21, P22.
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_DENIAL_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_DENIAL_H_

#include <span>
#include <string>
#include <vector>

#include "proto/dns/edns.h"
#include "proto/dns/name.h"
#include "proto/dns/rrset.h"
#include "resolver/core/limits.h"
#include "resolver/core/validator/nsec.h"
#include "resolver/core/validator/nsec3.h"
#include "resolver/core/validator/signature.h"

namespace sekisho::resolver::dnssec {

struct DenialVerdict {
  Proof proof = Proof::kNotProven;
  bool delegation = false;  // Nodata of DS: the name is a delegation without DS
  bool exhausted = false;
  dns::ExtendedError why;  // unless kProven or kOptOut
  uint32_t ttl_cap = kNoTtlCap;
  uint32_t ttl = kNoTtlCap;  // the smallest TTL of the records used
};

class Denial {
 public:
  // What is given must outlive it.
  Denial(std::span<const dns::RRsetPtr> authority, const ZoneKeys& keys, Check& check)
      : authority_(authority), keys_(keys), check_(check) {}

  DenialVerdict NameError(dns::NameView qname);
  DenialVerdict Nodata(dns::NameView qname, dns::RRType type);
  // After NameError, of what was verified for it: is the name there without the type?
  bool AlsoNodata(dns::NameView qname, dns::RRType type) {
    return Prove(Question::kNodata, qname, type, 0) == Proof::kProven;
  }
  DenialVerdict WildcardAnswer(dns::NameView qname, int encloser_labels);

 private:
  enum class Question : uint8_t { kNameError, kNodata, kWildcardAnswer };

  DenialVerdict Run(Question question, dns::NameView qname, dns::RRType type, int encloser_labels);
  dns::ExtendedError Unproven(const std::string& name) const;
  void Choose(dns::NameView qname);
  void ChooseNsec(const dns::RRset& rrset, dns::NameView name);
  void ChooseNsec3(const dns::RRset& rrset);
  bool Verify(const dns::RRset& rrset);
  bool Full() const { return tried_.size() >= limits::kDenialRecords; }
  bool Tried(const dns::RRset& rrset) const;
  Proof Prove(Question question, dns::NameView qname, dns::RRType type, int encloser_labels);

  std::span<const dns::RRsetPtr> authority_;
  const ZoneKeys& keys_;
  Check& check_;
  DenialVerdict verdict_;
  std::vector<const dns::RRset*> tried_;
  std::vector<NsecRecord> nsec_;
  std::vector<Nsec3Record> nsec3_;
};

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_DENIAL_H_
