// Unpacking what has no pages, and the columns of rows; block_pages.cc unpacks the rest and block_rows.cc
// puts rows together.
#include "proto/record/block_reader.h"

#include <algorithm>
#include <cstring>

#include "proto/base/bytes.h"
#include "proto/record/block_unpack.h"
#include "proto/record/column.h"

namespace sekisho::record {

std::unique_ptr<BlockReader> BlockReader::Open(std::span<const uint8_t> bytes, std::string* error) {
  FramedHeader framed;
  if (ReadFrame(bytes, &framed) != FrameState::kGood || framed.total_size != bytes.size()) {
    *error = "not a whole block";
    return nullptr;
  }
  size_t next = kFrameSize + framed.header_size;
  auto reader = Open(std::move(framed.header), nullptr);
  reader->whole_ = bytes;
  for (const SectionInfo& s : reader->header_.sections) {
    reader->offsets_.push_back(next);
    next += s.size;
  }
  return reader;
}

std::unique_ptr<BlockReader> BlockReader::Open(BlockHeader header, Fetch fetch) {
  return std::unique_ptr<BlockReader>(new BlockReader(std::move(header), std::move(fetch)));
}

bool BlockReader::Damaged(const char* what) {
  if (error_.empty()) error_ = std::string("damaged block: ") + what;
  return false;
}

bool BlockReader::Section(SectionKind kind, uint32_t number, std::string* keep,
                          std::span<const uint8_t>* bytes) {
  if (!error_.empty()) return false;
  const uint32_t id = SectionId(kind, number);
  const auto it = std::lower_bound(header_.sections.begin(), header_.sections.end(), id,
                                   [](const SectionInfo& s, uint32_t wanted) { return s.id < wanted; });
  if (number > 0xffff || it == header_.sections.end() || it->id != id) return Damaged("a section is missing");
  if (fetch_) {
    if (!fetch_(*it, keep)) return Damaged("a section cannot be read");
    *bytes = AsBytes(*keep);
  } else {
    *bytes = whole_.subspan(offsets_[static_cast<size_t>(it - header_.sections.begin())], it->size);
  }
  if (bytes->size() != it->size || ShortSha256(*bytes) != it->digest) {
    return Damaged("a section does not match its digest");
  }
  return true;
}

uint32_t BlockReader::RowsOf(uint32_t chunk) const {
  return std::min(header_.chunk_rows, header_.rows - chunk * header_.chunk_rows);
}

bool BlockReader::LoadTexts() {
  if (texts_loaded_) return error_.empty();
  std::span<const uint8_t> bytes;
  if (!Section(SectionKind::kTexts, 0, &scratch_, &bytes)) return false;
  ColumnReader in(bytes);
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
  std::span<const uint8_t> bytes;
  if (!Section(SectionKind::kAskers, 0, &scratch_, &bytes)) return false;
  ColumnReader in(bytes);
  size_t count = 0;
  std::vector<uint64_t> high;
  std::vector<uint64_t> low;
  std::vector<uint64_t> agency;
  if (!in.Count(header_.rows, &count) || !in.Numbers(count, kAny, &high) || !in.Numbers(count, kAny, &low) ||
      !in.Numbers(count, texts_.size() - 1, &agency) || !TakeUses(in, count, header_, &asker_uses_) ||
      !in.Done()) {
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
  std::span<const uint8_t> bytes;
  if (!Section(SectionKind::kManners, 0, &scratch_, &bytes)) return false;
  ColumnReader in(bytes);
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

const std::vector<uint32_t>* BlockReader::ChunkExchangeIds(uint32_t chunk) {
  if (exchange_chunk_ == chunk && error_.empty()) return &exchange_ids_;
  if (!LoadDirectory()) return nullptr;
  std::span<const uint8_t> bytes;
  if (!Section(SectionKind::kRowExchanges, chunk, &scratch_, &bytes)) return nullptr;
  ColumnReader in(bytes);
  exchange_chunk_ = kNoChunk;
  if (exchange_count_ == 0 || !UnpackIds(in, chunk, &exchange_ids_) || !in.Done()) {
    Damaged("rows");
    return nullptr;
  }
  exchange_chunk_ = chunk;
  return &exchange_ids_;
}

const std::vector<uint32_t>* BlockReader::ChunkAskerIds(uint32_t chunk) {
  if (asker_chunk_ == chunk && error_.empty()) return &asker_ids_;
  if (!LoadAskers()) return nullptr;
  std::span<const uint8_t> bytes;
  if (!Section(SectionKind::kRowAskers, chunk, &scratch_, &bytes)) return nullptr;
  ColumnReader in(bytes);
  asker_chunk_ = kNoChunk;
  if (askers_.empty() || !in.Small(RowsOf(chunk), static_cast<uint32_t>(askers_.size() - 1), &asker_ids_) ||
      !in.Done()) {
    Damaged("rows");
    return nullptr;
  }
  asker_chunk_ = chunk;
  return &asker_ids_;
}

const BlockReader::Rest* BlockReader::ChunkRestColumns(uint32_t chunk) {
  if (rest_chunk_ == chunk && error_.empty()) return &rest_;
  if (!LoadManners() || !LoadDirectory()) return nullptr;
  std::span<const uint8_t> bytes;
  if (!Section(SectionKind::kRowRest, chunk, &scratch_, &bytes)) return nullptr;
  ColumnReader in(bytes);
  rest_chunk_ = kNoChunk;
  if (!UnpackRest(in, chunk) || !in.Done()) {
    Damaged("rows");
    return nullptr;
  }
  rest_chunk_ = chunk;
  return &rest_;
}

// ids := numbers(id, 255 for those above) | numbers(id − 255 of those)
bool BlockReader::UnpackIds(ColumnReader& in, uint32_t chunk, std::vector<uint32_t>* ids) {
  const uint32_t n = RowsOf(chunk);
  if (!in.Small(n, std::min<uint32_t>(exchange_count_ - 1, kEscaped), ids)) return false;
  const auto escaped = static_cast<size_t>(std::count(ids->begin(), ids->end(), kEscaped));
  if (escaped == 0) return true;
  std::vector<uint32_t> high;
  if (!in.Small(escaped, exchange_count_ - 1 - kEscaped, &high)) return false;
  size_t next = 0;
  for (uint32_t& id : *ids) {
    if (id == kEscaped) id += high[next++];
  }
  return true;
}

bool BlockReader::UnpackRest(ColumnReader& in, uint32_t chunk) {
  const uint32_t n = RowsOf(chunk);
  size_t unit = 0;
  std::vector<uint64_t> times;
  if (manners_.empty() || header_.sources.empty()) return false;
  if (!in.Planes(n, manners_.size() - 1, &rest_.manner) || !in.Count(1'000'000, &unit) || unit == 0 ||
      !in.Numbers(n, kAny, &times) || !in.Planes(n, header_.sources.size() - 1, &rest_.source) ||
      !in.Numbers(n, kAny, &rest_.sequence) || !in.Planes(n, 0xffff, &rest_.port) ||
      !in.Planes(n, UINT32_MAX, &rest_.latency_us) || !in.Planes(n, 0x1ffff, &rest_.size_delta)) {
    return false;
  }
  rest_.time_us.resize(n);
  std::vector<uint64_t> expected(header_.sources.size());
  for (size_t s = 0; s < expected.size(); ++s) expected[s] = header_.sources[s].first_sequence;
  int64_t time = chunk_first_us_[chunk];
  for (uint32_t i = 0; i < n; ++i) {
    if (times[i] > (static_cast<uint64_t>(ChunkLast(chunk)) - static_cast<uint64_t>(time)) / unit)
      return false;
    time = static_cast<int64_t>(static_cast<uint64_t>(time) + times[i] * unit);
    rest_.time_us[i] = time;
    if (i == 0 && times[0] != 0) return false;
    uint64_t& e = expected[rest_.source[i]];
    rest_.sequence[i] = e + static_cast<uint64_t>(UnZigZag(rest_.sequence[i]));
    e = rest_.sequence[i] + 1;
  }
  return true;
}

}  // namespace sekisho::record
