#include "resolver/core/packet_cache.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace sekisho::resolver {
namespace {

// The lower 5 bits of the last key byte.
uint8_t KeyBits(bool edns, bool dnssec_ok, bool cd, bool ad, bool rd) {
  return static_cast<uint8_t>((edns ? 1 : 0) | (dnssec_ok ? 2 : 0) | (cd ? 4 : 0) | (ad ? 8 : 0) |
                              (rd ? 16 : 0));
}

uint32_t ReadTtl(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

void WriteTtl(uint8_t* at, uint32_t ttl) {
  at[0] = static_cast<uint8_t>(ttl >> 24);
  at[1] = static_cast<uint8_t>(ttl >> 16);
  at[2] = static_cast<uint8_t>(ttl >> 8);
  at[3] = static_cast<uint8_t>(ttl);
}

constexpr size_t kCookieOptionSize = 4 + kWholeCookieSize;

uint16_t ReadU16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }

void WriteU16(uint8_t* at, size_t v) {
  at[0] = static_cast<uint8_t>(v >> 8);
  at[1] = static_cast<uint8_t>(v);
}

// OPT is the last record of our replies; where the length of its options stands.
uint16_t OptLengthAt(const dns::ParsedMessage& m, std::span<const uint8_t> reply) {
  if (!m.edns()) return 0;
  const auto options = m.edns()->Options();
  const size_t from_end = options.empty() ? 0 : reply.data() + reply.size() - options.front().data.data() + 4;
  return static_cast<uint16_t>(reply.size() - from_end - 2);
}

// A cookie is one client's: it is taken out of what is kept (our OPT begins with it) …
void RemoveCookie(std::vector<uint8_t>* reply, size_t opt_length_at) {
  const auto begin = reply->begin() + static_cast<std::ptrdiff_t>(opt_length_at + 2);
  reply->erase(begin, begin + kCookieOptionSize);
  WriteU16(reply->data() + opt_length_at, ReadU16(reply->data() + opt_length_at) - kCookieOptionSize);
}

// … and another one put at the end.
void AddCookie(const WholeCookie& cookie, size_t opt_length_at, std::vector<uint8_t>* reply) {
  const size_t at = reply->size();
  reply->resize(at + kCookieOptionSize);
  WriteU16(reply->data() + at, static_cast<uint16_t>(dns::OptionCode::kCookie));
  WriteU16(reply->data() + at + 2, kWholeCookieSize);
  std::copy(cookie.begin(), cookie.end(), reply->data() + at + 4);
  WriteU16(reply->data() + opt_length_at, ReadU16(reply->data() + opt_length_at) + kCookieOptionSize);
}

// The client sent an option that might change its reply.
bool HasOwnOptions(const dns::Edns& edns) {
  const auto options = edns.Options();
  return std::any_of(options.begin(), options.end(),
                     [](const dns::EdnsOption& o) { return o.code != dns::OptionCode::kCookie; });
}

// Data that is fresh, judged and handed out whole; or a rule's word on the name.
bool MayKeep(const Question& q) {
  if (q.opcode != dns::Opcode::kQuery || q.truncated || q.dropped || q.edns_options) return false;
  if (q.rcode != dns::Rcode::kNoError && q.rcode != dns::Rcode::kNXDomain) return false;
  if (q.client_judged || !q.path.empty() || !q.withheld.empty() || q.verdict.action == Action::kTcpOnly)
    return false;
  if (!q.answer) return q.own_origin == record::Origin::kPolicy;
  return q.answer->origin == record::Origin::kCache && q.answer->security != Security::kBogus;
}

constexpr size_t kNoWay = ~size_t{0};
constexpr size_t kLine = 64;  // of the processor's caches

void FetchAhead(const void* at) { __builtin_prefetch(at, 0, 3); }

// The name asked for, of a packet that nothing is known of yet.
std::optional<dns::NameView> PeekName(std::span<const uint8_t> packet) {
  size_t at = dns::kHeaderSize;
  while (at < packet.size() && packet[at] != 0) {
    if (packet[at] > 63) return std::nullopt;
    at += packet[at] + size_t{1};
    if (at - dns::kHeaderSize >= dns::kMaxNameSize) return std::nullopt;
  }
  if (at + 5 > packet.size()) return std::nullopt;
  return dns::NameView::Trusted(packet.data() + dns::kHeaderSize, at + 1 - dns::kHeaderSize);
}

// Writes one part of an entry behind the other.
class Cursor {
 public:
  explicit Cursor(uint8_t* at) : at_(at) {}
  const uint8_t* Put(const void* from, size_t size) {
    if (size > 0) std::memcpy(at_, from, size);
    return std::exchange(at_, at_ + size);
  }
  dns::NameView Put(dns::NameView name) {
    return dns::NameView::Trusted(Put(name.data(), name.size()), name.size());
  }
  std::string_view Put(std::string_view text) {
    return {reinterpret_cast<const char*>(Put(text.data(), text.size())), text.size()};
  }

