// NameQuery: a name made ready to be looked for in tries: its key and where each ancestor's key ends in it.
//
// Threads: values. Limits: lives on the stack (about 1 KB), allocates nothing.
#ifndef SEKISHO_BLOCKLIST_TRIE_NAME_QUERY_H_
#define SEKISHO_BLOCKLIST_TRIE_NAME_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/dns/name.h"
#include "proto/dns/name_key.h"

namespace sekisho::blocklist {

class NameQuery {
 public:
  explicit NameQuery(dns::NameView name) : size_(dns::WriteNameKey(name, key_)) {
    for (size_t i = 0; i < size_; ++i) {
      if (key_[i] == 0) ends_[++labels_] = static_cast<uint16_t>(i + 1);
    }
  }
  NameQuery(const NameQuery&) = delete;
  NameQuery& operator=(const NameQuery&) = delete;

  std::string_view key() const { return {key_, size_}; }
  int labels() const { return labels_; }
  // The key of the rightmost `labels` labels ends here.
  size_t KeyEnd(int labels) const { return ends_[labels]; }

 private:
  char key_[dns::kMaxNameKeySize];
  size_t size_;
  int labels_ = 0;
  uint16_t ends_[dns::kMaxLabels + 1] = {0};
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_NAME_QUERY_H_
