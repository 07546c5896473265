#include "resolver/core/policy/own_rules.h"

#include <charconv>
#include <map>
#include <tuple>
#include <utility>

#include "blocklist/trie/trie_builder.h"
#include "blocklist/trie/trie_view.h"
#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"

namespace sekisho::resolver {
namespace {

// Allow before block, then the one that lasts longer.
void Take(const OwnRule& rule, const OwnRule** place) {
  const auto weight = [](const OwnRule& r) { return std::tuple(r.allow, r.until); };
  if (*place == nullptr || weight(rule) > weight(**place)) *place = &rule;
}

uint32_t SourceOf(const OwnRule& rule, blocklist::TrieBuilder* builder) {
  const std::string end = rule.until == WallTime::max() ? "" : std::to_string(UnixMicros(rule.until));
  return builder->AddSource({.feeds = end, .category = "", .reference = rule.reason});
}

}  // namespace

WallTime EndOf(const blocklist::RuleSource& source) {
  int64_t end = 0;
  const auto [at, error] =
      std::from_chars(source.feeds.data(), source.feeds.data() + source.feeds.size(), end);
  return error == std::errc() && at != source.feeds.data() ? WallFromMicros(end) : WallTime::max();
}

std::shared_ptr<const blocklist::PolicySnapshot> CompileOwnRules(const std::vector<OwnRule>& rules) {
  if (rules.empty()) return nullptr;
  std::map<std::string, const OwnRule*> names;
  std::map<std::pair<IpAddress, int>, const OwnRule*> prefixes;
  for (const OwnRule& rule : rules) {
    Take(rule, rule.prefix ? &prefixes[{rule.prefix->address(), rule.prefix->mapped_length()}]
                           : &names[dns::NameKey(rule.name)]);
  }
  blocklist::TrieBuilder builder;
  const auto action = [](const OwnRule& rule) {
    return rule.allow ? blocklist::RuleAction::kAllow : blocklist::RuleAction::kBlock;
  };
  for (const auto& [order, rule] : prefixes) {
    if (!builder.AddAddress(*rule->prefix, action(*rule), SourceOf(*rule, &builder)).ok()) return nullptr;
  }
  for (const auto& [key, rule] : names) {
    const auto added =
        builder.Add(key, blocklist::RuleScope::kSubtree, action(*rule), SourceOf(*rule, &builder));
    if (!added.ok()) return nullptr;
  }
  auto bytes = builder.Finish();
  if (!bytes.ok()) return nullptr;
  auto kept = std::make_shared<const std::string>(*std::move(bytes));
  auto view = blocklist::TrieView::Open(AsBytes(*kept));
  if (!view.ok()) return nullptr;
  return std::make_shared<const blocklist::PolicySnapshot>(0, *view, std::nullopt, std::move(kept));
}

}  // namespace sekisho::resolver
