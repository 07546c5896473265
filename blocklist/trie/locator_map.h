// LocatorMap: a static map from 64-bit hashes to small values, a 3-wise binary fuse table: three slots that
// lie near each other give the value of a key that is in it, and noise for any other.
//
// Threads: values. Limits: values of at most 40 bits; keys must be distinct.
// Standards: Graf and Lemire, "Binary Fuse Filters", ACM JEA 27 (2022).
#ifndef SEKISHO_BLOCKLIST_TRIE_LOCATOR_MAP_H_
#define SEKISHO_BLOCKLIST_TRIE_LOCATOR_MAP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "blocklist/trie/trie_format.h"

namespace sekisho::blocklist {

// The value's lowest 8 bits are a check that tells most keys apart that are not in the map.
inline constexpr uint32_t kCheckBits = 8;
inline uint64_t CheckOf(uint64_t hash) { return hash * 0x9fb21c651e98df25u >> (64 - kCheckBits); }

struct LocatorShape {
  uint64_t slots = 0;    // a multiple of `segment`, at least three segments
  uint32_t segment = 0;  // a power of two
  uint32_t value_bits = 0;

  static LocatorShape For(size_t keys, uint32_t value_bits);
  bool IsSound() const {
    return segment != 0 && (segment & (segment - 1)) == 0 && slots % segment == 0 && slots / segment >= 3 &&
           slots < (uint64_t{1} << 34) && value_bits > kCheckBits && value_bits <= 40;
  }
  std::array<uint64_t, 3> SlotsOf(uint64_t hash) const {
    __extension__ using Wide = unsigned __int128;
    const uint64_t first =
        static_cast<uint64_t>(static_cast<Wide>(hash) * (slots - 2 * uint64_t{segment}) >> 64);
    const uint64_t mask = segment - 1;
    return {first, (first + segment) ^ (hash >> 18 & mask), (first + 2 * uint64_t{segment}) ^ (hash & mask)};
  }
};

class LocatorMap {
 public:
  LocatorMap() = default;
  LocatorMap(const LocatorShape& shape, const uint8_t* bytes) : shape_(shape), bytes_(bytes) {}

  uint64_t Get(uint64_t hash) const {
    const auto slots = shape_.SlotsOf(hash);
    return (Slot(slots[0]) ^ Slot(slots[1]) ^ Slot(slots[2])) & ((uint64_t{1} << shape_.value_bits) - 1);
  }

 private:
  uint64_t Slot(uint64_t i) const {
    const uint64_t bit = i * shape_.value_bits;
    return LoadLittle<uint64_t>(bytes_ + (bit >> 3)) >> (bit & 7);
  }

  LocatorShape shape_;
  const uint8_t* bytes_ = nullptr;
};

struct Located {
  uint64_t hash;
  uint32_t value;
};

// The map's bytes, (slots * value_bits + 7) / 8 + 8 of them; nothing when two hashes are equal or the keys do
// not fall apart, then the caller hashes with another seed. Sorts `keys`.
std::optional<std::string> BuildLocatorMap(std::vector<Located>& keys, const LocatorShape& shape);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_LOCATOR_MAP_H_
