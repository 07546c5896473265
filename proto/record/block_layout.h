// Block layout: the numbers and structures that the builder and the reader of blocks share. FORMAT.md tells
// the story.
//
// A row is cut in three: the *exchange* (what was asked and what became of it), the *asker* (who), and the
// *manner* (flags, transport, origin, snapshot generation). Each is a dictionary; a row is three small
// numbers and its time, port, latency and sequence.
//
// Threads: values.
#ifndef SEKISHO_PROTO_RECORD_BLOCK_LAYOUT_H_
#define SEKISHO_PROTO_RECORD_BLOCK_LAYOUT_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sekisho::record {

// Section ids. A chunk has three sections, so that a filter unpacks only the column it needs.
inline constexpr uint8_t kSectionNames = 1;
inline constexpr uint8_t kSectionTexts = 2;
inline constexpr uint8_t kSectionAskers = 3;
inline constexpr uint8_t kSectionManners = 4;
inline constexpr uint8_t kSectionAnswers = 5;
inline constexpr uint8_t kSectionExchanges = 6;
inline constexpr uint8_t kSectionChunks = 16;
inline constexpr uint32_t kMaxChunks = 64;
inline constexpr uint8_t ChunkExchanges(uint32_t chunk) {
  return static_cast<uint8_t>(kSectionChunks + 3 * chunk);
}
inline constexpr uint8_t ChunkAskers(uint32_t chunk) {
  return static_cast<uint8_t>(kSectionChunks + 3 * chunk + 1);
}
inline constexpr uint8_t ChunkRest(uint32_t chunk) {
  return static_cast<uint8_t>(kSectionChunks + 3 * chunk + 2);
}

inline constexpr uint32_t kMaxEntries = 1 << 23;       // of one dictionary
inline constexpr size_t kMaxHeap = size_t{256} << 20;  // bytes of one heap

// No padding in these: their bytes are dictionary keys.
struct Asker {
  std::array<uint8_t, 16> address;  // mapped form
  uint32_t agency;                  // text
};
static_assert(sizeof(Asker) == 20);

struct Manner {
  uint64_t generation;
  uint16_t flags;
  uint8_t origin;
  uint8_t transport;
  uint32_t zero;
};
static_assert(sizeof(Manner) == 16);

struct Exchange {
  uint32_t name;
  uint32_t trigger_name;  // name + 1; 0: the root
  uint32_t answers;       // answer set
  uint32_t feeds;         // text
  uint32_t category;      // text
  uint16_t qtype;
  uint16_t qclass;
  uint16_t rcode;
  uint16_t ede;
  uint16_t answers_cut;
  uint8_t security;
  uint8_t action;
  uint8_t trigger;
  uint8_t rule_labels;
  uint8_t rule_subtree;
  uint8_t zero;
};
static_assert(sizeof(Exchange) == 36);

// How an answer item's data are kept.
enum class ItemKind : uint8_t { kV4 = 0, kV6 = 1, kName = 2, kOther = 3 };
// In memory an answer set is a run of items: u16 type | u8 kind | 4 bytes, 16 bytes, u32 name, or u16 size
// and bytes.

template <typename T>
std::string_view KeyBytes(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}
template <typename T>
T FromKeyBytes(std::string_view bytes) {
  T out;
  std::memcpy(&out, bytes.data(), sizeof(out));
  return out;
}

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_BLOCK_LAYOUT_H_
