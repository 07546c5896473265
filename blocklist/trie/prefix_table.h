// PrefixTable: the address rules of one family in a trie file, asked for all prefixes that hold an address.
//
// Prefixes are nested or disjoint, so in the order (address, length) every prefix that holds an address is
// the last one that begins at or before it, or one of that one's ancestors: a path compressed trie whose
// nodes lie in order and know their parents only.
//
//   section    := index addresses parents attributes lengths              little-endian
//   index      := u32 * (2^bits + 1)    where the prefixes begin whose address has these first `bits` bits
//   addresses  := key * n               u32, or u128 for IPv6
//   parents    := u32 * n               the nearest prefix around it + 1; 0: none
//   attributes := u32 * n               as of names, scope always subtree
//   lengths    := u8 * n                bits of the family
//
// Threads: immutable; any thread. Limits: kMaxPrefixes; Find does not allocate and is safe on any bytes.
#ifndef SEKISHO_BLOCKLIST_TRIE_PREFIX_TABLE_H_
#define SEKISHO_BLOCKLIST_TRIE_PREFIX_TABLE_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "blocklist/trie/rule.h"
#include "blocklist/trie/trie_format.h"
#include "proto/base/ip_address.h"

namespace sekisho::blocklist {

struct AddressHit {
  // No initialisers, as TrieHit.
  RuleAction action;
  uint8_t length;  // the rule = the first `length` bits of the address asked, of its family
  uint32_t source;
};

// One rule of each length from 0 to 128.
inline constexpr size_t kMaxAddressHits = 129;
using AddressHits = std::array<AddressHit, kMaxAddressHits>;

// A prefix with its rule, on its way into the table.
struct AddressRule {
  IpPrefix prefix;
  Attribute attribute = 0;
};

__extension__ using Key128 = unsigned __int128;

template <typename Key>
Key KeyOfAddress(const IpAddress& address) {
  Key key = 0;
  const auto& bytes = address.mapped();
  for (size_t i = bytes.size() - sizeof(Key); i < bytes.size(); ++i)
    key = static_cast<Key>(key << 8 | bytes[i]);
  return key;
}

template <typename Key>
class PrefixTable {
 public:
  static constexpr int kKeyBits = 8 * sizeof(Key);

  PrefixTable() = default;
  // `shape` must have passed IsSound; `bytes` hold shape.Size(sizeof(Key)).
  PrefixTable(const PrefixShape& shape, const uint8_t* bytes)
      : count_(shape.count),
        bits_(static_cast<int>(shape.index_bits)),
        index_(bytes),
        addresses_(bytes + shape.IndexSize()),
        parents_(addresses_ + sizeof(Key) * count_),
        attributes_(parents_ + sizeof(uint32_t) * count_),
        lengths_(attributes_ + sizeof(uint32_t) * count_) {}

  uint32_t size() const { return count_; }

  // Appends the rules whose prefixes hold `key`, longest first. Returns how many there are in `out` then.
  size_t Find(Key key, AddressHits& out) const {
    if (count_ == 0) return 0;
    const size_t bucket = bits_ == 0 ? 0 : static_cast<size_t>(key >> (kKeyBits - bits_));
    uint32_t low = std::min(At<uint32_t>(index_, bucket), count_);
    uint32_t size = std::min(At<uint32_t>(index_, bucket + 1), count_);
    size = size > low ? size - low : 0;
    while (size > 0) {  // the first that begins after the key
      const uint32_t half = size / 2;
      const bool after = At<Key>(addresses_, low + half) <= key;
      low = after ? low + half + 1 : low;
      size = after ? size - half - 1 : half;
    }
    size_t hits = 0;
    // A parent stands before its children, so that this ends whatever the bytes are.
    for (uint32_t at = low; at != 0;) {
      const uint32_t i = at - 1;
      if (Holds(i, key) && hits < out.size()) out[hits++] = HitOf(i);
      const auto parent = At<uint32_t>(parents_, i);
      if (parent > i) break;
      at = parent;
    }
    return hits;
  }

  AddressHit HitOf(uint32_t i) const {
    const auto attribute = At<uint32_t>(attributes_, i);
    return {static_cast<RuleAction>(attribute >> 1 & 3), lengths_[i], attribute >> 3};
  }
  Key AddressAt(uint32_t i) const { return At<Key>(addresses_, i); }

 private:
  template <typename T>
  static T At(const uint8_t* list, size_t i) {
    return LoadLittle<T>(list + sizeof(T) * i);
  }
  bool Holds(uint32_t i, Key key) const {
    const int length = lengths_[i];
    if (length > kKeyBits) return false;
    const Key differ = At<Key>(addresses_, i) ^ key;
    return length == 0 || differ >> (kKeyBits - length) == 0;
  }

  uint32_t count_ = 0;
  int bits_ = 0;
  const uint8_t* index_ = nullptr;
  const uint8_t* addresses_ = nullptr;
  const uint8_t* parents_ = nullptr;
  const uint8_t* attributes_ = nullptr;
  const uint8_t* lengths_ = nullptr;
};

using PrefixTable4 = PrefixTable<uint32_t>;
using PrefixTable6 = PrefixTable<Key128>;

// The section's bytes for rules of one family in the order (address, length). Fills `shape`.
std::string WritePrefixTable(std::span<const AddressRule> rules, bool v4, PrefixShape* shape);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_PREFIX_TABLE_H_
