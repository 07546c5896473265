// Writing a block's dictionaries; FORMAT.md describes them.
//
// clang-format off
//   names p     := numbers(shared with the key before) | numbers(rest size) | heap(rests)
//   texts       := count | numbers(size) | heap
//   askers      := count | numbers(Δ address high) | numbers(Δ address low) | numbers(agency) | uses
//   manners     := count | numbers(Δ generation) | numbers(flags) | numbers(origin × 16 + transport)
//   answers p   := numbers(items) | numbers(type × 4 + kind) | v4 | v6 high | v6 low | names | sizes | heap
//   exchanges p := one numbers column for each field | uses
//   uses        := numbers(rows) | [several chunks:] numbers(chunks of those with 2 to 32 rows) | numbers(Δ chunk)
//   directory   := names | numbers(first key's size) | heap(first keys) | exchanges | numbers(first name of page)
//                  | numbers(answer sets first used in page) | numbers(first time of chunk − of block)
//                  | bits of the address pages | bits of an address's hash
//   terms       := count | numbers(kind) | numbers(size) | heap | numbers(rows) | numbers(exchanges)
//                  | numbers(Δ exchange)
//   addresses p := count | numbers(Δ hash) | numbers(page of exchanges)
// clang-format on
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/record/block_orders.h"

namespace sekisho::record {
namespace {

void PutUses(ColumnWriter* w, const Uses& uses, uint32_t from, uint32_t end, uint32_t chunks) {
  std::vector<uint64_t> column;
  Column(w, end - from, &column, [&](size_t i) { return uses.rows[from + i]; });
  if (chunks == 1) return;
  std::vector<uint64_t> counts;
  std::vector<uint64_t> places;
  for (uint32_t id = from; id < end; ++id) {
    if (uses.rows[id] > kMaxPlaced) continue;
    if (uses.rows[id] > 1) counts.push_back(uses.at[id + 1] - uses.at[id]);
    uint64_t before = 0;
    for (uint32_t i = uses.at[id]; i < uses.at[id + 1]; ++i) {
      places.push_back(uses.places[i] - before);
      before = uses.places[i];
    }
  }
  w->Numbers(counts);
  w->Numbers(places);
}

// An answer set's items, spread over columns.
struct ItemColumns {
  std::vector<uint64_t> counts, kinds, v4, v6_high, v6_low, names, sizes;
  std::string heap;

  void Add(std::string_view set, const std::vector<uint32_t>& name_id) {
    uint64_t items = 0;
    while (!set.empty()) {
      const auto type = FromKeyBytes<uint16_t>(set);
      const auto kind = static_cast<ItemKind>(set[2]);
      set.remove_prefix(3);
      kinds.push_back(static_cast<uint64_t>(type) * 4 + static_cast<uint64_t>(kind));
      set.remove_prefix(AddPayload(kind, set, name_id));
      ++items;
    }
    counts.push_back(items);
  }

 private:
  size_t AddPayload(ItemKind kind, std::string_view in, const std::vector<uint32_t>& name_id) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(in.data());
    switch (kind) {
      case ItemKind::kV4:
        v4.push_back(BigEndian(bytes, 4));
        return 4;
      case ItemKind::kV6:
        v6_high.push_back(BigEndian(bytes, 8));
        v6_low.push_back(BigEndian(bytes + 8, 8));
        return 16;
      case ItemKind::kName:
        names.push_back(name_id[FromKeyBytes<uint32_t>(in)]);
        return 4;
      case ItemKind::kOther:
        break;
    }
    const auto size = FromKeyBytes<uint16_t>(in);
    sizes.push_back(size);
    heap.append(in.substr(2, size));
    return size_t{2} + size;
  }
};

// Calls each(mapped address) for the addresses of an answer set.
template <typename Each>
void ForEachAddress(std::string_view set, Each each) {
  while (!set.empty()) {
    const auto kind = static_cast<ItemKind>(set[2]);
    set.remove_prefix(3);
    size_t size = 4;
    uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (kind == ItemKind::kV4) {
      std::memcpy(mapped + 12, set.data(), 4);
      each(mapped);
    } else if (kind == ItemKind::kV6) {
      size = 16;
      std::memcpy(mapped, set.data(), 16);
      each(mapped);
    } else if (kind == ItemKind::kOther) {
      size = size_t{2} + FromKeyBytes<uint16_t>(set);
    }
    set.remove_prefix(size);
  }
}

std::string NumberText(uint16_t n) { return {static_cast<char>(n >> 8), static_cast<char>(n)}; }

}  // namespace

