#include "resolver/core/local_zones.h"

#include <array>
#include <string_view>

#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;

constexpr uint32_t kNegativeTtl = 3600;

// Everything below these does not exist, as far as the DNS is concerned.
constexpr std::array<std::string_view, 11> kSpecialUse = {
    "invalid.", "test.",         "onion.",         "alt.",       "home.arpa.",  "resolver.arpa.",
    "local.",   "service.arpa.", "eap-noob.arpa.", "localhost.", "6tisch.arpa."};

// RFC 6303 and the IANA registry of locally-served zones: reverse zones of networks that are nobody's in
// public.
constexpr std::array<std::string_view, 17> kReverse = {
    "0.in-addr.arpa.",
    "10.in-addr.arpa.",
    "127.in-addr.arpa.",
    "254.169.in-addr.arpa.",
    "2.0.192.in-addr.arpa.",
    "100.51.198.in-addr.arpa.",
    "113.0.203.in-addr.arpa.",
    "255.255.255.255.in-addr.arpa.",
    "168.192.in-addr.arpa.",
    "d.f.ip6.arpa.",
    "8.e.f.ip6.arpa.",
    "9.e.f.ip6.arpa.",
    "a.e.f.ip6.arpa.",
    "b.e.f.ip6.arpa.",
    "8.b.d.0.1.0.0.2.ip6.arpa.",
    "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa."};

dns::RRsetPtr Soa(const dns::Name& zone) {
  dns::RRset soa{.owner = zone, .type = RRType::kSOA, .ttl = kNegativeTtl};
  std::array<uint8_t, 2 * dns::kMaxNameSize + 20> buffer;
  ByteWriter w(buffer);
  w.Bytes(zone.bytes());
  w.Bytes((*dns::Name::Parse("nobody.invalid.")).bytes());
  for (const uint32_t v : {1u, 3600u, 1200u, 604800u, kNegativeTtl}) w.U32(v);
  soa.rdata.Add(w.written());
  return std::make_shared<const dns::RRset>(std::move(soa));
}

}  // namespace

void LocalZones::AddSpecialUse() {
  const auto add = [&](const std::string& text) {
    const auto name = dns::Name::Parse(text);
    if (name) AddZone(*name, LocalZoneKind::kStatic);
    return name;
  };
  const auto add_delegated = [&](const std::string& text) {
    if (const auto name = add(text)) zones_[name->LowercaseBytes()].in_public = true;
  };
  for (const auto text : kSpecialUse) add(std::string(text));
  for (const auto text : kReverse) add_delegated(std::string(text));
  for (int i = 16; i < 32; ++i) add_delegated(std::to_string(i) + ".172.in-addr.arpa.");
  for (int i = 64; i < 128; ++i) add_delegated(std::to_string(i) + ".100.in-addr.arpa.");
  for (const char* zone : {"ipv4only.arpa.", "170.0.0.192.in-addr.arpa.", "171.0.0.192.in-addr.arpa."})
    add_delegated(zone);
  for (const char* line :
       {"localhost. 3600 IN A 127.0.0.1", "localhost. 3600 IN AAAA ::1",
        "1.0.0.127.in-addr.arpa. 3600 IN PTR localhost.", "ipv4only.arpa. 86400 IN A 192.0.0.170",
        "ipv4only.arpa. 86400 IN A 192.0.0.171", "170.0.0.192.in-addr.arpa. 86400 IN PTR ipv4only.arpa.",
        "171.0.0.192.in-addr.arpa. 86400 IN PTR ipv4only.arpa."}) {
    std::string error;
    if (const auto record = dns::ParseRecord(line, &error)) AddRecord(*record);
  }
}

void LocalZones::AddCanaries() {
  for (const char* text : {"use-application-dns.net.", "mask.icloud.com.", "mask-h2.icloud.com."})
    AddZone(*dns::Name::Parse(text), LocalZoneKind::kStatic);
}

