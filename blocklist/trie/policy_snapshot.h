// PolicySnapshot: the compiled rules of one moment, read from mapped bytes: a base file and a small delta
// laid over it.
//
// MatchName answers for a name and all its ancestors at once. Allow rules win over block rules, wherever they
// stand; among the rest the most specific (longest) rule name wins, and at the same name exact before
// subtree. A delta may also take a rule of the base away. MatchAddress does the same for an address and all
// prefixes that hold it. ForEachMatch gives all rules that hold, for who has an order of his own.
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
#include <span>
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
struct AddressMatch {
  RuleAction action = RuleAction::kBlock;
  uint8_t length = 0;   // the rule = the first `length` bits of the address asked, of its family
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
  std::optional<AddressMatch> MatchAddress(const IpAddress& address) const;
  // Calls with every rule that covers the name (address) and is not overridden, in no order that matters.
  template <typename Each>
  void ForEachMatch(dns::NameView name, Each each) const {
    const NameQuery query(name);
    TrieHits base_room;
    TrieHits delta_room;
    const std::span<const TrieHit> base = base_.Find(query, base_room);
    std::span<const TrieHit> delta;
    if (delta_) delta = delta_->Find(query, delta_room);
    for (const TrieHit& hit : delta) {
      if (hit.action != RuleAction::kRemoved)
        each(NameMatch{hit.action, hit.scope, hit.labels, hit.source, true});
    }
    for (const TrieHit& hit : base) {
      if (!Overrides(delta, hit)) each(NameMatch{hit.action, hit.scope, hit.labels, hit.source, false});
    }
  }
  template <typename Each>
  void ForEachMatch(const IpAddress& address, Each each) const {
    AddressHits base_room;
    AddressHits delta_room;
    const std::span<const AddressHit> base = base_.FindAddress(address, base_room);
    std::span<const AddressHit> delta;
    if (delta_) delta = delta_->FindAddress(address, delta_room);
    for (const AddressHit& hit : delta) {
      if (hit.action != RuleAction::kRemoved) each(AddressMatch{hit.action, hit.length, hit.source, true});
    }
    for (const AddressHit& hit : base) {
      if (!Overrides(delta, hit)) each(AddressMatch{hit.action, hit.length, hit.source, false});
    }
  }
  // Where a rule comes from; views into the mapping.
  RuleSource source(const NameMatch& match) const { return SourceOf(match.source, match.in_delta); }
  RuleSource source(const AddressMatch& match) const { return SourceOf(match.source, match.in_delta); }

 private:
  RuleSource SourceOf(uint32_t id, bool in_delta) const {
    if (in_delta) return delta_ ? delta_->source(id) : RuleSource{};
    return base_.source(id);
  }
  bool Overrides(std::span<const TrieHit> delta, const TrieHit& hit) const {
    for (const TrieHit& over : delta) {
      if (over.labels == hit.labels && over.scope == hit.scope) return SpeaksToAll(over.source);
    }
    return false;
  }
  bool Overrides(std::span<const AddressHit> delta, const AddressHit& hit) const {
    for (const AddressHit& over : delta) {
      if (over.length == hit.length) return SpeaksToAll(over.source);
    }
    return false;
  }
  // A rule of the delta that is for single agencies leaves the base's rule to the others.
  bool SpeaksToAll(uint32_t delta_source) const;

  uint64_t generation_;
  TrieView base_;
  std::optional<TrieView> delta_;
  std::shared_ptr<const void> keepalive_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_POLICY_SNAPSHOT_H_
