#include "blocklist/trie/policy_snapshot.h"

#include <utility>

namespace sekisho::blocklist {
namespace {

// Keeps the rule that decides among all rules that cover one name.
class Decision {
 public:
  void Offer(const TrieHit& hit, bool in_delta) {
    if (hit.action == RuleAction::kRemoved) return;
    if (best_ && !Beats(hit)) return;
    best_ = NameMatch{hit.action, hit.scope, hit.labels, hit.source, in_delta};
  }
  const std::optional<NameMatch>& best() const { return best_; }

 private:
  bool Beats(const TrieHit& hit) const {
    const bool allows = hit.action == RuleAction::kAllow;
    if (allows != (best_->action == RuleAction::kAllow)) return allows;
    if (hit.labels != best_->labels) return hit.labels > best_->labels;
    return hit.scope < best_->scope;
  }

  std::optional<NameMatch> best_;
};

bool Overrides(std::span<const TrieHit> delta, const TrieHit& hit) {
  for (const TrieHit& over : delta) {
    if (over.labels == hit.labels && over.scope == hit.scope) return true;
  }
  return false;
}

}  // namespace

PolicySnapshot::PolicySnapshot(uint64_t generation, TrieView base, std::optional<TrieView> delta,
                               std::shared_ptr<const void> keepalive)
    : generation_(generation), base_(base), delta_(delta), keepalive_(std::move(keepalive)) {}

size_t PolicySnapshot::rule_count() const { return base_.rule_count() + (delta_ ? delta_->rule_count() : 0); }

std::optional<NameMatch> PolicySnapshot::MatchName(dns::NameView name) const {
  const NameQuery query(name);
  TrieHits base_room;
  TrieHits delta_room;
  const std::span<const TrieHit> base = base_.Find(query, base_room);
  std::span<const TrieHit> delta;
  if (delta_) delta = delta_->Find(query, delta_room);
  if (base.empty() && delta.empty()) return std::nullopt;
  Decision decision;
  for (const TrieHit& hit : delta) decision.Offer(hit, true);
  for (const TrieHit& hit : base) {
    if (!Overrides(delta, hit)) decision.Offer(hit, false);
  }
  return decision.best();
}

RuleSource PolicySnapshot::source(const NameMatch& match) const {
  if (match.in_delta) return delta_ ? delta_->source(match.source) : RuleSource{};
  return base_.source(match.source);
}

}  // namespace sekisho::blocklist
