#include "storage/query/block_scan.h"

#include <algorithm>

#include "storage/lookups/block_terms.h"
#include "storage/lookups/partition.h"

namespace sekisho::query {
namespace {

using record::BlockReader;

// Which entries of a dictionary fit; `all` spares the look.
struct Fits {
  bool all = true;
  bool any = true;
  std::vector<uint8_t> entry;

  bool operator()(uint64_t id) const { return all || entry[id] != 0; }
};

bool SetHas(std::string_view set, const IpPrefix& prefix) {
  while (!set.empty()) {
    const auto kind = static_cast<record::ItemKind>(set[2]);
    set.remove_prefix(3);
    size_t size = 4;
    if (kind == record::ItemKind::kV6) size = 16;
    if (kind == record::ItemKind::kOther) size = size_t{2} + record::FromKeyBytes<uint16_t>(set);
    if (kind == record::ItemKind::kV4 || kind == record::ItemKind::kV6) {
      const auto address = IpAddress::FromRdata(
          {reinterpret_cast<const uint8_t*>(set.data()), kind == record::ItemKind::kV4 ? 4u : 16u});
      if (address && prefix.Contains(*address)) return true;
    }
    set.remove_prefix(size);
  }
  return false;
}

bool HasFeed(std::string_view feeds, std::string_view wanted) {
  bool has = false;
  lookups::ForEachFeed(feeds, [&](std::string_view feed) { has = has || feed == wanted; });
  return has;
}

bool FilterTakesAllExchanges(const LookupFilter& f) {
  return !f.name_key && !f.under_key && !f.address && f.actions.empty() && !f.feed && !f.rcode && !f.type;
}

// The ids of names from, end that the filter means.
std::pair<uint32_t, uint32_t> NameRange(const BlockReader& block, const LookupFilter& f) {
  uint32_t from = 0;
  uint32_t end = block.name_count();
  if (f.under_key) {
    from = block.NameLowerBound(*f.under_key);
    const std::string after = lookups::AfterPrefix(*f.under_key);
    if (!after.empty()) end = block.NameLowerBound(after);
  }
  if (f.name_key) {
    const uint32_t id = block.NameLowerBound(*f.name_key);
    if (id >= end || id < from || block.NameKeyAt(id) != *f.name_key) return {0, 0};
    return {id, id + 1};
  }
  return {from, std::max(from, end)};
}

bool FindExchanges(BlockReader& block, const LookupFilter& f, Fits* out) {
  if (FilterTakesAllExchanges(f)) return true;
  if (!block.LoadExchanges()) return false;
  out->all = false;
  out->any = false;
  const auto [from, end] = NameRange(block, f);
  if (from == end) return true;
  std::vector<uint8_t> sets;
  if (f.address) {
    if (!block.LoadAnswers()) return false;
    sets.resize(block.answer_sets());
    for (uint32_t s = 0; s < sets.size(); ++s) sets[s] = SetHas(block.AnswerSet(s), *f.address) ? 1 : 0;
  }
  std::vector<uint8_t> feeds;
  if (f.feed) {
    for (const std::string& text : block.texts()) feeds.push_back(HasFeed(text, *f.feed) ? 1 : 0);
  }
  const auto& exchanges = block.exchanges();
  out->entry.resize(exchanges.size());
  for (size_t i = 0; i < exchanges.size(); ++i) {
    const record::Exchange& x = exchanges[i];
    const bool fits =
        x.name >= from && x.name < end && (!f.type || x.qtype == static_cast<uint16_t>(*f.type)) &&
        (!f.rcode || x.rcode == static_cast<uint16_t>(*f.rcode)) && (!f.address || sets[x.answers] != 0) &&
        (!f.feed || feeds[x.feeds] != 0) &&
        (f.actions.empty() || std::find(f.actions.begin(), f.actions.end(),
                                        static_cast<record::Action>(x.action)) != f.actions.end());
    out->entry[i] = fits ? 1 : 0;
    out->any = out->any || fits;
  }
  return true;
}

bool FindAskers(BlockReader& block, const LookupFilter& f, Fits* out) {
  if (!f.client && !f.agency) return true;
  if (!block.LoadAskers()) return false;
  out->all = false;
  out->any = false;
  for (const record::Asker& who : block.askers()) {
    const auto address = IpAddress::FromRdata(who.address);
    const bool fits = (!f.client || (address && f.client->Contains(*address))) &&
                      (!f.agency || block.texts()[who.agency] == *f.agency);
    out->entry.push_back(fits ? 1 : 0);
    out->any = out->any || fits;
  }
  return true;
}

// Calls each(chunk, index in chunk) for the rows whose exchange and asker fit.
template <typename Each>
bool ForEachFit(BlockReader& block, const Fits& exchanges, const Fits& askers, Each each) {
  const record::BlockHeader& h = block.header();
  std::vector<uint32_t> rows;
  for (uint32_t chunk = 0; chunk < h.chunks(); ++chunk) {
    rows.clear();
    const uint32_t count = std::min(h.chunk_rows, h.rows - chunk * h.chunk_rows);
    if (exchanges.all) {
      for (uint32_t i = 0; i < count; ++i) rows.push_back(i);
    } else {
      const auto* ids = block.ChunkExchangeIds(chunk);
      if (ids == nullptr) return false;
      for (uint32_t i = 0; i < count; ++i) {
        if (exchanges.entry[(*ids)[i]] != 0) rows.push_back(i);
      }
    }
    if (rows.empty()) continue;
    if (!askers.all) {
      const auto* ids = block.ChunkAskerIds(chunk);
      if (ids == nullptr) return false;
      std::erase_if(rows, [&](uint32_t i) { return askers.entry[(*ids)[i]] == 0; });
    }
    if (!rows.empty() && !each(chunk, rows)) return false;
  }
  return true;
}

RowKey KeyAt(const record::BlockHeader& h, const BlockReader::Rest& rest, uint32_t i) {
  const record::SourceRange& s = h.sources[rest.source[i]];
  return {rest.time_us[i], s.node, s.boot, s.worker, rest.sequence[i]};
}

bool FindFits(BlockReader& block, const LookupFilter& f, Fits* exchanges, Fits* askers) {
  return FindExchanges(block, f, exchanges) && (!exchanges->any || FindAskers(block, f, askers));
}

}  // namespace

bool ScanBlock(BlockReader& block, const LookupFilter& f, int64_t from_us, int64_t end_us,
               const std::function<void(const FoundRow&)>& found) {
  Fits exchanges;
  Fits askers;
  if (!FindFits(block, f, &exchanges, &askers)) return false;
  if (!exchanges.any || !askers.any) return true;
  const record::BlockHeader& h = block.header();
  return ForEachFit(block, exchanges, askers, [&](uint32_t chunk, const std::vector<uint32_t>& rows) {
    const auto* rest = block.ChunkRestColumns(chunk);
    if (rest == nullptr) return false;
    for (const uint32_t i : rows) {
      if (rest->time_us[i] < from_us || rest->time_us[i] >= end_us) continue;
      found({chunk * h.chunk_rows + i, KeyAt(h, *rest, i)});
    }
    return true;
  });
}

bool CountBlock(BlockReader& block, const LookupFilter& f, int64_t from_us, int64_t end_us, uint64_t* count) {
  Fits exchanges;
  Fits askers;
  if (!FindFits(block, f, &exchanges, &askers)) return false;
  if (!exchanges.any || !askers.any) return true;
  const record::BlockHeader& h = block.header();
  const bool whole = h.first_us >= from_us && h.last_us < end_us;
  if (whole && exchanges.all && askers.all) {
    *count += h.rows;
    return true;
  }
  return ForEachFit(block, exchanges, askers, [&](uint32_t chunk, const std::vector<uint32_t>& rows) {
    if (whole) {
      *count += rows.size();
      return true;
    }
    const auto* rest = block.ChunkRestColumns(chunk);
    if (rest == nullptr) return false;
    for (const uint32_t i : rows) {
      if (rest->time_us[i] >= from_us && rest->time_us[i] < end_us) ++*count;
    }
    return true;
  });
}

}  // namespace sekisho::query
