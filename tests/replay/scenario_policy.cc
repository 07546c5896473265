// Scenario: what the lists come to for an agency.
#include <map>
#include <memory>

#include "resolver/core/policy/own_rules.h"
#include "tests/replay/scenario.h"

namespace sekisho::replay {
namespace {

using record::Action;
using resolver::AgencyPolicy;
using resolver::BlockText;
using resolver::OwnRule;

const std::map<std::string, Action> kActions = {
    {"nxdomain", Action::kNxdomain}, {"nodata", Action::kNodata},   {"sinkhole", Action::kSinkhole},
    {"refused", Action::kRefused},   {"drop", Action::kDrop},       {"tcp-only", Action::kTcpOnly},
    {"passthru", Action::kPassthru}, {"log-only", Action::kLogOnly}};

Words SplitAt(const std::string& text, char at) {
  Words out;
  size_t begin = 0;
  for (size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = text.find(at, begin);
    out.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
  }
  return out;
}

OwnRule RuleOf(const std::string& text, bool allow) {
  OwnRule rule{.name = {}, .prefix = IpPrefix::Parse(text), .allow = allow};
  if (!rule.prefix) rule.name = dns::Name::Parse(text).value_or(dns::Name());
  return rule;
}

void AddSinkhole(const std::string& text, AgencyPolicy* policy) {
  const auto address = IpAddress::Parse(text);
  dns::RRset rrset{.owner = dns::Name(),
                   .type = !address           ? dns::RRType::kCNAME
                           : address->is_v4() ? dns::RRType::kA
                                              : dns::RRType::kAAAA,
                   .ttl = 30};
  if (address) {
    rrset.rdata.Add(address->bytes());
  } else {
    rrset.rdata.Add(dns::Name::Parse(text).value_or(dns::Name()).bytes());
  }
  policy->sinkhole.push_back(std::make_shared<const dns::RRset>(std::move(rrset)));
}

}  // namespace

bool Scenario::AgencyPolicyWord(const std::string& key, const std::string& value,
                                resolver::AgencyPolicy* policy) {
  if (key == "action" && kActions.contains(value)) {
    policy->action = policy->unknown_feed.action = kActions.at(value);
  } else if (key == "mode") {
    policy->log_only = value == "log-only";
  } else if (key == "sinkhole") {
    AddSinkhole(value, policy);
  } else if (key == "feed") {  // NAME:ACTION[:RANK], or NAME:off
    const Words parts = SplitAt(value, ':');
    if (parts.size() < 2 || (parts[1] != "off" && !kActions.contains(parts[1]))) return false;
    resolver::FeedTerm& term = policy->feeds[parts[0]];
    term.counts = parts[1] != "off";
    if (term.counts) term.action = kActions.at(parts[1]);
    if (parts.size() > 2) term.rank = static_cast<uint32_t>(NumberOf(parts[2]));
  } else if (key == "structured") {
    policy->text.structured =
        value == "always" ? BlockText::Structured::kAlways : BlockText::Structured::kWhenAsked;
  } else if (key == "language") {
    policy->text.language = value;
  } else if (key == "text") {
    policy->text.pattern = value;
  } else if (key == "contact") {
    policy->text.contacts.push_back(value);
  } else if (key == "organization") {
    policy->text.organization = value;
  } else {
    return false;
  }
  return true;
}

// policy AGENCY [action=…] [mode=log-only] [sinkhole=…]… [feed=NAME:ACTION[:RANK]]… [allow=…]… [block=…]… …
void Scenario::AgencyPolicyLine(const Words& w) {
  if (w.size() < 2) return Fail("policy AGENCY …");
  auto policy = std::make_shared<AgencyPolicy>();
  policy->name = w[1];
  policy->own_feed = "own-" + w[1];
  std::vector<OwnRule> own;
  for (size_t i = 2; i < w.size(); ++i) {
    const size_t eq = w[i].find('=');
    const std::string key = w[i].substr(0, eq);
    const std::string value = eq == std::string::npos ? "" : w[i].substr(eq + 1);
    if (key == "allow" || key == "block") {
      own.push_back(RuleOf(value, key == "allow"));
    } else if (!AgencyPolicyWord(key, value, policy.get())) {
      return Fail("unknown word \"" + w[i] + "\"");
    }
  }
  policy->own = resolver::CompileOwnRules(own);
  settings_.agency_policies.resize(settings_.agencies.size());
  bool known = false;
  for (size_t i = 0; i < settings_.agencies.size(); ++i) {
    if (settings_.agencies.name(static_cast<resolver::AgencyTable::Id>(i)) != w[1]) continue;
    settings_.agency_policies[i] = policy;
    known = true;
  }
  if (!known) return Fail("no agency is called " + w[1]);
  zones_changed_ = true;
}

// never-block NAME|PREFIX…
void Scenario::NeverBlock(const Words& w) {
  std::vector<OwnRule> rules;
  for (size_t i = 1; i < w.size(); ++i) rules.push_back(RuleOf(w[i], true));
  settings_.never_block = resolver::CompileOwnRules(rules);
  settings_changed_ = true;
}

}  // namespace sekisho::replay
