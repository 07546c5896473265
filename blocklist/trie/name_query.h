// NameQuery: a name made ready to be looked for in tries: where its labels lie, from the root down.
//
// It reads the name where it is: writing a copy first and hashing that would stall the CPU on its own stores.
//
// Threads: values; the name's bytes must outlive it. Limits: lives on the stack, allocates nothing.
#ifndef SEKISHO_BLOCKLIST_TRIE_NAME_QUERY_H_
#define SEKISHO_BLOCKLIST_TRIE_NAME_QUERY_H_

#include <cstddef>
#include <cstdint>

#include "blocklist/trie/trie_format.h"
#include "proto/dns/name.h"

namespace sekisho::blocklist {

class NameQuery {
 public:
  explicit NameQuery(dns::NameView name) : name_(name) {
    const uint8_t* wire = name.data();
    for (size_t at = 0; wire[at] != 0; at += wire[at] + size_t{1})
      starts_[labels_++] = static_cast<uint8_t>(at);
  }
  NameQuery(const NameQuery&) = delete;
  NameQuery& operator=(const NameQuery&) = delete;

  dns::NameView name() const { return name_; }
  int labels() const { return labels_; }
  // The hash of the rightmost `labels` labels from that of one fewer.
  uint64_t Hash(uint64_t parent, int labels) const {
    const uint8_t* label = name_.data() + starts_[labels_ - labels];
    return HashLabel(parent, label + 1, *label, name_.data(), name_.data() + name_.size());
  }

 private:
  dns::NameView name_;
  int labels_ = 0;
  uint8_t starts_[dns::kMaxLabels];
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_NAME_QUERY_H_
