// message := header | question? | record* | opt?
// header  := u16 id | u8 qr(1) opcode(4) aa(1) tc(1) rd(1) | u8 ra(1) z(1) ad(1) cd(1) rcode(4) | u16
// count{4} record  := name | u16 type | u16 class | u32 ttl | u16 size | rdata name    := label* (0x00 |
// pointer)         pointer := u16 0xc000 | offset of a suffix written before
#include "proto/dns/builder.h"

#include <algorithm>

#include "proto/dns/rdata_form.h"

namespace sekisho::dns {
namespace {

constexpr size_t kMaxPointer = 0x3fff;
constexpr size_t kCountsAt = 4;

// FNV-1a over the lower-cased label, chained from the suffix to its right. Not keyed: a search gives up after
// kMaxProbes, so names chosen to collide only compress less.
uint32_t ExtendHash(uint32_t suffix, const uint8_t* label) {
  uint32_t h = suffix;
  for (size_t i = 0; i <= label[0]; ++i) h = (h ^ LowercaseByte(label[i])) * 0x01000193u;
  return h;
}

uint16_t Fold(uint32_t h) { return static_cast<uint16_t>(h ^ h >> 16); }

bool SameLabel(const uint8_t* a, const uint8_t* b) {
  for (size_t i = 0; i <= a[0]; ++i) {
    if (LowercaseByte(a[i]) != LowercaseByte(b[i])) return false;
  }
  return true;
}

}  // namespace

MessageBuilder::MessageBuilder(std::span<uint8_t> buffer, size_t limit)
    : out_(buffer.first(std::min({buffer.size(), limit, kMaxMessageSize}))) {}

void MessageBuilder::Begin(const Header& header) {
  out_.Rewind(0);
  header_ = header;
  entry_count_ = 0;
  slots_.fill(0);
  reserved_ = 0;
  counts_.fill(0);
  qname_size_ = owner_at_ = owner_size_ = 0;
  truncated_ = needs_tc_ = false;
  out_.U64(0);
  out_.U32(0);
}

bool MessageBuilder::AddQuestion(NameView qname, RRType qtype, RRClass qclass) {
  const Mark mark = Here();
  PutName(qname, true);
  out_.U16(static_cast<uint16_t>(qtype));
  out_.U16(static_cast<uint16_t>(qclass));
  if (!out_.ok()) {
    GoBack(mark);
    return false;
  }
  if (mark.size == kHeaderSize) qname_size_ = qname.size();
  ++counts_[0];
  return true;
}

void MessageBuilder::ReserveForOpt(const EdnsOut& edns) { reserved_ = OptSizeWithoutTexts(edns); }

void MessageBuilder::GoBack(Mark mark) {
  while (entry_count_ > mark.entries) slots_[entries_[--entry_count_].slot] = 0;
  out_.Rewind(mark.size);
  if (owner_at_ >= mark.size) owner_at_ = 0;
}

void MessageBuilder::LeftOut(Section section) {
  truncated_ = true;
  if (section != Section::kAdditional) needs_tc_ = true;
}

bool MessageBuilder::AddRRset(Section section, const RRset& rrset, uint32_t ttl, bool with_signatures) {
  if (AddOptionalRRset(section, rrset, ttl, with_signatures)) return true;
  LeftOut(section);
  return false;
}

bool MessageBuilder::AddOptionalRRset(Section section, const RRset& rrset, uint32_t ttl,
                                      bool with_signatures) {
  const Mark mark = Here();
  size_t added = 0;
  bool fits = true;
  const size_t first = rrset.rdata.empty() ? 0 : rotation_ % rrset.rdata.size();
  const auto add = [&](size_t from, size_t to) {
    size_t i = 0;
    for (auto it = rrset.rdata.begin(); fits && i < to; ++it, ++i) {
      if (i < from) continue;
      fits = PutOneRecord(rrset.owner, rrset.type, rrset.rrclass, ttl, *it);
      if (fits) ++added;
    }
  };
  add(first, rrset.rdata.size());
  add(0, first);
  if (with_signatures && fits) {
    for (const auto rdata : rrset.signatures) {
      fits = fits && PutOneRecord(rrset.owner, RRType::kRRSIG, rrset.rrclass, ttl, rdata);
      if (!fits) break;
      ++added;
    }
  }
  uint16_t& count = counts_[static_cast<size_t>(section) + 1];
  if (!fits || count + added > UINT16_MAX) {
    GoBack(mark);
    return false;
  }
  count = static_cast<uint16_t>(count + added);
  return true;
}

bool MessageBuilder::AddRecord(Section section, NameView owner, RRType type, RRClass rrclass, uint32_t ttl,
                               std::span<const uint8_t> rdata) {
  const Mark mark = Here();
  if (!PutOneRecord(owner, type, rrclass, ttl, rdata)) {
    GoBack(mark);
    LeftOut(section);
    return false;
  }
  ++counts_[static_cast<size_t>(section) + 1];
  return true;
}

bool MessageBuilder::PutOneRecord(NameView owner, RRType type, RRClass rrclass, uint32_t ttl,
                                  std::span<const uint8_t> rdata) {
  if (qname_size_ == owner.size() && qname_size_ > 1 && SuffixIs(kHeaderSize, owner.data(), owner.size())) {
    out_.U16(static_cast<uint16_t>(0xc000 | kHeaderSize));
  } else if (owner_at_ != 0 && owner_size_ == owner.size() &&
             SuffixIs(owner_at_, owner.data(), owner.size())) {
    out_.U16(static_cast<uint16_t>(0xc000 | owner_at_));
  } else {
    const size_t at = out_.size();
    PutName(owner, true);
    if (at <= kMaxPointer && !owner.IsRoot() && out_.ok()) {
      // Written as a pointer: the next record of that owner gets the same one.
      const auto wire = out_.written().subspan(at);
      owner_at_ = (wire[0] & 0xc0) == 0xc0 ? static_cast<size_t>(wire[0] & 0x3f) << 8 | wire[1] : at;
      owner_size_ = owner.size();
    }
  }
  out_.U16(static_cast<uint16_t>(type));
  out_.U16(static_cast<uint16_t>(rrclass));
  out_.U32(ttl);
  const size_t length_at = out_.size();
  out_.U16(0);
  PutRdata(type, rdata);
  if (!out_.ok() || out_.room() < reserved_ || rdata.size() > UINT16_MAX) return false;
  out_.PatchU16(length_at, static_cast<uint16_t>(out_.size() - length_at - 2));
  return true;
}

void MessageBuilder::PutRdata(RRType type, std::span<const uint8_t> rdata) {
  const RdataForm* form = FindRdataForm(type);
  if (form == nullptr || !form->compressible) {
    out_.Bytes(rdata);
    return;
  }
  size_t copied = 0;
  RdataNames names(type, rdata);
  while (const auto name = names.Next()) {
    const auto at = static_cast<size_t>(name->data() - rdata.data());
    out_.Bytes(rdata.subspan(copied, at - copied));
    PutName(*name, true);
    copied = at + name->size();
  }
  out_.Bytes(rdata.subspan(copied));
}

void MessageBuilder::PutName(NameView name, bool compress) {
  if (!compress || name.IsRoot()) {
    out_.Bytes(name.bytes());
    return;
  }
  std::array<uint8_t, kMaxLabels> starts;
  size_t labels = 0;
  const uint8_t* wire = name.data();
  for (size_t at = 0; wire[at] != 0; at += wire[at] + size_t{1}) starts[labels++] = static_cast<uint8_t>(at);
  // From the right: as long as a suffix is known a longer one may be, too.
  std::array<uint16_t, kMaxLabels> hashes;
  uint32_t h = 0x811c9dc5u;
  size_t fresh = labels;  // labels to be written in full
  int pointer = -1;
  bool may_be_known = true;
  for (size_t i = labels; i-- > 0;) {
    h = ExtendHash(h, wire + starts[i]);
    hashes[i] = Fold(h);
    if (!may_be_known) continue;
    const int found = FindSuffix(wire + starts[i], name.size() - starts[i], hashes[i]);
    if (found < 0) {
      may_be_known = false;
      continue;
    }
    pointer = found;
    fresh = i;
  }
  const size_t begin = out_.size();
  out_.Bytes(name.bytes().first(fresh < labels ? starts[fresh] : name.size()));
  if (pointer >= 0) out_.U16(static_cast<uint16_t>(0xc000 | pointer));
  if (!out_.ok()) return;
  for (size_t i = fresh; i-- > 0;) Enter(begin + starts[i], hashes[i]);
}

void MessageBuilder::Enter(size_t at, uint16_t hash) {
  if (at > kMaxPointer || entry_count_ == kMaxEntries) return;
  for (size_t probe = 0; probe < kMaxProbes; ++probe) {
    const size_t slot = (hash + probe) % kSlots;
    if (slots_[slot] != 0) continue;
    entries_[entry_count_] = {static_cast<uint16_t>(at), hash, static_cast<uint8_t>(slot)};
    slots_[slot] = static_cast<uint8_t>(++entry_count_);
    return;
  }
}

int MessageBuilder::FindSuffix(const uint8_t* suffix, size_t size, uint16_t hash) const {
  for (size_t probe = 0; probe < kMaxProbes; ++probe) {
    const uint8_t index = slots_[(hash + probe) % kSlots];
    if (index == 0) return -1;
    const Entry& e = entries_[index - size_t{1}];
    if (e.hash == hash && SuffixIs(e.at, suffix, size)) return e.at;
  }
  return -1;
}

// Compares with a name in our own output, following the pointers we wrote.
bool MessageBuilder::SuffixIs(size_t at, const uint8_t* suffix, size_t size) const {
  const auto wire = out_.written();
  for (const uint8_t* end = suffix + size; suffix < end;) {
    while (wire[at] >= 0xc0) at = static_cast<size_t>(wire[at] & 0x3f) << 8 | wire[at + 1];
    if (wire[at] != suffix[0] || !SameLabel(wire.data() + at, suffix)) return false;
    at += suffix[0] + size_t{1};
    suffix += suffix[0] + size_t{1};
  }
  return true;
}

std::span<uint8_t> MessageBuilder::Finish(Rcode rcode, const EdnsOut* edns) {
  const bool has_opt = edns != nullptr && counts_[3] < UINT16_MAX && WriteOpt(*edns, rcode, &out_);
  if (has_opt) ++counts_[3];
  // Without OPT the upper bits have no place: better a plain failure than another code by accident.
  if (!has_opt && static_cast<uint16_t>(rcode) > 0x0f) rcode = Rcode::kServFail;
  const auto wire = out_.written();
  if (wire.size() < kHeaderSize) return wire;
  const bool tc = header_.tc || needs_tc_;
  const auto bit = [](bool on, int shift) { return on ? 1 << shift : 0; };
  const uint16_t flags =
      static_cast<uint16_t>(bit(header_.qr, 15) | static_cast<int>(header_.opcode) << 11 |
                            bit(header_.aa, 10) | bit(tc, 9) | bit(header_.rd, 8) | bit(header_.ra, 7) |
                            bit(header_.ad, 5) | bit(header_.cd, 4) | (static_cast<int>(rcode) & 0x0f));
  out_.PatchU16(0, header_.id);
  out_.PatchU16(2, flags);
  for (size_t i = 0; i < 4; ++i) out_.PatchU16(kCountsAt + 2 * i, counts_[i]);
  return wire;
}

}  // namespace sekisho::dns
