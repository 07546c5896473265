// NSEC proofs over records whose signatures have been verified: nothing but names and bitmaps is judged here.
//
//   NsecProver prover(zone, records);
//   prover.NameError(qname) == Proof::kProven
//
// Threads: immutable views. Limits: the caller gives at most kDenialRecords records.
// Standards: RFC 4035 section 5.4, RFC 6840 sections 4.1–4.4, RFC 7129, RFC 9824 (a compact denial is a
// NODATA); rows P21 (next name inside the zone) and P24 (no proof from above a cut).
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_NSEC_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_NSEC_H_

#include <optional>
#include <span>

#include "proto/dns/name.h"
#include "proto/dns/rdata.h"

namespace sekisho::resolver::dnssec {

enum class Proof : uint8_t {
  kProven,
  kOptOut,             // as far as an opt-out span can: what it says is not secure (RFC 5155 section 9.2)
  kTooManyIterations,  // NSEC3 that is not evaluated; not secure (RFC 9276 section 3.2)
  kNotProven,
  kOverBudget,
};

struct NsecRecord {
  dns::NameView owner;
  dns::NsecView data;
};

// Owner and next both in the zone, so that it says nothing of other zones.
bool NsecStaysInZone(const NsecRecord& record, dns::NameView zone);
// owner < name < next in the zone's circle of names, as far as order goes.
bool NsecSpans(const NsecRecord& record, dns::NameView zone, dns::NameView name);

class NsecProver {
 public:
  NsecProver(dns::NameView zone, std::span<const NsecRecord> records) : zone_(zone), records_(records) {}

  // Neither the name nor a wildcard that would make it exists.
  Proof NameError(dns::NameView qname) const;
  // The name exists without the type, or a wildcard without the type stands for it. For DS: *delegation tells
  // whether the name is an (insecure) delegation.
  Proof Nodata(dns::NameView qname, dns::RRType type, bool* delegation) const;
  // No name closer than the wildcard below `encloser_labels` labels exists for qname.
  Proof WildcardAnswer(dns::NameView qname, int encloser_labels) const;

  // The deepest existing ancestor of a name that `record` spans.
  static dns::NameView ClosestEncloser(const NsecRecord& record, dns::NameView name);

 private:
  // A record that proves the absence of `name` itself (not even an empty non-terminal), or null.
  const NsecRecord* Covering(dns::NameView name) const;
  const NsecRecord* Matching(dns::NameView name) const;

  dns::NameView zone_;
  std::span<const NsecRecord> records_;
};

// Does a bitmap at the name itself (or at a wildcard standing for it) prove that `type` is not there?
// `at_root`: the name is the root, whose own apex is the only place its DS could be.
bool BitmapDenies(const dns::TypeBitmap& types, dns::RRType type, bool at_root, bool* delegation);
// A parent's record at a delegation, or one at a DNAME, says nothing of names below it.
bool DeniesBelow(const dns::TypeBitmap& types);

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_NSEC_H_
