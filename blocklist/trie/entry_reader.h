// EntryReader: reads the entries of one block: what each shares with the one before, its suffix's bits, its
// attribute.
//
// Threads: values. Limits: reads up to 16 bytes past the block, which the file's end leaves room for.
#ifndef SEKISHO_BLOCKLIST_TRIE_ENTRY_READER_H_
#define SEKISHO_BLOCKLIST_TRIE_ENTRY_READER_H_

#include <cstddef>
#include <cstdint>

#include "blocklist/trie/trie_format.h"

namespace sekisho::blocklist {

class EntryReader {
 public:
  EntryReader(const TrieHeader& header, const uint8_t* block, size_t bit = 8)
      : header_(header), block_(block), bit_(bit) {}

  // The next entry's fields; afterwards bit() is where its suffix begins. False when the block cannot hold
  // it.
  bool Next(bool first) {
    uint64_t word = Word(bit_);
    shared_ = 0;
    if (!first) {
      const uint32_t symbol = Take(header_.shared_table, word);
      shared_ = symbol;
      if (symbol == kSharedEscape) shared_ = TakeRaw(word, kSharedRawBits);
    }
    suffix_ = Take(header_.length_table, word);
    if (suffix_ == kLengthEscape) suffix_ = TakeRaw(word, kLengthRawBits);
    attribute_ = Take(header_.attribute_table, word);
    if (attribute_ == kAttributeEscape) {
      word = Word(bit_);
      attribute_ = kAttributeEscape + TakeRaw(word, kAttributeRawBits);
    }
    return bit_ + suffix_ <= kBlockBits;
  }
  void SkipSuffix() { bit_ += suffix_; }

  size_t bit() const { return bit_; }
  uint32_t shared() const { return shared_; }       // bytes of the key before
  uint32_t suffix_bits() const { return suffix_; }  // of this key's remaining bytes
  Attribute attribute() const {
    return attribute_ < kAttributeEscape ? header_.attributes[attribute_] : attribute_ - kAttributeEscape;
  }

 private:
  // At least 57 bits from this bit of the block on.
  uint64_t Word(size_t bit) const { return LoadLittle<uint64_t>(block_ + (bit >> 3)) >> (bit & 7); }
  uint32_t Take(const std::array<uint16_t, kFieldTable>& table, uint64_t& word) {
    const uint16_t entry = table[word & (kFieldTable - 1)];
    const int length = entry >> 8 & 15;
    word >>= length;
    bit_ += static_cast<size_t>(length);
    return entry & 0xff;
  }
  uint32_t TakeRaw(uint64_t& word, int bits) {
    const auto value = static_cast<uint32_t>(word & ((uint64_t{1} << bits) - 1));
    word >>= bits;
    bit_ += static_cast<size_t>(bits);
    return value;
  }

  const TrieHeader& header_;
  const uint8_t* block_;
  size_t bit_;
  uint32_t shared_ = 0;
  uint32_t suffix_ = 0;
  uint32_t attribute_ = 0;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_ENTRY_READER_H_
