// The fixed parts of a trie file, as they lie in it (little-endian, like every machine we run on).
//
// Threads: values. Standards: FORMAT.md.
#ifndef SEKISHO_BLOCKLIST_TRIE_TRIE_FORMAT_H_
#define SEKISHO_BLOCKLIST_TRIE_TRIE_FORMAT_H_

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace sekisho::blocklist {

static_assert(std::endian::native == std::endian::little, "trie files are mapped as they are");

inline constexpr std::array<char, 8> kTrieMagic = {'S', 'K', 'T', 'R', 'I', 'E', '\r', '\n'};
inline constexpr uint32_t kTrieVersion = 1;

struct TrieHeader {
  std::array<char, 8> magic = kTrieMagic;
  uint32_t version = kTrieVersion;
  uint32_t sources = 0;
  uint64_t rules = 0;
  uint64_t source_bytes_size = 0;
  uint64_t keys_size = 0;
  uint64_t checksum[2] = {0, 0};  // XXH3-128 of the whole file with this field zero
  uint64_t zero = 0;
};
static_assert(sizeof(TrieHeader) == 64);

template <typename T>
T LoadLittle(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_TRIE_FORMAT_H_
