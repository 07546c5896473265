// The fixed parts of a trie file, as they lie in it (little-endian, like every machine we run on), and the
// hash of names that its tables are addressed by.
//
// Threads: values. Standards: FORMAT.md.
#ifndef SEKISHO_BLOCKLIST_TRIE_TRIE_FORMAT_H_
#define SEKISHO_BLOCKLIST_TRIE_TRIE_FORMAT_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sekisho::blocklist {

static_assert(std::endian::native == std::endian::little, "trie files are mapped as they are");

inline constexpr std::array<char, 8> kTrieMagic = {'S', 'K', 'T', 'R', 'I', 'E', '\r', '\n'};
inline constexpr uint32_t kTrieVersion = 4;

inline constexpr size_t kMaxTrieRules = size_t{1} << 27;
inline constexpr size_t kMaxTrieSources = size_t{1} << 24;
inline constexpr uint32_t kMaxPrefixes = 1u << 27;  // of one family
inline constexpr uint32_t kMaxPrefixIndexBits = 16;

// A block of rules: u8 (rules | kContinues), then entries bit by bit, lowest first.
inline constexpr size_t kBlockSize = 128;
inline constexpr size_t kBlockBits = 8 * kBlockSize;
inline constexpr uint8_t kBlockRules = 0x7f;  // 0: a long block, u32 place among the long keys, u32 attribute
inline constexpr uint8_t kBlockContinues = 0x80;  // the next block begins within the last rule's group

// A node with more rules at and below it is a branch; its children are looked up instead.
inline constexpr uint32_t kMaxGroup = 24;

// Codes of an entry's fields. The last symbol of each is its escape.
inline constexpr int kFieldBits = 10;  // of all three codes
inline constexpr size_t kFieldTable = size_t{1} << kFieldBits;
inline constexpr uint32_t kSharedEscape = 63;  // then 9 raw bits
inline constexpr int kSharedRawBits = 9;
inline constexpr uint32_t kLengthEscape = 255;  // then 10 raw bits
inline constexpr int kLengthRawBits = 10;
inline constexpr uint32_t kAttributeEscape = 255;  // then 27 raw bits
inline constexpr int kAttributeRawBits = 27;

// Names are coded byte by byte, each by the class of the one before it.
inline constexpr size_t kClasses = 40;
inline constexpr uint8_t kEndClass = 38;  // the byte that ends a label
inline constexpr uint8_t kEscapeClass =
    39;  // any byte without a class of its own; 8 raw bits follow its code
inline constexpr int kNameBits = 12;

inline constexpr std::array<uint8_t, 256> kClassOf = [] {
  std::array<uint8_t, 256> classes{};
  classes.fill(kEscapeClass);
  for (int i = 0; i < 26; ++i) classes[static_cast<size_t>('a' + i)] = static_cast<uint8_t>(i);
  for (int i = 0; i < 10; ++i) classes[static_cast<size_t>('0' + i)] = static_cast<uint8_t>(26 + i);
  classes['-'] = 36;
  classes['_'] = 37;
  classes[0] = kEndClass;
  return classes;
}();

// source << 3 | action << 1 | scope
using Attribute = uint32_t;

// How large the table of one family's address rules is.
struct PrefixShape {
  uint32_t count = 0;
  uint32_t index_bits = 0;

  bool IsSound() const {
    return count <= kMaxPrefixes && index_bits <= kMaxPrefixIndexBits && (count != 0 || index_bits == 0);
  }
  uint64_t IndexSize() const { return 4 * ((uint64_t{1} << index_bits) + 1); }
  uint64_t Size(size_t key) const {
    return count == 0 ? 0 : IndexSize() + uint64_t{count} * (key + 4 + 4 + 1);
  }
};

