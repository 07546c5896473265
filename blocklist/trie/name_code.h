// EncodedName: a name key written in a file's name code, with the bit each of its bytes begins at.
//
// The encoding stops at the first byte that the file's code cannot write: no rule of the file has that byte
// there.
//
// Threads: values. Limits: about 3 KB on the stack; allocates nothing.
#ifndef SEKISHO_BLOCKLIST_TRIE_NAME_CODE_H_
#define SEKISHO_BLOCKLIST_TRIE_NAME_CODE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "blocklist/trie/prefix_code.h"
#include "blocklist/trie/trie_format.h"
#include "proto/dns/name_key.h"

namespace sekisho::blocklist {

class EncodedName {
 public:
  EncodedName(const uint16_t* code, std::string_view key) {
    uint64_t bits = 0;
    size_t held = 0;
    size_t at = 0;
    uint8_t* to = bits_;
    size_t before = kEndClass;
    ends_[0] = 0;
    size_ = key.size();
    for (size_t i = 0; i < key.size(); ++i) {
      const auto byte = static_cast<uint8_t>(key[i]);
      const uint8_t klass = kClassOf[byte];
      const uint16_t entry = code[before * kClasses + klass];
      auto length = static_cast<size_t>(CodeLength(entry));
      if (length == 0) {
        size_ = i;
        break;
      }
      uint64_t symbol = CodeBits(entry);
      if (klass == kEscapeClass) {
        symbol |= uint64_t{byte} << length;
        length += 8;
      }
      bits |= symbol << held;
      held += length;
      at += length;
      ends_[i + 1] = static_cast<uint16_t>(at);
      if (held >= 32) {
        std::memcpy(to, &bits, 4);
        to += 4;
        bits >>= 32;
        held -= 32;
      }
      before = klass;
    }
    std::memcpy(to, &bits, 8);
    std::memset(to + 8, 0, 8);
  }
  EncodedName(const EncodedName&) = delete;
  EncodedName& operator=(const EncodedName&) = delete;

  // Bytes of the key that were encoded.
  size_t size() const { return size_; }
  // The bit after the first `bytes` bytes of the key.
  size_t BitEnd(size_t bytes) const { return ends_[bytes]; }
  const uint8_t* bits() const { return bits_; }

 private:
  // At most 15 + 8 bits a byte whatever the file says, and room to store a word at the end.
  static constexpr size_t kMaxBytes = dns::kMaxNameKeySize * 23 / 8 + 24;

  size_t size_;
  uint16_t ends_[dns::kMaxNameKeySize + 1];
  uint8_t bits_[kMaxBytes];
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_NAME_CODE_H_
