#include "resolver/config/policy_config.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/base/time_text.h"
#include "proto/config/policy_words.h"
#include "resolver/core/limits.h"
#include "resolver/core/policy/own_rules.h"

namespace sekisho::resolver {
namespace {

using record::Action;
using Texts = google::protobuf::RepeatedPtrField<std::string>;

// What the configuration's check let pass is one of them.
std::optional<Action> ActionOf(std::string_view word) {
  static constexpr std::pair<std::string_view, Action> kActions[] = {
      {"nxdomain", Action::kNxdomain}, {"nodata", Action::kNodata},   {"sinkhole", Action::kSinkhole},
      {"refused", Action::kRefused},   {"drop", Action::kDrop},       {"tcp-only", Action::kTcpOnly},
      {"passthru", Action::kPassthru}, {"log-only", Action::kLogOnly}};
  for (const auto& [name, action] : kActions) {
    if (word == name) return action;
  }
  return std::nullopt;
}

bool Holds(const Texts& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::optional<OwnRule> RuleOf(const std::string& text, bool allow) {
  OwnRule rule{.name = {}, .prefix = IpPrefix::Parse(text), .allow = allow, .reason = {}};
  if (rule.prefix) return rule;
  const auto name = dns::Name::Parse(text);
  if (!name) return std::nullopt;
  rule.name = *name;
  return rule;
}

void AddEntries(const google::protobuf::RepeatedPtrField<config::PolicyEntry>& entries, bool allow,
                std::vector<OwnRule>* out) {
  for (const config::PolicyEntry& entry : entries) {
    auto rule = RuleOf(entry.what(), allow);
    if (!rule) continue;
    rule->reason = entry.reason();
    if (const auto until = ParseTime(entry.until(), WallTime(), TimeZone{}))
      rule->until = WallFromMicros(*until);
    out->push_back(*std::move(rule));
  }
}

// Addresses, one set for each family; or one alias.
std::vector<dns::RRsetPtr> SinkholeOf(const Texts& texts) {
  std::map<dns::RRType, dns::RRset> sets;
  for (const std::string& text : texts) {
    const auto address = IpAddress::Parse(text);
    const dns::RRType type = !address           ? dns::RRType::kCNAME
                             : address->is_v4() ? dns::RRType::kA
                                                : dns::RRType::kAAAA;
    dns::RRset& set = sets[type];
    set.type = type;
    set.ttl = limits::kBlockTtl;
    if (address) {
      set.rdata.Add(address->bytes());
    } else if (const auto name = dns::Name::Parse(text)) {
      set.rdata.Add(name->bytes());
    }
  }
  std::vector<dns::RRsetPtr> out;
  for (auto& [type, set] : sets) out.push_back(std::make_shared<const dns::RRset>(std::move(set)));
  return out;
}

BlockText TextOf(const config::BlockMessage& message) {
  using Form = BlockText::Structured;
  BlockText text;
  text.pattern = message.text();
  if (!message.language().empty()) text.language = message.language();
  text.structured = message.structured() == "always"  ? Form::kAlways
                    : message.structured() == "asked" ? Form::kWhenAsked
                                                      : Form::kNever;
  text.contacts.assign(message.contacts().begin(), message.contacts().end());
  text.organization = message.organization();
  return text;
}

bool Counts(const config::Policy& policy, const std::string& feed, const std::string& category) {
  if (policy.feeds_size() > 0 && !Holds(policy.feeds(), feed)) return false;
  if (policy.categories_size() > 0 && !Holds(policy.categories(), category)) return false;
  return !Holds(policy.without_feeds(), feed) && !Holds(policy.without_categories(), category);
}

// The policy's word on the feed, on its category, on all; then the feed's own.
Action ActionFor(const config::Policy& policy, const std::string& feed, const std::string& category,
                 const std::string& own) {
  for (const bool by_feed : {true, false}) {
    for (const config::PolicyAction& rule : policy.actions()) {
      const bool fits = by_feed ? !rule.feed().empty() && rule.feed() == feed
                                : !rule.category().empty() && rule.category() == category;
      if (fits) return ActionOf(rule.action()).value_or(Action::kNxdomain);
    }
  }
  if (!policy.action().empty()) return ActionOf(policy.action()).value_or(Action::kNxdomain);
  return ActionOf(own).value_or(Action::kNxdomain);
}

std::vector<const config::Feed*> InRankOrder(const config::Blocklist& blocklist) {
  std::vector<const config::Feed*> sorted;
  for (const config::Feed& feed : blocklist.feeds()) sorted.push_back(&feed);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const config::Feed* a, const config::Feed* b) { return a->rank() < b->rank(); });
  return sorted;
}

std::shared_ptr<const AgencyPolicy> MakePolicy(const config::Policy& from,
                                               const config::Blocklist& blocklist) {
  auto policy = std::make_shared<AgencyPolicy>();
  policy->name = from.name();
  policy->log_only = from.mode() == "log-only";
  policy->action = ActionOf(from.action()).value_or(Action::kNxdomain);
  uint32_t rank = 0;
  for (const config::Feed* feed : InRankOrder(blocklist)) {
    policy->feeds[feed->name()] = {.counts = Counts(from, feed->name(), feed->category()),
                                   .action = ActionFor(from, feed->name(), feed->category(), feed->action()),
                                   .rank = rank++,
                                   .category = feed->category()};
  }
  policy->unknown_feed.counts = Counts(from, "", "");
  policy->unknown_feed.action = policy->action;
  policy->sinkhole = SinkholeOf(from.sinkhole());
  std::vector<OwnRule> own;
  AddEntries(from.allow(), true, &own);
  AddEntries(from.block(), false, &own);
  policy->own = CompileOwnRules(own);
  policy->own_feed = from.name();
  policy->text = TextOf(from.message());
  return policy;
}

}  // namespace

absl::Status SetPolicies(const config::Config& config, Settings* settings) {
  std::map<std::string, std::shared_ptr<const AgencyPolicy>> by_name;
  by_name[config::kDefaultPolicy] = MakePolicy(config::Policy(), config.blocklist());
  for (const config::Policy& policy : config.policies())
    by_name[policy.name()] = MakePolicy(policy, config.blocklist());
  settings->agency_policies.clear();
  for (const config::Agency& agency : config.agencies()) {
    const auto found = by_name.find(agency.policy().empty() ? config::kDefaultPolicy : agency.policy());
    if (found == by_name.end()) {
      return absl::InvalidArgumentError("agencies: '" + agency.name() + "' is under no known policy");
    }
    settings->agency_policies.push_back(found->second);
  }
  std::vector<OwnRule> never;
  for (const std::string& text : config.blocklist().never_block()) {
    if (auto rule = RuleOf(text, true)) never.push_back(*std::move(rule));
  }
  settings->never_block = CompileOwnRules(never);
  return absl::OkStatus();
}

}  // namespace sekisho::resolver