struct TrieHeader {
  std::array<char, 8> magic = kTrieMagic;
  uint32_t version = kTrieVersion;
  uint32_t header_size = 0;
  uint64_t checksum[2] = {0, 0};  // XXH3-128 of the whole file with this field zero
  uint64_t file_size = 0;
  uint64_t rules = 0;
  uint64_t seed = 0;
  uint32_t sources = 0;
  uint32_t source_bytes = 0;
  uint32_t root_block = 0;      // block of the root's own rules + 1; 0: none
  uint32_t branch_slots = 0;    // a power of two
  uint64_t map_slots = 0;       // of the locator map
  uint32_t map_segment = 0;     // slots a segment, a power of two
  uint32_t map_value_bits = 0;  // 8 of check and the bits of a block's number
  uint32_t blocks = 0;
  uint32_t long_bytes = 0;
  PrefixShape prefixes4;
  PrefixShape prefixes6;
  std::array<uint32_t, 256> attributes{};  // of the attribute codes; [255] unused
  std::array<uint16_t, kFieldTable> shared_table{};
  std::array<uint16_t, kFieldTable> length_table{};
  std::array<uint16_t, kFieldTable> attribute_table{};
  std::array<uint16_t, kClasses * kClasses> name_code{};
};
static_assert(sizeof(TrieHeader) % 8 == 0);

// Where the sections begin; each at a multiple of 128 bytes, and 128 zero bytes after the last.
struct TrieSections {
  uint64_t source_ends, sources, branches, map, blocks, long_keys, prefixes4, prefixes6, size;

  explicit TrieSections(const TrieHeader& header) {
    uint64_t at = sizeof(TrieHeader);
    const auto place = [&at](uint64_t bytes) {
      at = (at + 127) / 128 * 128;
      const uint64_t begin = at;
      at += bytes;
      return begin;
    };
    source_ends = place(uint64_t{12} * header.sources);
    sources = place(header.source_bytes);
    branches = place(uint64_t{8} * header.branch_slots);
    map = place((header.map_slots * header.map_value_bits + 7) / 8 + 8);
    blocks = place(uint64_t{kBlockSize} * header.blocks);
    long_keys = place(header.long_bytes);
    prefixes4 = place(header.prefixes4.Size(4));
    prefixes6 = place(header.prefixes6.Size(16));
    size = place(128) + 128;
  }
};

template <typename T>
T LoadLittle(const void* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

inline uint64_t Multiply(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide wide = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(wide) ^ static_cast<uint64_t>(wide >> 64);
}

// Eight bytes with their ASCII capitals made small.
inline uint64_t LowercaseWord(uint64_t x) {
  constexpr uint64_t kOnes = 0x0101010101010101u;
  const uint64_t low = x & 0x7f * kOnes;
  const uint64_t from_a = low + (0x80 - 'A') * kOnes;
  const uint64_t after_z = low + (0x7f - 'Z') * kOnes;
  return x | ((from_a ^ after_z) & ~x & 0x80 * kOnes) >> 2;
}

// The hash of a name from its parent's and the bytes of its own label, 1 to 63 of them, in any case. Words
// are read only between `from` and `to`, which hold the label.
inline uint64_t HashLabel(uint64_t parent, const uint8_t* label, size_t size, const uint8_t* from,
                          const uint8_t* to) {
  uint64_t h = parent;
  for (; size > 8; size -= 8, label += 8) {
    h = Multiply(h ^ LowercaseWord(LoadLittle<uint64_t>(label)), 0x9e3779b97f4a7c15u);
  }
  uint64_t tail = 0;
  if (to - label >= 8) {
    tail = LoadLittle<uint64_t>(label) << (64 - 8 * size);
  } else if (label + size - from >= 8) {
    tail = LoadLittle<uint64_t>(label + size - 8) & ~uint64_t{0} << (64 - 8 * size);
  } else {
    for (size_t i = 0; i < size; ++i) tail |= uint64_t{label[i]} << (64 - 8 * size + 8 * i);
  }
  return Multiply(h ^ LowercaseWord(tail) ^ size, 0xd1342543de82ef95u ^ (h << 1));
}
inline uint64_t HashRoot(uint64_t seed) { return Multiply(seed ^ 0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu); }

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_TRIE_FORMAT_H_
