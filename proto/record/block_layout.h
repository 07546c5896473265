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
#include <vector>

namespace sekisho::record {

// A section's id is its kind and its number among those of the kind. Dictionaries are cut in pages and rows
// in chunks, so that a question unpacks only what it needs.
enum class SectionKind : uint8_t {
  kNames = 1,
  kTexts = 2,
  kAskers = 3,
  kManners = 4,
  kAnswers = 5,
  kExchanges = 6,
  kDirectory = 7,
  kTerms = 8,
  kAddresses = 9,
  kRowExchanges = 16,
  kRowAskers = 17,
  kRowRest = 18,
};
inline constexpr uint32_t SectionId(SectionKind kind, uint32_t number = 0) {
  return static_cast<uint32_t>(kind) << 16 | number;
}
inline constexpr SectionKind KindOf(uint32_t section_id) {
  return static_cast<SectionKind>(section_id >> 16 & 0xff);
}

inline constexpr uint32_t kMaxChunks = 1024;
inline constexpr uint32_t kPageEntries = 2048;
// Rows name the first entries with one byte, the others behind this one.
inline constexpr uint32_t kEscaped = 255;
// An entry used by more rows than these is looked for in every chunk.
inline constexpr uint32_t kMaxPlaced = 8;

// Exchanges are in three classes by how often they are used, each ordered by name: an id below 255 needs one
// byte in the rows' column, one below 65,535 two. A page holds exchanges of one class.
class ExchangePages {
 public:
  ExchangePages() = default;
  explicit ExchangePages(uint32_t count)
      : ends_{count <= 256 ? count : 255, count <= 65536 ? count : 65535, count} {}

  uint32_t class_end(uint32_t c) const { return ends_[c]; }
  uint32_t class_begin(uint32_t c) const { return c == 0 ? 0 : ends_[c - 1]; }
  uint32_t count() const { return FirstPage(3); }
  // The first page of a class.
  uint32_t FirstPage(uint32_t c) const {
    uint32_t pages = 0;
    for (uint32_t i = 0; i < c; ++i) pages += (ends_[i] - class_begin(i) + kPageEntries - 1) / kPageEntries;
    return pages;
  }
  uint32_t PageOf(uint32_t id) const {
    const uint32_t c = id < ends_[0] ? 0 : id < ends_[1] ? 1 : 2;
    return FirstPage(c) + (id - class_begin(c)) / kPageEntries;
  }
  uint32_t Begin(uint32_t page) const {
    uint32_t c = 2;
    while (c > 0 && page < FirstPage(c)) --c;
    return class_begin(c) + (page - FirstPage(c)) * kPageEntries;
  }
  uint32_t End(uint32_t page) const {
    uint32_t c = 2;
    while (c > 0 && page < FirstPage(c)) --c;
    const uint32_t begin = class_begin(c) + (page - FirstPage(c)) * kPageEntries;
    return begin + kPageEntries < ends_[c] ? begin + kPageEntries : ends_[c];
  }

 private:
  std::array<uint32_t, 3> ends_{};
};

// How many rows use each entry of a dictionary, and in which chunks they are.
struct Uses {
  std::vector<uint32_t> rows;
  std::vector<uint32_t> at;      // the places of entry i are [at[i], at[i + 1]); none: anywhere
  std::vector<uint16_t> places;  // chunk numbers, ascending
};

// Kinds of terms: what a few exchanges of a block have in common.
enum class TermKind : uint8_t { kFeed = 'f', kAction = 'v', kRcode = 'r', kType = 't', kRule = 'u' };

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

// The key of the rule's name: the first (rightmost) labels of the key of the name that met it.
inline std::string_view RuleKey(std::string_view key, uint8_t labels) {
  size_t end = 0;
  for (uint8_t label = 0; label < labels && end < key.size(); ++label) {
    const size_t zero = key.find('\0', end);
    end = zero == std::string_view::npos ? key.size() : zero + 1;
  }
  return key.substr(0, end);
}

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
