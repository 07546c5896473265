#include "resolver/core/rpz/zone_list.h"

#include <algorithm>

namespace sekisho::resolver::rpz {

ZoneList Bind(const std::vector<std::shared_ptr<const ZoneConfig>>& configs, const Zones& zones) {
  ZoneList list;
  for (const auto& config : configs) {
    const auto zone = zones.find(config->name);
    if (zone != zones.end() && zone->second != nullptr) list.push_back({zone->second, config});
  }
  return list;
}

bool HasClientRule(const ZoneList& list, const IpAddress& client) {
  return std::any_of(list.begin(), list.end(), [&](const BoundZone& bound) {
    const PrefixRules& rules = bound.zone->prefixes(TriggerKind::kClient);
    return !rules.empty() && rules.Find(client).has_value();
  });
}

}  // namespace sekisho::resolver::rpz
