// Lists policy: the stages' questions to the lists, for the policy that a client's agency is under.
//
// Threads: one worker.
#ifndef SEKISHO_RESOLVER_CORE_POLICY_LISTS_POLICY_H_
#define SEKISHO_RESOLVER_CORE_POLICY_LISTS_POLICY_H_

#include "proto/dns/rrset.h"
#include "resolver/core/pipeline.h"

namespace sekisho::resolver {

// On the name sought. True: the question's verdict acts, and is to be enforced.
bool ScreenByLists(Question& question, const World& world);
// On what the DNS said: where aliases and services lead, every address in answers and hints. Likewise.
bool InspectByLists(Question& question, const World& world);
// The question's verdict was reached under other lists or settings than those in force.
bool ListsChanged(const Question& question, const World& world);

// What the agency is under; never null.
const std::shared_ptr<const AgencyPolicy>& PolicyOf(const Settings& settings, AgencyTable::Id agency);

// Would a question for this set, asked by the same client, be answered with it?
bool ListsTell(const Question& question, const World& world, const dns::RRset& rrset);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_POLICY_LISTS_POLICY_H_
