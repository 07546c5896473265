// Typed views of RDATA: the fields a resolver and a validator need, read from uncompressed RDATA.
//
//   if (auto soa = ReadSoa(rdata)) ttl = std::min(ttl, soa->minimum);
//
// Every reader checks the whole form and gives nothing when it does not hold.
//
// Threads: values; everything is a view into the RDATA given. Standards: RFC 1035 section 3.3, RFC 4034, RFC
// 5155, RFC 9460.
#ifndef SEKISHO_PROTO_DNS_RDATA_H_
#define SEKISHO_PROTO_DNS_RDATA_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/dns/name.h"
#include "proto/dns/types.h"

namespace sekisho::dns {

struct SoaView {
  NameView mname, rname;
  uint32_t serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0;
};
std::optional<SoaView> ReadSoa(std::span<const uint8_t> rdata);

struct RrsigView {
  RRType covered = RRType::kNone;
  uint8_t algorithm = 0;
  uint8_t labels = 0;
  uint32_t original_ttl = 0;
  uint32_t expiration = 0, inception = 0;  // serial arithmetic, RFC 4034 section 3.1.5
  uint16_t key_tag = 0;
  NameView signer;
  std::span<const uint8_t> signature;
  std::span<const uint8_t> before_signature;  // the RDATA up to the signature, as it was sent
};
std::optional<RrsigView> ReadRrsig(std::span<const uint8_t> rdata);

struct DsView {
  uint16_t key_tag = 0;
  uint8_t algorithm = 0;
  uint8_t digest_type = 0;
  std::span<const uint8_t> digest;
};
std::optional<DsView> ReadDs(std::span<const uint8_t> rdata);

struct DnskeyView {
  uint16_t flags = 0;
  uint8_t protocol = 0;
  uint8_t algorithm = 0;
  std::span<const uint8_t> key;
  uint16_t key_tag = 0;
  bool is_zone_key() const { return (flags & 0x0100) != 0; }
  bool is_revoked() const { return (flags & 0x0080) != 0; }
  bool is_sep() const { return (flags & 0x0001) != 0; }
};
std::optional<DnskeyView> ReadDnskey(std::span<const uint8_t> rdata);

// The type bitmap of NSEC, NSEC3 and CSYNC.
class TypeBitmap {
 public:
  TypeBitmap() = default;
  explicit TypeBitmap(std::span<const uint8_t> checked) : bytes_(checked) {}
  bool Has(RRType type) const;
  bool empty() const { return bytes_.empty(); }
  std::span<const uint8_t> bytes() const { return bytes_; }

 private:
  std::span<const uint8_t> bytes_;
};

struct NsecView {
  NameView next;
  TypeBitmap types;
};
std::optional<NsecView> ReadNsec(std::span<const uint8_t> rdata);

struct Nsec3View {
  uint8_t hash_algorithm = 0;
  uint8_t flags = 0;
  uint16_t iterations = 0;
  std::span<const uint8_t> salt;
  std::span<const uint8_t> next_hash;
  TypeBitmap types;
  bool opt_out() const { return (flags & 0x01) != 0; }
};
std::optional<Nsec3View> ReadNsec3(std::span<const uint8_t> rdata);

// The target of NS, CNAME, PTR, DNAME (also MB, MD, MF, MG, MR).
std::optional<NameView> ReadTarget(std::span<const uint8_t> rdata);
struct MxView {
  uint16_t preference = 0;
  NameView exchange;
};
std::optional<MxView> ReadMx(std::span<const uint8_t> rdata);

struct SrvView {
  uint16_t priority = 0, weight = 0, port = 0;
  NameView target;
};
std::optional<SrvView> ReadSrv(std::span<const uint8_t> rdata);

// SVCB and HTTPS.
struct SvcbView {
  uint16_t priority = 0;  // 0: alias mode
  NameView target;
  std::span<const uint8_t> ipv4_hints;  // 4 bytes each
  std::span<const uint8_t> ipv6_hints;  // 16 bytes each
  std::span<const uint8_t> params;
  // All hints as addresses.
  std::vector<IpAddress> Hints() const;
};
std::optional<SvcbView> ReadSvcb(std::span<const uint8_t> rdata);

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_RDATA_H_