uint32_t AddressHash(const uint8_t* mapped) { return static_cast<uint32_t>(XXH3_64bits(mapped, 16)); }

void BlockBuilder::NamesSections(const Orders& o, Sections* out, ColumnWriter* directory) {
  std::vector<uint64_t> prefixes;
  std::vector<uint64_t> suffixes;
  std::vector<uint64_t> first_sizes;
  std::string firsts;
  std::string heap;
  for (size_t from = 0; from < o.name_order.size(); from += kPageEntries) {
    const size_t end = std::min<size_t>(from + kPageEntries, o.name_order.size());
    prefixes.clear();
    suffixes.clear();
    heap.clear();
    std::string_view before;
    for (size_t i = from; i < end; ++i) {
      const std::string_view key = names_.Get(o.name_order[i]);
      const size_t most = std::min(before.size(), key.size());
      const auto shared = static_cast<size_t>(
          std::mismatch(before.begin(), before.begin() + static_cast<ptrdiff_t>(most), key.begin()).first -
          before.begin());
      prefixes.push_back(shared);
      suffixes.push_back(key.size() - shared);
      heap.append(key.substr(shared));
      before = key;
    }
    first_sizes.push_back(names_.Get(o.name_order[from]).size());
    firsts.append(names_.Get(o.name_order[from]));
    ColumnWriter w(&compressor_);
    w.Numbers(prefixes);
    w.Numbers(suffixes);
    w.Heap(heap);
    out->Add(SectionKind::kNames, static_cast<uint32_t>(from / kPageEntries), w.Take());
  }
  directory->Count(o.name_order.size());
  directory->Numbers(first_sizes);
  directory->Heap(firsts);
}

std::string BlockBuilder::TextsSection() {
  ColumnWriter w(&compressor_);
  std::vector<uint64_t> column;
  std::string heap;
  for (uint32_t i = 0; i < texts_.size(); ++i) heap.append(texts_.Get(i));
  w.Count(texts_.size());
  Column(&w, texts_.size(), &column,
         [this](size_t i) { return texts_.Get(static_cast<uint32_t>(i)).size(); });
  w.Heap(heap);
  return w.Take();
}

std::string BlockBuilder::AskersSection(const Orders& o, uint32_t chunks) {
  ColumnWriter w(&compressor_);
  std::vector<uint64_t> column;
  const auto asker = [&](size_t i) { return FromKeyBytes<Asker>(askers_.Get(o.asker_order[i])); };
  const size_t n = o.asker_order.size();
  w.Count(n);
  Column(&w, n, &column,
         [&, d = Deltas()](size_t i) mutable { return d(BigEndian(asker(i).address.data(), 8)); });
  Column(&w, n, &column,
         [&, d = Deltas()](size_t i) mutable { return d(BigEndian(asker(i).address.data() + 8, 8)); });
  Column(&w, n, &column, [&](size_t i) { return asker(i).agency; });
  PutUses(&w, o.asker_uses, 0, static_cast<uint32_t>(n), chunks);
  return w.Take();
}

std::string BlockBuilder::MannersSection() {
  ColumnWriter w(&compressor_);
  std::vector<uint64_t> column;
  const auto manner = [&](size_t i) { return FromKeyBytes<Manner>(manners_.Get(static_cast<uint32_t>(i))); };
  const size_t n = manners_.size();
  w.Count(n);
  Column(&w, n, &column, [&, d = Deltas()](size_t i) mutable { return d(manner(i).generation); });
  Column(&w, n, &column, [&](size_t i) { return manner(i).flags; });
  Column(&w, n, &column, [&](size_t i) { return manner(i).origin * 16u + manner(i).transport; });
  return w.Take();
}

// A page of answers holds the sets that the exchanges of the same page use first.
void BlockBuilder::AnswersSections(const Orders& o, Sections* out, std::vector<uint64_t>* new_sets) {
  uint32_t next = 1;
  for (uint32_t page = 0; page < o.pages.count(); ++page) {
    ItemColumns items;
    for (uint32_t id = o.pages.Begin(page); id < o.pages.End(page); ++id) {
      if (o.exchanges[id].answers == 0 || o.answers_id[o.exchanges[id].answers] != next) continue;
      items.Add(answers_.Get(o.exchanges[id].answers), o.name_id);
      ++next;
    }
    new_sets->push_back(items.counts.size());
    ColumnWriter w(&compressor_);
    w.Numbers(items.counts);
    w.Numbers(items.kinds);
    w.Numbers(items.v4);
    w.Numbers(items.v6_high);
    w.Numbers(items.v6_low);
    w.Numbers(items.names);
    w.Numbers(items.sizes);
    w.Heap(items.heap);
    out->Add(SectionKind::kAnswers, page, w.Take());
  }
}

