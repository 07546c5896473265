#include "resolver/core/policy/verdict.h"

#include "blocklist/trie/policy_snapshot.h"

namespace sekisho::resolver {
namespace {

Action ActionOf(blocklist::RuleAction action) {
  switch (action) {
    case blocklist::RuleAction::kBlock:
      return Action::kNxdomain;
    case blocklist::RuleAction::kAllow:
      return Action::kAllow;
    case blocklist::RuleAction::kLogOnly:
      return Action::kLogOnly;
    case blocklist::RuleAction::kRemoved:
      break;
  }
  return Action::kNone;
}

}  // namespace

Verdict JudgeName(const std::shared_ptr<const blocklist::PolicySnapshot>& policy, dns::NameView name,
                  Trigger trigger) {
  Verdict v;
  if (policy == nullptr) return v;
  v.generation = policy->generation();
  const auto match = policy->MatchName(name);
  if (!match) return v;
  const blocklist::RuleSource source = policy->source(*match);
  v.action = ActionOf(match->action);
  v.trigger = trigger;
  v.trigger_name = dns::Name(name);
  v.rule_labels = match->labels;
  v.rule_subtree = match->scope == blocklist::RuleScope::kSubtree;
  v.feeds = source.feeds;
  v.category = source.category;
  v.keep = policy;
  return v;
}

std::optional<dns::ExtendedError> ExplainBlock(const Verdict& verdict) {
  if (!verdict.answer.error) return std::nullopt;
  std::string text = "listed by ";
  text += verdict.feeds;
  if (!verdict.category.empty()) {
    text += " (";
    text += verdict.category;
    text += ")";
  }
  if (verdict.trigger == Trigger::kCname) text += ", alias of " + verdict.trigger_name.ToString();
  if (!verdict.answer.detail.empty()) text += ", " + verdict.answer.detail;
  return dns::ExtendedError{*verdict.answer.error, std::move(text)};
}

}  // namespace sekisho::resolver
