// Writing a block's sections; FORMAT.md describes them.
//
//   names     := count | numbers(prefix) | numbers(suffix size) | heap(suffixes)          in the order of
//   their keys texts     := count | numbers(size) | heap askers    := count | numbers(Δ address high) |
//   numbers(Δ address low) | numbers(agency) manners   := count | numbers(Δ generation) | numbers(flags) |
//   numbers(origin × 16 + transport) answers   := count | numbers(items) | numbers(type × 4 + kind) | v4 | v6
//   high | v6 low | names | sizes | heap exchanges := count | one numbers column for each field chunk     :=
//   numbers(exchange) ; numbers(asker) ; numbers(manner, Δ time, source, Δ sequence, port, latency, Δ size)
#include <algorithm>
#include <bit>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/record/block_builder.h"

namespace sekisho::record {
namespace {

// An index of 256 entries or more costs a second byte; the most used entries go first, where that byte is
// zero.
constexpr size_t kHot = 255;

template <typename Less>
std::vector<uint32_t> HotFirst(const std::vector<uint32_t>& uses, Less less) {
  std::vector<uint32_t> order(uses.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  auto cold = order.begin();
  if (order.size() > kHot + 1) {
    cold += kHot;
    std::nth_element(order.begin(), cold, order.end(), [&uses](uint32_t a, uint32_t b) {
      return uses[a] != uses[b] ? uses[a] > uses[b] : a < b;
    });
    std::sort(order.begin(), cold, less);
  }
  std::sort(cold, order.end(), less);
  return order;
}

std::vector<uint32_t> Inverse(const std::vector<uint32_t>& order) {
  std::vector<uint32_t> out(order.size());
  for (uint32_t i = 0; i < order.size(); ++i) out[order[i]] = i;
  return out;
}

uint64_t BigEndian(const uint8_t* b, int n) {
  uint64_t v = 0;
  for (int i = 0; i < n; ++i) v = v << 8 | b[i];
  return v;
}

class Deltas {
 public:
  uint64_t operator()(uint64_t v) {
    const uint64_t d = v - last_;
    last_ = v;
    return ZigZag(static_cast<int64_t>(d));
  }

 private:
  uint64_t last_ = 0;
};

template <typename Of>
void Column(ColumnWriter* w, size_t count, std::vector<uint64_t>* scratch, Of of) {
  scratch->resize(count);
  for (size_t i = 0; i < count; ++i) (*scratch)[i] = of(i);
  w->Numbers(*scratch);
}

}  // namespace

// …_order: new id → old; …_id: old id → new.
struct BlockBuilder::Orders {
  std::vector<uint32_t> name_order, name_id;
  std::vector<uint32_t> asker_order, asker_id;
  std::vector<uint32_t> exchange_order, exchange_id;
  std::vector<uint32_t> answers_order, answers_id;
};

// By time; rows of the same instant stay in the order they came in.
void BlockBuilder::SortRows() {
  const auto earlier = [](const Row& a, const Row& b) { return a.time_us < b.time_us; };
  if (std::is_sorted(rows_.begin(), rows_.end(), earlier)) return;
  std::vector<std::pair<int64_t, uint32_t>> order(rows_.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = {rows_[i].time_us, i};
  std::sort(order.begin(), order.end());
  std::vector<Row> sorted(rows_.size());
  for (size_t i = 0; i < order.size(); ++i) sorted[i] = rows_[order[i].second];
  rows_.swap(sorted);
}

BlockBuilder::Orders BlockBuilder::MakeOrders() const {
  Orders o;
  std::vector<uint64_t> head(names_.size());  // the first bytes decide most comparisons
  for (uint32_t i = 0; i < head.size(); ++i) {
    char first[8] = {};
    const std::string_view key = names_.Get(i);
    key.copy(first, sizeof(first));
    head[i] = BigEndian(reinterpret_cast<const uint8_t*>(first), 8);
  }
  o.name_order.resize(names_.size());
  for (uint32_t i = 0; i < o.name_order.size(); ++i) o.name_order[i] = i;
  std::sort(o.name_order.begin(), o.name_order.end(), [&](uint32_t a, uint32_t b) {
    return head[a] != head[b] ? head[a] < head[b] : names_.Get(a) < names_.Get(b);
  });
  o.name_id = Inverse(o.name_order);

  std::vector<uint32_t> asker_uses(askers_.size(), 0);
  std::vector<uint32_t> exchange_uses(exchanges_.size(), 0);
  for (const Row& row : rows_) {
    ++asker_uses[row.asker];
    ++exchange_uses[row.exchange];
  }
  o.asker_order =
      HotFirst(asker_uses, [this](uint32_t a, uint32_t b) { return askers_.Get(a) < askers_.Get(b); });
  o.asker_id = Inverse(o.asker_order);
  std::vector<uint64_t> rank(exchanges_.size());  // by name, then type
  for (uint32_t i = 0; i < rank.size(); ++i) {
    const auto x = FromKeyBytes<Exchange>(exchanges_.Get(i));
    rank[i] = static_cast<uint64_t>(o.name_id[x.name]) << 32 | static_cast<uint64_t>(x.qtype) << 16 | x.rcode;
  }
  o.exchange_order = HotFirst(exchange_uses, [&rank](uint32_t a, uint32_t b) {
    return rank[a] != rank[b] ? rank[a] < rank[b] : a < b;
  });
  o.exchange_id = Inverse(o.exchange_order);

  o.answers_id.assign(answers_.size(), 0);
  o.answers_order.push_back(0);  // the empty set
  for (const uint32_t old : o.exchange_order) {
    const uint32_t set = FromKeyBytes<Exchange>(exchanges_.Get(old)).answers;
    if (set == 0 || o.answers_id[set] != 0) continue;
    o.answers_id[set] = static_cast<uint32_t>(o.answers_order.size());
    o.answers_order.push_back(set);
  }
  return o;
}

std::string BlockBuilder::NamesSection(const Orders& o) {
  std::vector<uint64_t> prefixes(o.name_order.size());
  std::vector<uint64_t> suffixes(o.name_order.size());
  std::string heap;
  std::string_view before;
  for (size_t i = 0; i < o.name_order.size(); ++i) {
    const std::string_view key = names_.Get(o.name_order[i]);
    const size_t most = std::min(before.size(), key.size());
    const size_t shared = static_cast<size_t>(
        std::mismatch(before.begin(), before.begin() + static_cast<ptrdiff_t>(most), key.begin()).first -
        before.begin());
    prefixes[i] = shared;
    suffixes[i] = key.size() - shared;
    heap.append(key.substr(shared));
    before = key;
  }
  ColumnWriter w(&compressor_);
  w.Count(o.name_order.size());
  w.Numbers(prefixes);
  w.Numbers(suffixes);
  w.Heap(heap);
  return w.Take();
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

std::string BlockBuilder::AskersSection(const Orders& o) {
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

namespace {

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

}  // namespace

std::string BlockBuilder::AnswersSection(const Orders& o) {
  ItemColumns items;
  for (size_t i = 1; i < o.answers_order.size(); ++i) items.Add(answers_.Get(o.answers_order[i]), o.name_id);
  ColumnWriter w(&compressor_);
  w.Count(items.counts.size());
  w.Numbers(items.counts);
  w.Numbers(items.kinds);
  w.Numbers(items.v4);
  w.Numbers(items.v6_high);
  w.Numbers(items.v6_low);
  w.Numbers(items.names);
  w.Numbers(items.sizes);
  w.Heap(items.heap);
  return w.Take();
}

std::string BlockBuilder::ExchangesSection(const Orders& o) {
  ColumnWriter w(&compressor_);
  std::vector<uint64_t> column;
  const size_t n = o.exchange_order.size();
  std::vector<Exchange> all(n);
  for (size_t i = 0; i < n; ++i) all[i] = FromKeyBytes<Exchange>(exchanges_.Get(o.exchange_order[i]));
  w.Count(n);
  Column(&w, n, &column, [&, d = Deltas()](size_t i) mutable { return d(o.name_id[all[i].name]); });
  Column(&w, n, &column, [&](size_t i) {
    return all[i].trigger_name == 0 ? 0 : o.name_id[all[i].trigger_name - 1] + uint64_t{1};
  });
  // 0: the empty set · 1: the next set not yet used · otherwise the set's number + 1
  Column(&w, n, &column, [&, next = uint32_t{1}](size_t i) mutable -> uint64_t {
    const uint32_t set = o.answers_id[all[i].answers];
    if (set == 0) return 0;
    if (set != next) return uint64_t{set} + 1;
    ++next;
    return 1;
  });
  Column(&w, n, &column, [&](size_t i) { return all[i].feeds; });
  Column(&w, n, &column, [&](size_t i) { return all[i].category; });
  Column(&w, n, &column, [&](size_t i) { return all[i].qtype; });
  Column(&w, n, &column, [&](size_t i) { return all[i].qclass; });
  Column(&w, n, &column, [&](size_t i) { return all[i].rcode; });
  Column(&w, n, &column, [&](size_t i) { return static_cast<uint16_t>(all[i].ede + 1); });
  Column(&w, n, &column, [&](size_t i) { return all[i].answers_cut; });
  Column(&w, n, &column, [&](size_t i) { return all[i].security; });
  Column(&w, n, &column, [&](size_t i) { return all[i].action; });
  Column(&w, n, &column, [&](size_t i) { return all[i].trigger; });
  Column(&w, n, &column, [&](size_t i) { return all[i].rule_labels * 2u + all[i].rule_subtree; });
  Column(&w, n, &column, [&](size_t i) { return base_size_[o.exchange_order[i]]; });
  return w.Take();
}

std::string BlockBuilder::RestSection(std::span<const Row> rows) {
  ColumnWriter w(&compressor_);
  std::vector<uint64_t> column;
  const size_t n = rows.size();
  Column(&w, n, &column, [&](size_t i) { return rows[i].manner; });
  Column(&w, n, &column, [&, d = Deltas()](size_t i) mutable {
    return d(static_cast<uint64_t>(rows[i].time_us) - static_cast<uint64_t>(first_us_));
  });
  Column(&w, n, &column, [&](size_t i) { return rows[i].source; });
  std::vector<uint64_t> expected(sources_.size());
  for (size_t s = 0; s < expected.size(); ++s) expected[s] = sources_[s].first_sequence;
  Column(&w, n, &column, [&](size_t i) {
    uint64_t& e = expected[rows[i].source];
    const uint64_t d = rows[i].sequence - e;
    e = rows[i].sequence + 1;
    return ZigZag(static_cast<int64_t>(d));
  });
  Column(&w, n, &column, [&](size_t i) { return rows[i].port; });
  Column(&w, n, &column, [&](size_t i) { return rows[i].latency_us; });
  Column(&w, n, &column, [&](size_t i) { return ZigZag(rows[i].size_delta); });
  return w.Take();
}

namespace {

void AddSection(uint8_t id, std::string bytes, std::vector<std::string>* sections, BlockHeader* header) {
  header->sections.push_back({id, bytes.size(), ShortSha256(AsBytes(bytes))});
  sections->push_back(std::move(bytes));
}

}  // namespace

void BlockBuilder::ChunkSections(const Orders& o, uint32_t chunk, std::vector<std::string>* sections,
                                 BlockHeader* header) {
  const size_t from = static_cast<size_t>(chunk) * header->chunk_rows;
  const auto rows =
      std::span<const Row>(rows_).subspan(from, std::min<size_t>(header->chunk_rows, rows_.size() - from));
  std::vector<uint64_t> column;
  ColumnWriter exchanges(&compressor_);
  Column(&exchanges, rows.size(), &column, [&](size_t i) { return o.exchange_id[rows[i].exchange]; });
  AddSection(ChunkExchanges(chunk), exchanges.Take(), sections, header);
  ColumnWriter askers(&compressor_);
  Column(&askers, rows.size(), &column, [&](size_t i) { return o.asker_id[rows[i].asker]; });
  AddSection(ChunkAskers(chunk), askers.Take(), sections, header);
  AddSection(ChunkRest(chunk), RestSection(rows), sections, header);
}

FinishedBlock BlockBuilder::Finish(const BlockChain& chain, bool count_losses) {
  SortRows();
  const Orders orders = MakeOrders();
  if (count_losses) chain.CountLosses(&sources_);
  FinishedBlock out;
  BlockHeader& h = out.header;
  h.number = chain.next_number();
  h.previous = chain.last();
  h.rows = count();
  h.chunk_rows = std::max(options_.chunk_rows, (h.rows + kMaxChunks - 1) / kMaxChunks);
  h.first_us = first_us_;
  h.last_us = last_us_;
  h.sources = sources_;
  std::vector<std::string> sections;
  AddSection(kSectionNames, NamesSection(orders), &sections, &h);
  AddSection(kSectionTexts, TextsSection(), &sections, &h);
  AddSection(kSectionAskers, AskersSection(orders), &sections, &h);
  AddSection(kSectionManners, MannersSection(), &sections, &h);
  AddSection(kSectionAnswers, AnswersSection(orders), &sections, &h);
  AddSection(kSectionExchanges, ExchangesSection(orders), &sections, &h);
  for (uint32_t chunk = 0; chunk < h.chunks(); ++chunk) ChunkSections(orders, chunk, &sections, &h);
  out.bytes = WriteFrame(h, sections, &out.digest);
  Clear();
  return out;
}

}  // namespace sekisho::record