// `next_set`: the first answer set that no exchange before this page used.
std::string BlockBuilder::ExchangePage(const Orders& o, uint32_t page, uint32_t next_set, uint32_t chunks) {
  ColumnWriter w(&compressor_);
  std::vector<uint64_t> column;
  const uint32_t begin = o.pages.Begin(page);
  const size_t n = o.pages.End(page) - begin;
  const Exchange* x = o.exchanges.data() + begin;
  uint32_t name = o.name_id[x[0].name];
  Column(&w, n, &column, [&](size_t i) {  // ascending
    const uint32_t before = std::exchange(name, o.name_id[x[i].name]);
    return name - before;
  });
  Column(&w, n, &column, [&](size_t i) {
    return x[i].trigger_name == 0 ? 0 : o.name_id[x[i].trigger_name - 1] + uint64_t{1};
  });
  // 0: the empty set · 1: the next set not yet used · otherwise the set's number + 1
  Column(&w, n, &column, [&](size_t i) -> uint64_t {
    const uint32_t set = o.answers_id[x[i].answers];
    if (set == 0) return 0;
    if (set != next_set) return uint64_t{set} + 1;
    ++next_set;
    return 1;
  });
  Column(&w, n, &column, [&](size_t i) { return x[i].feeds; });
  Column(&w, n, &column, [&](size_t i) { return x[i].category; });
  Column(&w, n, &column, [&](size_t i) { return x[i].qtype; });
  Column(&w, n, &column, [&](size_t i) { return x[i].qclass; });
  Column(&w, n, &column, [&](size_t i) { return x[i].rcode; });
  Column(&w, n, &column, [&](size_t i) { return static_cast<uint16_t>(x[i].ede + 1); });
  Column(&w, n, &column, [&](size_t i) { return x[i].answers_cut; });
  Column(&w, n, &column, [&](size_t i) { return x[i].security; });
  Column(&w, n, &column, [&](size_t i) { return x[i].action; });
  Column(&w, n, &column, [&](size_t i) { return x[i].trigger; });
  Column(&w, n, &column, [&](size_t i) { return x[i].rule_labels * 2u + x[i].rule_subtree; });
  Column(&w, n, &column, [&](size_t i) { return base_size_[o.exchange_order[begin + i]]; });
  PutUses(&w, o.exchange_uses, begin, o.pages.End(page), chunks);
  return w.Take();
}

std::string BlockBuilder::TermsSection(const Orders& o) {
  struct Term {
    uint64_t rows = 0;
    std::vector<uint64_t> exchanges;
  };
  std::map<std::pair<uint64_t, std::string>, Term> terms;
  const auto add = [&](TermKind kind, std::string text, uint32_t id) {
    Term& t = terms[{static_cast<uint64_t>(kind), std::move(text)}];
    t.rows += o.exchange_uses.rows[id];
    t.exchanges.push_back(id);
  };
  // Most exchanges share a handful of values; a look at the map for each would cost more than all the rest.
  std::map<std::pair<TermKind, uint16_t>, Term> numbers;
  for (uint32_t id = 0; id < o.exchanges.size(); ++id) {
    const Exchange& x = o.exchanges[id];
    const std::pair<TermKind, uint16_t> keys[] = {
        {TermKind::kAction, x.action}, {TermKind::kRcode, x.rcode}, {TermKind::kType, x.qtype}};
    for (const auto& key : keys) {
      Term& t = numbers[key];
      t.rows += o.exchange_uses.rows[id];
      t.exchanges.push_back(id);
    }
    if (x.feeds != 0) add(TermKind::kFeed, std::string(texts_.Get(x.feeds)), id);
    if (x.trigger_name != 0 && x.rule_labels != 0)
      add(TermKind::kRule, std::string(RuleKey(names_.Get(x.trigger_name - 1), x.rule_labels)), id);
  }
  for (auto& [key, term] : numbers) {
    terms[{static_cast<uint64_t>(key.first), NumberText(key.second)}] = std::move(term);
  }
  std::vector<uint64_t> kinds, sizes, rows, counts, ids;
  std::string heap;
  for (auto& [key, term] : terms) {
    kinds.push_back(key.first);
    sizes.push_back(key.second.size());
    heap += key.second;
    rows.push_back(term.rows);
    // Of what many have in common no list is kept.
    if (term.exchanges.size() > 64 && term.exchanges.size() > o.exchanges.size() / 32) term.exchanges.clear();
    counts.push_back(term.exchanges.size());
    uint64_t before = 0;
    for (const uint64_t id : term.exchanges) ids.push_back(id - std::exchange(before, id));
  }
  ColumnWriter w(&compressor_);
  w.Count(kinds.size());
  w.Numbers(kinds);
  w.Numbers(sizes);
  w.Heap(heap);
  w.Numbers(rows);
  w.Numbers(counts);
  w.Numbers(ids);
  return w.Take();
}

