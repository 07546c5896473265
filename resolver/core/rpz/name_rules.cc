#include "resolver/core/rpz/name_rules.h"

#include <algorithm>
#include <array>

#include "proto/dns/name_key.h"

namespace sekisho::resolver::rpz {
namespace {

// Where the labels that both keys begin with end, and how many they are.
struct Shared {
  size_t size = 0;
  uint8_t labels = 0;
};
Shared SharedLabels(std::string_view a, std::string_view b) {
  Shared shared;
  const size_t most = std::min(a.size(), b.size());
  for (size_t i = 0; i < most && a[i] == b[i]; ++i) {
    if (a[i] != '\0') continue;
    shared.size = i + 1;
    ++shared.labels;
  }
  return shared;
}

uint8_t Labels(std::string_view key) {
  return static_cast<uint8_t>(std::count(key.begin(), key.end(), '\0'));
}

}  // namespace

NameRules::NameRules(const std::vector<std::pair<std::string, uint32_t>>& sorted) {
  size_t bytes = 0;
  for (const auto& [key, value] : sorted) bytes += key.size();
  keys_.reserve(bytes);
  ends_.reserve(sorted.size());
  values_.reserve(sorted.size());
  for (const auto& [key, value] : sorted) {
    keys_ += key;
    ends_.push_back(static_cast<uint32_t>(keys_.size()));
    values_.push_back(value);
  }
}

size_t NameRules::LowerBound(std::string_view wanted) const {
  size_t low = 0;
  size_t high = values_.size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (key(middle) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::optional<NameRules::Match> NameRules::Find(dns::NameView name) const {
  if (values_.empty()) return std::nullopt;
  std::array<char, dns::kMaxNameKeySize + 2> room;
  const std::string_view wanted(room.data(), dns::WriteNameKey(name, room.data()));
  const size_t at = LowerBound(wanted);
  if (at < values_.size()) {
    if (key(at) == wanted) return Match{values_[at], Labels(wanted), false};
    // Something stands below: the name exists, and an empty non-terminal is no wildcard's (RFC 4592 section
    // 2.2.2).
    if (key(at).starts_with(wanted)) return std::nullopt;
  }
  Shared encloser;
  if (at < values_.size()) encloser = SharedLabels(wanted, key(at));
  if (at > 0) {
    if (const Shared before = SharedLabels(wanted, key(at - 1)); before.size > encloser.size)
      encloser = before;
  }
  room[encloser.size] = '*';
  room[encloser.size + 1] = '\0';
  const std::string_view wildcard(room.data(), encloser.size + 2);
  const size_t star = LowerBound(wildcard);
  if (star == values_.size() || key(star) != wildcard) return std::nullopt;
  return Match{values_[star], encloser.labels, true};
}

}  // namespace sekisho::resolver::rpz
