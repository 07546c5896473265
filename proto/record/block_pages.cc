// Unpacking the dictionaries that have pages, and finding entries in them.
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"
#include "proto/record/block_orders.h"
#include "proto/record/block_reader.h"
#include "proto/record/block_unpack.h"

namespace sekisho::record {
namespace {

constexpr Exchange kNoExchange{};

// As NameFromKey would judge, without making the name.
bool IsNameKey(std::string_view key) {
  size_t wire = 1;
  size_t label = 0;
  for (size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    if (c == 0) {
      if (label == 0 || label > dns::kMaxLabelSize) return false;
      wire += label + 1;
      label = 0;
      continue;
    }
    if (c == 1 && (++i == key.size() || (key[i] != 1 && key[i] != 2))) return false;
    if (c >= 'A' && c <= 'Z') return false;
    ++label;
  }
  return label == 0 && wire <= dns::kMaxNameSize;
}

}  // namespace

bool TakeUses(ColumnReader& in, size_t count, const BlockHeader& header, Uses* out) {
  std::vector<uint64_t> rows;
  std::vector<uint64_t> counts;
  std::vector<uint64_t> places;
  if (!in.Numbers(count, header.rows, &rows)) return false;
  out->rows.assign(rows.begin(), rows.end());
  out->at.assign(count + 1, 0);
  const uint32_t chunks = header.chunks();
  if (chunks == 1) return true;
  const auto several = static_cast<size_t>(
      std::count_if(rows.begin(), rows.end(), [](uint64_t r) { return r > 1 && r <= kMaxPlaced; }));
  if (!in.Numbers(several, kMaxPlaced, &counts)) return false;
  size_t next = 0;
  for (size_t i = 0; i < count; ++i) {
    if (rows[i] == 0) return false;
    uint64_t n = rows[i] == 1 ? 1 : 0;
    if (rows[i] > 1 && rows[i] <= kMaxPlaced) n = counts[next++];
    if (rows[i] <= kMaxPlaced && n == 0) return false;
    out->at[i + 1] = out->at[i] + static_cast<uint32_t>(n);
  }
  if (!in.Numbers(out->at[count], chunks - 1, &places)) return false;
  out->places.resize(places.size());
  for (size_t i = 0; i < count; ++i) {
    uint64_t place = 0;
    for (uint32_t p = out->at[i]; p < out->at[i + 1]; ++p) {
      place += places[p];
      if (place >= chunks || (p > out->at[i] && places[p] == 0)) return false;
      out->places[p] = static_cast<uint16_t>(place);
    }
  }
  return true;
}

bool BlockReader::LoadDirectory() {
  if (directory_loaded_) return error_.empty();
  std::span<const uint8_t> bytes;
  if (!Section(SectionKind::kDirectory, 0, &scratch_, &bytes)) return false;
  ColumnReader in(bytes);
  if (!UnpackDirectory(in) || !in.Done()) {
    name_count_ = exchange_count_ = 0;
    first_set_.clear();
    return Damaged("directory");
  }
  directory_loaded_ = true;
  return true;
}

bool BlockReader::UnpackDirectory(ColumnReader& in) {
  size_t names = 0;
  size_t exchanges = 0;
  size_t page_bits = 0;
  size_t hash_bits = 0;
  std::vector<uint64_t> sizes;
  std::vector<uint64_t> first_names;
  std::vector<uint64_t> new_sets;
  std::vector<uint64_t> times;
  std::string heap;
  const size_t limit = std::min<size_t>(kMaxEntries, size_t{header_.rows} * (2 + kMaxAnswerItems));
  if (!in.Count(limit, &names) || names == 0) return false;
  const size_t name_pages = (names + kPageEntries - 1) / kPageEntries;
  if (!in.Numbers(name_pages, dns::kMaxNameKeySize, &sizes) ||
      !in.Heap(name_pages * dns::kMaxNameKeySize, &heap) || !in.Count(header_.rows, &exchanges) ||
      exchanges == 0) {
    return false;
  }
  const ExchangePages pages(static_cast<uint32_t>(exchanges));
  if (!in.Numbers(pages.count(), names - 1, &first_names) ||
      !in.Numbers(pages.count(), kPageEntries, &new_sets) ||
      !in.Numbers(header_.chunks(),
                  static_cast<uint64_t>(header_.last_us) - static_cast<uint64_t>(header_.first_us), &times) ||
      !std::is_sorted(times.begin(), times.end()) || !in.Count(16, &page_bits) || !in.Count(32, &hash_bits) ||
      page_bits > hash_bits) {
    return false;
  }
  size_t at = 0;
  first_keys_.clear();
  for (const uint64_t size : sizes) {
    if (size > heap.size() - at) return false;
    first_keys_.push_back(heap.substr(at, size));
    at += size;
  }
  first_name_.assign(first_names.begin(), first_names.end());
  first_set_.assign(1, 1);
  for (const uint64_t n : new_sets) first_set_.push_back(first_set_.back() + static_cast<uint32_t>(n));
  chunk_first_us_.clear();
  for (const uint64_t t : times)
    chunk_first_us_.push_back(static_cast<int64_t>(static_cast<uint64_t>(header_.first_us) + t));
  name_count_ = static_cast<uint32_t>(names);
  exchange_count_ = static_cast<uint32_t>(exchanges);
  address_page_bits_ = static_cast<uint32_t>(page_bits);
  address_hash_bits_ = static_cast<uint32_t>(hash_bits);
  pages_ = pages;
  name_pages_.resize(name_pages);
  exchange_pages_.resize(pages.count());
  answer_pages_.resize(pages.count());
  return at == heap.size();
}

const BlockReader::NamePage* BlockReader::Names(uint32_t page) {
  if (!LoadDirectory()) return nullptr;
  if (name_pages_[page]) return name_pages_[page].get();
  std::span<const uint8_t> bytes;
  if (!Section(SectionKind::kNames, page, &scratch_, &bytes)) return nullptr;
  ColumnReader in(bytes);
  auto made = std::make_unique<NamePage>();
  if (!UnpackNames(in, page, made.get()) || !in.Done()) {
    Damaged("names");
    return nullptr;
  }
  name_pages_[page] = std::move(made);
  return name_pages_[page].get();
}

bool BlockReader::UnpackNames(ColumnReader& in, uint32_t page, NamePage* out) {
  const uint32_t count = std::min(kPageEntries, name_count_ - page * kPageEntries);
  std::vector<uint64_t> prefixes;
  std::vector<uint64_t> suffixes;
  std::string heap;
  if (!in.Numbers(count, dns::kMaxNameKeySize, &prefixes) ||
      !in.Numbers(count, dns::kMaxNameKeySize, &suffixes) ||
      !in.Heap(size_t{count} * dns::kMaxNameKeySize, &heap)) {
    return false;
  }
  uint64_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    if (prefixes[i] + suffixes[i] > dns::kMaxNameKeySize) return false;
    total += prefixes[i] + suffixes[i];
  }
  out->keys.resize(total);
  out->at.resize(count + 1);
  size_t from = 0;
  size_t at = 0;
  size_t before = 0;
  for (size_t i = 0; i < count; ++i) {
    if (prefixes[i] > at - before || suffixes[i] > heap.size() - from) return false;
    out->at[i] = static_cast<uint32_t>(at);
    std::memcpy(out->keys.data() + at, out->keys.data() + before, prefixes[i]);
    std::memcpy(out->keys.data() + at + prefixes[i], heap.data() + from, suffixes[i]);
    before = at;
    at += prefixes[i] + suffixes[i];
    from += suffixes[i];
  }
  out->at[count] = static_cast<uint32_t>(at);
  return from == heap.size();
}

