// Sniff: tells from its first bytes whether a fetched body can be a threat list at all.
//
// A login page served with status 200, a JSON error or a compressed file must not be read as a list of names:
// it would replace a good list by nothing (row S11 of the reliability table).
//
// Threads: a function without state. Limits: looks at 64 kB at most.
#ifndef SEKISHO_BLOCKLIST_FEED_SNIFF_H_
#define SEKISHO_BLOCKLIST_FEED_SNIFF_H_

#include <cstdint>
#include <string_view>

namespace sekisho::blocklist {

enum class BodyKind : uint8_t { kText, kEmpty, kMarkup, kJson, kBinary };

inline constexpr size_t kSniffBytes = size_t{64} << 10;

BodyKind Sniff(std::string_view start);
std::string_view BodyKindName(BodyKind kind);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_SNIFF_H_
