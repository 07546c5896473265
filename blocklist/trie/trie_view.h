// TrieView: the rules of one trie file, matched where they lie in mapped bytes.
//
//   auto view = TrieView::Open(bytes);              // magic, version, sizes, checksum
//   NameQuery query(qname);                          // once per name, for any number of views
//   TrieHits hits;
//   for (const TrieHit& hit : view->Find(query, hits)) …
//
// Threads: immutable; any thread. Limits: the bytes must outlive the view; Find does not allocate and is safe
// on any bytes that Open accepted, also when a hostile writer made the checksum right. Standards: FORMAT.md.
#ifndef SEKISHO_BLOCKLIST_TRIE_TRIE_VIEW_H_
#define SEKISHO_BLOCKLIST_TRIE_TRIE_VIEW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "blocklist/trie/branch_table.h"
#include "blocklist/trie/locator_map.h"
#include "blocklist/trie/name_query.h"
#include "blocklist/trie/prefix_table.h"
#include "blocklist/trie/rule.h"
#include "blocklist/trie/trie_format.h"

namespace sekisho::blocklist {

struct TrieHit {
  // No initialisers: a TrieHits lives on the stack of every query and must cost nothing until it is filled.
  RuleAction action;
  RuleScope scope;
  uint8_t labels;  // the rule's name = the rightmost `labels` labels of the name asked
  uint32_t source;
};

// A subtree rule for the root and each of 127 ancestors-or-self, and an exact rule for the name itself.
inline constexpr size_t kMaxTrieHits = dns::kMaxLabels + 2;
using TrieHits = std::array<TrieHit, kMaxTrieHits>;

class TrieView {
 public:
  static absl::StatusOr<TrieView> Open(std::span<const uint8_t> bytes);

  size_t rule_count() const { return rule_count_; }  // of names
  size_t address_count() const { return size_t{prefixes4_.size()} + prefixes6_.size(); }
  uint32_t source_count() const { return source_count_; }
  // Views into the mapping; empty strings for an id that the file does not have.
  RuleSource source(uint32_t id) const;

  // All rules that cover the name: subtree rules of its ancestors and itself, exact rules of itself. Shortest
  // rule name first, exact before subtree at the same name.
  std::span<const TrieHit> Find(const NameQuery& query, TrieHits& out) const;

  // All rules whose prefix holds the address, longest first.
  std::span<const AddressHit> FindAddress(const IpAddress& address, AddressHits& out) const {
    return {out.data(), address.is_v4() ? prefixes4_.Find(KeyOfAddress<uint32_t>(address), out)
                                        : prefixes6_.Find(KeyOfAddress<Key128>(address), out)};
  }

  // Calls each(IpPrefix, AddressHit) for every address rule, IPv4 first, in the order of address and length.
  template <typename Each>
  void ForEachAddress(Each each) const {
    for (uint32_t i = 0; i < prefixes4_.size(); ++i) GiveAddress<4>(prefixes4_, i, each);
    for (uint32_t i = 0; i < prefixes6_.size(); ++i) GiveAddress<16>(prefixes6_, i, each);
  }

 private:
  friend class TrieCursor;
  class Search;

  template <size_t kSize, typename Table, typename Each>
  static void GiveAddress(const Table& table, uint32_t i, Each each) {
    const auto key = table.AddressAt(i);
    std::array<uint8_t, kSize> bytes;
    for (size_t b = 0; b < kSize; ++b) bytes[b] = static_cast<uint8_t>(key >> (8 * (kSize - 1 - b)));
    const AddressHit hit = table.HitOf(i);
    const IpAddress address = [&] {
      if constexpr (kSize == 4) return IpAddress::V4(bytes);
      if constexpr (kSize == 16) return IpAddress::V6(bytes);
    }();
    if (const auto prefix = IpPrefix::Make(address, hit.length)) each(*prefix, hit);
  }

  TrieView() = default;
  size_t Scan(const NameQuery& query, uint32_t block, int head, int limit, TrieHits& out, size_t count) const;

  size_t rule_count_ = 0;
  uint32_t source_count_ = 0;
  uint32_t root_block_ = 0;
  uint32_t block_count_ = 0;
  uint32_t long_bytes_ = 0;
  uint64_t root_hash_ = 0;
  uint64_t block_mask_ = 0;
  const TrieHeader* header_ = nullptr;
  const uint8_t* source_ends_ = nullptr;
  const uint8_t* sources_ = nullptr;
  const uint8_t* blocks_ = nullptr;
  const uint8_t* long_keys_ = nullptr;
  BranchTable branches_;
  LocatorMap map_;
  PrefixTable4 prefixes4_;
  PrefixTable6 prefixes6_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_TRIE_VIEW_H_
