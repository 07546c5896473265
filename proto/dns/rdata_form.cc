#include "proto/dns/rdata_form.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "proto/dns/message.h"

namespace sekisho::dns {
namespace {

using F = RdataField;
using T = RRType;

// type, standard, fields, canonical_lower, compressible, internet_only
constexpr RdataForm kForms[] = {
    {T::kA, "RFC 1035 3.4.1", {F::kIPv4}, false, false, true},
    {T::kNS, "RFC 1035 3.3.11", {F::kCompressedName}, true, true, false},
    {T::kMD, "RFC 1035 3.3.4", {F::kCompressedName}, true, true, false},
    {T::kMF, "RFC 1035 3.3.5", {F::kCompressedName}, true, true, false},
    {T::kCNAME, "RFC 1035 3.3.1", {F::kCompressedName}, true, true, false},
    {T::kSOA,
     "RFC 1035 3.3.13",
     {F::kCompressedName, F::kCompressedName, F::kU32, F::kU32, F::kU32, F::kU32, F::kU32},
     true,
     true,
     false},
    {T::kMB, "RFC 1035 3.3.3", {F::kCompressedName}, true, true, false},
    {T::kMG, "RFC 1035 3.3.6", {F::kCompressedName}, true, true, false},
    {T::kMR, "RFC 1035 3.3.8", {F::kCompressedName}, true, true, false},
    {T::kWKS, "RFC 1035 3.4.2", {F::kIPv4, F::kU8, F::kPortBitmap}, false, false, true},
    {T::kPTR, "RFC 1035 3.3.12", {F::kCompressedName}, true, true, false},
    {T::kHINFO, "RFC 1035 3.3.2", {F::kString, F::kString}, false, false, false},
    {T::kMINFO, "RFC 1035 3.3.7", {F::kCompressedName, F::kCompressedName}, true, true, false},
    {T::kMX, "RFC 1035 3.3.9", {F::kU16, F::kCompressedName}, true, true, false},
    {T::kTXT, "RFC 1035 3.3.14", {F::kStringsToEnd}, false, false, false},
    {T::kRP, "RFC 1183 2.2", {F::kCompressedName, F::kCompressedName}, true, false, false},
    {T::kAFSDB, "RFC 1183 1", {F::kU16, F::kCompressedName}, true, false, false},
    {T::kX25, "RFC 1183 3.1", {F::kString}, false, false, false},
    {T::kISDN, "RFC 1183 3.2", {F::kStringsToEnd}, false, false, false},
    {T::kRT, "RFC 1183 3.3", {F::kU16, F::kCompressedName}, true, false, false},
    {T::kNSAP, "RFC 1706", {F::kRestNonEmpty}, false, false, true},
    {T::kSIG,
     "RFC 2535 4.1",
     {F::kU16, F::kU8, F::kU8, F::kU32, F::kU32, F::kU32, F::kU16, F::kCompressedName, F::kRestNonEmpty},
     true,
     false,
     false},
    {T::kKEY, "RFC 2535 3.1", {F::kU16, F::kU8, F::kU8, F::kRest}, false, false, false},
    {T::kPX, "RFC 2163", {F::kU16, F::kCompressedName, F::kCompressedName}, true, false, true},
    {T::kAAAA, "RFC 3596 2.2", {F::kIPv6}, false, false, true},
    {T::kLOC, "RFC 1876 2", {F::kLoc}, false, false, false},
    {T::kNXT, "RFC 2535 5.2", {F::kCompressedName, F::kRest}, true, false, false},
    {T::kSRV, "RFC 2782", {F::kU16, F::kU16, F::kU16, F::kCompressedName}, true, false, true},
    {T::kNAPTR,
     "RFC 3403 4.1",
     {F::kU16, F::kU16, F::kString, F::kString, F::kString, F::kCompressedName},
     true,
     false,
     false},
    {T::kKX, "RFC 2230 3.1", {F::kU16, F::kName}, true, false, true},
    {T::kCERT, "RFC 4398 2", {F::kU16, F::kU16, F::kU8, F::kRestNonEmpty}, false, false, false},
    {T::kDNAME, "RFC 6672 2.1", {F::kName}, true, false, false},
    {T::kAPL, "RFC 3123 4", {F::kAplItems}, false, false, true},
    {T::kDS, "RFC 4034 5.1", {F::kU16, F::kU8, F::kU8, F::kDigest}, false, false, false},
    {T::kSSHFP, "RFC 4255 3.1", {F::kU8, F::kU8, F::kRestNonEmpty}, false, false, false},
    {T::kIPSECKEY, "RFC 4025 2.1", {F::kGateway, F::kRest}, false, false, false},
    {T::kRRSIG,
     "RFC 4034 3.1",
     {F::kU16, F::kU8, F::kU8, F::kU32, F::kU32, F::kU32, F::kU16, F::kName, F::kRestNonEmpty},
     true,
     false,
     false},
    // RFC 6840 section 5.1: the next name of NSEC is not lower-cased.
    {T::kNSEC, "RFC 4034 4.1", {F::kName, F::kBitmapFull}, false, false, false},
    {T::kDNSKEY, "RFC 4034 2.1", {F::kU16, F::kU8, F::kU8, F::kRestNonEmpty}, false, false, false},
    {T::kDHCID, "RFC 4701 3.1", {F::kRestNonEmpty}, false, false, true},
    {T::kNSEC3,
     "RFC 5155 3.2",
     {F::kU8, F::kU8, F::kU16, F::kBytes8, F::kHash8, F::kBitmap},
     false,
     false,
     false},
    {T::kNSEC3PARAM, "RFC 5155 4.2", {F::kU8, F::kU8, F::kU16, F::kBytes8}, false, false, false},
    {T::kTLSA, "RFC 6698 2.1", {F::kU8, F::kU8, F::kU8, F::kRestNonEmpty}, false, false, false},
    {T::kSMIMEA, "RFC 8162 2", {F::kU8, F::kU8, F::kU8, F::kRestNonEmpty}, false, false, false},
    {T::kHIP, "RFC 8005 5", {F::kHip, F::kNamesToEnd}, false, false, false},
    {T::kCDS, "RFC 7344 3.1", {F::kU16, F::kU8, F::kU8, F::kDigest}, false, false, false},
    {T::kCDNSKEY, "RFC 7344 3.2", {F::kU16, F::kU8, F::kU8, F::kRestNonEmpty}, false, false, false},
    {T::kOPENPGPKEY, "RFC 7929 2.1", {F::kRestNonEmpty}, false, false, false},
    {T::kCSYNC, "RFC 7477 2.1", {F::kU32, F::kU16, F::kBitmap}, false, false, false},
    {T::kZONEMD, "RFC 8976 2.2", {F::kU32, F::kU8, F::kU8, F::kRestNonEmpty}, false, false, false},
    {T::kSVCB, "RFC 9460 2.2", {F::kU16, F::kName, F::kSvcParams}, false, false, true},
    {T::kHTTPS, "RFC 9460 9", {F::kU16, F::kName, F::kSvcParams}, false, false, true},
    {T::kSPF, "RFC 7208 3.1", {F::kStringsToEnd}, false, false, false},
    {T::kEUI48, "RFC 7043 3", {F::kU48}, false, false, false},
    {T::kEUI64, "RFC 7043 4", {F::kU32, F::kU32}, false, false, false},
    {T::kURI, "RFC 7553 4", {F::kU16, F::kU16, F::kRestNonEmpty}, false, false, false},
    {T::kCAA, "RFC 8659 4.1", {F::kU8, F::kCaaTag, F::kRest}, false, false, false},
};

constexpr size_t kIndexed = 258;

constexpr std::array<uint8_t, kIndexed> MakeIndex() {
  std::array<uint8_t, kIndexed> index{};
  for (size_t i = 0; i < std::size(kForms); ++i) {
    index[static_cast<size_t>(kForms[i].type)] = static_cast<uint8_t>(i + 1);
  }
  return index;
}
constexpr auto kIndex = MakeIndex();

// The bytes of one RDATA and where the walk over its fields stands.
struct Cursor {
  const uint8_t* base;
  size_t at;
  size_t end;

