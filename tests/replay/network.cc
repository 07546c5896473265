#include "tests/replay/network.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/dns/builder.h"

namespace sekisho::replay {
namespace {

using dns::Rcode;
using dns::RRType;
using dns::Section;
using resolver::OutboundQuery;
using resolver::UpstreamFailure;

size_t UdpLimit(const dns::ParsedMessage& query, const ServerHabits& habits) {
  const size_t asked = query.edns() ? query.edns()->udp_size : 512;
  return std::max<size_t>(512, std::min<size_t>(asked, habits.udp_size));
}

void AddAll(dns::MessageBuilder& b, Section section, const std::vector<ReplyRecord>& records) {
  for (const auto& r : records) b.AddRecord(section, r.owner, r.type, r.rrclass, r.ttl, AsBytes(r.rdata));
}

// Bare reply with one RCODE and nothing else.
ZoneReply Error(Rcode rcode) {
  ZoneReply reply;
  reply.rcode = rcode;
  reply.aa = false;
  return reply;
}

void Replace(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = text->find(from); at != std::string::npos; at = text->find(from, at + to.size()))
    text->replace(at, from.size(), to);
}

bool Matches(const Override& o, const OutboundQuery& query, const dns::ParsedMessage& m) {
  if (o.name && !(o.subtree ? m.qname().IsAtOrBelow(*o.name) : m.qname() == o.name->view())) return false;
  if (o.type && *o.type != m.qtype()) return false;
  if (o.tcp && *o.tcp != query.tcp) return false;
  return !o.edns || *o.edns == m.edns().has_value();
}

void PutU16(std::vector<uint8_t>* packet, size_t at, uint16_t v) {
  if (packet->size() < at + 2) return;
  (*packet)[at] = static_cast<uint8_t>(v >> 8);
  (*packet)[at + 1] = static_cast<uint8_t>(v);
}

void Damage(const ReplyPlan& plan, const dns::ParsedMessage& query, std::vector<uint8_t>* packet) {
  PutU16(packet, 0, static_cast<uint16_t>(query.header().id ^ plan.id_xor));
  if (plan.tc) (*packet)[2] |= 0x02;
  if (plan.query_bit) (*packet)[2] &= 0x7f;
  if (plan.opcode) (*packet)[2] = static_cast<uint8_t>(((*packet)[2] & 0x87) | *plan.opcode << 3);
  if (plan.qdcount) PutU16(packet, 4, *plan.qdcount);
  if (plan.ancount) PutU16(packet, 6, *plan.ancount);
  if (plan.cut) packet->resize(std::min(*plan.cut, packet->size()));
  packet->insert(packet->end(), plan.pad, 0);
}

}  // namespace

std::vector<std::string> ExpandRange(const std::string& line) {
  const size_t open = line.find('[');
  const size_t dash = line.find('-', open);
  const size_t close = line.find(']', open);
  if (open == std::string::npos || dash == std::string::npos || close == std::string::npos || dash > close)
    return {line};
  const std::string range = line.substr(open, close - open + 1);
  const int from = std::atoi(line.c_str() + open + 1);
  const int to = std::atoi(line.c_str() + dash + 1);
  std::vector<std::string> out;
  for (int i = from; i <= to; ++i) {
    out.push_back(line);
    Replace(&out.back(), range, std::to_string(i));
  }
  return out;
}

std::vector<uint8_t> WriteReply(const dns::ParsedMessage& query, dns::NameView qname, const ZoneReply& reply,
                                bool ra, bool with_opt, size_t limit, std::vector<uint8_t> cookie) {
  std::vector<uint8_t> packet(dns::kMaxMessageSize);
  dns::MessageBuilder b(packet, limit);
  dns::Header header;
  header.id = query.header().id;
  header.qr = true;
  header.aa = reply.aa;
  header.rd = query.header().rd;
  header.ra = ra;
  b.Begin(header);
  b.AddQuestion(qname, query.qtype(), query.qclass());
  dns::EdnsOut opt;
  opt.cookie = std::move(cookie);
  if (with_opt) b.ReserveForOpt(opt);
  AddAll(b, Section::kAnswer, reply.answer);
  AddAll(b, Section::kAuthority, reply.authority);
  AddAll(b, Section::kAdditional, reply.additional);
  packet.resize(b.Finish(reply.rcode, with_opt ? &opt : nullptr).size());
  return packet;
}

