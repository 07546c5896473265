// ReadStixPattern: the names, URLs and addresses that a STIX pattern speaks of, when any one of them is
// enough.
//
//   "[domain-name:value = 'a.test' OR url:value = 'https://b.test/x']"   → a name, a URL
//   "[ipv4-addr:value ISSUBSET '192.0.2.0/24']"                          → a prefix
//   "[domain-name:value = 'a.test' AND network-traffic:dst_port = 443]"  → nothing: a resolver sees only a
//   part of it
//
// Threads: a function without state. Limits: patterns of kMaxPattern bytes, kMaxPatternValues values.
// Standards: STIX 2.1, part 9 (patterning): =, IN, ISSUBSET; OR, AND, FOLLOWEDBY, NOT, qualifiers.
#ifndef SEKISHO_BLOCKLIST_FEED_FORMATS_STIX_PATTERN_H_
#define SEKISHO_BLOCKLIST_FEED_FORMATS_STIX_PATTERN_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "blocklist/feed/indicator.h"

namespace sekisho::blocklist {

inline constexpr size_t kMaxPattern = 64 << 10;
inline constexpr size_t kMaxPatternValues = 1000;

struct StixValue {
  IndicatorKind kind = IndicatorKind::kName;
  std::string text;
};

enum class StixPattern : uint8_t {
  kRead,   // `values` holds them; comparisons about other things beside them are left out
  kOther,  // well formed as far as read, and not for a resolver
  kInvalid,
};

StixPattern ReadStixPattern(std::string_view pattern, std::vector<StixValue>* values);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_FORMATS_STIX_PATTERN_H_
