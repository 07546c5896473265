// MessageBuilder: writes one DNS message into a buffer, with name compression and truncation.
//
//   MessageBuilder b(buffer, 1232);
//   b.Begin(header);
//   b.AddQuestion(qname, qtype, RRClass::kIN);
//   b.ReserveForOpt(opt);                    // room that records may not take
//   b.AddRRset(Section::kAnswer, rrset, ttl, with_signatures);
//   auto wire = b.Finish(rcode, &opt);
//
// Sections must be added in order. A set that does not fit is left out whole and sets truncated(); Finish
// then sets TC if that happened in the answer or authority section (RFC 2181 section 9).
//
// Threads: one thread; does not own the buffer. Limits: at most 120 names are entered for compression and a
// name search costs O(labels) (attack row D14); the buffer's size bounds the rest; nothing is allocated.
// Standards: RFC 1035 section 4.1.4, RFC 3597 section 4 (which RDATA may be compressed), RFC 6891.
#ifndef SEKISHO_PROTO_DNS_BUILDER_H_
#define SEKISHO_PROTO_DNS_BUILDER_H_

#include <array>
#include <cstdint>
#include <span>

#include "proto/base/bytes.h"
#include "proto/dns/edns.h"
#include "proto/dns/message.h"
#include "proto/dns/name.h"
#include "proto/dns/rrset.h"
#include "proto/dns/types.h"

namespace sekisho::dns {

class MessageBuilder {
 public:
  // Writes at most min(buffer.size(), limit) bytes; at least 512 must be there.
  MessageBuilder(std::span<uint8_t> buffer, size_t limit);

  void Begin(const Header& header);
  bool AddQuestion(NameView qname, RRType qtype, RRClass qclass);
  // Sets begin with this one of their records, counted round and round; the same for all sets added after.
  void SetRotation(size_t first) { rotation_ = first; }
  void ReserveForOpt(const EdnsOut& edns);
  bool AddRRset(Section section, const RRset& rrset, uint32_t ttl, bool with_signatures);
  // The same for what the reply is complete without: left out, it does not truncate.
  bool AddOptionalRRset(Section section, const RRset& rrset, uint32_t ttl, bool with_signatures);
  // One record; `rdata` uncompressed, names inside compressed where allowed.
  bool AddRecord(Section section, NameView owner, RRType type, RRClass rrclass, uint32_t ttl,
                 std::span<const uint8_t> rdata);
  bool truncated() const { return truncated_; }
  // Writes OPT (when given; EDE texts and then whole options are dropped if they do not fit), the counts, TC
  // and RCODE. The returned span is the message.
  std::span<uint8_t> Finish(Rcode rcode, const EdnsOut* edns);

 private:
  struct Entry {
    uint16_t at;    // offset of this suffix in the message
    uint16_t hash;  // of the lower-cased suffix
    uint8_t slot;   // where slots_ points to this entry
  };
  struct Mark {
    size_t size;
    size_t entries;
  };
  static constexpr size_t kMaxEntries = 120;
  static constexpr size_t kSlots = 256;
  static constexpr size_t kMaxProbes = 8;

  void PutName(NameView name, bool compress);
  void PutRdata(RRType type, std::span<const uint8_t> rdata);
  bool PutOneRecord(NameView owner, RRType type, RRClass rrclass, uint32_t ttl,
                    std::span<const uint8_t> rdata);
  int FindSuffix(const uint8_t* suffix, size_t size, uint16_t hash) const;
  bool SuffixIs(size_t at, const uint8_t* suffix, size_t size) const;
  void Enter(size_t at, uint16_t hash);
  Mark Here() const { return {out_.size(), entry_count_}; }
  void GoBack(Mark mark);
  void LeftOut(Section section);

  ByteWriter out_;
  std::array<Entry, kMaxEntries> entries_;
  std::array<uint8_t, kSlots> slots_;  // entry index + 1; 0: free
  size_t entry_count_ = 0;
  size_t reserved_ = 0;
  size_t rotation_ = 0;
  std::array<uint16_t, 4> counts_{};
  Header header_;
  size_t qname_size_ = 0;  // of the name at offset 12; 0: no question
  size_t owner_at_ = 0;    // the last owner written and its size in full; 0: none
  size_t owner_size_ = 0;
  bool truncated_ = false;
  bool needs_tc_ = false;
};

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_BUILDER_H_
