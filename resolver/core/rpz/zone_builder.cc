#include "resolver/core/rpz/zone_builder.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/dns/master_file.h"
#include "proto/dns/name_key.h"
#include "proto/dns/rdata.h"

namespace sekisho::resolver::rpz {
namespace {

using dns::RRType;

// Part of any zone, and no rule in this one.
bool IsFurniture(RRType type) {
  switch (type) {
    case RRType::kSOA:
    case RRType::kNS:
    case RRType::kDNAME:
    case RRType::kDS:
    case RRType::kDNSKEY:
    case RRType::kRRSIG:
    case RRType::kNSEC:
    case RRType::kNSEC3:
    case RRType::kNSEC3PARAM:
      return true;
    default:
      return false;
  }
}

std::string KeyOf(const TriggerName& trigger) {
  if (const auto* name = std::get_if<dns::Name>(&trigger.what)) return dns::NameKey(*name);
  const IpPrefix& prefix = std::get<IpPrefix>(trigger.what);
  const auto& bytes = prefix.address().mapped();
  std::string key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  key.push_back(static_cast<char>(prefix.mapped_length()));
  return key;
}

std::optional<IpPrefix> PrefixOf(const std::string& key) {
  const auto address = IpAddress::V6(AsBytes(key).first<16>());
  return IpPrefix::FromMapped(address, static_cast<uint8_t>(key.back()));
}

}  // namespace

bool ZoneBuilder::LeaveOut(std::string reason) {
  ++left_out_;
  last_reason_ = std::move(reason);
  return false;
}

// Nothing: the action is not known.
std::optional<Told> ZoneBuilder::ToldBy(const dns::TextRecord& record, const TriggerName& trigger) {
  if (record.type != RRType::kCNAME) return Told::kData;
  const auto target = dns::ReadTarget(AsBytes(record.rdata));
  if (!target) return std::nullopt;
  if (target->IsRoot()) return Told::kNxdomain;
  if (target->IsWildcard() && target->LabelCount() == 1) return Told::kNodata;
  static const dns::Name kPassthru = *dns::Name::Parse("rpz-passthru.");
  static const dns::Name kDrop = *dns::Name::Parse("rpz-drop.");
  static const dns::Name kTcpOnly = *dns::Name::Parse("rpz-tcp-only.");
  if (*target == kPassthru.view()) return Told::kPassthru;
  if (*target == kDrop.view()) return Told::kDrop;
  if (*target == kTcpOnly.view()) return Told::kTcpOnly;
  const std::string last = dns::Name(target->Suffix(1)).LowercaseBytes();
  if (last.substr(1).starts_with("rpz-")) return std::nullopt;
  // The old way to say passthru: an alias of itself.
  const auto* name = std::get_if<dns::Name>(&trigger.what);
  if (name != nullptr && name->view() == *target) return Told::kPassthru;
  return Told::kData;
}

bool ZoneBuilder::Add(const dns::TextRecord& record) {
  if (!record.owner.view().IsAtOrBelow(origin_))
    return LeaveOut(record.owner.ToString() + " is not in " + origin_.ToString());
  if (record.type == RRType::kSOA && record.owner == origin_ && !soa_) {
    dns::RRset soa{.owner = record.owner, .type = record.type, .ttl = record.ttl};
    soa.rdata.Add(AsBytes(record.rdata));
    soa_ = std::make_shared<const dns::RRset>(std::move(soa));
  }
  if (IsFurniture(record.type) || record.owner == origin_) return false;
  std::string why;
  const auto trigger = ReadTrigger(record.owner, origin_, &why);
  if (!trigger) return LeaveOut(std::move(why));
  const auto told = ToldBy(record, *trigger);
  if (!told) return LeaveOut(record.owner.ToString() + ": the action that its CNAME names is not known");
  Entry entry{.kind = trigger->kind,
              .told = *told,
              .type = record.type,
              .ttl = record.ttl,
              .rdata = 0,
              .key = KeyOf(*trigger)};
  if (*told == Told::kData) {
    entry.rdata = static_cast<uint32_t>(rdata_.size());
    rdata_.push_back(record.rdata);
  }
  entries_.push_back(std::move(entry));
  return true;
}

uint32_t ZoneBuilder::MakeRule(const Entry* begin, const Entry* end, Zone* zone) const {
  const Entry* alias = std::find_if(begin, end, [](const Entry& e) { return e.type == RRType::kCNAME; });
  if (alias != end) {
    if (alias->told != Told::kData) return static_cast<uint32_t>(alias->told);
    begin = alias;
    end = alias + 1;
  }
  std::vector<dns::RRset> sets;
  for (const Entry* e = begin; e != end; ++e) {
    auto set = std::find_if(sets.begin(), sets.end(), [&](const auto& s) { return s.type == e->type; });
    if (set == sets.end()) {
      set = sets.insert(sets.end(), dns::RRset{.owner = dns::Name(), .type = e->type, .ttl = e->ttl});
    }
    set->ttl = std::min(set->ttl, e->ttl);
    const auto rdata = AsBytes(rdata_[e->rdata]);
    if (!set->rdata.Contains(rdata)) set->rdata.Add(rdata);
  }
  std::vector<dns::RRsetPtr> kept;
  for (auto& set : sets) kept.push_back(std::make_shared<const dns::RRset>(std::move(set)));
  zone->data_.push_back(std::move(kept));
  return Zone::kDataFrom + static_cast<uint32_t>(zone->data_.size() - 1);
}

std::shared_ptr<const Zone> ZoneBuilder::Finish() {
  auto zone = std::make_shared<Zone>();
  zone->origin_ = origin_;
  zone->soa_ = soa_;
  // The order of the file stays among the records of one owner.
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.kind, a.key) < std::tie(b.kind, b.key);
  });
  std::array<std::vector<std::pair<std::string, uint32_t>>, kTriggerKinds> names;
  std::array<std::vector<std::pair<IpPrefix, uint32_t>>, kTriggerKinds> prefixes;
  for (size_t i = 0; i < entries_.size();) {
    size_t next = i + 1;
    while (next < entries_.size() && entries_[next].kind == entries_[i].kind &&
           entries_[next].key == entries_[i].key) {
      ++next;
    }
    const size_t kind = static_cast<size_t>(entries_[i].kind);
    const uint32_t value = MakeRule(&entries_[i], entries_.data() + next, zone.get());
    if (entries_[i].kind == TriggerKind::kQname || entries_[i].kind == TriggerKind::kNsName) {
      names[kind].emplace_back(std::move(entries_[i].key), value);
    } else if (const auto prefix = PrefixOf(entries_[i].key)) {
      prefixes[kind].emplace_back(*prefix, value);
    }
    ++zone->rules_;
    i = next;
  }
  for (size_t k = 0; k < kTriggerKinds; ++k) {
    zone->names_[k] = NameRules(names[k]);
    zone->prefixes_[k] = PrefixRules(prefixes[k]);
  }
  entries_.clear();
  rdata_.clear();
  return zone;
}

ReadResult ReadZone(std::string_view text, const dns::Name& origin) {
  ReadResult result;
  dns::MasterFile file(text, origin);
  ZoneBuilder builder(origin);
  while (const auto record = file.Next()) {
    if (builder.full()) {
      result.line = file.line();
      result.error = "more than " + std::to_string(kMaxRules) + " records";
      return result;
    }
    const size_t before = builder.left_out();
    builder.Add(*record);
    if (before == 0 && builder.left_out() == 1) {
      result.left_out_line = file.line();
      result.left_out_reason = builder.last_reason();
    }
  }
  result.line = file.line();
  result.error = file.error();
  result.left_out = builder.left_out();
  if (result.error.empty()) result.zone = builder.Finish();
  return result;
}

}  // namespace sekisho::resolver::rpz
