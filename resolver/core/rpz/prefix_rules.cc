#include "resolver/core/rpz/prefix_rules.h"

#include <algorithm>
#include <functional>
#include <map>

namespace sekisho::resolver::rpz {

PrefixRules::PrefixRules(const std::vector<std::pair<IpPrefix, uint32_t>>& prefixes) {
  std::map<int, Level, std::greater<>> levels;
  for (const auto& [prefix, value] : prefixes) {
    Level& level = levels[prefix.mapped_length()];
    level.mapped_length = prefix.mapped_length();
    level.prefixes.emplace_back(prefix.address(), value);
  }
  for (auto& [length, level] : levels) {
    std::sort(level.prefixes.begin(), level.prefixes.end());
    level.prefixes.shrink_to_fit();
    levels_.push_back(std::move(level));
  }
}

std::optional<PrefixRules::Match> PrefixRules::Find(const IpAddress& address) const {
  for (const Level& level : levels_) {
    // The last one that begins at or before the address is the only one of this length that can hold it.
    auto at = std::upper_bound(level.prefixes.begin(), level.prefixes.end(), address,
                               [](const IpAddress& a, const auto& entry) { return a < entry.first; });
    if (at == level.prefixes.begin()) continue;
    --at;
    const auto prefix = IpPrefix::FromMapped(at->first, level.mapped_length);
    if (prefix && prefix->Contains(address)) return Match{at->second, *prefix};
  }
  return std::nullopt;
}

size_t PrefixRules::size() const {
  size_t n = 0;
  for (const Level& level : levels_) n += level.prefixes.size();
  return n;
}

size_t PrefixRules::bytes() const {
  size_t n = 0;
  for (const Level& level : levels_) n += level.prefixes.capacity() * sizeof(level.prefixes[0]);
  return n;
}

}  // namespace sekisho::resolver::rpz
