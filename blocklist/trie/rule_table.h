// RuleTable: the rules of a build, in order, as flat memory.
//
// Threads: values. Limits: keys of less than 4 GiB in all.
#ifndef SEKISHO_BLOCKLIST_TRIE_RULE_TABLE_H_
#define SEKISHO_BLOCKLIST_TRIE_RULE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "blocklist/trie/trie_format.h"

namespace sekisho::blocklist {

class RuleTable {
 public:
  size_t size() const { return attributes_.size(); }
  std::string_view key(size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {bytes_.data() + begin, ends_[i] - begin};
  }
  Attribute attribute(size_t i) const { return attributes_[i]; }
  // Bytes that key i shares with the key before it.
  size_t Shared(size_t i) const { return shared_[i]; }

  bool Add(std::string_view key, Attribute attribute) {
    if (bytes_.size() + key.size() > UINT32_MAX - 16) return false;
    shared_.push_back(static_cast<uint16_t>(SharedWithLast(key)));
    bytes_ += key;
    ends_.push_back(static_cast<uint32_t>(bytes_.size()));
    attributes_.push_back(attribute);
    return true;
  }

 private:
  size_t SharedWithLast(std::string_view next) const {
    if (size() == 0) return 0;
    const std::string_view last = key(size() - 1);
    const size_t most = last.size() < next.size() ? last.size() : next.size();
    size_t n = 0;
    while (n < most && last[n] == next[n]) ++n;
    return n;
  }

  std::string bytes_;
  std::vector<uint32_t> ends_;
  std::vector<uint16_t> shared_;
  std::vector<Attribute> attributes_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_RULE_TABLE_H_