namespace {

std::span<const uint8_t> CookieOf(const dns::ParsedMessage& m) {
  const dns::EdnsOption* option = m.edns() ? m.edns()->Find(dns::OptionCode::kCookie) : nullptr;
  return option == nullptr ? std::span<const uint8_t>() : option->data;
}

// What the server gives beside the client's cookie.
constexpr std::array<uint8_t, 8> kServerCookie = {'s', 'e', 'r', 'v', 'e', 'r', '4', '2'};

bool KnowsServerCookie(std::span<const uint8_t> cookie) {
  return cookie.size() == 16 && std::equal(kServerCookie.begin(), kServerCookie.end(), cookie.begin() + 8);
}

// The reply's cookie; empty: none.
std::vector<uint8_t> CookieReply(CookieHabit habit, std::span<const uint8_t> cookie) {
  if (habit == CookieHabit::kNone || cookie.empty()) return {};
  std::vector<uint8_t> out(cookie.begin(), cookie.begin() + 8);
  out.insert(out.end(), kServerCookie.begin(), kServerCookie.end());
  if (habit == CookieHabit::kWrong) out[0] ^= 1;
  return out;
}

}  // namespace

void ScriptedNetwork::ServeZone(std::shared_ptr<const Zone> zone, const std::vector<IpAddress>& servers) {
  for (const auto& s : servers) servers_[s].zones[zone->origin().LowercaseBytes()] = zone;
}

void ScriptedNetwork::DropZone(const dns::Name& origin) {
  for (auto& [address, server] : servers_) server.zones.erase(origin.LowercaseBytes());
}

const Zone* ScriptedNetwork::ZoneFor(const Server& server, dns::NameView qname, RRType qtype) const {
  const Zone* best = nullptr;
  for (const auto& [key, zone] : server.zones) {
    if (!qname.IsAtOrBelow(zone->origin())) continue;
    // The parent's side answers for DS.
    const bool apex = qtype == RRType::kDS && qname == zone->origin().view();
    if (apex && best != nullptr) continue;
    const bool longer = best == nullptr || zone->origin().size() > best->origin().size();
    const bool best_is_apex = best != nullptr && qtype == RRType::kDS && qname == best->origin().view();
    if (longer || best_is_apex) best = zone.get();
  }
  return best;
}

ZoneReply ScriptedNetwork::Honest(const Server& server, dns::NameView qname, RRType qtype) const {
  const Zone* zone = ZoneFor(server, qname, qtype);
  if (zone == nullptr || server.habits.lame) return Error(Rcode::kRefused);
  ZoneReply reply = zone->Answer(qname, qtype);
  if (server.habits.denies_empty && reply.aa && reply.answer.empty()) reply.rcode = Rcode::kNXDomain;
  if (server.habits.recursive) reply.aa = false;
  return reply;
}

std::vector<Delivery> ScriptedNetwork::ByHabit(const Server& server, const OutboundQuery& query,
                                               const dns::ParsedMessage& m) const {
  const ServerHabits& h = server.habits;
  const auto fail = [&](UpstreamFailure why) { return std::vector<Delivery>{{h.delay, why, {}}}; };
  if (h.down) return {};
  if (h.unreachable) return fail(UpstreamFailure::kUnreachable);
  if (query.tcp && h.tcp == TcpHabit::kSilent) return {};
  if (query.tcp && h.tcp == TcpHabit::kRefuse) return fail(UpstreamFailure::kUnreachable);
  if (query.tcp && h.tcp == TcpHabit::kClose) return fail(UpstreamFailure::kClosed);
  const bool edns = m.edns().has_value();
  if (edns && h.edns == EdnsHabit::kDrop) return {};
  const auto cookie = CookieOf(m);
  if (!cookie.empty() && h.cookies == CookieHabit::kDrop) return {};
  ZoneReply reply;
  bool opt = edns;
  if (edns && h.edns == EdnsHabit::kFormErr) {
    reply = Error(Rcode::kFormErr);
    opt = false;
  } else if (edns && h.edns == EdnsHabit::kNotImp) {
    reply = Error(Rcode::kNotImp);
    opt = false;
  } else if (edns && h.edns == EdnsHabit::kBadVers) {
    reply = Error(Rcode::kBadVers);
  } else if (!cookie.empty() &&
             (h.cookies == CookieHabit::kAlwaysBad ||
              (h.cookies == CookieHabit::kRequired && !query.tcp && !KnowsServerCookie(cookie)))) {
    reply = Error(Rcode::kBadCookie);
  } else if (!cookie.empty() && h.cookies == CookieHabit::kFormErr) {
    reply = Error(Rcode::kFormErr);
  } else {
    reply = Honest(server, m.qname(), m.qtype());
    if (h.edns == EdnsHabit::kNoOpt) opt = false;
  }
  const dns::Name lower = m.qname().Lowercase();
  const size_t limit = query.tcp ? dns::kMaxMessageSize : UdpLimit(m, h);
  Delivery d;
  d.after = query.tcp ? 2 * h.delay : h.delay;
  d.packet = WriteReply(m, h.lowercase ? lower.view() : m.qname(), reply, h.recursive, opt, limit,
                        CookieReply(h.cookies, cookie));
  return {std::move(d)};
}

