#include "proto/dns/rdata.h"

#include "proto/base/bytes.h"
#include "proto/dns/dnssec_crypto.h"
#include "proto/dns/rdata_form.h"

namespace sekisho::dns {
namespace {

// After CheckRdata has passed, the name at the reader's place is whole.
NameView TakeName(std::span<const uint8_t> rdata, ByteReader& r) {
  const size_t start = r.position();
  size_t end = start;
  while (rdata[end] != 0) end += rdata[end] + size_t{1};
  r.Skip(end + 1 - start);
  return NameView::Trusted(rdata.data() + start, end + 1 - start);
}

}  // namespace

std::optional<SoaView> ReadSoa(std::span<const uint8_t> rdata) {
  if (!CheckRdata(RRType::kSOA, rdata)) return std::nullopt;
  ByteReader r(rdata);
  SoaView v;
  v.mname = TakeName(rdata, r);
  v.rname = TakeName(rdata, r);
  v.serial = r.U32();
  v.refresh = r.U32();
  v.retry = r.U32();
  v.expire = r.U32();
  v.minimum = r.U32();
  return v;
}

std::optional<RrsigView> ReadRrsig(std::span<const uint8_t> rdata) {
  if (!CheckRdata(RRType::kRRSIG, rdata)) return std::nullopt;
  ByteReader r(rdata);
  RrsigView v;
  v.covered = static_cast<RRType>(r.U16());
  v.algorithm = r.U8();
  v.labels = r.U8();
  v.original_ttl = r.U32();
  v.expiration = r.U32();
  v.inception = r.U32();
  v.key_tag = r.U16();
  v.signer = TakeName(rdata, r);
  v.before_signature = rdata.first(r.position());
  v.signature = rdata.subspan(r.position());
  return v;
}

std::optional<DsView> ReadDs(std::span<const uint8_t> rdata) {
  if (!CheckRdata(RRType::kDS, rdata)) return std::nullopt;
  ByteReader r(rdata);
  DsView v;
  v.key_tag = r.U16();
  v.algorithm = r.U8();
  v.digest_type = r.U8();
  v.digest = rdata.subspan(r.position());
  return v;
}

std::optional<DnskeyView> ReadDnskey(std::span<const uint8_t> rdata) {
  if (!CheckRdata(RRType::kDNSKEY, rdata)) return std::nullopt;
  ByteReader r(rdata);
  DnskeyView v;
  v.flags = r.U16();
  v.protocol = r.U8();
  v.algorithm = r.U8();
  v.key = rdata.subspan(r.position());
  v.key_tag = KeyTag(rdata);
  return v;
}

bool TypeBitmap::Has(RRType type) const {
  const auto t = static_cast<uint16_t>(type);
  size_t at = 0;
  while (at + 2 <= bytes_.size()) {
    const size_t length = bytes_[at + 1];
    if (bytes_[at] == t >> 8) {
      const size_t byte = (t & 0xff) / 8;
      return byte < length && at + 2 + byte < bytes_.size() &&
             (bytes_[at + 2 + byte] & (0x80 >> (t % 8))) != 0;
    }
    at += 2 + length;
  }
  return false;
}

std::optional<NsecView> ReadNsec(std::span<const uint8_t> rdata) {
  if (!CheckRdata(RRType::kNSEC, rdata)) return std::nullopt;
  ByteReader r(rdata);
  NsecView v;
  v.next = TakeName(rdata, r);
  v.types = TypeBitmap(rdata.subspan(r.position()));
  return v;
}

std::optional<Nsec3View> ReadNsec3(std::span<const uint8_t> rdata) {
  if (!CheckRdata(RRType::kNSEC3, rdata)) return std::nullopt;
  ByteReader r(rdata);
  Nsec3View v;
  v.hash_algorithm = r.U8();
  v.flags = r.U8();
  v.iterations = r.U16();
  v.salt = r.Take(r.U8());
  v.next_hash = r.Take(r.U8());
  v.types = TypeBitmap(rdata.subspan(r.position()));
  return v;
}

std::optional<NameView> ReadTarget(std::span<const uint8_t> rdata) { return NameView::FromWire(rdata); }

std::optional<MxView> ReadMx(std::span<const uint8_t> rdata) {
  if (!CheckRdata(RRType::kMX, rdata)) return std::nullopt;
  ByteReader r(rdata);
  MxView v;
  v.preference = r.U16();
  v.exchange = TakeName(rdata, r);
  return v;
}

std::optional<SrvView> ReadSrv(std::span<const uint8_t> rdata) {
  if (!CheckRdata(RRType::kSRV, rdata)) return std::nullopt;
  ByteReader r(rdata);
  SrvView v;
  v.priority = r.U16();
  v.weight = r.U16();
  v.port = r.U16();
  v.target = TakeName(rdata, r);
  return v;
}

std::vector<IpAddress> SvcbView::Hints() const {
  std::vector<IpAddress> out;
  for (size_t i = 0; i + 4 <= ipv4_hints.size(); i += 4)
    out.push_back(IpAddress::V4(ipv4_hints.subspan(i).first<4>()));
  for (size_t i = 0; i + 16 <= ipv6_hints.size(); i += 16) {
    out.push_back(IpAddress::V6(ipv6_hints.subspan(i).first<16>()));
  }
  return out;
}

std::optional<SvcbView> ReadSvcb(std::span<const uint8_t> rdata) {
  if (!CheckRdata(RRType::kSVCB, rdata)) return std::nullopt;
  constexpr uint16_t kIpv4Hint = 4;
  constexpr uint16_t kIpv6Hint = 6;
  ByteReader r(rdata);
  SvcbView v;
  v.priority = r.U16();
  v.target = TakeName(rdata, r);
  v.params = rdata.subspan(r.position());
  while (r.left() > 0) {
    const uint16_t key = r.U16();
    const auto value = r.Take(r.U16());
    if (key == kIpv4Hint) v.ipv4_hints = value;
    if (key == kIpv6Hint) v.ipv6_hints = value;
  }
  return v;
}

}  // namespace sekisho::dns
