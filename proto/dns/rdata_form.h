// RdataForm: what RDATA of each type looks like, as a table; checks, embedded names and canonical form follow
// from it.
//
//   CheckRdata(RRType::kMX, rdata)            does it have the form of its type?
//   RdataNames names(RRType::kSOA, rdata);    while (auto n = names.Next()) …
//   CanonicalRdata(RRType::kNS, rdata)        embedded names lower-cased, for DNSSEC
//
// Types without an entry are opaque: any bytes are good and no names are seen in them (RFC 3597).
//
// Threads: functions without state. Limits: work linear in the RDATA.
// Standards: the RFC of each type stands in the table; RFC 3597 section 4 (compression), RFC 4034 section 6.2
// and RFC 6840 section 5.1 (canonical form), RFC 2181 section 8 and RFC 8767 section 4 (TTL); attack rows
// M02, M09, M11.
#ifndef SEKISHO_PROTO_DNS_RDATA_FORM_H_
#define SEKISHO_PROTO_DNS_RDATA_FORM_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "proto/dns/name.h"
#include "proto/dns/name_scanner.h"
#include "proto/dns/types.h"

namespace sekisho::dns {

enum class RdataField : uint8_t {
  kEnd,
  kU8,
  kU16,
  kU32,
  kU48,
  kIPv4,
  kIPv6,
  kName,            // never compressed
  kCompressedName,  // compression accepted from the wire, and undone
  kNamesToEnd,      // names, none compressed, up to the end
  kString,          // u8 length | bytes
  kStringsToEnd,    // one or more strings
  kBytes8,          // u8 length | bytes; may be empty
  kHash8,           // u8 length ≥ 1 | bytes
  kRest,            // whatever is left, also nothing
  kRestNonEmpty,
  kBitmap,      // type bitmap, may be empty (NSEC3, CSYNC)
  kBitmapFull,  // type bitmap with at least one type (NSEC)
  kSvcParams,   // ascending keys, RFC 9460 section 2.2
  kAplItems,    // RFC 3123
  kCaaTag,      // u8 length ≥ 1 | letters and digits
  kLoc,         // version 0: 16 bytes of checked form; other versions opaque
  kHip,         // u8 hit length | u8 algorithm | u16 key length | hit | key
  kGateway,     // IPSECKEY: precedence, gateway type, algorithm, gateway
  kDigest,      // bytes whose length the digest type before it fixes, non-empty
  kPortBitmap,  // WKS
};

struct RdataForm {
  RRType type;
  const char* standard;
  std::array<RdataField, 9> fields;  // ends with kEnd
  bool canonical_lower;              // names lower-cased in canonical form
  bool compressible;                 // names may be compressed when written (RFC 1035 types only)
  bool internet_only;                // the form holds in class IN alone
};

// Null for opaque types.
const RdataForm* FindRdataForm(RRType type);

// Uncompressed RDATA.
bool CheckRdata(RRType type, std::span<const uint8_t> rdata);
// RDATA as it stands in a packet, names perhaps compressed; `scanner` is over the whole packet.
bool CheckPacketRdata(RRType type, uint16_t rrclass, NameScanner& scanner, size_t at, size_t size);
// Appends RDATA that passed CheckPacketRdata with its compressed names expanded, case kept.
void ExpandRdata(RRType type, uint16_t rrclass, std::span<const uint8_t> packet, size_t at, size_t size,
                 std::string* out);

// The names inside uncompressed RDATA, in order. Stops at the first thing that does not have the form.
class RdataNames {
 public:
  RdataNames(RRType type, std::span<const uint8_t> rdata);
  std::optional<NameView> Next();

 private:
  const RdataField* field_ = nullptr;
  const RdataField* last_ = nullptr;
  NameScanner scanner_;
  size_t at_ = 0;
};

// Canonical form of uncompressed RDATA: names of the listed types in lower case.
std::string CanonicalRdata(RRType type, std::span<const uint8_t> rdata);
// True when CanonicalRdata would return the bytes as they are, whatever they hold.
bool IsCanonicalAsIs(RRType type);

// The TTL a sender meant: with the top bit set it means 0.
inline uint32_t MeantTtl(uint32_t wire_ttl) { return (wire_ttl & 0x80000000u) != 0 ? 0 : wire_ttl; }

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_RDATA_FORM_H_
