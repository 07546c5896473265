#include "resolver/core/validator/denial_index.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"
#include "resolver/core/validator/nsec.h"
#include "resolver/core/validator/nsec3.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::NameView;
using dns::RRType;

// Hashes that one search may cost: the name and its ancestors, and the wildcard.
constexpr int kHashesPerSearch = 10;

std::optional<NsecRecord> ReadRecord(const dns::RRset& rrset) {
  const auto data = dns::ReadNsec(rrset.rdata.front());
  if (!data) return std::nullopt;
  return NsecRecord{rrset.owner, *data};
}

size_t SizeOf(const dns::RRset& s) {
  return s.owner.size() + s.rdata.packed_size() + s.signatures.packed_size();
}

uint32_t SecondsLeft(MonoTime expires, MonoTime now) {
  return static_cast<uint32_t>(std::chrono::floor<std::chrono::seconds>(expires - now).count());
}

// The last element whose key is not behind `key`; in a circle, so before the first comes the last.
template <typename Map, typename Key>
const typename Map::mapped_type* AtOrBefore(const Map& map, const Key& key) {
  if (map.empty()) return nullptr;
  auto it = map.upper_bound(key);
  if (it == map.begin()) it = map.end();
  return &std::prev(it)->second;
}

// owner < hash < next in the zone's circle of hashes.
bool Nsec3Spans(const dns::RRset& rrset, const dns::Nsec3HashValue& hash) {
  const auto data = dns::ReadNsec3(rrset.rdata.front());
  const auto owner = Nsec3OwnerHash(rrset.owner);
  if (!data || !owner || data->next_hash.size() != hash.size()) return false;
  dns::Nsec3HashValue next;
  std::copy(data->next_hash.begin(), data->next_hash.end(), next.begin());
  if (*owner < next) return *owner < hash && hash < next;
  return *owner < hash || hash < next;
}

bool MayDeny(const dns::TypeBitmap& types, RRType type, NameView name) {
  bool delegation = false;
  return BitmapDenies(types, type, name.IsRoot(), &delegation);
}
bool MayDeny(const dns::RRset& nsec3, RRType type, NameView name) {
  const auto data = dns::ReadNsec3(nsec3.rdata.front());
  return data && MayDeny(data->types, type, name);
}

// Gathers records for a Found; each once, none that has expired.
class Gatherer {
 public:
  Gatherer(DenialIndex::Found* found, MonoTime now) : found_(found), now_(now) {}
  bool Take(const dns::RRsetPtr& rrset, MonoTime expires) {
    if (rrset == nullptr || expires <= now_ + std::chrono::seconds(1)) return false;
    const auto& have = found_->authority;
    if (std::find(have.begin(), have.end(), rrset) == have.end()) found_->authority.push_back(rrset);
    found_->ttl = std::min(found_->ttl, SecondsLeft(expires, now_));
    return true;
  }

 private:
  DenialIndex::Found* found_;
  MonoTime now_;
};

}  // namespace

DenialIndex::Shard& DenialIndex::ShardOf(const std::string& zone) {
  return shards_[std::hash<std::string>()(zone) % kShards];
}