void BlockBuilder::AddressSections(const Orders& o, Sections* out, ColumnWriter* directory) {
  std::vector<std::pair<uint32_t, uint32_t>> entries;  // hash, page of exchanges
  std::vector<uint32_t> met(answers_.size(), UINT32_MAX);
  for (uint32_t page = 0; page < o.pages.count(); ++page) {
    for (uint32_t id = o.pages.Begin(page); id < o.pages.End(page); ++id) {
      const uint32_t set = o.exchanges[id].answers;
      if (set == 0 || std::exchange(met[set], page) == page) continue;
      ForEachAddress(answers_.Get(set),
                     [&](const uint8_t* a) { entries.emplace_back(AddressHash(a), page); });
    }
  }
  uint32_t hash_bits = 0;  // enough that hashes of different addresses seldom meet
  while (hash_bits < 32 && uint64_t{1} << hash_bits < 2 * entries.size()) ++hash_bits;
  uint32_t page_bits = 0;
  while (entries.size() >> page_bits > 2 * kPageEntries) ++page_bits;
  for (auto& [hash, page] : entries) hash = hash_bits == 0 ? 0 : hash >> (32 - hash_bits);
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  std::vector<uint64_t> hashes;
  std::vector<uint64_t> pages;
  size_t at = 0;
  for (uint32_t p = 0; p < 1u << page_bits; ++p) {
    hashes.clear();
    pages.clear();
    uint64_t before = uint64_t{p} << (hash_bits - page_bits);
    for (; at < entries.size() && entries[at].first >> (hash_bits - page_bits) == p; ++at) {
      hashes.push_back(entries[at].first - std::exchange(before, entries[at].first));
      pages.push_back(entries[at].second);
    }
    ColumnWriter w(&compressor_);
    w.Count(hashes.size());
    w.Numbers(hashes);
    w.Numbers(pages);
    out->Add(SectionKind::kAddresses, p, w.Take());
  }
  directory->Count(page_bits);
  directory->Count(hash_bits);
}

void BlockBuilder::DictionarySections(const Orders& o, Sections* out) {
  ColumnWriter directory(&compressor_);
  NamesSections(o, out, &directory);
  out->Add(SectionKind::kTexts, 0, TextsSection());
  out->Add(SectionKind::kAskers, 0, AskersSection(o, out->chunks()));
  out->Add(SectionKind::kManners, 0, MannersSection());
  std::vector<uint64_t> new_sets;
  AnswersSections(o, out, &new_sets);
  std::vector<uint64_t> first_names;
  uint32_t next_set = 1;
  for (uint32_t page = 0; page < o.pages.count(); ++page) {
    first_names.push_back(o.name_id[o.exchanges[o.pages.Begin(page)].name]);
    out->Add(SectionKind::kExchanges, page, ExchangePage(o, page, next_set, out->chunks()));
    next_set += static_cast<uint32_t>(new_sets[page]);
  }
  directory.Count(o.exchanges.size());
  directory.Numbers(first_names);
  directory.Numbers(new_sets);
  std::vector<uint64_t> first_times;
  for (size_t i = 0; i < rows_.size(); i += out->header->chunk_rows) {
    first_times.push_back(static_cast<uint64_t>(rows_[i].time_us) - static_cast<uint64_t>(first_us_));
  }
  directory.Numbers(first_times);
  Sections addresses;
  addresses.header = out->header;
  const size_t before = out->header->sections.size();
  AddressSections(o, &addresses, &directory);
  // The directory knows of the addresses but stands before them.
  std::vector<SectionInfo> infos(out->header->sections.begin() + static_cast<ptrdiff_t>(before),
                                 out->header->sections.end());
  out->header->sections.resize(before);
  out->Add(SectionKind::kDirectory, 0, directory.Take());
  out->Add(SectionKind::kTerms, 0, TermsSection(o));
  out->header->sections.insert(out->header->sections.end(), infos.begin(), infos.end());
  for (std::string& bytes : addresses.bytes) out->bytes.push_back(std::move(bytes));
}

}  // namespace sekisho::record
