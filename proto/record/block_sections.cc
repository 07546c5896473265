// Writing a block: orders, rows, and the whole. block_dictionaries.cc writes the dictionaries.
//
//   row exchanges := ids        row askers := numbers(asker)        for each chunk
//   ids           := numbers(id, 255 for those above) | [if any:] numbers(id − 255 of those)
//   row rest      := numbers(manner) | unit | numbers(time − time before, in units) | source | Δ sequence |
//   port | latency | Δ size
#include <algorithm>
#include <bit>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/record/block_orders.h"

namespace sekisho::record {
namespace {

// The most used entries go first, where an index is short; within its class each is in the order of `less`.
template <typename Less>
std::vector<uint32_t> HotFirst(const std::vector<uint32_t>& uses, Less less) {
  std::vector<uint32_t> order(uses.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const ExchangePages classes(static_cast<uint32_t>(uses.size()));
  for (uint32_t c = 0; c < 3; ++c) {
    const auto begin = order.begin() + classes.class_begin(c);
    const auto end = order.begin() + classes.class_end(c);
    if (end != order.end()) {
      std::nth_element(begin, end, order.end(), [&uses](uint32_t a, uint32_t b) {
        return uses[a] != uses[b] ? uses[a] > uses[b] : a < b;
      });
    }
    std::sort(begin, end, less);
  }
  return order;
}

std::vector<uint32_t> Inverse(const std::vector<uint32_t>& order) {
  std::vector<uint32_t> out(order.size());
  for (uint32_t i = 0; i < order.size(); ++i) out[order[i]] = i;
  return out;
}

// `id_at` gives the entry of each row, `uses` how many rows each entry has.
template <typename IdAt>
Uses PlacesOf(std::vector<uint32_t> uses, size_t rows, uint32_t chunk_rows, IdAt id_at) {
  Uses out;
  out.rows = std::move(uses);
  out.at.assign(out.rows.size() + 1, 0);
  if (rows <= chunk_rows) return out;
  std::vector<std::pair<uint32_t, uint16_t>> met;  // entry, chunk
  std::vector<uint32_t> last(out.rows.size(), UINT32_MAX);
  for (size_t i = 0; i < rows; ++i) {
    const uint32_t id = id_at(i);
    const auto chunk = static_cast<uint32_t>(i / chunk_rows);
    if (out.rows[id] > kMaxPlaced || last[id] == chunk) continue;
    last[id] = chunk;
    met.emplace_back(id, static_cast<uint16_t>(chunk));
    ++out.at[id + 1];
  }
  for (size_t i = 1; i < out.at.size(); ++i) out.at[i] += out.at[i - 1];
  out.places.resize(met.size());
  std::vector<uint32_t> next(out.at.begin(), out.at.end() - 1);
  for (const auto& [id, chunk] : met) out.places[next[id]++] = chunk;
  return out;
}

std::vector<uint32_t> Permuted(const std::vector<uint32_t>& values, const std::vector<uint32_t>& order) {
  std::vector<uint32_t> out(values.size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = values[order[i]];
  return out;
}

template <typename IdAt>
void PutIds(ColumnWriter* w, size_t count, IdAt id_at) {
  std::vector<uint64_t> low(count);
  std::vector<uint64_t> high;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t id = id_at(i);
    low[i] = std::min(id, kEscaped);
    if (id >= kEscaped) high.push_back(id - kEscaped);
  }
  w->Numbers(low);
  if (!high.empty()) w->Numbers(high);
}

}  // namespace

void BlockBuilder::Sections::Add(SectionKind kind, uint32_t number, std::string section) {
  header->sections.push_back({SectionId(kind, number), section.size(), ShortSha256(AsBytes(section))});
  bytes.push_back(std::move(section));
}

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

void BlockBuilder::OrderNames(Orders* o) const {
  std::vector<std::pair<uint64_t, uint32_t>> head(names_.size());  // the first bytes decide most comparisons
  for (uint32_t i = 0; i < head.size(); ++i) {
    char first[8] = {};
    names_.Get(i).copy(first, sizeof(first));
    head[i] = {BigEndian(reinterpret_cast<const uint8_t*>(first), 8), i};
  }
  std::sort(head.begin(), head.end(), [this](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : names_.Get(a.second) < names_.Get(b.second);
  });
  o->name_order.resize(head.size());
  for (size_t i = 0; i < head.size(); ++i) o->name_order[i] = head[i].second;
  o->name_id = Inverse(o->name_order);
}

void BlockBuilder::OrderAnswers(Orders* o) const {
  o->answers_id.assign(answers_.size(), 0);
  o->answers_order.push_back(0);  // the empty set
  for (const Exchange& x : o->exchanges) {
    if (x.answers == 0 || o->answers_id[x.answers] != 0) continue;
    o->answers_id[x.answers] = static_cast<uint32_t>(o->answers_order.size());
    o->answers_order.push_back(x.answers);
  }
}

BlockBuilder::Orders BlockBuilder::MakeOrders(uint32_t chunk_rows) const {
  Orders o;
  OrderNames(&o);
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
  o.pages = ExchangePages(exchanges_.size());
  o.exchanges.reserve(exchanges_.size());
  for (const uint32_t old : o.exchange_order)
    o.exchanges.push_back(FromKeyBytes<Exchange>(exchanges_.Get(old)));
  OrderAnswers(&o);
  o.exchange_uses = PlacesOf(Permuted(exchange_uses, o.exchange_order), rows_.size(), chunk_rows,
                             [&](size_t i) { return o.exchange_id[rows_[i].exchange]; });
  o.asker_uses = PlacesOf(Permuted(asker_uses, o.asker_order), rows_.size(), chunk_rows,
                          [&](size_t i) { return o.asker_id[rows_[i].asker]; });
  return o;
}

std::string BlockBuilder::RestSection(std::span<const Row> rows) {
  ColumnWriter w(&compressor_);
  std::vector<uint64_t> column;
  const size_t n = rows.size();
  Column(&w, n, &column, [&](size_t i) { return rows[i].manner; });
  const auto passed = [&](size_t i) {
    return static_cast<uint64_t>(rows[i].time_us) - static_cast<uint64_t>(rows[i == 0 ? 0 : i - 1].time_us);
  };
  uint64_t unit = 1000;  // most times are cut to the millisecond
  for (size_t i = 0; i < n && unit != 1; ++i) unit = passed(i) % unit == 0 ? unit : 1;
  w.Count(unit);
  Column(&w, n, &column, [&](size_t i) { return passed(i) / unit; });
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

void BlockBuilder::RowSections(const Orders& o, Sections* out) {
  const uint32_t chunk_rows = out->header->chunk_rows;
  const auto rows_of = [&](uint32_t chunk) {
    const size_t from = static_cast<size_t>(chunk) * chunk_rows;
    return std::span<const Row>(rows_).subspan(from, std::min<size_t>(chunk_rows, rows_.size() - from));
  };
  std::vector<uint64_t> column;
  for (uint32_t chunk = 0; chunk < out->chunks(); ++chunk) {
    ColumnWriter w(&compressor_);
    const auto rows = rows_of(chunk);
    PutIds(&w, rows.size(), [&](size_t i) { return o.exchange_id[rows[i].exchange]; });
    out->Add(SectionKind::kRowExchanges, chunk, w.Take());
  }
  for (uint32_t chunk = 0; chunk < out->chunks(); ++chunk) {
    ColumnWriter w(&compressor_);
    const auto rows = rows_of(chunk);
    Column(&w, rows.size(), &column, [&](size_t i) { return o.asker_id[rows[i].asker]; });
    out->Add(SectionKind::kRowAskers, chunk, w.Take());
  }
  for (uint32_t chunk = 0; chunk < out->chunks(); ++chunk) {
    out->Add(SectionKind::kRowRest, chunk, RestSection(rows_of(chunk)));
  }
}

FinishedBlock BlockBuilder::Finish(const BlockChain& chain, bool count_losses) {
  SortRows();
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
  const Orders orders = MakeOrders(h.chunk_rows);
  Sections sections;
  sections.header = &h;
  DictionarySections(orders, &sections);
  RowSections(orders, &sections);
  out.bytes = WriteFrame(h, sections.bytes, &out.digest);
  Clear();
  return out;
}

}  // namespace sekisho::record
