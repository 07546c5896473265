// BlockHeader: what a block says about itself before any row is unpacked — its place in the chain, its time
// range, whose lookups it holds, how many were lost, and where its sections are.
//
//   header bytes → SHA-256 → the next block's `previous`: a chain that no block can leave unseen
//   each section's digest stands in the header, so one section can be fetched and checked alone
//
// Threads: values. Limits: kMaxBlockRows rows, kMaxSources sources, kMaxSections sections; a header is at
// most kMaxHeaderSize bytes. Standards: FIPS 180-4. The bytes are described in FORMAT.md.
#ifndef SEKISHO_PROTO_RECORD_BLOCK_HEADER_H_
#define SEKISHO_PROTO_RECORD_BLOCK_HEADER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sekisho::record {

inline constexpr uint32_t kBlockMagic = 0x324b4253;  // "SBK2"
inline constexpr size_t kFrameSize = 28;             // magic, total size, header size, header digest
inline constexpr uint32_t kMaxBlockRows = 1 << 22;
inline constexpr size_t kMaxSources = 4096;
inline constexpr size_t kMaxSections = 1 << 15;
inline constexpr size_t kMaxHeaderSize = 1 << 20;
inline constexpr size_t kMaxBlockSize = 256 << 20;

using Digest = std::array<uint8_t, 32>;
using ShortDigest = std::array<uint8_t, 16>;  // a SHA-256 cut in half
Digest Sha256(std::span<const uint8_t> bytes);
ShortDigest ShortSha256(std::span<const uint8_t> bytes);

// One worker of one process, and which of its lookups are in the block.
struct SourceRange {
  uint32_t node = 0;
  uint64_t boot = 0;
  uint16_t worker = 0;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  uint64_t count = 0;
  uint64_t lost = 0;  // sequence numbers that are missing since the last block with this source
  friend bool operator==(const SourceRange&, const SourceRange&) = default;
};

struct SectionInfo {
  uint32_t id = 0;
  uint64_t size = 0;
  ShortDigest digest{};
  friend bool operator==(const SectionInfo&, const SectionInfo&) = default;
};

struct BlockHeader {
  uint64_t number = 0;  // counts blocks of a chain from 1
  Digest previous{};    // of the block before in the chain; zeros for the first
  uint32_t rows = 0;
  uint32_t chunk_rows = 0;  // rows of every chunk but the last
  int64_t first_us = 0;     // the earliest and the latest time in the block
  int64_t last_us = 0;
  std::vector<SourceRange> sources;
  std::vector<SectionInfo> sections;

  uint32_t chunks() const { return chunk_rows == 0 ? 0 : (rows + chunk_rows - 1) / chunk_rows; }
  uint64_t lost() const;
  friend bool operator==(const BlockHeader&, const BlockHeader&) = default;
};

std::string EncodeHeader(const BlockHeader& header);
// Checks every bound; nothing when the bytes are not a header.
std::optional<BlockHeader> DecodeHeader(std::span<const uint8_t> bytes);

// A whole block as one run: frame | header | sections. `digest` becomes the link for the next block.
struct FramedHeader {
  BlockHeader header;
  Digest digest{};
  size_t header_size = 0;
  size_t total_size = 0;
};
enum class FrameState : uint8_t { kGood, kShort /* more bytes are needed */, kBad };
// Looks at the front of `bytes`; kGood when frame and header are whole and their digest holds (sections may
// be short).
FrameState ReadFrame(std::span<const uint8_t> bytes, FramedHeader* out);
std::string WriteFrame(const BlockHeader& header, std::span<const std::string> sections, Digest* digest);

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_BLOCK_HEADER_H_
