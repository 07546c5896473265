// BranchTable: the names with too many rules at and below them to be one group, by hash.
//
//   slot := u32 block of the name's own rules + 1, or 0 · u32 tag, never 0 in a used slot
//
// Threads: values. Limits: at most kMaxProbes slots are looked at.
#ifndef SEKISHO_BLOCKLIST_TRIE_BRANCH_TABLE_H_
#define SEKISHO_BLOCKLIST_TRIE_BRANCH_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "blocklist/trie/trie_format.h"

namespace sekisho::blocklist {

class BranchTable {
 public:
  static constexpr uint32_t kMaxProbes = 64;

  BranchTable() = default;
  // `slots` is 0 or a power of two.
  BranchTable(const uint8_t* bytes, uint32_t slots) : bytes_(bytes), slots_(slots) {}

  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32) | 1; }
  static uint32_t FirstSlot(uint64_t hash, uint32_t slots) {
    return static_cast<uint32_t>(hash) & (slots - 1);
  }

  // The block of the branch's own rules + 1, 0 when it has none; nothing when the name is no branch.
  std::optional<uint32_t> Find(uint64_t hash) const {
    if (slots_ == 0) return std::nullopt;
    const uint32_t tag = TagOf(hash);
    uint32_t slot = FirstSlot(hash, slots_);
    for (uint32_t probe = 0; probe < kMaxProbes; ++probe, slot = (slot + 1) & (slots_ - 1)) {
      const auto entry = LoadLittle<uint64_t>(bytes_ + size_t{8} * slot);
      if (entry == 0) return std::nullopt;
      if (static_cast<uint32_t>(entry >> 32) == tag) return static_cast<uint32_t>(entry);
    }
    return std::nullopt;
  }

 private:
  const uint8_t* bytes_ = nullptr;
  uint32_t slots_ = 0;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_BRANCH_TABLE_H_
