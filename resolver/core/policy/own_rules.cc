#include "resolver/core/policy/own_rules.h"

#include <map>
#include <utility>

#include "blocklist/trie/trie_builder.h"
#include "blocklist/trie/trie_view.h"
#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"

namespace sekisho::resolver {

std::shared_ptr<const blocklist::PolicySnapshot> CompileOwnRules(const std::vector<OwnRule>& rules) {
  if (rules.empty()) return nullptr;
  std::map<std::string, bool> names;
  std::map<std::pair<IpAddress, int>, std::pair<IpPrefix, bool>> prefixes;
  for (const OwnRule& rule : rules) {
    if (rule.prefix) {
      auto& [prefix, allow] = prefixes[{rule.prefix->address(), rule.prefix->mapped_length()}];
      prefix = *rule.prefix;
      allow = allow || rule.allow;
    } else {
      bool& allow = names[dns::NameKey(rule.name)];
      allow = allow || rule.allow;
    }
  }
  blocklist::TrieBuilder builder;
  const uint32_t source = builder.AddSource({});
  const auto action = [](bool allow) {
    return allow ? blocklist::RuleAction::kAllow : blocklist::RuleAction::kBlock;
  };
  for (const auto& [order, rule] : prefixes) {
    if (!builder.AddAddress(rule.first, action(rule.second), source).ok()) return nullptr;
  }
  for (const auto& [key, allow] : names) {
    if (!builder.Add(key, blocklist::RuleScope::kSubtree, action(allow), source).ok()) return nullptr;
  }
  auto bytes = builder.Finish();
  if (!bytes.ok()) return nullptr;
  auto kept = std::make_shared<const std::string>(*std::move(bytes));
  auto view = blocklist::TrieView::Open(AsBytes(*kept));
  if (!view.ok()) return nullptr;
  return std::make_shared<const blocklist::PolicySnapshot>(0, *view, std::nullopt, std::move(kept));
}

}  // namespace sekisho::resolver
