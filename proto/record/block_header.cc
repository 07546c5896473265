//   block   := frame | header | section*                      fixed numbers little-endian, the others LEB128
//   frame   := u32 magic | u32 total size | u32 header size | 16 bytes SHA-256/2 of the header
//   header  := version | number | 32 bytes previous | rows | chunk rows | zigzag first µs | last − first µs
//              | source count | source* | section count | info*
//   source  := node | boot | worker | first | last − first | count | lost
//   info    := u8 id | size | 16 bytes SHA-256/2 of the section
#include "proto/record/block_header.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "proto/record/column.h"

namespace sekisho::record {
namespace {

constexpr uint64_t kVersion = 2;

void PutFixed32(std::string* out, size_t v) {
  for (int i = 0; i < 4; ++i) out->push_back(static_cast<char>(v >> (8 * i)));
}

uint32_t Fixed32(std::span<const uint8_t> b, size_t at) {
  return static_cast<uint32_t>(b[at]) | static_cast<uint32_t>(b[at + 1]) << 8 |
         static_cast<uint32_t>(b[at + 2]) << 16 | static_cast<uint32_t>(b[at + 3]) << 24;
}

template <size_t N>
void PutDigest(std::string* out, const std::array<uint8_t, N>& d) {
  out->append(reinterpret_cast<const char*>(d.data()), N);
}

template <size_t N>
bool TakeDigest(std::span<const uint8_t>* in, std::array<uint8_t, N>* d) {
  if (in->size() < N) return false;
  std::copy_n(in->begin(), N, d->begin());
  *in = in->subspan(N);
  return true;
}

bool TakeSource(std::span<const uint8_t>* in, SourceRange* s) {
  uint64_t node = 0;
  uint64_t worker = 0;
  uint64_t span = 0;
  if (!TakeVarint(in, &node) || !TakeVarint(in, &s->boot) || !TakeVarint(in, &worker) ||
      !TakeVarint(in, &s->first_sequence) || !TakeVarint(in, &span) || !TakeVarint(in, &s->count) ||
      !TakeVarint(in, &s->lost)) {
    return false;
  }
  if (node > UINT32_MAX || worker > UINT16_MAX || span > UINT64_MAX - s->first_sequence) return false;
  s->node = static_cast<uint32_t>(node);
  s->worker = static_cast<uint16_t>(worker);
  s->last_sequence = s->first_sequence + span;
  return true;
}

bool TakeSources(std::span<const uint8_t>* in, BlockHeader* h) {
  uint64_t count = 0;
  if (!TakeVarint(in, &count) || count > kMaxSources) return false;
  uint64_t rows = 0;
  for (uint64_t i = 0; i < count; ++i) {
    SourceRange s;
    if (!TakeSource(in, &s) || s.count > h->rows - rows) return false;
    rows += s.count;
    h->sources.push_back(s);
  }
  return rows == h->rows;
}

bool TakeSections(std::span<const uint8_t>* in, BlockHeader* h) {
  uint64_t count = 0;
  if (!TakeVarint(in, &count) || count > kMaxSections) return false;
  uint64_t total = 0;
  uint32_t before = 0;
  for (uint64_t i = 0; i < count; ++i) {
    SectionInfo s;
    uint64_t step = 0;
    if (!TakeVarint(in, &step) || step == 0 || step > 0xffffff - before) return false;
    s.id = before = static_cast<uint32_t>(before + step);
    if (!TakeVarint(in, &s.size) || s.size > kMaxBlockSize - total || !TakeDigest(in, &s.digest))
      return false;
    total += s.size;
    h->sections.push_back(s);
  }
  return true;
}

}  // namespace

Digest Sha256(std::span<const uint8_t> bytes) {
  Digest out{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, EVP_sha256(), nullptr);
  return out;
}

ShortDigest ShortSha256(std::span<const uint8_t> bytes) {
  const Digest whole = Sha256(bytes);
  ShortDigest out{};
  std::copy_n(whole.begin(), out.size(), out.begin());
  return out;
}

uint64_t BlockHeader::lost() const {
  uint64_t sum = 0;
  for (const SourceRange& s : sources) sum += s.lost;
  return sum;
}

std::string EncodeHeader(const BlockHeader& h) {
  std::string out;
  PutVarint(&out, kVersion);
  PutVarint(&out, h.number);
  PutDigest(&out, h.previous);
  PutVarint(&out, h.rows);
  PutVarint(&out, h.chunk_rows);
  PutVarint(&out, ZigZag(h.first_us));
  PutVarint(&out, static_cast<uint64_t>(h.last_us) - static_cast<uint64_t>(h.first_us));
  PutVarint(&out, h.sources.size());
  for (const SourceRange& s : h.sources) {
    PutVarint(&out, s.node);
    PutVarint(&out, s.boot);
    PutVarint(&out, s.worker);
    PutVarint(&out, s.first_sequence);
    PutVarint(&out, s.last_sequence - s.first_sequence);
    PutVarint(&out, s.count);
    PutVarint(&out, s.lost);
  }
  PutVarint(&out, h.sections.size());
  uint32_t before = 0;
  for (const SectionInfo& s : h.sections) {
    PutVarint(&out, s.id - before);
    before = s.id;
    PutVarint(&out, s.size);
    PutDigest(&out, s.digest);
  }
  return out;
}

std::optional<BlockHeader> DecodeHeader(std::span<const uint8_t> in) {
  BlockHeader h;
  uint64_t version = 0;
  uint64_t rows = 0;
  uint64_t chunk_rows = 0;
  uint64_t first = 0;
  uint64_t span = 0;
  if (in.size() > kMaxHeaderSize || !TakeVarint(&in, &version) || version != kVersion) return std::nullopt;
  if (!TakeVarint(&in, &h.number) || !TakeDigest(&in, &h.previous) || !TakeVarint(&in, &rows) ||
      !TakeVarint(&in, &chunk_rows) || !TakeVarint(&in, &first) || !TakeVarint(&in, &span)) {
    return std::nullopt;
  }
  if (rows == 0 || rows > kMaxBlockRows || chunk_rows == 0 || chunk_rows > kMaxBlockRows) return std::nullopt;
  h.rows = static_cast<uint32_t>(rows);
  h.chunk_rows = static_cast<uint32_t>(chunk_rows);
  h.first_us = UnZigZag(first);
  if (h.first_us > 0 && span > static_cast<uint64_t>(INT64_MAX - h.first_us)) return std::nullopt;
  h.last_us = static_cast<int64_t>(static_cast<uint64_t>(h.first_us) + span);
  if (h.last_us < h.first_us) return std::nullopt;
  if (!TakeSources(&in, &h) || !TakeSections(&in, &h) || !in.empty()) return std::nullopt;
  return h;
}

FrameState ReadFrame(std::span<const uint8_t> bytes, FramedHeader* out) {
  if (bytes.size() < 4) return FrameState::kShort;
  if (Fixed32(bytes, 0) != kBlockMagic) return FrameState::kBad;
  if (bytes.size() < kFrameSize) return FrameState::kShort;
  const size_t total = Fixed32(bytes, 4);
  const size_t header_size = Fixed32(bytes, 8);
  if (header_size > kMaxHeaderSize || total > kMaxBlockSize || total < kFrameSize + header_size)
    return FrameState::kBad;
  if (bytes.size() < kFrameSize + header_size) return FrameState::kShort;
  const auto header_bytes = bytes.subspan(kFrameSize, header_size);
  out->digest = Sha256(header_bytes);
  if (!std::equal(out->digest.begin(), out->digest.begin() + 16, bytes.begin() + 12)) return FrameState::kBad;
  auto header = DecodeHeader(header_bytes);
  if (!header) return FrameState::kBad;
  size_t sum = kFrameSize + header_size;
  for (const SectionInfo& s : header->sections) sum += s.size;
  if (sum != total) return FrameState::kBad;
  out->header = std::move(*header);
  out->header_size = header_size;
  out->total_size = total;
  return FrameState::kGood;
}

std::string WriteFrame(const BlockHeader& header, std::span<const std::string> sections, Digest* digest) {
  const std::string encoded = EncodeHeader(header);
  size_t total = kFrameSize + encoded.size();
  for (const std::string& s : sections) total += s.size();
  *digest = Sha256({reinterpret_cast<const uint8_t*>(encoded.data()), encoded.size()});
  std::string out;
  out.reserve(total);
  PutFixed32(&out, kBlockMagic);
  PutFixed32(&out, total);
  PutFixed32(&out, encoded.size());
  out.append(reinterpret_cast<const char*>(digest->data()), 16);
  out += encoded;
  for (const std::string& s : sections) out += s;
  return out;
}

}  // namespace sekisho::record