bool BlockReader::LoadNames() {
  if (!LoadDirectory()) return false;
  for (uint32_t page = 0; page < name_pages_.size(); ++page) {
    if (Names(page) == nullptr) return false;
  }
  return true;
}

std::string_view BlockReader::NameKeyAt(uint32_t id) {
  if (!LoadDirectory() || id >= name_count_) {
    Damaged("a name that is not there");
    return {};
  }
  const NamePage* page = Names(id / kPageEntries);
  return page == nullptr ? std::string_view() : page->Key(id % kPageEntries);
}

uint32_t BlockReader::NameLowerBound(std::string_view key) {
  if (!LoadDirectory()) return 0;
  const auto after = std::upper_bound(first_keys_.begin(), first_keys_.end(), key);
  if (after == first_keys_.begin()) return 0;
  const auto number = static_cast<uint32_t>(after - first_keys_.begin() - 1);
  const NamePage* page = Names(number);
  if (page == nullptr) return 0;
  uint32_t low = 0;
  auto high = static_cast<uint32_t>(page->at.size() - 1);
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (page->Key(middle) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return number * kPageEntries + low;
}

bool BlockReader::NamesAreKeysInOrder() {
  std::string_view before;
  for (uint32_t i = 0; i < name_count_; ++i) {
    const std::string_view key = NameKeyAt(i);
    if (!IsNameKey(key) || (i > 0 && key <= before)) return false;
    before = key;
  }
  return error_.empty();
}

bool BlockReader::PagesFitDirectory() {
  for (uint32_t page = 0; page < name_pages_.size(); ++page) {
    if (first_keys_[page] != NameKeyAt(page * kPageEntries)) return false;
  }
  return error_.empty();
}

dns::Name BlockReader::NameOf(uint32_t id) {
  auto name = dns::NameFromKey(NameKeyAt(id));
  return name ? std::move(*name) : dns::Name();
}

const BlockReader::AnswerPage* BlockReader::Answers(uint32_t page) {
  if (!LoadDirectory()) return nullptr;
  if (answer_pages_[page]) return answer_pages_[page].get();
  std::span<const uint8_t> bytes;
  if (!Section(SectionKind::kAnswers, page, &scratch_, &bytes)) return nullptr;
  ColumnReader in(bytes);
  auto made = std::make_unique<AnswerPage>();
  if (!UnpackItems(in, first_set_[page + 1] - first_set_[page], made.get()) || !in.Done()) {
    Damaged("answers");
    return nullptr;
  }
  answer_pages_[page] = std::move(made);
  return answer_pages_[page].get();
}

bool BlockReader::UnpackItems(ColumnReader& in, size_t sets, AnswerPage* out) {
  uint64_t total = 0;
  std::vector<uint64_t> counts;
  std::vector<uint64_t> kinds;
  if (!in.Numbers(sets, kMaxAnswerItems, &counts)) return false;
  for (const uint64_t n : counts) total += n;
  if (!in.Numbers(total, 4 * 0xffff + 3, &kinds)) return false;
  std::array<size_t, 4> of_kind{};
  for (const uint64_t k : kinds) ++of_kind[k % 4];
  std::vector<uint64_t> v4, v6_high, v6_low, names, sizes;
  std::string heap;
  if (!in.Numbers(of_kind[0], UINT32_MAX, &v4) || !in.Numbers(of_kind[1], kAny, &v6_high) ||
      !in.Numbers(of_kind[1], kAny, &v6_low) || !in.Numbers(of_kind[2], name_count_ - 1, &names) ||
      !in.Numbers(of_kind[3], 0xffff, &sizes) || !in.Heap(kMaxHeap, &heap)) {
    return false;
  }
  out->at.assign(1, 0);
  std::array<size_t, 4> at{};
  size_t heap_at = 0;
  size_t item = 0;
  for (const uint64_t n : counts) {
    for (uint64_t i = 0; i < n; ++i, ++item) {
      const auto type = static_cast<uint16_t>(kinds[item] / 4);
      const auto kind = static_cast<ItemKind>(kinds[item] % 4);
      const size_t k = at[kinds[item] % 4]++;
      out->bytes.append(KeyBytes(type));
      out->bytes.push_back(static_cast<char>(kind));
      uint8_t address[16];
      if (kind == ItemKind::kV4) {
        PutBigEndian(v4[k], address, 4);
        out->bytes.append(reinterpret_cast<const char*>(address), 4);
      } else if (kind == ItemKind::kV6) {
        PutBigEndian(v6_high[k], address, 8);
        PutBigEndian(v6_low[k], address + 8, 8);
        out->bytes.append(reinterpret_cast<const char*>(address), 16);
      } else if (kind == ItemKind::kName) {
        out->bytes.append(KeyBytes(static_cast<uint32_t>(names[k])));
      } else {
        if (sizes[k] > heap.size() - heap_at) return false;
        out->bytes.append(KeyBytes(static_cast<uint16_t>(sizes[k])));
        out->bytes.append(heap, heap_at, sizes[k]);
        heap_at += sizes[k];
      }
    }
    out->at.push_back(static_cast<uint32_t>(out->bytes.size()));
  }
  return heap_at == heap.size();
}

bool BlockReader::LoadAnswers() {
  if (!LoadDirectory()) return false;
  for (uint32_t page = 0; page < answer_pages_.size(); ++page) {
    if (Answers(page) == nullptr) return false;
  }
  return true;
}

std::string_view BlockReader::AnswerSet(uint32_t id) {
  if (id == 0) return {};
  if (!LoadDirectory() || id >= first_set_.back()) {
    Damaged("an answer set that is not there");
    return {};
  }
  const auto after = std::upper_bound(first_set_.begin(), first_set_.end(), id);
  const auto number = static_cast<uint32_t>(after - first_set_.begin() - 1);
  const AnswerPage* page = Answers(number);
  if (page == nullptr) return {};
  const uint32_t i = id - first_set_[number];
  return std::string_view(page->bytes).substr(page->at[i], page->at[i + 1] - page->at[i]);
}

const BlockReader::ExchangePage* BlockReader::Exchanges(uint32_t page) {
  if (!LoadDirectory()) return nullptr;
  if (exchange_pages_[page]) return exchange_pages_[page].get();
  std::span<const uint8_t> bytes;
  if (!LoadTexts() || !Section(SectionKind::kExchanges, page, &scratch_, &bytes)) return nullptr;
  ColumnReader in(bytes);
  auto made = std::make_unique<ExchangePage>();
  if (!UnpackExchanges(in, page, made.get()) || !in.Done()) {
    Damaged("exchanges");
    return nullptr;
  }
  exchange_pages_[page] = std::move(made);
  return exchange_pages_[page].get();
}

bool BlockReader::UnpackExchanges(ColumnReader& in, uint32_t page, ExchangePage* out) {
  const size_t n = pages_.End(page) - pages_.Begin(page);
  std::array<std::vector<uint64_t>, 15> c;
  const uint64_t text = texts_.size() - 1;
  const std::array<uint64_t, 15> max = {name_count_, name_count_, first_set_.back(),
                                        text,        text,        0xffff,
                                        0xffff,      0xffff,      0xffff,
                                        0xffff,      0xff,        0xff,
                                        0xff,        0x1ff,       0xffff};
  for (size_t i = 0; i < c.size(); ++i) {
    if (!in.Numbers(n, max[i], &c[i])) return false;
  }
  if (!TakeUses(in, n, header_, &out->uses)) return false;
  uint64_t name = first_name_[page];
  uint64_t next_set = first_set_[page];
  out->exchanges.resize(n);
  for (size_t i = 0; i < n; ++i) {
    name += c[0][i];
    const uint64_t set = c[2][i] == 0 ? 0 : c[2][i] == 1 ? next_set++ : c[2][i] - 1;
    if (name >= name_count_ || set >= first_set_.back() || (i == 0 && c[0][0] != 0)) return false;
    out->exchanges[i] = {.name = static_cast<uint32_t>(name),
                         .trigger_name = static_cast<uint32_t>(c[1][i]),
                         .answers = static_cast<uint32_t>(set),
                         .feeds = static_cast<uint32_t>(c[3][i]),
                         .category = static_cast<uint32_t>(c[4][i]),
                         .qtype = static_cast<uint16_t>(c[5][i]),
                         .qclass = static_cast<uint16_t>(c[6][i]),
                         .rcode = static_cast<uint16_t>(c[7][i]),
                         .ede = static_cast<uint16_t>(c[8][i] - 1),
                         .answers_cut = static_cast<uint16_t>(c[9][i]),
                         .security = static_cast<uint8_t>(c[10][i]),
                         .action = static_cast<uint8_t>(c[11][i]),
                         .trigger = static_cast<uint8_t>(c[12][i]),
                         .rule_labels = static_cast<uint8_t>(c[13][i] / 2),
                         .rule_subtree = static_cast<uint8_t>(c[13][i] % 2),
                         .zero = 0};
  }
  out->base_size.assign(c[14].begin(), c[14].end());
  return next_set == first_set_[page + 1];
}

bool BlockReader::LoadExchanges() {
  if (!LoadDirectory()) return false;
  for (uint32_t page = 0; page < exchange_pages_.size(); ++page) {
    if (Exchanges(page) == nullptr) return false;
  }
  return true;
}

const Exchange& BlockReader::ExchangeAt(uint32_t id) {
  if (!LoadDirectory() || id >= exchange_count_) {
    Damaged("an exchange that is not there");
    return kNoExchange;
  }
  const uint32_t number = pages_.PageOf(id);
  const ExchangePage* page = Exchanges(number);
  return page == nullptr ? kNoExchange : page->exchanges[id - pages_.Begin(number)];
}

uint16_t BlockReader::BaseSize(uint32_t id) {
  if (!LoadDirectory() || id >= exchange_count_) return 0;
  const uint32_t number = pages_.PageOf(id);
  const ExchangePage* page = Exchanges(number);
  return page == nullptr ? uint16_t{0} : page->base_size[id - pages_.Begin(number)];
}

namespace {

BlockReader::Use UseAt(const Uses& uses, uint32_t i) {
  if (uses.places.empty()) return {uses.rows[i], {}};
  return {uses.rows[i],
          std::span<const uint16_t>(uses.places).subspan(uses.at[i], uses.at[i + 1] - uses.at[i])};
}

}  // namespace

BlockReader::Use BlockReader::ExchangeUse(uint32_t id) {
  if (!LoadDirectory() || id >= exchange_count_) return {};
  const uint32_t number = pages_.PageOf(id);
  const ExchangePage* page = Exchanges(number);
  return page == nullptr ? Use{} : UseAt(page->uses, id - pages_.Begin(number));
}

BlockReader::Use BlockReader::AskerUse(uint32_t id) const { return UseAt(asker_uses_, id); }

bool BlockReader::ExchangesOfNames(uint32_t from, uint32_t end, std::vector<uint32_t>* ids) {
  if (!LoadDirectory()) return false;
  for (uint32_t c = 0; c < 3; ++c) {
    const auto first = first_name_.begin() + pages_.FirstPage(c);
    const auto last = first_name_.begin() + pages_.FirstPage(c + 1);
    // The page before the first that begins at or after `from` may end with it.
    auto at = std::lower_bound(first, last, from);
    if (at != first) --at;
    for (; at != last && *at < end; ++at) {
      const auto number = static_cast<uint32_t>(at - first_name_.begin());
      const ExchangePage* page = Exchanges(number);
      if (page == nullptr) return false;
      const auto less = [](const Exchange& x, uint32_t name) { return x.name < name; };
      auto x = std::lower_bound(page->exchanges.begin(), page->exchanges.end(), from, less);
      for (; x != page->exchanges.end() && x->name < end; ++x) {
        ids->push_back(pages_.Begin(number) + static_cast<uint32_t>(x - page->exchanges.begin()));
      }
    }
  }
  return true;
}

bool BlockReader::PagesOfAddress(const std::array<uint8_t, 16>& mapped, std::vector<uint32_t>* pages) {
  if (!LoadDirectory()) return false;
  if (address_hash_bits_ == 0) return true;
  const uint64_t hash = AddressHash(mapped.data()) >> (32 - address_hash_bits_);
  const auto number = static_cast<uint32_t>(hash >> (address_hash_bits_ - address_page_bits_));
  std::span<const uint8_t> bytes;
  if (!Section(SectionKind::kAddresses, number, &scratch_, &bytes)) return false;
  ColumnReader in(bytes);
  size_t count = 0;
  std::vector<uint64_t> hashes;
  std::vector<uint64_t> numbers;
  if (!in.Count(header_.rows * kMaxAnswerItems, &count) || !in.Numbers(count, UINT32_MAX, &hashes) ||
      !in.Numbers(count, pages_.count() - 1, &numbers) || !in.Done()) {
    return Damaged("addresses");
  }
  uint64_t at = uint64_t{number} << (address_hash_bits_ - address_page_bits_);
  for (size_t i = 0; i < count; ++i) {
    at += hashes[i];
    if (at == hash) pages->push_back(static_cast<uint32_t>(numbers[i]));
  }
  return true;
}

const std::vector<BlockReader::Term>* BlockReader::Terms() {
  if (terms_loaded_) return error_.empty() ? &terms_ : nullptr;
  std::span<const uint8_t> bytes;
  if (!LoadDirectory() || !Section(SectionKind::kTerms, 0, &scratch_, &bytes)) return nullptr;
  ColumnReader in(bytes);
  if (!UnpackTerms(in) || !in.Done()) {
    Damaged("terms");
    return nullptr;
  }
  terms_loaded_ = true;
  return &terms_;
}

bool BlockReader::UnpackTerms(ColumnReader& in) {
  size_t count = 0;
  std::vector<uint64_t> kinds, sizes, rows, counts, ids;
  std::string heap;
  if (!in.Count(size_t{exchange_count_} * 5, &count) || !in.Numbers(count, 0xff, &kinds) ||
      !in.Numbers(count, 0xffff, &sizes) || !in.Heap(kMaxHeap, &heap) ||
      !in.Numbers(count, header_.rows, &rows) || !in.Numbers(count, exchange_count_, &counts)) {
    return false;
  }
  uint64_t total = 0;
  for (const uint64_t n : counts) total += n;
  if (total > uint64_t{exchange_count_} * 5 || !in.Numbers(total, exchange_count_ - 1, &ids)) return false;
  size_t at = 0;
  size_t next = 0;
  for (size_t i = 0; i < count; ++i) {
    if (sizes[i] > heap.size() - at) return false;
    Term term{static_cast<TermKind>(kinds[i]),
              heap.substr(at, sizes[i]),
              static_cast<uint32_t>(rows[i]),
              counts[i] > 0,
              {}};
    at += sizes[i];
    uint64_t id = 0;
    for (uint64_t k = 0; k < counts[i]; ++k) {
      id += ids[next++];
      if (id >= exchange_count_) return false;
      term.exchanges.push_back(static_cast<uint32_t>(id));
    }
    terms_.push_back(std::move(term));
  }
  return at == heap.size();
}

}  // namespace sekisho::record
