#include "resolver/core/packet_cache.h"

#include <algorithm>
#include <cstring>

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

}  // namespace

PacketCache::Key PacketCache::MakeKey(dns::NameView qname, dns::RRType qtype, uint16_t group, uint8_t bits) {
  Key key;
  for (size_t i = 0; i < qname.size(); ++i) key.bytes[i] = dns::LowercaseByte(qname.data()[i]);
  key.bytes[qname.size()] = static_cast<uint8_t>(static_cast<uint16_t>(qtype) >> 8);
  key.bytes[qname.size() + 1] = static_cast<uint8_t>(qtype);
  key.bytes[qname.size() + 2] = static_cast<uint8_t>(group >> 8);
  key.bytes[qname.size() + 3] = static_cast<uint8_t>(group);
  key.bytes[qname.size() + 4] = bits;
  key.size = qname.size() + 5;
  return key;
}

PacketCache::Entry* PacketCache::Probe(const Key& key, uint64_t hash) {
  for (Entry& e : sets_[hash & (kSets - 1)].ways) {
    if (e.hash == hash && e.key.size() == key.size &&
        std::memcmp(e.key.data(), key.bytes.data(), key.size) == 0) {
      return &e;
    }
  }
  return nullptr;
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

Question* PacketCache::Find(const dns::ParsedMessage& m, const ClientQuestion& in, const Room& room,
                            Scope scope, Now now, std::vector<uint8_t>* reply) {
  const dns::Header& h = m.header();
  const auto& edns = m.edns();
  if (m.qclass() != dns::RRClass::kIN || (edns && (edns->version != 0 || HasOwnOptions(*edns))))
    return nullptr;
  const Key key = MakeKey(m.qname(), m.qtype(), scope.group,
                          KeyBits(edns.has_value(), edns && edns->dnssec_ok, h.cd, h.ad, h.rd));
  const uint64_t hash = hash_(key.span());
  Entry* e = Probe(key, hash);
  if (e == nullptr || e->epoch != scope.epoch || e->expires <= now.mono) return nullptr;
  if (in.transport == record::Transport::kUdp) {
    const size_t most = std::min<size_t>(edns ? edns->udp_size : 512, std::max<uint16_t>(room.max_udp, 512));
    if (e->reply.size() + (room.cookie != nullptr ? kCookieOptionSize : 0) > most) return nullptr;
  }
  reply->assign(e->reply.begin(), e->reply.end());
  uint8_t* out = reply->data();
  out[0] = static_cast<uint8_t>(h.id >> 8);
  out[1] = static_cast<uint8_t>(h.id);
  std::memcpy(out + dns::kHeaderSize, m.qname().data(), m.qname().size());  // as this client spelt it
  const auto age =
      static_cast<uint32_t>(std::chrono::floor<std::chrono::seconds>(now.mono - e->stored).count());
  if (age > 0) {
    for (const uint16_t at : e->ttl_at) WriteTtl(out + at, ReadTtl(out + at) - age);
  }
  if (e->run_count > 1) {
    uint8_t* run = out + e->run_at;
    std::rotate(run, run + h.id % e->run_count * e->run_size, run + e->run_count * e->run_size);
  }
  if (room.cookie != nullptr && e->opt_length_at != 0) AddCookie(*room.cookie, e->opt_length_at, reply);
  Question& q = e->question;
  q.token = in.token;
  q.client = in.client;
  q.transport = in.transport;
  q.arrived = now;
  return &q;
}

void PacketCache::Store(const Question& q, std::span<const uint8_t> reply, bool rotate, Scope scope,
                        Now now) {
  if (!MayKeep(q) || reply.size() > kMaxReply || parsed_.Parse(reply) != dns::ParseError::kNone) return;
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
  const Key key = MakeKey(q.qname, q.qtype, scope.group, KeyBits(q.edns, q.dnssec_ok, q.cd, q.ad, q.rd));
  const uint64_t hash = hash_(key.span());
  Set& set = sets_[hash & (kSets - 1)];
  Entry* e = Probe(key, hash);
  if (e == nullptr) e = &set.ways[set.victim++ % kWays];
  e->hash = hash;
  e->epoch = scope.epoch;
  e->stored = now.mono;
  e->expires = expires;
  e->key.assign(reinterpret_cast<const char*>(key.bytes.data()), key.size);
  e->reply.assign(reply.begin(), reply.end());
  e->opt_length_at = OptLengthAt(parsed_, reply);
  if (q.has_cookie) RemoveCookie(&e->reply, e->opt_length_at);
  e->run_count = 0;
  if (rotate && q.answer) FindRun(e);
  e->ttl_at = std::move(ttl_at);
  e->question = q;
  e->question.asked_under = nullptr;
  // The texts move in, so that an entry does not keep an old snapshot mapped.
  e->feeds = q.verdict.feeds;
  e->category = q.verdict.category;
  e->question.verdict.feeds = e->feeds;
  e->question.verdict.category = e->category;
  e->question.verdict.keep = nullptr;
  e->question.spent = nullptr;
}

}  // namespace sekisho::resolver
