// Verdict: what policy decided about one question, and on the strength of which rule.
//
// Threads: values. The texts belong to the snapshot that `policy` keeps alive.
#ifndef SEKISHO_RESOLVER_CORE_POLICY_VERDICT_H_
#define SEKISHO_RESOLVER_CORE_POLICY_VERDICT_H_

#include <memory>
#include <string>
#include <string_view>

#include "proto/dns/edns.h"
#include "proto/dns/name.h"
#include "proto/record/lookup_record.h"

namespace sekisho::blocklist {
class PolicySnapshot;
}

namespace sekisho::resolver {

using record::Action;
using record::Trigger;

struct Verdict {
  Action action = Action::kNone;
  Trigger trigger = Trigger::kNone;
  dns::Name trigger_name;  // the name that matched
  uint8_t rule_labels = 0;
  bool rule_subtree = false;
  std::string_view feeds;
  std::string_view category;
  uint64_t generation = 0;  // of the snapshot that was asked, match or not
  std::shared_ptr<const blocklist::PolicySnapshot> policy;

  // The answer is changed.
  bool Blocks() const { return action >= Action::kNxdomain && action <= Action::kDrop; }
};

// Judges one name. A verdict already reached by a stronger trigger is the caller's to keep.
Verdict JudgeName(const std::shared_ptr<const blocklist::PolicySnapshot>& policy, dns::NameView name,
                  Trigger trigger);

// What the client is told: EDE 15 with the feeds and the category (RFC 8914 section 4.16).
dns::ExtendedError ExplainBlock(const Verdict& verdict);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_POLICY_VERDICT_H_
