// Subject: what somebody asks or decides about: a name, or an address or prefix.
//
//   auto subject = Subject::Parse("203.0.113.7");     // or "evil.example", "bücher.example", "2001:db8::/48"
//   for (const Candidate& c : subject->Candidates()) store.FindEntry(feed, c.entry) …
//
// Threads: values. Limits: at most three candidates a label, or one for each bit of a prefix and kind.
#ifndef SEKISHO_BLOCKLIST_FEEDD_SUBJECT_H_
#define SEKISHO_BLOCKLIST_FEEDD_SUBJECT_H_

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "blocklist/merge/guard.h"
#include "blocklist/trie/policy_snapshot.h"
#include "proto/base/ip_address.h"
#include "storage/indicators/claim_key.h"

namespace sekisho::feedd {

// An entry that would speak about the subject if it stood.
struct Candidate {
  std::string entry;
  indicators::EntryKind kind;
  std::string text;  // the name or prefix
  IpPrefix prefix{};
};

// What the rules in force say about a subject.
struct SubjectRule {
  blocklist::RuleAction action;
  bool subtree = true;
  bool in_delta = false;
  std::string owner;  // the rule's name or prefix
  blocklist::RuleSource source;
};

class Subject {
 public:
  // The error says why the text is neither.
  static absl::StatusOr<Subject> Parse(const std::string& text);

  bool is_address() const { return prefix_.has_value(); }
  const IpPrefix& prefix() const { return *prefix_; }
  // Normalised.
  const std::string& text() const { return text_; }

  // Most specific first.
  std::vector<Candidate> Candidates() const;
  bool IsSpokenOfBy(const indicators::EntryParts& parts) const;
  // In the resolver's order (resolver/core/policy/judge.h), for one agency or, with an empty name, for those
  // of which nothing is said apart. Policies of the configuration do not count here.
  std::optional<SubjectRule> Match(const blocklist::PolicySnapshot& snapshot,
                                   const std::string& agency) const;

 private:
  std::string text_;
  std::optional<IpPrefix> prefix_;
};

blocklist::GuardVerdict CheckCandidate(const blocklist::Guard& guard, const Candidate& candidate);

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_SUBJECT_H_
