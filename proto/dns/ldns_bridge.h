// The bridge to ldns, the only place that calls it: text forms of RDATA, and a second parser for tests to
// compare with.
//
// Nothing here is given bytes straight from the network except OracleParse, which tests and fuzzers call; the
// packet path never does (ldns takes 179 ms for one hostile 64 KB message).
//
// Threads: functions without state. Limits: text lines up to 128 KB. Standards: see presentation.h.
// Limitations: ldns 1.8.3 leaks a few bytes when it refuses some malformed text, so RecordFromText is for
// operators' text, not for a stream of strangers' lines.
#ifndef SEKISHO_PROTO_DNS_LDNS_BRIDGE_H_
#define SEKISHO_PROTO_DNS_LDNS_BRIDGE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proto/dns/rrset.h"
#include "proto/dns/types.h"

namespace sekisho::dns::ldns_bridge {

// The RDATA in ldns' master file form; nothing when ldns cannot. `rdata` must have passed CheckRdata.
std::optional<std::string> RdataText(RRType type, std::span<const uint8_t> rdata);

struct WireRecord {
  std::string owner;  // uncompressed wire form
  RRType type = RRType::kNone;
  RRClass rrclass = RRClass::kIN;
  uint32_t ttl = 0;
  std::string rdata;
};
// One line of a master file, with relative names below `origin`. `line` must be printable ASCII without NUL.
std::optional<WireRecord> RecordFromText(const std::string& line, std::string* error,
                                         NameView origin = NameView());

// What ldns reads from a message, for comparison: nothing when it refuses it.
struct OracleMessage {
  std::vector<WireRecord> records;  // all sections in order, without OPT
};
std::optional<OracleMessage> OracleParse(std::span<const uint8_t> packet);

}  // namespace sekisho::dns::ldns_bridge

#endif  // SEKISHO_PROTO_DNS_LDNS_BRIDGE_H_
