// PolicySnapshot: the compiled rules of one moment, read from mapped bytes: a base file and a small delta
// laid over it.
//
// MatchName answers for a name and all its ancestors at once. Allow rules win over block rules, wherever they
// stand; among the rest the most specific (longest) rule name wins, and at the same name exact before
// subtree. A delta may also take a rule of the base away.
//
//   if (auto match = snapshot.MatchName(qname); match && match->action == RuleAction::kBlock) …
//   snapshot.source(match->source).feeds
//
// Threads: immutable; any thread. Limits: MatchName does not allocate and reads the mapping only.
// Standards: FORMAT.md beside this file.
#ifndef SEKISHO_BLOCKLIST_TRIE_POLICY_SNAPSHOT_H_
#define SEKISHO_BLOCKLIST_TRIE_POLICY_SNAPSHOT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "blocklist/trie/rule.h"
#include "blocklist/trie/trie_view.h"
#include "proto/dns/name.h"

namespace sekisho::blocklist {

struct NameMatch {
  RuleAction action = RuleAction::kBlock;
  RuleScope scope = RuleScope::kExact;
  uint8_t labels = 0;   // the rule's name = the rightmost `labels` labels of the name asked
  uint32_t source = 0;  // for source()
  bool in_delta = false;
};

class PolicySnapshot {
 public:
  // `delta` may be null. `keepalive` owns the bytes under both views.
  PolicySnapshot(uint64_t generation, TrieView base, std::optional<TrieView> delta,
                 std::shared_ptr<const void> keepalive);

  uint64_t generation() const { return generation_; }
  size_t rule_count() const;
  std::optional<NameMatch> MatchName(dns::NameView name) const;
  // Where a rule comes from; views into the mapping.
  RuleSource source(const NameMatch& match) const;

 private:
  uint64_t generation_;
  TrieView base_;
  std::optional<TrieView> delta_;
  std::shared_ptr<const void> keepalive_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_POLICY_SNAPSHOT_H_
