// ParsedMessage: one DNS message, checked whole and indexed, over the bytes it came in.
//
// Parse checks everything that has a form: header, names (pointers strictly backward, ≤ 127 hops), counts,
// RDLENGTH against the end of the message, the RDATA of the types whose form we know, OPT. Nothing is copied
// but the question name; a reused ParsedMessage does not allocate once its vector has grown.
//
//   ParsedMessage m;
//   if (m.Parse(packet) != ParseError::kNone) …
//   for (const Record& r : m.records(Section::kAnswer)) …
//
// Threads: one thread; it keeps a view of the packet, which must outlive it.
// Limits: work linear in the size of the message; at most kMaxParsedOptions EDNS options are kept.
// Standards: RFC 1035 section 4, RFC 2181, RFC 6891, RFC 9619 (QDCOUNT); attack rows M01–M09, D15, D16.
#ifndef SEKISHO_PROTO_DNS_MESSAGE_H_
#define SEKISHO_PROTO_DNS_MESSAGE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proto/dns/edns.h"
#include "proto/dns/name.h"
#include "proto/dns/name_scanner.h"
#include "proto/dns/rrset.h"
#include "proto/dns/types.h"

namespace sekisho::dns {

inline constexpr size_t kHeaderSize = 12;
inline constexpr size_t kMaxMessageSize = 65535;

struct Header {
  uint16_t id = 0;
  bool qr = false;
  Opcode opcode = Opcode::kQuery;
  bool aa = false;
  bool tc = false;
  bool rd = false;
  bool ra = false;
  bool ad = false;
  bool cd = false;
  uint8_t rcode = 0;  // the header's four bits only
};

enum class ParseError : uint8_t {
  kNone,
  kTooShort,       // fewer than 12 bytes: not a message, never answered
  kQuestionCount,  // QDCOUNT above 1 (0 is accepted: has_question() tells)
  kBadName,        // pointer forward or to itself, label type, length, end of message
  kBadRecord,      // record header or RDLENGTH runs past the end
  kBadRdata,       // RDATA does not have the form of its type
  kBadOpt,         // two OPT, OPT outside additional, OPT owner not root, option lengths
  kTrailingBytes,  // bytes after the last record
};

struct Record {
  uint16_t owner_at = 0;  // offset of the owner name in the packet
  RRType type = RRType::kNone;
  uint16_t rrclass = 0;
  uint32_t ttl = 0;  // as sent; the top bit not yet interpreted
  uint16_t rdata_at = 0;
  uint16_t rdata_size = 0;
  Section section = Section::kAnswer;
};

class ParsedMessage {
 public:
  // After an error, header() and question are still usable as far as they were read (see question_end());
  // records and EDNS are dropped, except after kTrailingBytes, where all was read.
  ParseError Parse(std::span<const uint8_t> packet);

  std::span<const uint8_t> packet() const { return packet_; }
  const Header& header() const { return header_; }
  // Header rcode joined with OPT's upper bits.
  Rcode rcode() const;

  bool has_question() const { return has_question_; }
  NameView qname() const { return NameView::Trusted(qname_.data(), qname_size_); }
  RRType qtype() const { return qtype_; }
  RRClass qclass() const { return qclass_; }
  // Offset behind the question; 0 when the question could not be read.
  size_t question_end() const { return question_end_; }

  // Records of a section without OPT, in order.
  std::span<const Record> records(Section section) const;
  const std::optional<Edns>& edns() const { return edns_; }

  // The owner, uncompressed.
  Name Owner(const Record& record) const;
  bool OwnerIs(const Record& record, NameView name) const;
  // RDATA as it came, possibly with compressed names.
  std::span<const uint8_t> RawRdata(const Record& record) const;
  // Appends the RDATA with the names of RFC 1035 types (and those of RFC 3597 section 4) uncompressed, case
  // kept.
  void AppendRdata(const Record& record, std::string* out) const;

 private:
  std::span<const uint8_t> packet_;
  Header header_;
  bool has_question_ = false;
  std::array<uint8_t, kMaxNameSize> qname_{};
  uint8_t qname_size_ = 1;
  RRType qtype_ = RRType::kNone;
  RRClass qclass_ = RRClass::kIN;
  size_t question_end_ = 0;
  std::vector<Record> records_;
  std::array<size_t, 4> section_start_{};
  std::optional<Edns> edns_;

  ParseError ParseHeaderAndQuestion(NameScanner& scanner, std::array<uint16_t, 4>* counts);
  ParseError ParseSection(Section section, uint16_t count, NameScanner& scanner, size_t* at);
  ParseError ParseOpt(const Record& record);
  void DropRecords();
};

// Expands the name at `at`; writes at most 255 bytes to `out`. Returns its size, or 0 when it is not a valid
// name; *end is the offset behind the name as it stands in the packet.
size_t ExpandName(std::span<const uint8_t> packet, size_t at, uint8_t* out, size_t* end);

// Gathers the records of a section into RRsets, signatures put with what they cover, duplicates dropped, TTL
// the smallest (signatures counted, top bit meaning 0); records of another class than `rrclass` and of meta
// types are left out. Signatures that cover nothing present become an RRset of type RRSIG. Order of first
// appearance is kept. Work is linear in the number of records (hash of owner and type; attack row D16).
std::vector<RRset> CollectRRsets(const ParsedMessage& message, Section section, RRClass rrclass);

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_MESSAGE_H_
