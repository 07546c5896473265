// Outlook: what the rules in force say about a name or an address to each agency, before anything is
// resolved.
//
//   auto judged = MakeOutlook(request, {&settings, snapshot, zones}, now);
//
// The same judges decide as for a question, in the same order: the lists, local zones, policy zones. What
// depends on the answer (aliases, addresses, name servers) is not known here.
//
// Threads: a function without state. Limits: kMaxJudgements agencies.
#ifndef SEKISHO_RESOLVER_SERVER_OUTLOOK_H_
#define SEKISHO_RESOLVER_SERVER_OUTLOOK_H_

#include <absl/status/statusor.h>

#include <memory>

#include "blocklist/trie/policy_snapshot.h"
#include "proto/base/now.h"
#include "proto/schema/control.pb.h"
#include "resolver/core/rpz/zone_list.h"
#include "resolver/core/settings.h"

namespace sekisho::resolver {

inline constexpr int kMaxJudgements = 1000;

struct RulesInForce {
  const Settings* settings = nullptr;
  std::shared_ptr<const blocklist::PolicySnapshot> lists;  // null: none
  std::shared_ptr<const rpz::Zones> zones;                 // null: none
};

// Fails when the subject is neither a name nor an address, or there is no such agency.
absl::StatusOr<control::Judged> MakeOutlook(const control::JudgeRequest& request, const RulesInForce& rules,
                                            WallTime now);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_OUTLOOK_H_
