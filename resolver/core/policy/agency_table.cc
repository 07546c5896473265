#include "resolver/core/policy/agency_table.h"

#include <algorithm>

namespace sekisho::resolver {

AgencyTable::Id AgencyTable::Add(std::string name) {
  names_.push_back(std::move(name));
  return static_cast<Id>(names_.size() - 1);
}

bool AgencyTable::AddNetwork(Id agency, const IpPrefix& prefix) {
  auto level = std::find_if(levels_.begin(), levels_.end(),
                            [&](const Level& l) { return l.mapped_length <= prefix.mapped_length(); });
  if (level == levels_.end() || level->mapped_length != prefix.mapped_length()) {
    level = levels_.insert(level, Level{prefix.mapped_length(), {}});
  }
  auto at = std::lower_bound(level->networks.begin(), level->networks.end(), prefix.address(),
                             [](const auto& entry, const IpAddress& a) { return entry.first.address() < a; });
  if (at != level->networks.end() && at->first == prefix) return at->second == agency;
  level->networks.insert(at, {prefix, agency});
  return true;
}

std::optional<AgencyTable::Id> AgencyTable::Find(const IpAddress& client) const {
  for (const Level& level : levels_) {
    // The last network that begins at or before the client is the only one of this length that can hold it.
    auto at =
        std::upper_bound(level.networks.begin(), level.networks.end(), client,
                         [](const IpAddress& a, const auto& entry) { return a < entry.first.address(); });
    if (at != level.networks.begin() && std::prev(at)->first.Contains(client)) return std::prev(at)->second;
  }
  return std::nullopt;
}

}  // namespace sekisho::resolver
