//   raw  := Fixed | qname | trigger_name | agency | feeds | category | item*
//   item := u16 type | u16 size | rdata                                            numbers in the machine's
//   order
#include "proto/record/raw_record.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "proto/base/bytes.h"

namespace sekisho::record {
namespace {

struct Fixed {
  uint64_t sequence;
  int64_t time_us;
  uint64_t generation;
  uint8_t client[16];
  uint32_t latency_us;
  uint16_t client_port;
  uint16_t worker;
  uint16_t qtype;
  uint16_t qclass;
  uint16_t flags;
  uint16_t rcode;
  uint16_t ede;
  uint16_t response_size;
  uint16_t answers_cut;
  uint16_t agency_size;
  uint16_t feeds_size;
  uint16_t category_size;
  uint8_t qname_size;
  uint8_t trigger_name_size;
  uint8_t items;
  uint8_t transport;
  uint8_t origin;
  uint8_t security;
  uint8_t action;
  uint8_t trigger;
  uint8_t rule_labels;
  uint8_t rule_subtree;
  uint8_t padding[6];
};
static_assert(sizeof(Fixed) == 88);
static_assert(std::is_trivially_copyable_v<Fixed>);

struct Kept {
  size_t items = 0;
  size_t bytes = 0;
};

// The leading items that are kept: within the item limit and the byte limit.
Kept KeptItems(std::span<const AnswerView> answers) {
  Kept kept;
  for (const AnswerView& a : answers) {
    if (kept.items == kMaxAnswerItems || kept.bytes + a.rdata.size() > kMaxRawRdata) break;
    kept.bytes += a.rdata.size();
    ++kept.items;
  }
  return kept;
}

uint16_t TextSize(std::string_view s) { return static_cast<uint16_t>(std::min(s.size(), kMaxRawText)); }

uint8_t* Put(uint8_t* to, const void* from, size_t size) {
  if (size > 0) std::memcpy(to, from, size);
  return to + size;
}

Fixed MakeFixed(const LookupEvent& e, const Kept& kept) {
  Fixed f{};
  f.sequence = e.sequence;
  f.time_us = UnixMicros(e.time);
  f.generation = e.generation;
  std::memcpy(f.client, e.client.address.mapped().data(), 16);
  f.latency_us = e.latency_us;
  f.client_port = e.client.port;
  f.worker = e.worker;
  f.qtype = static_cast<uint16_t>(e.qtype);
  f.qclass = static_cast<uint16_t>(e.qclass);
  f.flags = e.flags;
  f.rcode = static_cast<uint16_t>(e.rcode);
  f.ede = e.ede;
  f.response_size = e.response_size;
  f.answers_cut =
      static_cast<uint16_t>(std::min<size_t>(e.answers_cut + (e.answers.size() - kept.items), 0xffff));
  f.agency_size = TextSize(e.agency);
  f.feeds_size = TextSize(e.feeds);
  f.category_size = TextSize(e.category);
  f.qname_size = static_cast<uint8_t>(e.qname.size());
  f.trigger_name_size = static_cast<uint8_t>(e.trigger_name.size());
  f.items = static_cast<uint8_t>(kept.items);
  f.transport = static_cast<uint8_t>(e.transport);
  f.origin = static_cast<uint8_t>(e.origin);
  f.security = static_cast<uint8_t>(e.security);
  f.action = static_cast<uint8_t>(e.action);
  f.trigger = static_cast<uint8_t>(e.trigger);
  f.rule_labels = e.rule_labels;
  f.rule_subtree = e.rule_subtree ? 1 : 0;
  return f;
}

LookupEvent FromFixed(const Fixed& f) {
  LookupEvent e;
  e.sequence = f.sequence;
  e.time = WallFromMicros(f.time_us);
  e.generation = f.generation;
  if (auto address = IpAddress::FromRdata({f.client, 16})) e.client.address = *address;
  e.client.port = f.client_port;
  e.latency_us = f.latency_us;
  e.worker = f.worker;
  e.qtype = static_cast<dns::RRType>(f.qtype);
  e.qclass = static_cast<dns::RRClass>(f.qclass);
  e.flags = f.flags;
  e.rcode = static_cast<dns::Rcode>(f.rcode);
  e.ede = f.ede;
  e.response_size = f.response_size;
  e.answers_cut = f.answers_cut;
  e.transport = static_cast<Transport>(f.transport);
  e.origin = static_cast<Origin>(f.origin);
  e.security = static_cast<Security>(f.security);
  e.action = static_cast<Action>(f.action);
  e.trigger = static_cast<Trigger>(f.trigger);
  e.rule_labels = f.rule_labels;
  e.rule_subtree = f.rule_subtree != 0;
  return e;
}

}  // namespace

bool EncodeRaw(const LookupEvent& e, BoundedRing& ring) {
  const Kept kept = KeptItems(e.answers);
  const Fixed f = MakeFixed(e, kept);
  const size_t size = sizeof(Fixed) + f.qname_size + f.trigger_name_size + f.agency_size + f.feeds_size +
                      f.category_size + kept.items * 4 + kept.bytes;
  static_assert(sizeof(Fixed) + 2 * dns::kMaxNameSize + 3 * kMaxRawText + 4 * kMaxAnswerItems +
                    kMaxRawRdata <=
                kMaxRawSize);
  uint8_t* to = ring.Reserve(size);
  if (to == nullptr) return false;
  to = Put(to, &f, sizeof(f));
  to = Put(to, e.qname.data(), f.qname_size);
  to = Put(to, e.trigger_name.data(), f.trigger_name_size);
  to = Put(to, e.agency.data(), f.agency_size);
  to = Put(to, e.feeds.data(), f.feeds_size);
  to = Put(to, e.category.data(), f.category_size);
  for (const AnswerView& a : e.answers.first(kept.items)) {
    const uint16_t head[2] = {static_cast<uint16_t>(a.type), static_cast<uint16_t>(a.rdata.size())};
    to = Put(to, head, sizeof(head));
    to = Put(to, a.rdata.data(), a.rdata.size());
  }
  ring.Commit(size);
  return true;
}

std::optional<LookupEvent> DecodeRaw(std::span<const uint8_t> bytes, AnswerScratch* scratch) {
  Fixed f;
  if (bytes.size() < sizeof(f)) return std::nullopt;
  std::memcpy(&f, bytes.data(), sizeof(f));
  bytes = bytes.subspan(sizeof(f));
  bool whole = true;
  auto take = [&](size_t n) {
    if (n > bytes.size()) {
      whole = false;
      n = 0;
    }
    auto out = bytes.first(n);
    bytes = bytes.subspan(n);
    return out;
  };
  const auto qname = dns::NameView::FromWire(take(f.qname_size));
  const auto trigger_name = dns::NameView::FromWire(take(f.trigger_name_size));
  LookupEvent e = FromFixed(f);
  e.agency = AsText(take(f.agency_size));
  e.feeds = AsText(take(f.feeds_size));
  e.category = AsText(take(f.category_size));
  if (!qname || !trigger_name || f.items > kMaxAnswerItems) return std::nullopt;
  e.qname = *qname;
  e.trigger_name = *trigger_name;
  for (size_t i = 0; i < f.items && whole; ++i) {
    uint16_t head[2] = {0, 0};
    auto h = take(sizeof(head));
    if (!whole) break;
    std::memcpy(head, h.data(), sizeof(head));
    (*scratch)[i] = {static_cast<dns::RRType>(head[0]), take(head[1])};
  }
  if (!whole || !bytes.empty()) return std::nullopt;
  e.answers = std::span<const AnswerView>(scratch->data(), f.items);
  return e;
}

}  // namespace sekisho::record
