#include "storage/hunt/hunt.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "proto/base/ip_address.h"
#include "proto/base/time_text.h"
#include "proto/dns/name_key.h"
#include "storage/query/candidates.h"
#include "storage/query/row_text.h"

namespace sekisho::hunt {
namespace {

using Json = nlohmann::ordered_json;
using record::BlockReader;

// An exchange that a rule covers.
struct Hit {
  uint32_t exchange;
  uint32_t rule;
};

bool Blocks(uint8_t action) {
  return action >= static_cast<uint8_t>(record::Action::kNxdomain) &&
         action <= static_cast<uint8_t>(record::Action::kDrop);
}

void Count(int64_t time_us, bool answered, Contact* c) {
  ++c->lookups;
  c->answered += answered ? 1 : 0;
  c->first_us = std::min(c->first_us, time_us);
  c->last_us = std::max(c->last_us, time_us);
}

template <typename Each>
void ForEachAddress(std::string_view set, Each each) {
  while (set.size() > 3) {
    const auto kind = static_cast<record::ItemKind>(set[2]);
    set.remove_prefix(3);
    size_t size = 4;
    std::array<uint8_t, 16> address{};
    if (kind == record::ItemKind::kV6) size = 16;
    if (kind == record::ItemKind::kOther) {
      uint16_t length = 0;
      std::memcpy(&length, set.data(), 2);
      size = size_t{2} + length;
    }
    if (kind == record::ItemKind::kV4) {
      address[10] = address[11] = 0xff;
      std::memcpy(address.data() + 12, set.data(), 4);
    } else if (kind == record::ItemKind::kV6) {
      std::memcpy(address.data(), set.data(), 16);
    }
    if (kind == record::ItemKind::kV4 || kind == record::ItemKind::kV6) each(address);
    set.remove_prefix(std::min(size, set.size()));
  }
}

// The rules about addresses, by length and prefix: a look for each length in use.
class AddressRules {
 public:
  explicit AddressRules(const std::vector<HuntRule>& rules) {
    for (uint32_t i = 0; i < rules.size(); ++i) {
      if (rules[i].prefix)
        by_length_[rules[i].prefix->mapped_length()][rules[i].prefix->address().mapped()].push_back(i);
    }
  }
  bool empty() const { return by_length_.empty(); }
  template <typename Each>
  void ForEach(const std::array<uint8_t, 16>& address, Each each) const {
    for (const auto& [length, rules] : by_length_) {
      std::array<uint8_t, 16> prefix = address;
      for (int bit = length; bit < 128; bit = (bit / 8 + 1) * 8)
        prefix[bit / 8] &= static_cast<uint8_t>(0xff00 >> bit % 8);
      const auto found = rules.find(prefix);
      if (found != rules.end()) {
        for (const uint32_t rule : found->second) each(rule);
      }
    }
  }

 private:
  std::map<int, std::map<std::array<uint8_t, 16>, std::vector<uint32_t>>> by_length_;
};

// Exchanges whose answers hold an address that a rule is about. False: the block is damaged.
bool FindAddressHits(BlockReader& block, const AddressRules& rules, std::vector<Hit>* hits) {
  if (rules.empty()) return true;
  if (!block.LoadAnswers()) return false;
  std::map<uint32_t, std::set<uint32_t>> met;  // rules by set of answers
  for (uint32_t set = 1; set < block.answer_sets(); ++set) {
    ForEachAddress(block.AnswerSet(set), [&](const auto& address) {
      rules.ForEach(address, [&](uint32_t rule) { met[set].insert(rule); });
    });
  }
  if (met.empty()) return block.error().empty();
  if (!block.LoadExchanges()) return false;
  for (uint32_t id = 0; id < block.exchange_count(); ++id) {
    const auto found = met.find(block.ExchangeAt(id).answers);
    if (found == met.end()) continue;
    for (const uint32_t rule : found->second) hits->push_back({id, rule});
  }
  return block.error().empty();
}

// Exchanges whose name a rule covers. False: the block is damaged.
bool FindNameHits(BlockReader& block, const std::vector<HuntRule>& rules, std::vector<Hit>* hits) {
  std::vector<uint32_t> ids;
  for (uint32_t i = 0; i < rules.size(); ++i) {
    const std::string& key = rules[i].name_key;
    if (key.empty()) continue;  // a rule for the root has no past to tell
    const uint32_t from = block.NameLowerBound(key);
    uint32_t end = from;
    if (rules[i].subtree) {
      std::string behind = key;
      behind.back() = '\1';  // all keys under it begin with it, and it ends with 0x00
      end = block.NameLowerBound(behind);
    } else if (from < block.name_count() && block.NameKeyAt(from) == key) {
      end = from + 1;
    }
    if (from >= end) continue;
    ids.clear();
    if (!block.ExchangesOfNames(from, end, &ids)) return false;
    for (const uint32_t id : ids) hits->push_back({id, i});
  }
  return block.error().empty();
}

std::vector<bool> ChunksOf(BlockReader& block, const std::vector<Hit>& hits) {
  std::vector<bool> wanted(block.header().chunks());
  for (const Hit& hit : hits) {
    const BlockReader::Use use = block.ExchangeUse(hit.exchange);
    if (use.chunks.empty()) return std::vector<bool>(wanted.size(), true);
    for (const uint16_t chunk : use.chunks) {
      if (chunk < wanted.size()) wanted[chunk] = true;
    }
  }
  return wanted;
}

void Tell(BlockReader& block, const Hit& hit, const HuntRule& rule, const record::Asker& asker,
          int64_t time_us, Findings* findings) {
  const std::string& name = block.texts()[asker.agency];
  if (!rule.agencies.empty() &&
      std::find(rule.agencies.begin(), rule.agencies.end(), name) == rule.agencies.end())
    return;
  const record::Exchange& x = block.ExchangeAt(hit.exchange);
  const bool answered = !Blocks(x.action) && x.answers != 0;
  AgencyFinding& agency = (*findings)[hit.rule][name];
  Count(time_us, answered, &agency.sum);
  if (agency.clients.size() < kMaxClients || agency.clients.contains(asker.address)) {
    Count(time_us, answered, &agency.clients[asker.address]);
  } else {
    ++agency.lookups_of_others;
  }
  if (!answered) return;
  ForEachAddress(block.AnswerSet(x.answers), [&](const auto& address) {
    if (agency.addresses.size() < kMaxAddresses) agency.addresses.insert(address);
  });
}

bool HuntBlock(BlockReader& block, const lookups::TimeRange& range, const std::vector<HuntRule>& rules,
               const AddressRules& addresses, uint64_t generation, Findings* findings) {
  std::vector<Hit> hits;
  if (!block.LoadDirectory() || !FindNameHits(block, rules, &hits) ||
      !FindAddressHits(block, addresses, &hits))
    return false;
  if (hits.empty()) return true;
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.exchange < b.exchange; });
  if (!block.LoadTexts() || !block.LoadAskers() || !block.LoadManners()) return false;
  std::vector<bool> wanted(block.exchange_count());
  for (const Hit& hit : hits) wanted[hit.exchange] = true;
  const std::vector<bool> chunks = ChunksOf(block, hits);
  for (uint32_t chunk = 0; chunk < chunks.size(); ++chunk) {
    if (!chunks[chunk]) continue;
    const auto* exchanges = block.ChunkExchangeIds(chunk);
    const auto* askers = exchanges == nullptr ? nullptr : block.ChunkAskerIds(chunk);
    const auto* rest = askers == nullptr ? nullptr : block.ChunkRestColumns(chunk);
    if (rest == nullptr) return false;
    for (size_t i = 0; i < exchanges->size(); ++i) {
      const uint32_t id = (*exchanges)[i];
      if (!wanted[id] || rest->time_us[i] < range.from_us || rest->time_us[i] >= range.end_us) continue;
      if (block.manners()[rest->manner[i]].generation >= generation) continue;
      auto hit = std::lower_bound(hits.begin(), hits.end(), id,
                                  [](const Hit& h, uint32_t exchange) { return h.exchange < exchange; });
      for (; hit != hits.end() && hit->exchange == id; ++hit)
        Tell(block, *hit, rules[hit->rule], block.askers()[(*askers)[i]], rest->time_us[i], findings);
    }
  }
  return block.error().empty();
}