void LocalZones::AddZone(const dns::Name& zone, LocalZoneKind kind) {
  zones_[zone.LowercaseBytes()] = Zone{.name = zone, .kind = kind};
}

void LocalZones::RemoveZone(const dns::Name& zone) {
  zones_.erase(zone.LowercaseBytes());
  const std::string key = dns::NameKey(zone);
  auto it = nodes_.lower_bound(key);
  while (it != nodes_.end() && it->first.starts_with(key)) it = nodes_.erase(it);
}

void LocalZones::AddRecord(const dns::TextRecord& record) {
  if (ZoneOf(record.owner) == nullptr) {
    zones_[record.owner.LowercaseBytes()] = Zone{
        .name = record.owner, .kind = LocalZoneKind::kTransparent, .in_public = false, .declared = false};
  }
  auto& rrset = nodes_[dns::NameKey(record.owner)][record.type];
  if (!rrset) {
    rrset = std::make_shared<dns::RRset>();
    rrset->owner = record.owner;
    rrset->type = record.type;
    rrset->ttl = record.ttl;
  }
  if (!rrset->rdata.Contains(AsBytes(record.rdata))) rrset->rdata.Add(AsBytes(record.rdata));
}

const LocalZones::Zone* LocalZones::ZoneOf(dns::NameView name) const {
  std::array<char, dns::kMaxNameSize> lower{};
  for (size_t i = 0; i < name.size(); ++i) lower[i] = static_cast<char>(dns::LowercaseByte(name.data()[i]));
  for (dns::NameView at = name;; at = at.Parent()) {
    const size_t skipped = name.size() - at.size();
    const auto it = zones_.find(std::string_view(lower.data() + skipped, at.size()));
    if (it != zones_.end()) return &it->second;
    if (at.IsRoot()) return nullptr;
  }
}

LocalAnswer LocalZones::Negative(const Zone& zone, dns::Rcode rcode) const {
  LocalAnswer a;
  a.rcode = rcode;
  a.authoritative = zone.declared;
  a.authority.push_back(Soa(zone.name));
  return a;
}

std::optional<LocalAnswer> LocalZones::Find(dns::NameView name, RRType type) const {
  if (zones_.empty()) return std::nullopt;
  const Zone* zone = ZoneOf(name);
  if (zone == nullptr) return std::nullopt;
  if (type == RRType::kDS && zone->in_public && zone->name.view() == name) {
    zone = ZoneOf(name.Parent());
    if (zone == nullptr) return std::nullopt;
  }
  const std::string key = dns::NameKey(name);
  auto node = nodes_.lower_bound(key);
  const bool below = node != nodes_.end() && node->first.starts_with(key);
  // RFC 6761 section 6.3: what is under localhost. is as localhost. itself.
  static const dns::Name kLocalhost = *dns::Name::Parse("localhost.");
  if (!below && zone->name == kLocalhost) node = nodes_.find(dns::NameKey(kLocalhost));
  if (node != nodes_.end() && (node->first == key || (!below && zone->name == kLocalhost))) {
    LocalAnswer a;
    a.authoritative = zone->declared;
    for (const RRType wanted : {type, RRType::kCNAME}) {
      const auto found = node->second.find(wanted);
      if (found == node->second.end()) continue;
      dns::RRset copy = *found->second;
      copy.owner = dns::Name(name);
      a.answer.push_back(std::make_shared<const dns::RRset>(std::move(copy)));
      return a;
    }
    return Negative(*zone, dns::Rcode::kNoError);
  }
  if (below) return Negative(*zone, dns::Rcode::kNoError);
  switch (zone->kind) {
    case LocalZoneKind::kTransparent:
      return std::nullopt;
    case LocalZoneKind::kRefuse:
      return LocalAnswer{
          .rcode = dns::Rcode::kRefused, .authoritative = false, .answer = {}, .authority = {}};
    case LocalZoneKind::kStatic:
      break;
  }
  return Negative(*zone, zone->name.view() == name ? dns::Rcode::kNoError : dns::Rcode::kNXDomain);
}

}  // namespace sekisho::resolver
