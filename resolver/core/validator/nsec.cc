#include "resolver/core/validator/nsec.h"

#include <algorithm>

namespace sekisho::resolver::dnssec {

using dns::NameView;
using dns::RRType;

namespace {

// Nothing but what denial itself puts there: RRSIG, NSEC and (RFC 9824) NXNAME.
bool OnlyDenial(const dns::TypeBitmap& types) {
  constexpr uint16_t kNxname = 128;
  const auto bytes = types.bytes();
  for (size_t at = 0; at + 2 <= bytes.size(); at += size_t{2} + bytes[at + 1]) {
    for (size_t bit = 0; bit < size_t{8} * bytes[at + 1] && at + 2 + bit / 8 < bytes.size(); ++bit) {
      if ((bytes[at + 2 + bit / 8] & (0x80u >> (bit % 8))) == 0) continue;
      const auto type = static_cast<uint16_t>(size_t{bytes[at]} << 8 | bit);
      if (type != static_cast<uint16_t>(RRType::kRRSIG) && type != static_cast<uint16_t>(RRType::kNSEC) &&
          type != kNxname)
        return false;
    }
  }
  return true;
}

}  // namespace

bool BitmapDenies(const dns::TypeBitmap& types, RRType type, bool at_root, bool* delegation) {
  if (types.Has(type) || types.Has(RRType::kCNAME)) return false;
  if (type == RRType::kANY) return OnlyDenial(types);
  const bool parent_side = types.Has(RRType::kNS) && !types.Has(RRType::kSOA);
  if (type == RRType::kDS) {
    // The child's own record knows nothing of the DS at its parent.
    if (types.Has(RRType::kSOA) && !at_root) return false;
    *delegation = parent_side;
    return true;
  }
  return !parent_side;
}

bool DeniesBelow(const dns::TypeBitmap& types) {
  if (types.Has(RRType::kDNAME)) return false;
  return !types.Has(RRType::kNS) || types.Has(RRType::kSOA);
}

bool NsecStaysInZone(const NsecRecord& record, NameView zone) {
  return record.owner.IsAtOrBelow(zone) && record.data.next.IsAtOrBelow(zone);
}

bool NsecSpans(const NsecRecord& record, NameView zone, NameView name) {
  if (!name.IsAtOrBelow(zone) || !NsecStaysInZone(record, zone)) return false;
  if (record.owner.CompareCanonical(name) >= 0) return false;
  if (record.owner.CompareCanonical(record.data.next) < 0) return name.CompareCanonical(record.data.next) < 0;
  return record.data.next == zone;  // the last one closes the circle at the apex, and nowhere else
}

NameView NsecProver::ClosestEncloser(const NsecRecord& record, NameView name) {
  return name.Suffix(std::max(name.CommonLabels(record.owner), name.CommonLabels(record.data.next)));
}

const NsecRecord* NsecProver::Covering(NameView name) const {
  for (const NsecRecord& record : records_) {
    if (!NsecSpans(record, zone_, name)) continue;
    if (record.data.next.IsBelow(name)) continue;  // an empty non-terminal: it exists
    if (name.IsBelow(record.owner) && !DeniesBelow(record.data.types)) continue;
    return &record;
  }
  return nullptr;
}

const NsecRecord* NsecProver::Matching(NameView name) const {
  for (const NsecRecord& record : records_) {
    if (record.owner == name && NsecStaysInZone(record, zone_)) return &record;
  }
  return nullptr;
}

Proof NsecProver::NameError(NameView qname) const {
  const NsecRecord* covering = Covering(qname);
  if (covering == nullptr) return Proof::kNotProven;
  const auto wildcard = dns::Name::Prepend("*", ClosestEncloser(*covering, qname));
  if (!wildcard) return Proof::kProven;  // no room for one
  return Covering(*wildcard) != nullptr ? Proof::kProven : Proof::kNotProven;
}

Proof NsecProver::Nodata(NameView qname, RRType type, bool* delegation) const {
  *delegation = false;
  if (const NsecRecord* at = Matching(qname)) {
    return BitmapDenies(at->data.types, type, qname.IsRoot(), delegation) ? Proof::kProven
                                                                          : Proof::kNotProven;
  }
  for (const NsecRecord& record : records_) {
    if (!NsecSpans(record, zone_, qname) || !record.data.next.IsBelow(qname)) continue;
    if (qname.IsBelow(record.owner) && !DeniesBelow(record.data.types)) continue;
    return Proof::kProven;  // an empty non-terminal
  }
  const NsecRecord* covering = Covering(qname);
  if (covering == nullptr) return Proof::kNotProven;
  const auto wildcard = dns::Name::Prepend("*", ClosestEncloser(*covering, qname));
  const NsecRecord* at = wildcard ? Matching(*wildcard) : nullptr;
  if (at == nullptr) return Proof::kNotProven;
  bool wildcard_delegation = false;
  const bool denied = BitmapDenies(at->data.types, type, false, &wildcard_delegation);
  return denied && !wildcard_delegation ? Proof::kProven : Proof::kNotProven;
}

Proof NsecProver::WildcardAnswer(NameView qname, int encloser_labels) const {
  const NsecRecord* covering = Covering(qname);
  if (covering == nullptr) return Proof::kNotProven;
  return ClosestEncloser(*covering, qname).LabelCount() == encloser_labels ? Proof::kProven
                                                                           : Proof::kNotProven;
}

}  // namespace sekisho::resolver::dnssec
