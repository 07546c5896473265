// Records as text: RDATA in master file form, for logs, the CLI and tests; and master file text into records.
//
// Uses ldns for the forms of types; never given raw network messages, only single RDATA already checked by
// the parser. What cannot be written in its type's form is written as RFC 3597 generic data ("\# 4
// c0000201").
//
// Threads: functions without state. Limits: output escaped to printable ASCII, one line. Standards: RFC 1035
// section 5, RFC 3597, RFC 9460.
#ifndef SEKISHO_PROTO_DNS_PRESENTATION_H_
#define SEKISHO_PROTO_DNS_PRESENTATION_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proto/dns/rrset.h"
#include "proto/dns/types.h"

namespace sekisho::dns {

std::string RdataToText(RRType type, std::span<const uint8_t> rdata);
// One line per record: "www.example.test. 300 IN A 192.0.2.1"; signatures after the records they cover.
std::string RRsetToText(const RRset& rrset);

struct TextRecord {
  Name owner;
  RRType type = RRType::kNone;
  RRClass rrclass = RRClass::kIN;
  uint32_t ttl = 0;
  std::string rdata;  // wire form, uncompressed
};
// One record in master file form, e.g. "www.example.test. 300 IN A 192.0.2.1". On failure *error says why.
// Names without a trailing dot are relative to `origin`.
std::optional<TextRecord> ParseRecord(std::string_view line, std::string* error,
                                      NameView origin = NameView());
// The same, and a DS whose digest has another length than its type's: it is a record, and matches no key.
std::optional<TextRecord> ParseAnchor(std::string_view line, std::string* error);

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_PRESENTATION_H_