  size_t left() const { return end - at; }
  bool Skip(size_t n) {
    if (left() < n) return false;
    at += n;
    return true;
  }
  // u8 length | bytes, the length at least `least`.
  bool SkipCounted(size_t least) {
    if (left() == 0 || base[at] < least) return false;
    return Skip(base[at] + size_t{1});
  }
};

uint16_t Peek16(const Cursor& c, size_t offset) {
  return static_cast<uint16_t>(c.base[c.at + offset] << 8 | c.base[c.at + offset + 1]);
}

// RFC 4034 section 4.1.2: windows ascending, 1 to 32 bytes each, no trailing zero byte.
bool SkipBitmap(Cursor& c) {
  int last_window = -1;
  while (c.left() > 0) {
    if (c.left() < 2) return false;
    const int window = c.base[c.at];
    const size_t length = c.base[c.at + 1];
    if (window <= last_window || length == 0 || length > 32 || !c.Skip(2 + length)) return false;
    if (c.base[c.at - 1] == 0) return false;
    last_window = window;
  }
  return true;
}

// The keys of the first registry entries whose values have a form of their own (RFC 9460 section 7 and 8).
bool CheckSvcParam(uint16_t key, std::span<const uint8_t> value) {
  switch (key) {
    case 0: {  // mandatory: ascending keys, itself not among them
      if (value.empty() || value.size() % 2 != 0) return false;
      int last = 0;
      for (size_t i = 0; i < value.size(); i += 2) {
        const int k = value[i] << 8 | value[i + 1];
        if (k <= last) return false;
        last = k;
      }
      return true;
    }
    case 1: {  // alpn: one or more non-empty strings
      if (value.empty()) return false;
      for (size_t i = 0; i < value.size(); i += value[i] + size_t{1}) {
        if (value[i] == 0 || i + value[i] + 1 > value.size()) return false;
      }
      return true;
    }
    case 2:
      return value.empty();  // no-default-alpn
    case 3:
      return value.size() == 2;  // port
    case 4:
      return !value.empty() && value.size() % 4 == 0;  // ipv4hint
    case 6:
      return !value.empty() && value.size() % 16 == 0;  // ipv6hint
    default:
      return true;
  }
}

bool SkipSvcParams(Cursor& c) {
  int last_key = -1;
  while (c.left() > 0) {
    if (c.left() < 4) return false;
    const uint16_t key = Peek16(c, 0);
    const size_t length = Peek16(c, 2);
    const uint8_t* value = c.base + c.at + 4;
    if (key <= last_key || !c.Skip(4 + length) || !CheckSvcParam(key, {value, length})) return false;
    last_key = key;
  }
  return true;
}

bool SkipAplItems(Cursor& c) {
  while (c.left() > 0) {
    if (c.left() < 4) return false;
    const uint16_t family = Peek16(c, 0);
    const size_t prefix = c.base[c.at + 2];
    const size_t length = c.base[c.at + 3] & 0x7f;
    if ((family == 1 && (prefix > 32 || length > 4)) || (family == 2 && (prefix > 128 || length > 16)))
      return false;
    if (!c.Skip(4 + length)) return false;
    if (length > 0 && c.base[c.at - 1] == 0) return false;  // trailing zero bytes are not sent
  }
  return true;
}

// Mantissa and exponent, each a decimal digit.
bool IsLocSize(uint8_t v) { return v >> 4 <= 9 && (v & 0x0f) <= 9; }

bool SkipLoc(Cursor& c) {
  if (c.left() == 0) return false;
  if (c.base[c.at] != 0) return c.Skip(c.left());  // a version we do not know
  if (c.left() != 16) return false;
  const uint8_t* b = c.base + c.at;
  const auto angle = [&](size_t i) {
    return static_cast<int64_t>(uint32_t{b[i]} << 24 | uint32_t{b[i + 1]} << 16 | uint32_t{b[i + 2]} << 8 |
                                b[i + 3]) -
           (int64_t{1} << 31);
  };
  const bool sizes = IsLocSize(b[1]) && IsLocSize(b[2]) && IsLocSize(b[3]);
  const bool latitude = std::abs(angle(4)) <= int64_t{90} * 3600 * 1000;
  const bool longitude = std::abs(angle(8)) <= int64_t{180} * 3600 * 1000;
  return sizes && latitude && longitude && c.Skip(16);
}

bool SkipHip(Cursor& c) {
  if (c.left() < 4) return false;
  const size_t hit = c.base[c.at];
  const size_t key = Peek16(c, 2);
  return hit > 0 && key > 0 && c.Skip(4 + hit + key);
}

bool SkipDigest(Cursor& c) {
  static constexpr std::array<size_t, 5> kSizes = {0, 20, 32, 32,
                                                   48};  // by digest type, RFC 3658, 4509, 5933, 6605
  const uint8_t type = c.base[c.at - 1];
  if (c.left() == 0) return false;
  if (type > 0 && type < kSizes.size() && c.left() != kSizes[type]) return false;
  return c.Skip(c.left());
}

bool SkipCaaTag(Cursor& c) {
  const size_t start = c.at + 1;
  if (!c.SkipCounted(1)) return false;
  return std::all_of(c.base + start, c.base + c.at, [](uint8_t b) {
    return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
  });
}

bool SkipStrings(Cursor& c) {
  do {
    if (!c.SkipCounted(0)) return false;
  } while (c.left() > 0);
  return true;
}

bool SkipName(const NameScanner& scanner, Cursor& c) { return scanner.ScanPlain(c.at, c.end, &c.at) != 0; }

bool SkipGateway(const NameScanner& scanner, Cursor& c) {
  if (c.left() < 3) return false;
  const uint8_t type = c.base[c.at + 1];
  c.at += 3;
  switch (type) {
    case 0:
      return true;
    case 1:
      return c.Skip(4);
    case 2:
      return c.Skip(16);
    case 3:
      return SkipName(scanner, c);
    default:
      return false;
  }
}

bool SkipField(F field, NameScanner& scanner, bool in_packet, Cursor& c) {
  switch (field) {
    case F::kEnd:
      return c.left() == 0;
    case F::kU8:
      return c.Skip(1);
    case F::kU16:
      return c.Skip(2);
    case F::kU32:
    case F::kIPv4:
      return c.Skip(4);
    case F::kU48:
      return c.Skip(6);
    case F::kIPv6:
      return c.Skip(16);
    case F::kCompressedName:
      return in_packet ? scanner.Scan(c.at, c.end, &c.at) != 0 : SkipName(scanner, c);
    case F::kName:
      return SkipName(scanner, c);
    case F::kNamesToEnd:
      while (c.left() > 0) {
        if (!SkipName(scanner, c)) return false;
      }
      return true;
    case F::kString:
    case F::kBytes8:
      return c.SkipCounted(0);
    case F::kHash8:
      return c.SkipCounted(1);
    case F::kStringsToEnd:
      return SkipStrings(c);
    case F::kRest:
      return c.Skip(c.left());
    case F::kRestNonEmpty:
      return c.left() > 0 && c.Skip(c.left());
    case F::kBitmap:
      return SkipBitmap(c);
    case F::kBitmapFull:
      return c.left() > 0 && SkipBitmap(c);
    case F::kSvcParams:
      return SkipSvcParams(c);
    case F::kAplItems:
      return SkipAplItems(c);
    case F::kCaaTag:
      return SkipCaaTag(c);
    case F::kLoc:
      return SkipLoc(c);
    case F::kHip:
      return SkipHip(c);
    case F::kGateway:
      return SkipGateway(scanner, c);
    case F::kDigest:
      return SkipDigest(c);
    case F::kPortBitmap:
      return c.left() <= 8192 && c.Skip(c.left());
  }
  return false;
}

bool WalkFields(const RdataForm& form, NameScanner& scanner, bool in_packet, Cursor c) {
  for (const F field : form.fields) {
    if (!SkipField(field, scanner, in_packet, c)) return false;
    if (field == F::kEnd) return true;
  }
  return c.left() == 0;  // a form that fills the table's row
}

}  // namespace

const RdataForm* FindRdataForm(RRType type) {
  const auto v = static_cast<size_t>(type);
  return v < kIndexed && kIndex[v] != 0 ? &kForms[kIndex[v] - 1] : nullptr;
}

bool CheckRdata(RRType type, std::span<const uint8_t> rdata) {
  const RdataForm* form = FindRdataForm(type);
  if (form == nullptr) return true;
  NameScanner scanner(rdata);
  return WalkFields(*form, scanner, false, {rdata.data(), 0, rdata.size()});
}

bool CheckPacketRdata(RRType type, uint16_t rrclass, NameScanner& scanner, size_t at, size_t size) {
  const bool internet = rrclass == static_cast<uint16_t>(RRClass::kIN);
  if (internet) {  // the common ones without the walk
    if (type == T::kA) return size == 4;
    if (type == T::kAAAA) return size == 16;
  }
  const RdataForm* form = FindRdataForm(type);
  if (form == nullptr || (form->internet_only && !internet)) return true;
  return WalkFields(*form, scanner, true, {scanner.packet().data(), at, at + size});
}

void ExpandRdata(RRType type, uint16_t rrclass, std::span<const uint8_t> packet, size_t at, size_t size,
                 std::string* out) {
  const RdataForm* form = FindRdataForm(type);
  const bool opaque =
      form == nullptr || (form->internet_only && rrclass != static_cast<uint16_t>(RRClass::kIN));
  const auto* text = reinterpret_cast<const char*>(packet.data());
  if (opaque || std::ranges::find(form->fields, F::kCompressedName) == form->fields.end()) {
    out->append(text + at, size);
    return;
  }
  NameScanner scanner(packet);
  Cursor c{packet.data(), at, at + size};
  for (const F field : form->fields) {
    if (field == F::kEnd) break;
    const size_t start = c.at;
    if (field == F::kCompressedName) {
      uint8_t name[kMaxNameSize];
      const size_t n = ExpandName(packet, c.at, name, &c.at);
      if (n == 0 || c.at > c.end) return;
      out->append(reinterpret_cast<const char*>(name), n);
      continue;
    }
    if (!SkipField(field, scanner, true, c)) return;
    out->append(text + start, c.at - start);
  }
}

RdataNames::RdataNames(RRType type, std::span<const uint8_t> rdata) : scanner_(rdata) {
  if (const RdataForm* form = FindRdataForm(type)) {
    field_ = form->fields.data();
    last_ = field_ + form->fields.size();
  }
}

std::optional<NameView> RdataNames::Next() {
  const auto rdata = scanner_.packet();
  while (field_ != last_ && *field_ != F::kEnd) {
    const F field = *field_;
    if (field == F::kNamesToEnd && at_ == rdata.size()) break;
    if (field != F::kNamesToEnd) ++field_;
    if (field == F::kName || field == F::kCompressedName || field == F::kNamesToEnd) {
      const size_t start = at_;
      const size_t n = scanner_.ScanPlain(at_, rdata.size(), &at_);
      if (n == 0) break;
      return NameView::Trusted(rdata.data() + start, n);
    }
    Cursor c{rdata.data(), at_, rdata.size()};
    if (!SkipField(field, scanner_, false, c)) break;
    at_ = c.at;
  }
  field_ = last_;
  return std::nullopt;
}

bool IsCanonicalAsIs(RRType type) {
  const RdataForm* form = FindRdataForm(type);
  return form == nullptr || !form->canonical_lower;
}

std::string CanonicalRdata(RRType type, std::span<const uint8_t> rdata) {
  std::string out(reinterpret_cast<const char*>(rdata.data()), rdata.size());
  if (IsCanonicalAsIs(type)) return out;
  RdataNames names(type, rdata);
  while (const auto name = names.Next()) {
    const auto at = static_cast<size_t>(name->data() - rdata.data());
    for (size_t i = at; i < at + name->size(); ++i) {
      out[i] = static_cast<char>(LowercaseByte(static_cast<uint8_t>(out[i])));
    }
  }
  return out;
}

}  // namespace sekisho::dns
