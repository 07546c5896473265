// QueryKey: the key of a name that is being looked for, and where each ancestor's key ends in it.
//
// Threads: values. Limits: lives on the stack (about 1 KB), allocates nothing.
#ifndef SEKISHO_BLOCKLIST_TRIE_QUERY_KEY_H_
#define SEKISHO_BLOCKLIST_TRIE_QUERY_KEY_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proto/dns/name.h"
#include "proto/dns/name_key.h"

namespace sekisho::blocklist {

class QueryKey {
 public:
  explicit QueryKey(dns::NameView name) : size_(dns::WriteNameKey(name, key_)) {
    ends_[0] = 0;
    labels_ = size_ + 1 == name.size() ? EndsFromLengths(name) : EndsFromKey();
  }
  QueryKey(const QueryKey&) = delete;
  QueryKey& operator=(const QueryKey&) = delete;

  std::string_view key() const { return {key_, size_}; }
  int labels() const { return labels_; }
  // The key of the rightmost `labels` labels ends here.
  size_t KeyEnd(int labels) const { return ends_[labels]; }

 private:
  // Without escapes a label is as long in the key as on the wire.
  int EndsFromLengths(dns::NameView name) {
    uint8_t sizes[dns::kMaxLabels];
    int labels = 0;
    for (const uint8_t* at = name.data(); *at != 0; at += *at + 1) sizes[labels++] = *at;
    size_t end = 0;
    for (int i = 1; i <= labels; ++i) {
      end += sizes[labels - i] + size_t{1};
      ends_[i] = static_cast<uint16_t>(end);
    }
    return labels;
  }
  int EndsFromKey() {
    int labels = 0;
    for (size_t i = 0; i < size_; ++i) {
      if (key_[i] == 0) ends_[++labels] = static_cast<uint16_t>(i + 1);
    }
    return labels;
  }

  char key_[dns::kMaxNameKeySize];
  size_t size_;
  int labels_;
  uint16_t ends_[dns::kMaxLabels + 1];
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_QUERY_KEY_H_
