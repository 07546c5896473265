#include "resolver/core/policy/policy_groups.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace sekisho::resolver {

void MakePolicyGroups(const std::vector<std::vector<AgencyTable::Id>>& agencies_of_zone, Settings* settings) {
  static const std::shared_ptr<const AgencyPolicy> kPlain = std::make_shared<const AgencyPolicy>();
  std::map<std::pair<const AgencyPolicy*, std::vector<size_t>>, uint16_t> groups;
  settings->group_zones.clear();
  settings->group_policies.clear();
  for (size_t i = 0; i < settings->agencies.size(); ++i) {
    const auto id = static_cast<AgencyTable::Id>(i);
    std::vector<size_t> zones;
    for (size_t z = 0; z < settings->policy_zones.size(); ++z) {
      const auto& agencies = agencies_of_zone[z];
      if (agencies.empty() || std::find(agencies.begin(), agencies.end(), id) != agencies.end())
        zones.push_back(z);
    }
    const bool given = i < settings->agency_policies.size() && settings->agency_policies[i] != nullptr;
    const auto& policy = given ? settings->agency_policies[i] : kPlain;
    const auto [group, fresh] =
        groups.emplace(std::pair(policy.get(), zones), static_cast<uint16_t>(groups.size()));
    if (fresh) {
      settings->group_policies.push_back(policy);
      auto& of_group = settings->group_zones.emplace_back();
      for (const size_t z : zones) of_group.push_back(settings->policy_zones[z]);
    }
    settings->agencies.SetPolicyGroup(id, group->second);
  }
}

}  // namespace sekisho::resolver
