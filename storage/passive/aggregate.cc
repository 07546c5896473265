#include "storage/passive/aggregate.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "proto/base/ip_address.h"
#include "proto/dns/types.h"
#include "proto/record/block_layout.h"
#include "storage/passive/passive_key.h"

namespace sekisho::passive {
namespace {

using record::ItemKind;

constexpr uint32_t kUnmapped = UINT32_MAX;

struct Item {
  uint16_t type = 0;
  ItemKind kind = ItemKind::kOther;
  uint32_t name = 0;       // of kName
  std::string_view bytes;  // of the others
};

// Takes the first item of a set made by a BlockBuilder.
Item TakeItem(std::string_view* set) {
  Item item;
  std::memcpy(&item.type, set->data(), 2);
  item.kind = static_cast<ItemKind>((*set)[2]);
  set->remove_prefix(3);
  size_t size = 4;
  if (item.kind == ItemKind::kV6) size = 16;
  if (item.kind == ItemKind::kName) std::memcpy(&item.name, set->data(), 4);
  if (item.kind == ItemKind::kOther) {
    uint16_t length = 0;
    std::memcpy(&length, set->data(), 2);
    set->remove_prefix(2);
    size = length;
  }
  item.bytes = set->substr(0, size);
  set->remove_prefix(size);
  return item;
}

bool Blocks(uint8_t action) {
  switch (static_cast<record::Action>(action)) {
    case record::Action::kNxdomain:
    case record::Action::kNodata:
    case record::Action::kSinkhole:
    case record::Action::kRefused:
    case record::Action::kDrop:
      return true;
    default:
      return false;
  }
}

uint64_t Second(int64_t us) { return us < 0 ? 0 : static_cast<uint64_t>(us) / 1'000'000; }

// The place of each entry of the dictionary in the order of their bytes.
std::vector<uint32_t> RanksOf(const record::Dictionary& dictionary) {
  struct Keyed {
    uint64_t head;  // the first bytes, so that most comparisons need no look at the rest
    uint32_t id;
  };
  std::vector<Keyed> order(dictionary.size());
  for (uint32_t id = 0; id < order.size(); ++id) {
    const std::string_view bytes = dictionary.Get(id);
    uint64_t head = 0;
    for (size_t i = 0; i < 8; ++i) head = head << 8 | (i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0);
    order[id] = {head, id};
  }
  std::sort(order.begin(), order.end(), [&dictionary](const Keyed& a, const Keyed& b) {
    if (a.head != b.head) return a.head < b.head;
    return dictionary.Get(a.id) < dictionary.Get(b.id);
  });
  std::vector<uint32_t> ranks(order.size());
  for (uint32_t rank = 0; rank < order.size(); ++rank) ranks[order[rank].id] = rank;
  return ranks;
}

struct Place {
  uint64_t first;
  uint32_t then;
  uint32_t id;
  friend bool operator<(const Place& a, const Place& b) {
    return a.first != b.first ? a.first < b.first : a.then < b.then;
  }
};

}  // namespace

// Ids of a block in the making → ids here.
struct Aggregate::Lookups {
  std::vector<uint32_t> names;
  std::vector<uint32_t> targets;
};

Aggregate::Aggregate(uint64_t seed) : names_(seed), data_(seed), entries_(seed) {}

Aggregate::Entry Aggregate::EntryAt(uint32_t i) const { return record::FromKeyBytes<Entry>(entries_.Get(i)); }

void Aggregate::AddEntry(Entry entry, const Sum& sum) {
  const uint32_t id = entries_.Intern(record::KeyBytes(entry));
  if (id == sums_.size()) {
    sums_.push_back(sum);
  } else {
    sums_[id].Join(sum);
  }
}

void Aggregate::Add(std::string_view name_key, uint16_t type, std::string_view data, const Sum& sum) {
  if (data.empty() || data.size() > kMaxData + 1) return;
  AddEntry({names_.Intern(name_key), data_.Intern(data), type}, sum);
}

void Aggregate::AddAnswers(const record::BlockBuilder& rows, std::string_view set, uint32_t owner,
                           const Sum& sum, Lookups* ids) {
  const auto own_name = [&](uint32_t name) {
    if (ids->names[name] == kUnmapped) ids->names[name] = names_.Intern(rows.NameKeyAt(name));
    return ids->names[name];
  };
  std::string data;
  while (!set.empty()) {
    const Item item = TakeItem(&set);
    // A DNAME stands above the name that met it; the alias it made follows it.
    if (static_cast<dns::RRType>(item.type) == dns::RRType::kDNAME) continue;
    Entry entry{own_name(owner), 0, item.type};
    if (item.kind == ItemKind::kName) {
      uint32_t& target = ids->targets[item.name];
      if (target == kUnmapped) {
        data.assign("n").append(rows.NameKeyAt(item.name));
        target = data_.Intern(data);
      }
      entry.data = target;
      AddEntry(entry, sum);
      if (static_cast<dns::RRType>(item.type) == dns::RRType::kCNAME) owner = item.name;
      continue;
    }
    if (item.bytes.size() > kMaxData) continue;
    if (item.kind == ItemKind::kOther) {
      data.assign("o").append(item.bytes);
    } else {
      data.assign(item.kind == ItemKind::kV4 ? std::string_view("a\0\0\0\0\0\0\0\0\0\0\xff\xff", 13)
                                             : std::string_view("a"));
      data.append(item.bytes);
    }
    entry.data = data_.Intern(data);
    AddEntry(entry, sum);
  }
}

void Aggregate::AddLookups(const record::BlockBuilder& rows) {
  Lookups ids{.names = std::vector<uint32_t>(rows.name_count(), kUnmapped),
              .targets = std::vector<uint32_t>(rows.name_count(), kUnmapped)};
  for (const auto& e : rows.SumExchanges()) {
    const record::Exchange& x = e.exchange;
    if (e.rows == 0 || x.qclass != static_cast<uint16_t>(dns::RRClass::kIN)) continue;
    const bool blocked = Blocks(x.action);
    const Sum sum{Second(e.first_us), Second(e.last_us), blocked ? 0 : e.rows, blocked ? e.rows : 0, 0};
    if (x.answers != 0) {
      AddAnswers(rows, rows.AnswerSet(x.answers), x.name, sum, &ids);
    } else if (blocked) {
      Add(rows.NameKeyAt(x.name), x.qtype, "-", sum);
    }
  }
}

const Aggregate::Ranks& Aggregate::RanksNow() const {
  if (ranks_.names.size() != names_.size()) ranks_.names = RanksOf(names_);
  if (ranks_.data.size() != data_.size()) ranks_.data = RanksOf(data_);
  return ranks_;
}

bool Aggregate::has_targets() const {
  for (uint32_t i = 0; i < sums_.size(); ++i) {
    if (!BackwardKeyOf(EntryAt(i)).empty()) return true;
  }
  return false;
}

std::string Aggregate::BackwardKeyOf(const Entry& e) const {
  return BackwardKey(names_.Get(e.name), static_cast<uint16_t>(e.type), data_.Get(e.data));
}

bool Aggregate::ForwardOrder(const Each& each) const {
  const Ranks& ranks = RanksNow();
  std::vector<Place> order(sums_.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    const Entry e = EntryAt(i);
    order[i] = {uint64_t{ranks.names[e.name]} << 16 | e.type, ranks.data[e.data], i};
  }
  std::sort(order.begin(), order.end());
  for (const Place& p : order) {
    const Entry e = EntryAt(p.id);
    if (!each(ForwardKey(names_.Get(e.name), static_cast<uint16_t>(e.type), data_.Get(e.data)), sums_[p.id]))
      return false;
  }
  return true;
}

// Addresses and names that are the whole data are in the order of the data; the few others come behind them.
bool Aggregate::BackwardOrder(const Each& each) const {
  const Ranks& ranks = RanksNow();
  std::vector<Place> order;
  std::vector<std::pair<std::string, uint32_t>> others;
  order.reserve(sums_.size());
  for (uint32_t i = 0; i < sums_.size(); ++i) {
    const Entry e = EntryAt(i);
    const char kind = data_.Get(e.data)[0];
    if (kind == 'a' || kind == 'n') {
      order.push_back({uint64_t{ranks.data[e.data]} << 32 | ranks.names[e.name], e.type, i});
    } else if (std::string key = BackwardKeyOf(e); !key.empty()) {
      others.emplace_back(std::move(key), i);
    }
  }
  std::sort(order.begin(), order.end());
  std::sort(others.begin(), others.end());
  for (const Place& p : order) {
    if (!each(BackwardKeyOf(EntryAt(p.id)), sums_[p.id])) return false;
  }
  for (const auto& [key, id] : others) {
    if (!each(key, sums_[id])) return false;
  }
  return true;
}

}  // namespace sekisho::passive