 private:
  uint8_t* at_;
};

}  // namespace

static_assert(std::is_trivially_destructible_v<PacketCache::Entry>);
static_assert(alignof(PacketCache::Entry) % alignof(record::AnswerView) == 0);

void PacketCache::Free::operator()(Entry* entry) const { ::operator delete(entry); }

uint64_t PacketCache::HashOf(dns::NameView qname, dns::RRType qtype) const {
  std::array<uint8_t, dns::kMaxNameSize + 2> bytes;
  dns::LowercaseCopy(qname.data(), qname.size(), bytes.data());
  WriteU16(bytes.data() + qname.size(), static_cast<uint16_t>(qtype));
  return hash_({bytes.data(), qname.size() + 2});
}

// Known already when the packet was expected.
uint64_t PacketCache::HashOf(const ClientQuestion& in, const dns::ParsedMessage& m) {
  while (expected_next_ < expected_count_) {
    const Expected& e = expected_[expected_next_++];
    if (e.packet == in.packet.data()) return e.hash;
  }
  return HashOf(m.qname(), m.qtype());
}

void PacketCache::Expect(std::span<const std::span<const uint8_t>> packets) {
  expected_count_ = 0;
  expected_next_ = 0;
  for (const auto packet : packets.first(std::min(packets.size(), kMaxExpected))) {
    const auto name = PeekName(packet);
    if (!name) continue;
    const uint64_t hash = HashOf(*name, static_cast<dns::RRType>(ReadU16(name->data() + name->size())));
    expected_[expected_count_++] = {packet.data(), hash};
    FetchAhead(&SetOf(hash));
  }
  for (size_t i = 0; i < expected_count_; ++i) {
    const Set& set = SetOf(expected_[i].hash);
    for (size_t way = 0; way < kWays; ++way) {
      if (set.tags[way] != TagOf(expected_[i].hash) || !set.ways[way]) continue;
      const auto* at = reinterpret_cast<const uint8_t*>(set.ways[way].get());
      // What most entries take; the processor itself goes on from there.
      for (size_t line = 0; line < 8; ++line) FetchAhead(at + line * kLine);
    }
  }
}

size_t PacketCache::Probe(const Set& set, uint32_t tag, dns::NameView qname, dns::RRType qtype,
                          uint16_t group, uint8_t bits) {
  for (size_t way = 0; way < kWays; ++way) {
    if (set.tags[way] != tag || !set.ways[way]) continue;
    const Entry& e = *set.ways[way];
    if (e.bits == bits && e.group == group && e.event.qtype == qtype && e.event.qname == qname) return way;
  }
  return kNoWay;
}