Json ContactJson(const Contact& c) {
  const TimeZone utc = *ParseTimeZone("UTC");
  return {{"lookups", c.lookups},
          {"answered", c.answered},
          {"first", FormatTime(c.first_us, utc, 3)},
          {"last", FormatTime(c.last_us, utc, 3)}};
}

}  // namespace

std::optional<Findings> HuntLookups(const lookups::LookupStore& store, const std::vector<HuntRule>& rules,
                                    uint64_t generation, const std::function<bool()>& stop,
                                    std::string* partial) {
  Findings findings;
  const AddressRules addresses(rules);
  const query::CandidateSet set = query::FindCandidates(store, {}, stop);
  *partial = set.partial;
  for (const query::Candidate& c : set.candidates) {
    if (stop()) return std::nullopt;
    std::string error;
    const auto block = c.Open(&error);
    if (block && HuntBlock(*block, c.range, rules, addresses, generation, &findings)) continue;
    *partial += (partial->empty() ? "" : "; ") + std::string("a block is damaged and left out");
  }
  return findings;
}

std::string EventLine(const HuntRule& rule, const Finding& finding, uint64_t generation, int64_t now_us,
                      const std::string& id, const std::string& partial) {
  Contact sum;
  Json agencies = Json::array();
  for (const auto& [name, agency] : finding) {
    sum.lookups += agency.sum.lookups;
    sum.answered += agency.sum.answered;
    sum.first_us = std::min(sum.first_us, agency.sum.first_us);
    sum.last_us = std::max(sum.last_us, agency.sum.last_us);
    Json j = {{"agency", query::PrintableUtf8(name)}};
    j.update(ContactJson(agency.sum));
    Json clients = Json::array();
    for (const auto& [address, contact] : agency.clients) {
      Json client = {{"client", IpAddress::V6(address).ToString()}};
      client.update(ContactJson(contact));
      clients.push_back(std::move(client));
    }
    j["clients"] = std::move(clients);
    if (agency.lookups_of_others > 0) j["lookups_of_other_clients"] = agency.lookups_of_others;
    Json addresses = Json::array();
    for (const auto& address : agency.addresses) addresses.push_back(IpAddress::V6(address).ToString());
    j["addresses"] = std::move(addresses);
    agencies.push_back(std::move(j));
  }
  const auto name = dns::NameFromKey(rule.name_key);
  const std::string text = rule.prefix ? rule.prefix->ToString() : name ? name->ToString() : "?";
  Json j = {{"id", id},
            {"time", FormatTime(now_us, *ParseTimeZone("UTC"), 3)},
            {"kind", "retro-hunt"},
            {"rule", rule.subtree ? "*." + text : text},
            {"feeds", query::PrintableUtf8(rule.feeds)},
            {"generation", generation}};
  j.update(ContactJson(sum));
  j["agencies"] = std::move(agencies);
  if (!partial.empty()) j["partial"] = partial;
  return j.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sekisho::hunt
