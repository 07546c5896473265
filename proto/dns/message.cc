#include "proto/dns/message.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_set>

#include "proto/base/bytes.h"
#include "proto/base/keyed_hash.h"
#include "proto/dns/rdata_form.h"

namespace sekisho::dns {
namespace {

constexpr size_t kRecordHeader = 10;

inline uint16_t Get16(const uint8_t* p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }
inline uint32_t Get32(const uint8_t* p) { return static_cast<uint32_t>(Get16(p)) << 16 | Get16(p + 2); }

Header ReadHeader(const uint8_t* p) {
  Header h;
  h.id = Get16(p);
  h.qr = (p[2] & 0x80) != 0;
  h.opcode = static_cast<Opcode>(p[2] >> 3 & 0x0f);
  h.aa = (p[2] & 0x04) != 0;
  h.tc = (p[2] & 0x02) != 0;
  h.rd = (p[2] & 0x01) != 0;
  h.ra = (p[3] & 0x80) != 0;
  h.ad = (p[3] & 0x20) != 0;
  h.cd = (p[3] & 0x10) != 0;
  h.rcode = p[3] & 0x0f;
  return h;
}

// One key a process, so that nobody outside can choose names that fall into one slot (row D16).
const KeyedHash& ProcessHash() {
  static const KeyedHash hash = [] {
    KernelRng rng;
    return KeyedHash(rng);
  }();
  return hash;
}

// Gathers records into sets through a hash of lower-cased owner and type.
class Collector {
 public:
  explicit Collector(size_t records) : slots_(std::bit_ceil(records * 2 + 2), 0) { sets_.reserve(records); }

  void Add(const ParsedMessage& message, const Record& record) {
    uint8_t owner[kMaxNameSize];
    size_t end = 0;
    const size_t size = ExpandName(message.packet(), record.owner_at, owner, &end);
    if (size == 0) return;
    rdata_.clear();
    message.AppendRdata(record, &rdata_);
    const auto rdata = AsBytes(rdata_);
    const bool signature = record.type == RRType::kRRSIG && rdata.size() > 2;
    const RRType type = signature ? static_cast<RRType>(Get16(rdata.data())) : record.type;
    const NameView name = NameView::Trusted(owner, size);
    const size_t i = FindOrAdd(name, type);
    sets_[i].rrclass = static_cast<RRClass>(record.rrclass);
    Put(i, signature, MeantTtl(record.ttl), rdata);
  }

  std::vector<RRset> Take() {
    const size_t n = sets_.size();
    for (size_t i = 0; i < n; ++i) {
      if (sets_[i].rdata.empty()) PromoteSignatures(i);
    }
    std::erase_if(sets_, [](const RRset& s) { return s.rdata.empty(); });
    return std::move(sets_);
  }

 private:
  static constexpr size_t kFewRecords = 16;  // up to here a linear search for duplicates is the fastest

  static uint64_t HashOf(NameView name, RRType type) {
    uint8_t key[kMaxNameSize + 2];
    LowercaseCopy(name.data(), name.size(), key);
    const auto t = static_cast<uint16_t>(type);
    std::memcpy(key + name.size(), &t, sizeof(t));
    return ProcessHash()({key, name.size() + sizeof(t)});
  }

  size_t FindOrAdd(NameView name, RRType type) {
    if (last_ < sets_.size() && sets_[last_].type == type && sets_[last_].owner.view() == name) return last_;
    size_t slot = HashOf(name, type) & (slots_.size() - 1);
    for (; slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
      const size_t i = slots_[slot] - size_t{1};
      if (sets_[i].type == type && sets_[i].owner.view() == name) return last_ = i;
    }
    RRset set;
    set.owner = Name(name);
    set.type = type;
    set.ttl = UINT32_MAX;
    sets_.push_back(std::move(set));
    slots_[slot] = static_cast<uint32_t>(sets_.size());
    return last_ = sets_.size() - 1;
  }

  void Put(size_t i, bool signature, uint32_t ttl, std::span<const uint8_t> rdata) {
    RRset& set = sets_[i];
    set.ttl = std::min(set.ttl, ttl);
    RdataList& list = signature ? set.signatures : set.rdata;
    if (IsDuplicate(i, signature, list, rdata)) return;
    list.Add(rdata);
  }