// Of the reply in parsed_. Addresses alone: in other data a record may point into the one before it.
void PacketCache::FindRun(Entry* e) const {
  for (const dns::Record& r : parsed_.records(dns::Section::kAnswer)) {
    if (r.type != dns::RRType::kA && r.type != dns::RRType::kAAAA) continue;
    const auto size = static_cast<uint16_t>(r.rdata_at + r.rdata_size - r.owner_at);
    const bool next = e->run_count > 0 && size == e->run_size &&
                      r.owner_at == e->run_at + e->run_count * e->run_size &&
                      std::memcmp(&e->reply[r.owner_at], &e->reply[e->run_at], 4) == 0;
    if (!next && e->run_count > 1) return;
    if (!next) {
      e->run_at = r.owner_at;
      e->run_size = size;
      e->run_count = 0;
    }
    ++e->run_count;
  }
}

const PacketCache::Entry* PacketCache::Find(const dns::ParsedMessage& m, const ClientQuestion& in,
                                            const Room& room, Scope scope, Now now,
                                            std::vector<uint8_t>* reply) {
  const dns::Header& h = m.header();
  const auto& edns = m.edns();
  if (m.qclass() != dns::RRClass::kIN || (edns && (edns->version != 0 || HasOwnOptions(*edns))))
    return nullptr;
  const uint8_t bits = KeyBits(edns.has_value(), edns && edns->dnssec_ok, h.cd, h.ad, h.rd);
  const uint64_t hash = HashOf(in, m);
  const Set& set = SetOf(hash);
  const size_t way = Probe(set, TagOf(hash), m.qname(), m.qtype(), scope.group, bits);
  if (way == kNoWay) return nullptr;
  const Entry* e = set.ways[way].get();
  if (e->epoch != scope.epoch || e->expires <= now.mono) return nullptr;
  if (in.transport == record::Transport::kUdp) {
    const size_t most = std::min<size_t>(edns ? edns->udp_size : 512, std::max<uint16_t>(room.max_udp, 512));
    if (e->reply_size + (room.cookie != nullptr ? kCookieOptionSize : 0) > most) return nullptr;
  }
  reply->assign(e->reply, e->reply + e->reply_size);
  uint8_t* out = reply->data();
  WriteU16(out, h.id);
  std::memcpy(out + dns::kHeaderSize, m.qname().data(), m.qname().size());  // as this client spelt it
  const auto age =
      static_cast<uint32_t>(std::chrono::floor<std::chrono::seconds>(now.mono - e->stored).count());
  if (age > 0) {
    for (size_t i = 0; i < e->ttl_count; ++i) {
      WriteTtl(out + e->ttl_at[i], ReadTtl(out + e->ttl_at[i]) - age);
    }
  }
  if (e->run_count > 1) {
    uint8_t* run = out + e->run_at;
    std::rotate(run, run + h.id % e->run_count * e->run_size, run + e->run_count * e->run_size);
  }
  if (room.cookie != nullptr && e->opt_length_at != 0) AddCookie(*room.cookie, e->opt_length_at, reply);
  return e;
}

// One block: Entry | AnswerView[] | ttl_at[] | reply | names | texts | RDATA. Null: too large.
std::unique_ptr<PacketCache::Entry, PacketCache::Free> PacketCache::Make(
    const record::LookupEvent& event, std::span<const uint8_t> reply,
    std::span<const uint16_t> ttl_at) const {
  size_t bytes = sizeof(Entry) + event.answers.size() * sizeof(record::AnswerView) + ttl_at.size_bytes() +
                 reply.size() + event.qname.size() + event.trigger_name.size() + event.feeds.size() +
                 event.category.size();
  for (const auto& a : event.answers) bytes += a.rdata.size();
  if (bytes > kMaxEntry) return nullptr;
  auto* block = static_cast<uint8_t*>(::operator new(bytes));
  std::unique_ptr<Entry, Free> e(new (block) Entry{});
  e->bytes = static_cast<uint32_t>(bytes);
  e->event = event;
  auto* answers = reinterpret_cast<record::AnswerView*>(block + sizeof(Entry));
  Cursor to(block + sizeof(Entry) + event.answers.size() * sizeof(record::AnswerView));
  e->ttl_count = static_cast<uint16_t>(ttl_at.size());
  e->ttl_at = reinterpret_cast<const uint16_t*>(to.Put(ttl_at.data(), ttl_at.size_bytes()));
  e->reply_size = static_cast<uint16_t>(reply.size());
  e->reply = to.Put(reply.data(), reply.size());
  e->event.qname = to.Put(event.qname);
  e->event.trigger_name = to.Put(event.trigger_name);
  e->event.feeds = to.Put(event.feeds);
  e->event.category = to.Put(event.category);
  for (size_t i = 0; i < event.answers.size(); ++i) {
    const auto& a = event.answers[i];
    new (&answers[i]) record::AnswerView{a.type, {to.Put(a.rdata.data(), a.rdata.size()), a.rdata.size()}};
  }
  e->event.answers = {answers, event.answers.size()};
  return e;
}

