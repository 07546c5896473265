#include "tests/sim/random_network.h"

#include <algorithm>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/dns/builder.h"

namespace sekisho::sim {
namespace {

using dns::RRType;
using replay::Delivery;
using resolver::OutboundQuery;

std::string Below(const std::string& label, const dns::Name& origin) {
  return label + (origin.IsRoot() ? "." : "." + origin.ToString());
}

replay::ReplyRecord AddressRecord(const dns::Name& owner, const char* address) {
  const auto a = IpAddress::Parse(address);
  return {owner, RRType::kA, dns::RRClass::kIN, 86400, std::string(AsText(a->bytes()))};
}

}  // namespace

RandomNetwork::RandomNetwork(uint64_t seed) : dice_(seed) {
  zones_.push_back(ZonePlan{.origin = dns::Name(), .servers = {}, .needs = {}, .records = {}});
  root_ = NewServer(false);
  zones_[0].servers = {root_};
  traits_[root_] = Traits{};
  const size_t tlds = 1 + dice_.Below(3);
  for (size_t t = 0; t < tlds; ++t) {
    const size_t tld = AddZone(0, "t" + std::to_string(t));
    const size_t children = 1 + dice_.Below(5);
    for (size_t c = 0; c < children; ++c) {
      const size_t zone = AddZone(tld, "z" + std::to_string(c));
      if (dice_.Percent(30)) AddZone(zone, "sub");
    }
  }
  for (size_t z = 1; z < zones_.size(); ++z) Delegate(z);
  for (size_t z = 0; z < zones_.size(); ++z) Fill(z);
  Judge();
  Serve();
}

size_t RandomNetwork::AddZone(size_t parent, const std::string& label) {
  ZonePlan plan;
  plan.origin = *dns::Name::Parse(Below(label, zones_[parent].origin));
  plan.parent = parent;
  const bool may_lie = parent != 0;
  const size_t servers = 1 + dice_.Below(3);
  for (size_t i = 0; i < servers; ++i) plan.servers.push_back(NewServer(may_lie));
  zones_.push_back(std::move(plan));
  return zones_.size() - 1;
}

IpAddress RandomNetwork::NewServer(bool may_lie) {
  const uint32_t n = next_address_++;
  const auto address =
      *IpAddress::Parse("10.7." + std::to_string(n / 250) + "." + std::to_string(1 + n % 250));
  Traits& t = traits_[address];
  static const std::vector<uint32_t> kLoss = {0, 0, 0, 10, 30, 100};
  t.loss = dice_.Of(kLoss);
  t.repeats = dice_.Percent(20) ? 30 : 0;
  t.mangles = dice_.Percent(20) ? 20 : 0;
  t.jitter_ms = dice_.Percent(50) ? dice_.Below(400) : 0;
  t.lies = may_lie && dice_.Percent(25);
  replay::ServerHabits& h = honest_.Habits(address);
  h.delay = std::chrono::milliseconds(1 + dice_.Below(150));
  h.lowercase = dice_.Percent(10);
  h.recursive = dice_.Percent(5);
  h.lame = dice_.Percent(5);
  h.denies_empty = dice_.Percent(5);
  h.unreachable = dice_.Percent(5);
  if (dice_.Percent(20)) h.edns = static_cast<replay::EdnsHabit>(dice_.Below(6));
  if (dice_.Percent(20)) h.tcp = static_cast<replay::TcpHabit>(dice_.Below(4));
  return address;
}

// NS names in the zone with glue, or in any other zone without.
void RandomNetwork::Delegate(size_t z) {
  ZonePlan& zone = zones_[z];
  ZonePlan& parent = zones_[zone.parent];
  for (size_t i = 0; i < zone.servers.size(); ++i) {
    const std::string address = zone.servers[i].ToString();
    const std::string ttl = dice_.Percent(20) ? " 5 " : " 3600 ";
    const bool elsewhere = dice_.Percent(30);
    const size_t host = elsewhere ? 1 + dice_.Below(static_cast<uint32_t>(zones_.size() - 1)) : z;
    const std::string name = Below("ns" + std::to_string(z) + "-" + std::to_string(i), zones_[host].origin);
    parent.records.push_back(zone.origin.ToString() + ttl + "NS " + name);
    zone.records.push_back("@" + ttl + "NS " + name);
    zones_[host].records.push_back(name + ttl + "A " + address);
    if (host == z) parent.records.push_back(name + ttl + "A " + address);
    zone.needs.push_back(host);
  }
}

void RandomNetwork::Fill(size_t z) {
  ZonePlan& zone = zones_[z];
  const auto ttl = [&] {
    return " " + std::to_string(dice_.Percent(20) ? dice_.Below(3) : dice_.Below(600)) + " ";
  };
  const auto add = [&](const std::string& label, const std::string& data) {
    zone.records.push_back(label + ttl() + data);
    if (auto name = dns::Name::Parse(label == "@" ? zone.origin.ToString() : Below(label, zone.origin)))
      names_.push_back(*name);
  };
  add("www", "A 192.0.2." + std::to_string(z));
  add("a.b.c", "AAAA 2001:db8::" + std::to_string(z));
  add("@", "MX 10 mail.t0.");
  if (dice_.Percent(30)) add("*.w", "A 192.0.2.200");
  if (dice_.Percent(20)) add("d", "DNAME " + dice_.Of(zones_).origin.ToString());
  const uint32_t aliases = dice_.Below(4);
  for (uint32_t i = 0; i < aliases; ++i) {
    const ZonePlan& to = dice_.Of(zones_);
    const std::string target = dice_.Percent(50) ? "www" : "alias" + std::to_string(dice_.Below(4));
    add("alias" + std::to_string(i), "CNAME " + Below(target, to.origin));
  }
  if (dice_.Percent(20)) {
    for (int i = 1; i < 100; ++i) zone.records.push_back("many 60 A 192.0.2." + std::to_string(i));
    names_.push_back(*dns::Name::Parse(Below("many", zone.origin)));
  }
  names_.push_back(*dns::Name::Parse(Below("nothing", zone.origin)));
}

// Honest: its servers, its ancestors and the zones that its servers' names need.
void RandomNetwork::Judge() {
  for (ZonePlan& z : zones_) {
    z.honest =
        std::none_of(z.servers.begin(), z.servers.end(), [&](const auto& s) { return traits_[s].lies; });
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (ZonePlan& z : zones_) {
      const bool needs_liar =
          !zones_[z.parent].honest ||
          std::any_of(z.needs.begin(), z.needs.end(), [&](size_t n) { return !zones_[n].honest; });
      if (z.honest && needs_liar) {
        z.honest = false;
        changed = true;
      }
    }
  }
}

void RandomNetwork::Serve() {
  for (const ZonePlan& plan : zones_) {
    auto zone = std::make_shared<replay::Zone>(plan.origin);
    for (const std::string& line : plan.records) {
      std::string error;
      if (!zone->Add(line, &error)) errors_.push_back(line + ": " + error);
    }
    zone->Finish();
    honest_.ServeZone(zone, plan.servers);
  }
}

dns::Name RandomNetwork::SomeName(Dice& dice) const {
  const dns::Name& name = dice.Of(names_);
  if (dice.Percent(70)) return name;
  const auto longer = dns::Name::Prepend("r" + std::to_string(dice.Below(1000)), name);
  return longer.value_or(name);
}

bool RandomNetwork::IsHonest(dns::NameView name) const {
  const ZonePlan* deepest = nullptr;
  for (const ZonePlan& z : zones_) {
    if (name.IsAtOrBelow(z.origin) && (deepest == nullptr || z.origin.size() > deepest->origin.size()))
      deepest = &z;
  }
  return deepest != nullptr && deepest->honest;
}

// What somebody off the path can send: the question is known, the ID is not.
Delivery RandomNetwork::Forge(const OutboundQuery& query, bool right_id) {
  dns::ParsedMessage m;
  Delivery d;
  d.after = std::chrono::milliseconds(1);
  if (m.Parse(query.packet) != dns::ParseError::kNone) return d;
  replay::ZoneReply reply;
  reply.answer.push_back(AddressRecord(dns::Name(m.qname()), kForged));
  const dns::Name other = dice_.Of(names_);
  // With ID and question both right it would be no forgery that anybody can tell.
  if (other.view() == m.qname()) right_id = false;
  d.packet = WriteReply(m, right_id ? other.view() : m.qname(), reply, false, true, 1232);
  if (!right_id) d.packet[0] ^= 0x40;
  return d;
}

// A liar's reply: about its own zones whatever it likes, and things about others beside it.
void RandomNetwork::AddLies(const OutboundQuery& query, Delivery* d) {
  dns::ParsedMessage m;
  if (d->failure || m.Parse(query.packet) != dns::ParseError::kNone) return;
  replay::ZoneReply reply;
  const dns::Name qname(m.qname());
  const dns::Name victim = dice_.Of(names_);
  const dns::Name liar = *dns::Name::Parse("ns.liar.t0.");
  const auto ns = [&](const dns::Name& owner) {
    return replay::ReplyRecord{owner, RRType::kNS, dns::RRClass::kIN, 86400,
                               std::string(AsText(liar.bytes()))};
  };
  switch (dice_.Below(6)) {
    case 0:
      reply.answer.push_back(AddressRecord(qname, kForged));
      break;
    case 1:
      reply.answer.push_back(
          {qname, RRType::kCNAME, dns::RRClass::kIN, 60, std::string(AsText(victim.bytes()))});
      reply.answer.push_back(AddressRecord(victim, kForged));
      break;
    case 2:
      reply.aa = false;
      for (int i = 0; i < 40; ++i) {
        const auto name = dns::Name::Prepend("n" + std::to_string(i), victim);
        if (!name) continue;
        reply.authority.push_back(
            {qname, RRType::kNS, dns::RRClass::kIN, 60, std::string(AsText(name->bytes()))});
      }
      break;
    case 3:
      reply.aa = false;
      reply.authority.push_back(ns(dns::Name(m.qname().Parent())));
      break;
    case 4:
      reply.answer.push_back(
          {qname, RRType::kCNAME, dns::RRClass::kIN, 60, std::string(AsText(qname.bytes()))});
      break;
    default:
      reply.rcode = static_cast<dns::Rcode>(dice_.Below(11));
      break;
  }
  reply.authority.push_back(ns(dns::Name(victim.view().Parent())));
  reply.additional.push_back(AddressRecord(victim, kForged));
  reply.additional.push_back(AddressRecord(liar, kForged));
  d->packet =
      WriteReply(m, m.qname(), reply, dice_.Percent(10), true, query.tcp ? dns::kMaxMessageSize : 1232);
}

void RandomNetwork::Mangle(std::vector<uint8_t>* packet) {
  if (packet->empty()) return;
  const auto size = static_cast<uint32_t>(packet->size());
  switch (dice_.Below(3)) {
    case 0:
      packet->resize(dice_.Below(size));
      break;
    case 1:
      packet->push_back(0xff);
      break;
    default:
      // Beyond the header, where a flipped bit cannot make a truth of a forged address: damage is not a lie.
      for (int i = 0; i < 3; ++i) packet->resize(std::max<size_t>(12, packet->size() - dice_.Below(4)));
      break;
  }
}

std::vector<Delivery> RandomNetwork::OnQuery(const OutboundQuery& query) {
  const auto it = traits_.find(query.server.address);
  if (it == traits_.end()) return {};
  const Traits& t = it->second;
  std::vector<Delivery> out;
  for (Delivery& d : honest_.OnQuery(query)) {
    if (!query.tcp && dice_.Percent(t.loss)) continue;
    if (t.jitter_ms > 0) d.after += std::chrono::milliseconds(dice_.Below(t.jitter_ms));
    if (t.lies && dice_.Percent(60)) AddLies(query, &d);
    if (t.repeats > 0 && dice_.Percent(t.repeats)) {
      out.push_back(d);
      out.back().after += std::chrono::milliseconds(dice_.Below(50));
    }
    if (!d.failure && dice_.Percent(t.mangles)) {
      Delivery broken = d;
      Mangle(&broken.packet);
      broken.after /= 2;
      out.push_back(std::move(broken));
    }
    out.push_back(std::move(d));
  }
  if (!query.tcp && dice_.Percent(3)) out.push_back(Forge(query, dice_.Percent(50)));
  return out;
}

}  // namespace sekisho::sim
