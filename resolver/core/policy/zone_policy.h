// Zone policy: the stages' questions to the policy zones of a client's agency.
//
// The own lists speak first, everywhere; these functions are called when they had nothing to say that acts or
// lets pass.
//
// Threads: one worker. Standards: draft-vixie-dnsop-dns-rpz-00.
#ifndef SEKISHO_RESOLVER_CORE_POLICY_ZONE_POLICY_H_
#define SEKISHO_RESOLVER_CORE_POLICY_ZONE_POLICY_H_

#include <optional>

#include "resolver/core/pipeline.h"
#include "resolver/core/rpz/judge.h"

namespace sekisho::resolver {

// Before the answer is known; nothing: go on.
std::optional<Next> ScreenByZones(Query& query, World& world);
// Every name of the answer's chain, in its order.
std::optional<Next> InspectByZones(Query& query, World& world);

// What is done where this rule decides.
Action ActionOf(const rpz::Finding& finding);

// Would a question for this set, asked by the same client, be answered with it?
bool ZonesTell(const Question& question, const World& world, const dns::RRset& rrset);

// A reply to this client may not serve others, nor the other way round.
bool ZonesKnowClient(const World& world, AgencyTable::Id agency, const IpAddress& client);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_POLICY_ZONE_POLICY_H_