  // Large sets remember 64-bit keyed hashes instead of being searched again and again; that two different
  // RDATA share one is as likely as guessing the key.
  bool IsDuplicate(size_t i, bool signature, const RdataList& list, std::span<const uint8_t> rdata) {
    if (list.size() < kFewRecords) return list.Contains(rdata);
    const uint64_t salt = (uint64_t{i} << 1 | (signature ? 1 : 0)) * 0x9e3779b97f4a7c15ULL;
    if (list.size() == kFewRecords) {
      for (const auto r : list) seen_.insert(ProcessHash()(r) ^ salt);
    }
    return !seen_.insert(ProcessHash()(rdata) ^ salt).second;
  }

  // Signatures that cover nothing in this section are data of their own type.
  void PromoteSignatures(size_t i) {
    const RdataList signatures = std::move(sets_[i].signatures);
    const Name owner = sets_[i].owner;
    const uint32_t ttl = sets_[i].ttl;
    const RRClass rrclass = sets_[i].rrclass;
    const size_t to = FindOrAdd(owner, RRType::kRRSIG);
    sets_[to].rrclass = rrclass;
    for (const auto r : signatures) Put(to, false, ttl, r);
  }

  std::vector<RRset> sets_;
  std::vector<uint32_t> slots_;  // index + 1; at most half full
  std::unordered_set<uint64_t> seen_;
  std::string rdata_;
  size_t last_ = 0;
};

}  // namespace

size_t ExpandName(std::span<const uint8_t> packet, size_t at, uint8_t* out, size_t* end) {
  size_t size = 0;
  size_t run = at;
  int hops = 0;
  while (at < packet.size()) {
    const uint8_t length = packet[at];
    if (length <= kMaxLabelSize) {
      const size_t n = length + size_t{1};
      if (at + n > packet.size() || size + n > kMaxNameSize) return 0;
      std::memcpy(out + size, packet.data() + at, n);
      size += n;
      at += n;
      if (length != 0) continue;
      if (hops == 0) *end = at;
      return size;
    }
    if (length < 0xc0 || at + 2 > packet.size()) return 0;
    const size_t target = static_cast<size_t>(length & 0x3f) << 8 | packet[at + 1];
    if (target >= run || target < kHeaderSize || ++hops > kMaxHops) return 0;
    if (hops == 1) *end = at + 2;
    at = run = target;
  }
  return 0;
}

ParseError ParsedMessage::Parse(std::span<const uint8_t> packet) {
  packet_ = packet;
  header_ = Header();
  has_question_ = false;
  qname_[0] = 0;
  qname_size_ = 1;
  qtype_ = RRType::kNone;
  qclass_ = RRClass::kIN;
  question_end_ = 0;
  DropRecords();
  std::array<uint16_t, 4> counts{};
  NameScanner scanner(packet_);
  ParseError error = ParseHeaderAndQuestion(scanner, &counts);
  size_t at = question_end_;
  for (size_t s = 0; s < 3 && error == ParseError::kNone; ++s) {
    section_start_[s] = records_.size();
    error = ParseSection(static_cast<Section>(s), counts[s + 1], scanner, &at);
    section_start_[s + 1] = records_.size();
  }
  if (error != ParseError::kNone) {
    DropRecords();
    return error;
  }
  return at == packet_.size() ? ParseError::kNone : ParseError::kTrailingBytes;
}

void ParsedMessage::DropRecords() {
  records_.clear();
  section_start_.fill(0);
  edns_.reset();
}

ParseError ParsedMessage::ParseHeaderAndQuestion(NameScanner& scanner, std::array<uint16_t, 4>* counts) {
  if (packet_.size() < kHeaderSize || packet_.size() > kMaxMessageSize) return ParseError::kTooShort;
  header_ = ReadHeader(packet_.data());
  for (size_t i = 0; i < 4; ++i) (*counts)[i] = Get16(packet_.data() + 4 + 2 * i);
  if ((*counts)[0] > 1) return ParseError::kQuestionCount;
  if ((*counts)[0] == 0) {
    question_end_ = kHeaderSize;
    return ParseError::kNone;
  }
  size_t at = 0;
  const size_t size = scanner.Scan(kHeaderSize, packet_.size(), &at);
  if (size == 0) return ParseError::kBadName;
  if (packet_.size() - at < 4) return ParseError::kBadRecord;
  // No pointer can stand in the first name, as nothing but the header is before it: the bytes are the name.
  std::memcpy(qname_.data(), packet_.data() + kHeaderSize, size);
  qname_size_ = static_cast<uint8_t>(size);
  qtype_ = static_cast<RRType>(Get16(packet_.data() + at));
  qclass_ = static_cast<RRClass>(Get16(packet_.data() + at + 2));
  has_question_ = true;
  question_end_ = at + 4;
  return ParseError::kNone;
}

ParseError ParsedMessage::ParseSection(Section section, uint16_t count, NameScanner& scanner, size_t* at) {
  for (uint16_t i = 0; i < count; ++i) {
    Record r;
    r.owner_at = static_cast<uint16_t>(*at);
    if (scanner.Scan(*at, packet_.size(), at) == 0) return ParseError::kBadName;
    if (packet_.size() - *at < kRecordHeader) return ParseError::kBadRecord;
    const uint8_t* p = packet_.data() + *at;
    r.type = static_cast<RRType>(Get16(p));
    r.rrclass = Get16(p + 2);
    r.ttl = Get32(p + 4);
    r.rdata_size = Get16(p + 8);
    *at += kRecordHeader;
    if (packet_.size() - *at < r.rdata_size) return ParseError::kBadRecord;
    r.rdata_at = static_cast<uint16_t>(*at);
    r.section = section;
    if (r.type == RRType::kOPT) {
      const ParseError error = ParseOpt(r);
      if (error != ParseError::kNone) return error;
    } else {
      if (!CheckPacketRdata(r.type, r.rrclass, scanner, *at, r.rdata_size)) return ParseError::kBadRdata;
      records_.push_back(r);
    }
    *at += r.rdata_size;
  }
  return ParseError::kNone;
}

ParseError ParsedMessage::ParseOpt(const Record& record) {
  const bool root_owner = packet_[record.owner_at] == 0;
  if (record.section != Section::kAdditional || edns_ || !root_owner) return ParseError::kBadOpt;
  Edns& e = edns_.emplace();
  e.udp_size = std::max<uint16_t>(record.rrclass, 512);
  e.extended_rcode = static_cast<uint8_t>(record.ttl >> 24);
  e.version = static_cast<uint8_t>(record.ttl >> 16);
  e.dnssec_ok = (record.ttl & 0x8000) != 0;
  return ParseOptions(RawRdata(record), &e) ? ParseError::kNone : ParseError::kBadOpt;
}

Rcode ParsedMessage::rcode() const {
  const unsigned upper = edns_ ? edns_->extended_rcode : 0u;
  return static_cast<Rcode>(upper << 4 | header_.rcode);
}

std::span<const Record> ParsedMessage::records(Section section) const {
  const auto s = static_cast<size_t>(section);
  return std::span<const Record>(records_).subspan(section_start_[s],
                                                   section_start_[s + 1] - section_start_[s]);
}

Name ParsedMessage::Owner(const Record& record) const {
  uint8_t wire[kMaxNameSize];
  size_t end = 0;
  const size_t size = ExpandName(packet_, record.owner_at, wire, &end);
  return size == 0 ? Name() : Name(NameView::Trusted(wire, size));
}

bool ParsedMessage::OwnerIs(const Record& record, NameView name) const {
  uint8_t wire[kMaxNameSize];
  size_t end = 0;
  const size_t size = ExpandName(packet_, record.owner_at, wire, &end);
  return size != 0 && NameView::Trusted(wire, size) == name;
}

std::span<const uint8_t> ParsedMessage::RawRdata(const Record& record) const {
  return packet_.subspan(record.rdata_at, record.rdata_size);
}

void ParsedMessage::AppendRdata(const Record& record, std::string* out) const {
  ExpandRdata(record.type, record.rrclass, packet_, record.rdata_at, record.rdata_size, out);
}

std::vector<RRset> CollectRRsets(const ParsedMessage& message, Section section, RRClass rrclass) {
  const auto records = message.records(section);
  if (records.empty()) return {};
  Collector collector(records.size());
  for (const Record& r : records) {
    if (r.rrclass == static_cast<uint16_t>(rrclass) && !IsMetaType(r.type)) collector.Add(message, r);
  }
  return collector.Take();
}

}  // namespace sekisho::dns
