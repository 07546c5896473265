// Verdict: what policy decided about one question, on the strength of which rule, and what is told instead.
//
// A verdict says what is to happen; Enforce (enforce.h) makes it happen, whichever list or zone it comes
// from.
//
// Threads: values. The texts belong to what `keep` keeps alive.
#ifndef SEKISHO_RESOLVER_CORE_POLICY_VERDICT_H_
#define SEKISHO_RESOLVER_CORE_POLICY_VERDICT_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/dns/edns.h"
#include "proto/dns/name.h"
#include "proto/dns/rrset.h"
#include "proto/record/lookup_record.h"

namespace sekisho::resolver {

struct BlockText;

using record::Action;
using record::Trigger;

struct Verdict {
  Action action = Action::kNone;
  Trigger trigger = Trigger::kNone;
  dns::Name trigger_name;   // the name that matched; the reverse name of an answer address
  uint8_t rule_labels = 0;  // of an answer address: the bits of its family that the rule speaks about
  bool rule_subtree = false;
  std::string_view feeds;
  std::string_view category;
  std::string_view reference;
  const BlockText* text = nullptr;  // how it is told; null: plainly
  bool agency_bound = false;        // rules for single agencies were met: a reply is for this agency alone
  uint64_t generation = 0;          // of the snapshot that was asked, match or not
  std::shared_ptr<const void> keep;

  // What else shapes the answer of an action that changes it.
  struct Answer {
    // kSinkhole: sets of any type, given under the name that the rule speaks about. A CNAME is followed.
    std::vector<dns::RRsetPtr> records;
    uint32_t max_ttl = 0xffffffff;
    // Told in the additional section beside local data, where clients get more than they need. Null: none.
    dns::RRsetPtr soa;
    std::optional<dns::EdeCode> error = dns::EdeCode::kBlocked;  // none: the client is not told why
    std::string detail;                                          // behind the lists' names in the EDE's text
    // Policy zones answer as authorities do: with AA, without an SOA, the links before the rule in front.
    bool as_zone = false;
    bool clear_ra = false;
  } answer;

  // The answer is changed for a client that asks over this transport.
  bool Blocks(record::Transport transport) const {
    if (action == Action::kTcpOnly) return transport == record::Transport::kUdp;
    return action >= Action::kNxdomain && action <= Action::kDrop;
  }
  // The answer stands, and no further rule is asked.
  bool Passes(record::Transport transport) const {
    return action == Action::kAllow || action == Action::kPassthru ||
           (action == Action::kTcpOnly && transport != record::Transport::kUdp);
  }
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_POLICY_VERDICT_H_
