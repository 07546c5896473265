// Policy groups: agencies that are under the same policy and policy zones share a group, and with it the
// packet cache.
//
// Threads: a function without state. Limits: as many groups as there are agencies.
#ifndef SEKISHO_RESOLVER_CORE_POLICY_POLICY_GROUPS_H_
#define SEKISHO_RESOLVER_CORE_POLICY_POLICY_GROUPS_H_

#include <vector>

#include "resolver/core/settings.h"

namespace sekisho::resolver {

// Goes by settings->agency_policies. `agencies_of_zone`: for each of settings->policy_zones the agencies that
// it is for; empty: all.
void MakePolicyGroups(const std::vector<std::vector<AgencyTable::Id>>& agencies_of_zone, Settings* settings);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_POLICY_POLICY_GROUPS_H_
