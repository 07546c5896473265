// NameQuery: a name made ready to be looked for in tries: its key and where each ancestor's key ends in it.
//
// Threads: values. Limits: lives on the stack (about 1 KB), allocates nothing.
#ifndef SEKISHO_BLOCKLIST_TRIE_NAME_QUERY_H_
#define SEKISHO_BLOCKLIST_TRIE_NAME_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "proto/dns/name.h"
#include "proto/dns/name_key.h"

namespace sekisho::blocklist {

class NameQuery {
 public:
  explicit NameQuery(dns::NameView name) : size_(dns::WriteNameKey(name, key_)) {
    std::memset(key_ + size_, 0, 8);
    ends_[0] = 0;
    const char* at = key_;
    while (at < key_ + size_) {
      at = static_cast<const char*>(std::memchr(at, 0, key_ + size_ - at)) + 1;
      ends_[++labels_] = static_cast<uint16_t>(at - key_);
    }
  }
  NameQuery(const NameQuery&) = delete;
  NameQuery& operator=(const NameQuery&) = delete;

  std::string_view key() const { return {key_, size_}; }
  int labels() const { return labels_; }
  // The key of the rightmost `labels` labels ends here.
  size_t KeyEnd(int labels) const { return ends_[labels]; }

 private:
  char key_[dns::kMaxNameKeySize + 8];  // room for a word read at the end
  size_t size_;
  int labels_ = 0;
  uint16_t ends_[dns::kMaxLabels + 1];
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_NAME_QUERY_H_
