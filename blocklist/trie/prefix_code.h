// PrefixCode: a length-limited Huffman code whose bits are written lowest first.
//
//   const std::vector<uint16_t> code = MakePrefixCode(weights, kMaxBits);      // one per symbol: bits |
//   length << 12 const std::vector<uint16_t> table = MakeDecodeTable(code, kMaxBits);    // by the next
//   kMaxBits bits: symbol | length << 8
//
// The same weights give the same code. Threads: values. Limits: at most 256 symbols, at most 12 bits a code.
#ifndef SEKISHO_BLOCKLIST_TRIE_PREFIX_CODE_H_
#define SEKISHO_BLOCKLIST_TRIE_PREFIX_CODE_H_

#include <cstdint>
#include <span>
#include <vector>

namespace sekisho::blocklist {

inline constexpr int CodeLength(uint16_t code) { return code >> 12; }
inline constexpr uint16_t CodeBits(uint16_t code) { return code & 0xfff; }

// A symbol of weight 0 has no code (0). A symbol that is alone gets one bit.
std::vector<uint16_t> MakePrefixCode(std::span<const uint64_t> weights, int max_bits);
std::vector<uint16_t> MakeDecodeTable(std::span<const uint16_t> code, int max_bits);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_PREFIX_CODE_H_