std::vector<uint8_t> ScriptedNetwork::Write(const Server& server, const ReplyPlan& plan,
                                            const OutboundQuery& query, const dns::ParsedMessage& m) {
  ZoneReply reply;
  if (plan.from_zone) reply = Honest(server, m.qname(), m.qtype());
  if (plan.rcode) reply.rcode = *plan.rcode;
  if (plan.aa) reply.aa = *plan.aa;
  for (const auto& [section, text] : plan.records) {
    for (std::string line : ExpandRange(text)) {
      Replace(&line, "$Q", m.qname().ToString());
      ReplyRecord record;
      std::string error;
      if (!ParseReplyRecord(line, dns::Name(), &record, &error)) {
        errors_.push_back("record \"" + line + "\": " + error);
        continue;
      }
      auto& to = section == Section::kAnswer      ? reply.answer
                 : section == Section::kAuthority ? reply.authority
                                                  : reply.additional;
      to.push_back(std::move(record));
    }
  }
  std::vector<uint8_t> packet(dns::kMaxMessageSize);
  const bool udp_zone = plan.from_zone && !query.tcp;
  dns::MessageBuilder b(packet, udp_zone ? UdpLimit(m, server.habits) : packet.size());
  dns::Header header;
  header.qr = true;
  header.aa = reply.aa;
  header.ra = plan.ra;
  b.Begin(header);
  const dns::Name qname = plan.qname       ? *plan.qname
                          : plan.lowercase ? m.qname().Lowercase()
                                           : dns::Name(m.qname());
  if (plan.question) {
    b.AddQuestion(qname, plan.qtype.value_or(m.qtype()),
                  static_cast<dns::RRClass>(plan.qclass.value_or(static_cast<uint16_t>(m.qclass()))));
  }
  dns::EdnsOut opt;
  if (!plan.cookie.empty()) {
    const auto own = CookieOf(m).first(std::min<size_t>(8, CookieOf(m).size()));
    opt.cookie.assign(own.begin(), own.end());
    opt.cookie.resize(8);
    opt.cookie.insert(opt.cookie.end(), plan.cookie.begin(), plan.cookie.end());
  }
  const bool with_opt = plan.opt && m.edns().has_value();
  if (with_opt) b.ReserveForOpt(opt);
  AddAll(b, Section::kAnswer, reply.answer);
  AddAll(b, Section::kAuthority, reply.authority);
  AddAll(b, Section::kAdditional, reply.additional);
  packet.resize(b.Finish(reply.rcode, with_opt ? &opt : nullptr).size());
  Damage(plan, m, &packet);
  return packet;
}

Delivery ScriptedNetwork::Make(const Server& server, const ReplyPlan& plan, const OutboundQuery& query,
                               const dns::ParsedMessage& m) {
  Delivery d;
  d.after = plan.after;
  switch (plan.kind) {
    case ReplyPlan::Kind::kFailure:
      d.failure = plan.failure;
      break;
    case ReplyPlan::Kind::kHex:
      d.packet = plan.raw;
      PutU16(&d.packet, 0, m.header().id);
      break;
    case ReplyPlan::Kind::kMessage:
      d.packet = Write(server, plan, query, m);
      break;
  }
  return d;
}

std::vector<Delivery> ScriptedNetwork::OnQuery(const OutboundQuery& query) {
  dns::ParsedMessage m;
  if (m.Parse(query.packet) != dns::ParseError::kNone || !m.has_question()) {
    errors_.push_back("the resolver sent a malformed query to " + query.server.ToString());
    return {};
  }
  const auto it = servers_.find(query.server.address);
  if (it == servers_.end()) return {};
  Server& server = it->second;
  for (Override& o : server.overrides) {
    if (!Matches(o, query, m)) continue;
    ++o.seen;
    if (o.seen < o.first || o.seen > o.last) continue;
    std::vector<Delivery> out;
    for (const ReplyPlan& plan : o.replies) out.push_back(Make(server, plan, query, m));
    return out;
  }
  return ByHabit(server, query, m);
}

}  // namespace sekisho::replay
