#include "proto/dns/presentation.h"

#include <algorithm>

#include "proto/base/bytes.h"
#include "proto/base/ip_address.h"
#include "proto/dns/ldns_bridge.h"
#include "proto/dns/rdata_form.h"

namespace sekisho::dns {
namespace {

constexpr size_t kMaxLine = 128 * 1024;

std::string Generic(std::span<const uint8_t> rdata) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\\# " + std::to_string(rdata.size());
  if (!rdata.empty()) out += ' ';
  for (const uint8_t b : rdata) out += {kHex[b >> 4], kHex[b & 0x0f]};
  return out;
}

// Types whose text ldns writes and reads; the others have no form here, an obsolete one, or one that ldns
// looks up in system files (WKS).
bool HasTextForm(RRType type) {
  switch (type) {
    case RRType::kCERT:  // ldns leaks when it writes some of its values
    case RRType::kWKS:
    case RRType::kNSAP:
    case RRType::kSIG:
    case RRType::kKEY:
    case RRType::kNXT:
    case RRType::kIPSECKEY:
    case RRType::kHIP:
    case RRType::kISDN:
    case RRType::kX25:
      return false;
    default:
      return FindRdataForm(type) != nullptr;
  }
}

// Text is given only when it reads back as the same bytes.
std::optional<std::string> TypedText(RRType type, std::span<const uint8_t> rdata) {
  auto text = ldns_bridge::RdataText(type, rdata);
  if (!text) return std::nullopt;
  std::string error;
  const auto back = ldns_bridge::RecordFromText(". 0 IN " + ToString(type) + " " + *text, &error);
  if (!back || back->type != type || back->rdata != AsText(rdata)) return std::nullopt;
  return text;
}

// Generic data of a known type is read under a number that has no form, since ldns reads some old types
// wrongly from it. Returns the type named in the line when it was replaced.
std::optional<RRType> HideTypeOfGenericData(std::string* line) {
  const size_t mark = line->find(" \\# ");
  if (mark == std::string::npos) return std::nullopt;
  const size_t end = line->find_last_not_of(" \t", mark) + 1;
  const size_t start = line->find_last_of(" \t", end - 1) + 1;
  const auto type = ParseRRType(std::string_view(*line).substr(start, end - start));
  if (type) line->replace(start, end - start, "TYPE65400");
  return type;
}

std::string Line(const RRset& rrset, RRType type, std::span<const uint8_t> rdata) {
  return rrset.owner.ToString() + " " + std::to_string(rrset.ttl) + " " + ToString(rrset.rrclass) + " " +
         ToString(type) + " " + RdataToText(type, rdata) + "\n";
}

}  // namespace

std::string RdataToText(RRType type, std::span<const uint8_t> rdata) {
  if (!HasTextForm(type) || !CheckRdata(type, rdata)) return Generic(rdata);
  switch (type) {
    case RRType::kA:
    case RRType::kAAAA: {
      const auto address = IpAddress::FromRdata(rdata);
      // A mapped address in AAAA keeps the form of its type (RFC 5952 section 5).
      return (address->is_v4() && rdata.size() == 16 ? "::ffff:" : "") + address->ToString();
    }
    case RRType::kNS:
    case RRType::kCNAME:
    case RRType::kPTR:
    case RRType::kDNAME:
      return NameView::Trusted(rdata.data(), rdata.size()).ToString();
    default:
      return TypedText(type, rdata).value_or(Generic(rdata));
  }
}

std::string RRsetToText(const RRset& rrset) {
  std::string out;
  for (const auto rdata : rrset.rdata) out += Line(rrset, rrset.type, rdata);
  for (const auto rdata : rrset.signatures) out += Line(rrset, RRType::kRRSIG, rdata);
  return out;
}

namespace {

std::optional<TextRecord> Parse(std::string_view line, std::string* error, NameView origin,
                                bool odd_digests) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.empty() || line.size() > kMaxLine) {
    *error = line.empty() ? "the line is empty" : "the line is longer than 128 KB";
    return std::nullopt;
  }
  const auto odd = std::ranges::find_if(line, [](char c) { return (c < 0x20 || c > 0x7e) && c != '\t'; });
  if (odd != line.end()) {
    *error = "column " + std::to_string(odd - line.begin() + 1) + ": not printable ASCII";
    return std::nullopt;
  }
  if (line.front() == ' ' || line.front() == '\t') {
    *error = "the line starts with white space: the owner name is missing";
    return std::nullopt;
  }
  std::string readable(line);
  const auto hidden = HideTypeOfGenericData(&readable);
  auto wire = ldns_bridge::RecordFromText(readable, error, origin);
  if (!wire) return std::nullopt;
  if (hidden && wire->type == static_cast<RRType>(65400)) wire->type = *hidden;
  const auto owner = Name::FromWire(AsBytes(wire->owner));
  constexpr size_t kDsFixed = 4;
  const bool odd_digest = odd_digests && wire->type == RRType::kDS && wire->rdata.size() > kDsFixed;
  if (!owner || !(odd_digest || CheckRdata(wire->type, AsBytes(wire->rdata)))) {
    *error = "the data does not have the form of " + ToString(wire->type);
    return std::nullopt;
  }
  return TextRecord{*owner, wire->type, wire->rrclass, wire->ttl, std::move(wire->rdata)};
}

}  // namespace

std::optional<TextRecord> ParseRecord(std::string_view line, std::string* error, NameView origin) {
  return Parse(line, error, origin, false);
}

std::optional<TextRecord> ParseAnchor(std::string_view line, std::string* error) {
  return Parse(line, error, NameView(), true);
}

}  // namespace sekisho::dns