// Whole zones go, those used longest ago first.
void DenialIndex::MakeRoom(Shard& shard) {
  if (shard.records <= max_per_shard_) return;
  // Somewhat more than is needed, so that not every new record searches for the oldest zone.
  while (shard.records > max_per_shard_ - max_per_shard_ / 8 && !shard.zones.empty()) {
    const auto oldest =
        std::min_element(shard.zones.begin(), shard.zones.end(),
                         [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    shard.records -= oldest->second.size();
    shard.zones.erase(oldest);
  }
}

bool DenialIndex::AddNsec3(Zone& zone, dns::RRsetPtr denial, MonoTime expires) {
  const auto data = dns::ReadNsec3(denial->rdata.front());
  const auto hash = Nsec3OwnerHash(denial->owner);
  if (!data || !hash || !IsUsableNsec3(*data) || data->iterations > limits::kNsec3Iterations) return false;
  const std::string salt(data->salt.begin(), data->salt.end());
  if (zone.salt != salt || zone.iterations != data->iterations) {
    zone.nsec3.clear();  // the zone has a new chain
    zone.salt = salt;
    zone.iterations = data->iterations;
  }
  zone.nsec3[*hash] = {std::move(denial), expires};
  return true;
}

void DenialIndex::Add(const dns::Name& zone, dns::RRsetPtr soa, dns::RRsetPtr denial, uint32_t ttl,
                      MonoTime now) {
  if (denial->rdata.size() != 1 || denial->signatures.empty()) return;
  if (SizeOf(*denial) > limits::kDenialBytes) return;
  if (soa != nullptr && (soa->signatures.empty() || SizeOf(*soa) > limits::kDenialBytes)) return;
  const std::string key = zone.LowercaseBytes();
  const MonoTime expires = now + std::chrono::seconds(std::min(ttl, denial->ttl));
  Shard& shard = ShardOf(key);
  const std::lock_guard lock(shard.mutex);
  Zone& z = shard.zones[key];
  const size_t before = z.size();
  z.name = zone;
  z.used = now;
  if (soa != nullptr) z.soa = {std::move(soa), now + std::chrono::seconds(ttl)};
  if (z.size() >= limits::kDenialsPerZone) {
    z.nsec.clear();
    z.nsec3.clear();
  }
  // A zone that goes over from one kind to the other has the new one only.
  if (denial->type == RRType::kNSEC3) {
    z.nsec.clear();
    AddNsec3(z, std::move(denial), expires);
  } else {
    z.nsec3.clear();
    const dns::Name owner = denial->owner;
    z.nsec[owner] = {std::move(denial), expires};
  }
  shard.records = shard.records + z.size() - before;
  MakeRoom(shard);
}

std::optional<DenialIndex::Found> DenialIndex::Find(NameView name, RRType type, NameView start, MonoTime now,
                                                    dns::DnssecCrypto& crypto, Budget& budget) {
  for (int labels = start.LabelCount(); labels >= 0; --labels) {
    const std::string key = dns::Name(start.Suffix(labels)).LowercaseBytes();
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    const auto zone = shard.zones.find(key);
    if (zone == shard.zones.end()) continue;
    zone->second.used = now;
    if (!zone->second.nsec.empty()) return FindNsec(zone->second, name, type, now);
    return FindNsec3(zone->second, name, type, now, crypto, budget);
  }
  return std::nullopt;
}

std::optional<DenialIndex::Found> DenialIndex::FindCover(NameView name, int encloser_labels, MonoTime now,
                                                         dns::DnssecCrypto& crypto, Budget& budget) {
  for (int labels = encloser_labels; labels >= 0; --labels) {
    const std::string key = dns::Name(name.Suffix(labels)).LowercaseBytes();
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    const auto at = shard.zones.find(key);
    if (at == shard.zones.end()) continue;
    Zone& zone = at->second;
    zone.used = now;
    Found found{.zone = zone.name, .authority = {}, .ttl = UINT32_MAX};
    Gatherer gather(&found, now);
    if (const Record* r = AtOrBefore(zone.nsec, dns::Name(name))) {
      const auto record = ReadRecord(*r->rrset);
      const bool covers = record && NsecSpans(*record, zone.name, name) && !record->data.next.IsBelow(name) &&
                          NsecProver::ClosestEncloser(*record, name).LabelCount() == encloser_labels;
      if (!covers || !gather.Take(r->rrset, r->expires)) return std::nullopt;
      return found;
    }
    if (zone.nsec3.empty() || !budget.TakeNsec3Hashes(1 + zone.iterations / 10)) return std::nullopt;
    const dns::Nsec3HashValue hash =
        crypto.Nsec3Hash(name.Suffix(encloser_labels + 1), AsBytes(zone.salt), zone.iterations);
    const Record* r = AtOrBefore(zone.nsec3, hash);
    const auto data = dns::ReadNsec3(r->rrset->rdata.front());
    const bool covers = data && !data->opt_out() && Nsec3Spans(*r->rrset, hash);
    if (!covers || !gather.Take(r->rrset, r->expires)) return std::nullopt;
    return found;
  }
  return std::nullopt;
}

std::optional<DenialIndex::Found> DenialIndex::FindNsec(const Zone& zone, NameView name, RRType type,
                                                        MonoTime now) {
  Found found{.zone = zone.name, .authority = {}, .ttl = UINT32_MAX};
  Gatherer gather(&found, now);
  const Record* at = AtOrBefore(zone.nsec, dns::Name(name));
  if (at == nullptr || !gather.Take(zone.soa.rrset, zone.soa.expires)) return std::nullopt;
  const auto record = ReadRecord(*at->rrset);
  if (!record || !gather.Take(at->rrset, at->expires)) return std::nullopt;
  if (record->owner == name) {
    if (!MayDeny(record->data.types, type, name)) return std::nullopt;
    return found;
  }
  if (!NsecSpans(*record, zone.name, name)) return std::nullopt;
  if (record->data.next.IsBelow(name)) return found;  // an empty non-terminal
  if (name.IsBelow(record->owner) && !DeniesBelow(record->data.types)) return std::nullopt;
  const auto wildcard = dns::Name::Prepend("*", NsecProver::ClosestEncloser(*record, name));
  if (!wildcard) return std::nullopt;
  const Record* beside = AtOrBefore(zone.nsec, *wildcard);
  const auto second = ReadRecord(*beside->rrset);
  if (!second || !gather.Take(beside->rrset, beside->expires)) return std::nullopt;
  found.nxdomain = second->owner != wildcard->view();
  const bool useful = found.nxdomain ? NsecSpans(*second, zone.name, *wildcard)
                                     : MayDeny(second->data.types, type, *wildcard);
  if (!useful) return std::nullopt;
  return found;
}

std::optional<DenialIndex::Found> DenialIndex::FindNsec3(const Zone& zone, NameView name, RRType type,
                                                         MonoTime now, dns::DnssecCrypto& crypto,
                                                         Budget& budget) {
  Found found{.zone = zone.name, .authority = {}, .ttl = UINT32_MAX};
  Gatherer gather(&found, now);
  if (zone.nsec3.empty() || !gather.Take(zone.soa.rrset, zone.soa.expires)) return std::nullopt;
  int hashes = 0;
  bool spent = false;
  // The record that matches the name or covers it; null when there is none.
  const auto look = [&](NameView n, bool* matches) -> const Record* {
    spent = hashes++ >= kHashesPerSearch || !budget.TakeNsec3Hashes(1 + zone.iterations / 10);
    if (spent) return nullptr;
    const dns::Nsec3HashValue hash = crypto.Nsec3Hash(n, AsBytes(zone.salt), zone.iterations);
    const Record* r = AtOrBefore(zone.nsec3, hash);
    *matches = Nsec3OwnerHash(r->rrset->owner) == hash;
    return *matches || Nsec3Spans(*r->rrset, hash) ? r : nullptr;
  };
  const Record* next_closer = nullptr;  // covers the name with one label more
  for (int labels = name.LabelCount(); labels >= zone.name.view().LabelCount() && !spent; --labels) {
    bool matches = false;
    const Record* r = look(name.Suffix(labels), &matches);
    if (!matches) {
      next_closer = r;
      continue;
    }
    if (!gather.Take(r->rrset, r->expires)) return std::nullopt;
    if (labels == name.LabelCount()) {
      if (!MayDeny(*r->rrset, type, name)) return std::nullopt;
      return found;
    }
    if (next_closer == nullptr) return std::nullopt;
    const auto covering = dns::ReadNsec3(next_closer->rrset->rdata.front());
    if (!covering || covering->opt_out() || !gather.Take(next_closer->rrset, next_closer->expires))
      return std::nullopt;
    const auto wildcard = dns::Name::Prepend("*", name.Suffix(labels));
    if (!wildcard) return std::nullopt;
    bool wildcard_is_there = false;
    const Record* beside = look(*wildcard, &wildcard_is_there);
    if (beside == nullptr || !gather.Take(beside->rrset, beside->expires)) return std::nullopt;
    found.nxdomain = !wildcard_is_there;
    if (wildcard_is_there && !MayDeny(*beside->rrset, type, *wildcard)) return std::nullopt;
    return found;
  }
  return std::nullopt;
}

void DenialIndex::RemoveAround(NameView name) {
  for (Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (auto it = shard.zones.begin(); it != shard.zones.end();) {
      const dns::Name& zone = it->second.name;
      if (name.IsAtOrBelow(zone) || zone.view().IsAtOrBelow(name)) {
        shard.records -= it->second.size();
        it = shard.zones.erase(it);
      } else {
        ++it;
      }
    }
  }
}

size_t DenialIndex::size() const {
  size_t n = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    n += shard.records;
  }
  return n;
}

}  // namespace sekisho::resolver::dnssec
