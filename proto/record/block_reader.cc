// Unpacking dictionaries and columns; block_rows.cc puts rows together.
#include "proto/record/block_reader.h"

#include <algorithm>
#include <cstring>

#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"
#include "proto/record/column.h"

namespace sekisho::record {
namespace {

constexpr uint64_t kAny = UINT64_MAX;

class Undelta {
 public:
  uint64_t operator()(uint64_t v) {
    last_ += static_cast<uint64_t>(UnZigZag(v));
    return last_;
  }

 private:
  uint64_t last_ = 0;
};

void PutBigEndian(uint64_t v, uint8_t* to, int n) {
  for (int i = 0; i < n; ++i) to[i] = static_cast<uint8_t>(v >> (8 * (n - 1 - i)));
}

}  // namespace

std::unique_ptr<BlockReader> BlockReader::Open(std::span<const uint8_t> bytes, std::string* error) {
  FramedHeader framed;
  if (ReadFrame(bytes, &framed) != FrameState::kGood || framed.total_size != bytes.size()) {
    *error = "not a whole block";
    return nullptr;
  }
  std::array<size_t, 256> at{};
  size_t next = kFrameSize + framed.header_size;
  for (const SectionInfo& s : framed.header.sections) {
    at[s.id] = next;
    next += s.size;
  }
  auto fetch = [bytes, at](const SectionInfo& s, std::string* out) {
    out->assign(AsText(bytes.subspan(at[s.id], s.size)));
    return true;
  };
  return Open(std::move(framed.header), fetch);
}

std::unique_ptr<BlockReader> BlockReader::Open(BlockHeader header, Fetch fetch) {
  return std::unique_ptr<BlockReader>(new BlockReader(std::move(header), std::move(fetch)));
}

bool BlockReader::Damaged(const char* what) {
  if (error_.empty()) error_ = std::string("damaged block: ") + what;
  return false;
}

bool BlockReader::Section(uint8_t id, std::string* bytes) {
  if (!error_.empty()) return false;
  const auto it = std::find_if(header_.sections.begin(), header_.sections.end(),
                               [id](const SectionInfo& s) { return s.id == id; });
  if (it == header_.sections.end()) return Damaged("a section is missing");
  if (!fetch_(*it, bytes)) return Damaged("a section cannot be read");
  if (bytes->size() != it->size || ShortSha256(AsBytes(*bytes)) != it->digest) {
    return Damaged("a section does not match its digest");
  }
  return true;
}

uint32_t BlockReader::RowsOf(uint32_t chunk) const {
  return std::min(header_.chunk_rows, header_.rows - chunk * header_.chunk_rows);
}

bool BlockReader::LoadNames() {
  if (names_loaded_) return error_.empty();
  std::string bytes;
  if (!Section(kSectionNames, &bytes)) return false;
  ColumnReader in(AsBytes(bytes));
  if (!UnpackNames(in) || !in.Done()) return Damaged("names");
  names_loaded_ = true;
  return true;
}

bool BlockReader::UnpackNames(ColumnReader& in) {
  size_t count = 0;
  std::vector<uint64_t> prefixes;
  std::vector<uint64_t> suffixes;
  std::string heap;
  const size_t limit = std::min<size_t>(kMaxEntries, size_t{header_.rows} * (2 + kMaxAnswerItems));
  if (!in.Count(limit, &count) || !in.Numbers(count, dns::kMaxNameKeySize, &prefixes) ||
      !in.Numbers(count, dns::kMaxNameKeySize, &suffixes) || !in.Heap(kMaxHeap, &heap)) {
    return false;
  }
  uint64_t total = 0;
  for (size_t i = 0; i < count; ++i) total += prefixes[i] + suffixes[i];
  if (total > kMaxHeap) return false;
  name_keys_.resize(total);
  name_at_.resize(count + 1);
  size_t from = 0;
  size_t at = 0;
  size_t before = 0;
  for (size_t i = 0; i < count; ++i) {
    if (prefixes[i] > at - before || suffixes[i] > heap.size() - from) return false;
    name_at_[i] = static_cast<uint32_t>(at);
    std::memcpy(name_keys_.data() + at, name_keys_.data() + before, prefixes[i]);
    std::memcpy(name_keys_.data() + at + prefixes[i], heap.data() + from, suffixes[i]);
    before = at;
    at += prefixes[i] + suffixes[i];
    from += suffixes[i];
  }
  name_at_[count] = static_cast<uint32_t>(at);
  name_count_ = static_cast<uint32_t>(count);
  return from == heap.size();
}

namespace {

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

bool BlockReader::NamesAreKeysInOrder() const {
  for (uint32_t i = 0; i < name_count_; ++i) {
    if (!IsNameKey(NameKeyAt(i)) || (i > 0 && NameKeyAt(i) <= NameKeyAt(i - 1))) return false;
  }
  return true;
}

uint32_t BlockReader::NameLowerBound(std::string_view key) const {
  uint32_t low = 0;
  uint32_t high = name_count_;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (NameKeyAt(middle) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

dns::Name BlockReader::NameOf(uint32_t id) const {
  auto name = dns::NameFromKey(NameKeyAt(id));
  return name ? std::move(*name) : dns::Name();
}

bool BlockReader::LoadTexts() {
  if (texts_loaded_) return error_.empty();
  std::string bytes;
  if (!Section(kSectionTexts, &bytes)) return false;
  ColumnReader in(AsBytes(bytes));
  size_t count = 0;
  std::vector<uint64_t> sizes;
  std::string heap;
  if (!in.Count(size_t{header_.rows} * 3 + 1, &count) || count == 0 || !in.Numbers(count, 0xffff, &sizes) ||
      !in.Heap(kMaxHeap, &heap) || !in.Done()) {
    return Damaged("texts");
  }
  size_t at = 0;
  for (const uint64_t size : sizes) {
    if (size > heap.size() - at) return Damaged("texts");
    texts_.push_back(heap.substr(at, size));
    at += size;
  }
  if (at != heap.size()) return Damaged("texts");
  texts_loaded_ = true;
  return true;
}

bool BlockReader::LoadAskers() {
  if (askers_loaded_) return error_.empty();
  if (!LoadTexts()) return false;
  std::string bytes;
  if (!Section(kSectionAskers, &bytes)) return false;
  ColumnReader in(AsBytes(bytes));
  size_t count = 0;
  std::vector<uint64_t> high;
  std::vector<uint64_t> low;
  std::vector<uint64_t> agency;
  if (!in.Count(header_.rows, &count) || !in.Numbers(count, kAny, &high) || !in.Numbers(count, kAny, &low) ||
      !in.Numbers(count, texts_.size() - 1, &agency) || !in.Done()) {
    return Damaged("askers");
  }
  askers_.resize(count);
  Undelta h;
  Undelta l;
  for (size_t i = 0; i < count; ++i) {
    PutBigEndian(h(high[i]), askers_[i].address.data(), 8);
    PutBigEndian(l(low[i]), askers_[i].address.data() + 8, 8);
    askers_[i].agency = static_cast<uint32_t>(agency[i]);
  }
  askers_loaded_ = true;
  return true;
}

bool BlockReader::LoadManners() {
  if (manners_loaded_) return error_.empty();
  std::string bytes;
  if (!Section(kSectionManners, &bytes)) return false;
  ColumnReader in(AsBytes(bytes));
  size_t count = 0;
  std::vector<uint64_t> generation;
  std::vector<uint64_t> flags;
  std::vector<uint64_t> way;
  if (!in.Count(header_.rows, &count) || !in.Numbers(count, kAny, &generation) ||
      !in.Numbers(count, 0xffff, &flags) || !in.Numbers(count, 0xff, &way) || !in.Done()) {
    return Damaged("manners");
  }
  manners_.resize(count);
  Undelta g;
  for (size_t i = 0; i < count; ++i) {
    manners_[i] = {g(generation[i]), static_cast<uint16_t>(flags[i]), static_cast<uint8_t>(way[i] / 16),
                   static_cast<uint8_t>(way[i] % 16), 0};
  }
  manners_loaded_ = true;
  return true;
}

bool BlockReader::LoadAnswers() {
  if (answers_loaded_) return error_.empty();
  if (!LoadNames()) return false;
  std::string bytes;
  if (!Section(kSectionAnswers, &bytes)) return false;
  ColumnReader in(AsBytes(bytes));
  size_t count = 0;
  std::vector<uint64_t> items;
  if (!in.Count(header_.rows, &count) || !in.Numbers(count, kMaxAnswerItems, &items) ||
      !UnpackItems(in, items) || !in.Done()) {
    return Damaged("answers");
  }
  answers_loaded_ = true;
  return SetsFit();
}

bool BlockReader::UnpackItems(ColumnReader& in, const std::vector<uint64_t>& counts) {
  uint64_t total = 0;
  for (const uint64_t n : counts) total += n;
  std::vector<uint64_t> kinds;
  if (!in.Numbers(total, 4 * 0xffff + 3, &kinds)) return false;
  std::array<size_t, 4> of_kind{};
  for (const uint64_t k : kinds) ++of_kind[k % 4];
  std::vector<uint64_t> v4, v6_high, v6_low, names, sizes;
  std::string heap;
  if (!in.Numbers(of_kind[0], UINT32_MAX, &v4) || !in.Numbers(of_kind[1], kAny, &v6_high) ||
      !in.Numbers(of_kind[1], kAny, &v6_low) ||
      !in.Numbers(of_kind[2], name_count_ == 0 ? 0 : name_count_ - 1, &names) ||
      (name_count_ == 0 && of_kind[2] > 0) || !in.Numbers(of_kind[3], 0xffff, &sizes) ||
      !in.Heap(kMaxHeap, &heap)) {
    return false;
  }
  sets_.assign({0, 0});  // set 0 is empty
  std::array<size_t, 4> at{};
  size_t heap_at = 0;
  size_t item = 0;
  for (const uint64_t n : counts) {
    for (uint64_t i = 0; i < n; ++i, ++item) {
      const auto type = static_cast<uint16_t>(kinds[item] / 4);
      const auto kind = static_cast<ItemKind>(kinds[item] % 4);
      const size_t k = at[kinds[item] % 4]++;
      set_bytes_.append(KeyBytes(type));
      set_bytes_.push_back(static_cast<char>(kind));
      uint8_t address[16];
      if (kind == ItemKind::kV4) {
        PutBigEndian(v4[k], address, 4);
        set_bytes_.append(reinterpret_cast<const char*>(address), 4);
      } else if (kind == ItemKind::kV6) {
        PutBigEndian(v6_high[k], address, 8);
        PutBigEndian(v6_low[k], address + 8, 8);
        set_bytes_.append(reinterpret_cast<const char*>(address), 16);
      } else if (kind == ItemKind::kName) {
        set_bytes_.append(KeyBytes(static_cast<uint32_t>(names[k])));
      } else {
        if (sizes[k] > heap.size() - heap_at) return false;
        set_bytes_.append(KeyBytes(static_cast<uint16_t>(sizes[k])));
        set_bytes_.append(heap, heap_at, sizes[k]);
        heap_at += sizes[k];
      }
    }
    sets_.push_back(static_cast<uint32_t>(set_bytes_.size()));
  }
  return heap_at == heap.size();
}

// Answers are the costly dictionary, and many questions can do without: exchanges are unpacked alone, and
// whichever of the two comes second checks that they belong together.
bool BlockReader::SetsFit() {
  if (!answers_loaded_ || !exchanges_loaded_ || last_set_ < answer_sets()) return true;
  return Damaged("exchanges");
}

bool BlockReader::LoadExchanges() {
  if (exchanges_loaded_) return error_.empty();
  if (!LoadTexts() || !LoadNames()) return false;
  std::string bytes;
  if (!Section(kSectionExchanges, &bytes)) return false;
  ColumnReader in(AsBytes(bytes));
  size_t n = 0;
  std::array<std::vector<uint64_t>, 15> c;
  const uint64_t text = texts_.size() - 1;
  const std::array<uint64_t, 15> max = {kAny,   name_count_, header_.rows + uint64_t{1},
                                        text,   text,        0xffff,
                                        0xffff, 0xffff,      0xffff,
                                        0xffff, 0xff,        0xff,
                                        0xff,   0x1ff,       0xffff};
  if (!in.Count(header_.rows, &n)) return Damaged("exchanges");
  for (size_t i = 0; i < c.size(); ++i) {
    if (!in.Numbers(n, max[i], &c[i])) return Damaged("exchanges");
  }
  if (!in.Done()) return Damaged("exchanges");
  exchanges_.resize(n);
  Undelta name;
  uint64_t sets = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint64_t id = name(c[0][i]);
    const uint64_t set = c[2][i] == 0 ? 0 : c[2][i] == 1 ? sets + 1 : c[2][i] - 1;
    if (id >= name_count_) return Damaged("exchanges");
    sets = std::max(sets, set);
    exchanges_[i] = {.name = static_cast<uint32_t>(id),
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
  base_sizes_ = std::move(c[14]);
  last_set_ = sets;
  exchanges_loaded_ = true;
  return SetsFit();
}

const std::vector<uint64_t>* BlockReader::ChunkExchangeIds(uint32_t chunk) {
  if (exchange_chunk_ == chunk && error_.empty()) return &exchange_ids_;
  if (!LoadExchanges()) return nullptr;
  std::string bytes;
  if (!Section(ChunkExchanges(chunk), &bytes)) return nullptr;
  ColumnReader in(AsBytes(bytes));
  exchange_chunk_ = kNoChunk;
  if (exchanges_.empty() || !in.Numbers(RowsOf(chunk), exchanges_.size() - 1, &exchange_ids_) || !in.Done()) {
    Damaged("rows");
    return nullptr;
  }
  exchange_chunk_ = chunk;
  return &exchange_ids_;
}

const std::vector<uint64_t>* BlockReader::ChunkAskerIds(uint32_t chunk) {
  if (asker_chunk_ == chunk && error_.empty()) return &asker_ids_;
  if (!LoadAskers()) return nullptr;
  std::string bytes;
  if (!Section(ChunkAskers(chunk), &bytes)) return nullptr;
  ColumnReader in(AsBytes(bytes));
  asker_chunk_ = kNoChunk;
  if (askers_.empty() || !in.Numbers(RowsOf(chunk), askers_.size() - 1, &asker_ids_) || !in.Done()) {
    Damaged("rows");
    return nullptr;
  }
  asker_chunk_ = chunk;
  return &asker_ids_;
}

const BlockReader::Rest* BlockReader::ChunkRestColumns(uint32_t chunk) {
  if (rest_chunk_ == chunk && error_.empty()) return &rest_;
  if (ChunkExchangeIds(chunk) == nullptr || !LoadManners()) return nullptr;
  std::string bytes;
  if (!Section(ChunkRest(chunk), &bytes)) return nullptr;
  ColumnReader in(AsBytes(bytes));
  rest_chunk_ = kNoChunk;
  if (!UnpackRest(in, chunk) || !in.Done()) {
    Damaged("rows");
    return nullptr;
  }
  rest_chunk_ = chunk;
  return &rest_;
}

bool BlockReader::UnpackRest(ColumnReader& in, uint32_t chunk) {
  const uint32_t n = RowsOf(chunk);
  std::vector<uint64_t> times;
  if (manners_.empty() || header_.sources.empty()) return false;
  if (!in.Numbers(n, manners_.size() - 1, &rest_.manner) || !in.Numbers(n, kAny, &times) ||
      !in.Numbers(n, header_.sources.size() - 1, &rest_.source) || !in.Numbers(n, kAny, &rest_.sequence) ||
      !in.Numbers(n, 0xffff, &rest_.port) || !in.Numbers(n, UINT32_MAX, &rest_.latency_us) ||
      !in.Numbers(n, 0x1ffff, &rest_.response_size)) {
    return false;
  }
  rest_.time_us.resize(n);
  std::vector<uint64_t> expected(header_.sources.size());
  for (size_t s = 0; s < expected.size(); ++s) expected[s] = header_.sources[s].first_sequence;
  Undelta time;
  for (uint32_t i = 0; i < n; ++i) {
    const auto t = static_cast<int64_t>(static_cast<uint64_t>(header_.first_us) + time(times[i]));
    if (t < header_.first_us || t > header_.last_us) return false;
    rest_.time_us[i] = t;
    uint64_t& e = expected[rest_.source[i]];
    rest_.sequence[i] = e + static_cast<uint64_t>(UnZigZag(rest_.sequence[i]));
    e = rest_.sequence[i] + 1;
    const int64_t size = UnZigZag(rest_.response_size[i]) + BaseSize(static_cast<uint32_t>(exchange_ids_[i]));
    if (size < 0 || size > 0xffff) return false;
    rest_.response_size[i] = static_cast<uint64_t>(size);
  }
  return true;
}

}  // namespace sekisho::record
