#include "blocklist/trie/prefix_code.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

namespace sekisho::blocklist {
namespace {

// Huffman's code lengths; 0 for weight 0. Ties fall to the node made first, so the result is one.
std::vector<int> Lengths(std::span<const uint64_t> weights) {
  using Item = std::pair<uint64_t, size_t>;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> open;
  std::vector<size_t> parent(weights.size(), 0);
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) open.emplace(weights[i], i);
  }
  while (open.size() > 1) {
    const Item a = open.top();
    open.pop();
    const Item b = open.top();
    open.pop();
    parent.push_back(0);
    parent[a.second] = parent[b.second] = parent.size() - 1;
    open.emplace(a.first + b.first, parent.size() - 1);
  }
  std::vector<int> depth(parent.size(), 0);
  for (size_t i = parent.size(); i-- > 0;) {
    if (parent[i] != 0) depth[i] = depth[parent[i]] + 1;
  }
  depth.resize(weights.size());
  return depth;
}

uint16_t Reversed(uint32_t bits, int length) {
  uint32_t out = 0;
  for (int i = 0; i < length; ++i) out |= (bits >> i & 1) << (length - 1 - i);
  return static_cast<uint16_t>(out);
}

}  // namespace

std::vector<uint16_t> MakePrefixCode(std::span<const uint64_t> weights, int max_bits) {
  std::vector<uint64_t> scaled(weights.begin(), weights.end());
  std::vector<int> lengths = Lengths(scaled);
  while (*std::max_element(lengths.begin(), lengths.end()) > max_bits) {
    for (uint64_t& w : scaled) w = w == 0 ? 0 : w / 2 + 1;
    lengths = Lengths(scaled);
  }
  std::vector<uint16_t> code(weights.size(), 0);
  if (std::count_if(weights.begin(), weights.end(), [](uint64_t w) { return w > 0; }) == 1) {
    for (size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0) code[i] = uint16_t{1} << 12;
    }
    return code;
  }
  uint32_t next = 0;
  for (int length = 1; length <= max_bits; ++length) {
    for (size_t i = 0; i < code.size(); ++i) {
      if (lengths[i] == length) code[i] = static_cast<uint16_t>(Reversed(next++, length) | length << 12);
    }
    next <<= 1;
  }
  return code;
}

std::vector<uint16_t> MakeDecodeTable(std::span<const uint16_t> code, int max_bits) {
  const size_t size = size_t{1} << max_bits;
  std::vector<uint16_t> table(size, 0);
  for (size_t symbol = 0; symbol < code.size(); ++symbol) {
    const int length = CodeLength(code[symbol]);
    if (length == 0) continue;
    for (size_t at = CodeBits(code[symbol]); at < size; at += size_t{1} << length) {
      table[at] = static_cast<uint16_t>(symbol | static_cast<size_t>(length) << 8);
    }
  }
  return table;
}

}  // namespace sekisho::blocklist
