// NameRules: the names of one kind of trigger, with wildcards as in any zone.
//
//   NameRules rules(std::move(sorted));                  pairs of NameKey and value, sorted, no key twice
//   if (auto match = rules.Find(name)) …match->value
//
// A name that is there exactly is matched by its own rule. Otherwise a wildcard matches when it stands
// directly below the closest encloser, which may be an empty non-terminal; no other wildcard does.
//
// The keys stand one after the other in one buffer, sorted, so that what shares the most labels with a name
// is next to where the name would stand: two binary searches answer everything.
//
// Threads: immutable. Limits: about (key + 8) bytes a name; keys of 4 GiB in all. Find allocates nothing.
// Standards: RFC 4592, draft-vixie-dnsop-dns-rpz-00.
#ifndef SEKISHO_RESOLVER_CORE_RPZ_NAME_RULES_H_
#define SEKISHO_RESOLVER_CORE_RPZ_NAME_RULES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/dns/name.h"

namespace sekisho::resolver::rpz {

class NameRules {
 public:
  struct Match {
    uint32_t value = 0;
    uint8_t labels = 0;     // the rule's name = the rightmost `labels` labels of the name asked,
    bool wildcard = false;  // or everything under it
  };

  NameRules() = default;
  explicit NameRules(const std::vector<std::pair<std::string, uint32_t>>& sorted);

  std::optional<Match> Find(dns::NameView name) const;
  bool empty() const { return values_.empty(); }
  size_t size() const { return values_.size(); }
  size_t bytes() const { return keys_.capacity() + (ends_.capacity() + values_.capacity()) * 4; }

 private:
  std::string_view key(size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(keys_).substr(begin, ends_[i] - begin);
  }
  // The first that is not less.
  size_t LowerBound(std::string_view key) const;

  std::string keys_;
  std::vector<uint32_t> ends_;
  std::vector<uint32_t> values_;
};

}  // namespace sekisho::resolver::rpz

#endif  // SEKISHO_RESOLVER_CORE_RPZ_NAME_RULES_H_