void PacketCache::Drop(Set& set, size_t way) {
  if (!set.ways[way]) return;
  bytes_ -= set.ways[way]->bytes;
  set.ways[way].reset();
}

// Each in turn: to look into entries would cost more than keeping a useless one a little longer.
size_t PacketCache::Victim(Set& set) {
  const auto free = std::find(set.ways.begin(), set.ways.end(), nullptr);
  if (free != set.ways.end()) return static_cast<size_t>(free - set.ways.begin());
  return set.victim++ % kWays;
}

void PacketCache::MakeRoom() {
  while (bytes_ > kMaxBytes) {
    Set& set = sets_[hand_++ & (kSets - 1)];
    for (size_t way = 0; way < kWays; ++way) Drop(set, way);
  }
}

void PacketCache::Store(const Question& q, const record::LookupEvent& event, std::span<const uint8_t> reply,
                        bool rotate, Scope scope, Now now) {
  if (!MayKeep(q) || reply.size() > kMaxReply) return;
  const uint64_t hash = HashOf(q.qname, q.qtype);
  Set& set = SetOf(hash);
  const uint8_t bits = KeyBits(q.edns, q.dnssec_ok, q.cd, q.ad, q.rd);
  size_t way = Probe(set, TagOf(hash), q.qname, q.qtype, scope.group, bits);
  if (way == kNoWay && std::exchange(set.once, TagOf(hash)) != TagOf(hash)) return;
  if (parsed_.Parse(reply) != dns::ParseError::kNone) return;
  if (q.has_cookie && (!parsed_.edns() || parsed_.edns()->Find(dns::OptionCode::kCookie) == nullptr)) return;
  std::vector<uint16_t> ttl_at;
  MonoTime expires = now.mono + std::chrono::seconds(30);
  if (q.answer) {
    expires = MonoTime::max();
    for (const auto& link : q.answer->chain) expires = std::min(expires, link->refresh_at);
    for (const auto section : {dns::Section::kAnswer, dns::Section::kAuthority, dns::Section::kAdditional}) {
      for (const dns::Record& r : parsed_.records(section)) {
        ttl_at.push_back(static_cast<uint16_t>(r.rdata_at - 6));
        // A TTL never counts below zero.
        expires = std::min(expires, now.mono + std::chrono::seconds(r.ttl));
      }
    }
  }
  if (expires <= now.mono) return;
  std::vector<uint8_t> kept(reply.begin(), reply.end());
  const uint16_t opt_length_at = OptLengthAt(parsed_, reply);
  if (q.has_cookie) RemoveCookie(&kept, opt_length_at);
  auto e = Make(event, kept, ttl_at);
  if (!e) return;
  e->bits = bits;
  e->epoch = scope.epoch;
  e->group = scope.group;
  e->stored = now.mono;
  e->expires = expires;
  e->by_policy = !q.answer;
  e->opt_length_at = opt_length_at;
  if (rotate && q.answer) FindRun(e.get());
  if (way == kNoWay) way = Victim(set);
  Drop(set, way);
  bytes_ += e->bytes;
  set.tags[way] = TagOf(hash);
  set.ways[way] = std::move(e);
  MakeRoom();
}

}  // namespace sekisho::resolver
