// The bytes are those of prefix_table.h.
#include "blocklist/trie/prefix_table.h"

#include <algorithm>
#include <vector>

namespace sekisho::blocklist {
namespace {

template <typename T>
void Append(std::string* out, T value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// About eight prefixes a bucket where they spread evenly.
uint32_t IndexBits(size_t count) {
  const int bits = static_cast<int>(std::bit_width(count)) - 3;
  return static_cast<uint32_t>(std::clamp(bits, 0, static_cast<int>(kMaxPrefixIndexBits)));
}

template <typename Key>
std::string Write(std::span<const AddressRule> rules, int mapped_bits, PrefixShape* shape) {
  constexpr int kBits = 8 * sizeof(Key);
  shape->count = static_cast<uint32_t>(rules.size());
  shape->index_bits = IndexBits(rules.size());
  std::string addresses;
  std::string parents;
  std::string attributes;
  std::string lengths;
  std::vector<uint32_t> starts((size_t{1} << shape->index_bits) + 1, 0);
  std::vector<uint32_t> around;  // the prefixes that hold the one at hand, outermost first
  for (uint32_t i = 0; i < rules.size(); ++i) {
    const IpPrefix& prefix = rules[i].prefix;
    const auto key = KeyOfAddress<Key>(prefix.address());
    while (!around.empty() && !rules[around.back()].prefix.Contains(prefix.address())) around.pop_back();
    Append(&addresses, key);
    Append(&parents, around.empty() ? uint32_t{0} : around.back() + 1);
    Append(&attributes, rules[i].attribute);
    lengths.push_back(static_cast<char>(prefix.mapped_length() - mapped_bits));
    const size_t bucket = shape->index_bits == 0
                              ? 0
                              : static_cast<size_t>(key >> (kBits - static_cast<int>(shape->index_bits)));
    ++starts[bucket + 1];
    around.push_back(i);
  }
  std::string out;
  uint32_t at = 0;
  for (const uint32_t count : starts) Append(&out, at += count);
  return out + addresses + parents + attributes + lengths;
}

}  // namespace

std::string WritePrefixTable(std::span<const AddressRule> rules, bool v4, PrefixShape* shape) {
  *shape = {};
  if (rules.empty()) return {};
  return v4 ? Write<uint32_t>(rules, 96, shape) : Write<Key128>(rules, 0, shape);
}

}  // namespace sekisho::blocklist
