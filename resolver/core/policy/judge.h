// Judge: what the lists say to one client about a name or an address.
//
// The order, whatever the rules' length:
//   1. protected names and addresses             nothing blocks them
//   2. what the agency allows itself             (configuration, or `sekisho allow add --agency`)
//   3. what is allowed for all                   `sekisho allow add`
//   4. what the agency blocks itself
//   5. what is blocked for all                   `sekisho block add`
//   6. feeds by rank, of equal rank the most specific rule; a feed that the policy leaves out is not asked
//   7. what is only noted: feeds and policies that only log
// An allow or passthru for the name asked lets the whole answer pass. One for an address speaks of that
// address alone.
//
//   const Judge judge(snapshot, policy, "ministry-a", settings.never_block, now);
//   Verdict v = judge.Name(qname, Trigger::kQname);
//
// Threads: one worker. Limits: allocates only when a rule is found.
#ifndef SEKISHO_RESOLVER_CORE_POLICY_JUDGE_H_
#define SEKISHO_RESOLVER_CORE_POLICY_JUDGE_H_

#include <memory>
#include <string_view>

#include "blocklist/trie/policy_snapshot.h"
#include "proto/base/ip_address.h"
#include "proto/base/now.h"
#include "resolver/core/policy/agency_policy.h"
#include "resolver/core/policy/verdict.h"

namespace sekisho::resolver {

class Judge {
 public:
  using Snapshot = std::shared_ptr<const blocklist::PolicySnapshot>;

  // `snapshot` and `never_block` may be null. All must outlive the judge; verdicts keep what they need.
  Judge(const Snapshot& snapshot, const std::shared_ptr<const AgencyPolicy>& policy, std::string_view agency,
        const Snapshot& never_block, WallTime now)
      : snapshot_(snapshot), policy_(policy), agency_(agency), never_block_(never_block), now_(now) {}

  Verdict Name(dns::NameView name, Trigger trigger) const;
  // Also the IPv4 address within one of 64:ff9b::/96 (RFC 6052).
  Verdict Address(const IpAddress& address) const;

 private:
  template <typename Subject>
  Verdict Decide(const Subject& subject) const;
  Verdict OneAddress(const IpAddress& address) const;

  const Snapshot& snapshot_;
  const std::shared_ptr<const AgencyPolicy>& policy_;
  std::string_view agency_;
  const Snapshot& never_block_;
  WallTime now_;  // own rules may end
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_POLICY_JUDGE_H_
