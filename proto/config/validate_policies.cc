#include "proto/config/validate_policies.h"

#include <algorithm>
#include <set>
#include <string>

#include "proto/base/ip_address.h"
#include "proto/base/time_text.h"
#include "proto/config/policy_words.h"
#include "proto/config/printable.h"
#include "proto/dns/name.h"

namespace sekisho::config {
namespace {

using Problems = std::vector<Problem>;
using Texts = google::protobuf::RepeatedPtrField<std::string>;

constexpr int kMaxPolicies = 1000;
constexpr size_t kMaxMessage = 200;

std::string At(const std::string& list, int index) { return list + "[" + std::to_string(index) + "]"; }

void OneOf(Problems& out, const std::string& path, const std::string& word,
           const std::vector<std::string>& words) {
  if (std::find(words.begin(), words.end(), word) != words.end()) return;
  std::string text;
  for (size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  out.push_back({path, "'" + Printable(word) + "': must be " + text});
}

// Empty: not given.
void CheckAction(Problems& out, const std::string& path, const std::string& word) {
  if (!word.empty()) OneOf(out, path, word, {kPolicyActions.begin(), kPolicyActions.end()});
}
void CheckMode(Problems& out, const std::string& path, const std::string& word) {
  if (!word.empty()) OneOf(out, path, word, {"enforce", "log-only"});
}

void CheckSubject(Problems& out, const std::string& path, const std::string& text) {
  // A name may hold any byte, but here a slip of the pen is far likelier.
  const bool odd = text.find_first_of(" /\\@,;\"'") != std::string::npos;
  const bool numbers =
      text.find_first_not_of("0123456789./") == std::string::npos || text.find(':') != std::string::npos;
  if (IpPrefix::Parse(text) || (!text.empty() && !numbers && !odd && dns::Name::Parse(text))) return;
  out.push_back({path, "'" + Printable(text) + "' is not a name, an address or a prefix"});
}

void CheckEntries(Problems& out, const std::string& list,
                  const google::protobuf::RepeatedPtrField<PolicyEntry>& entries) {
  for (int i = 0; i < entries.size(); ++i) {
    const std::string path = At(list, i);
    CheckSubject(out, path + ".what", entries[i].what());
    if (entries[i].reason().empty()) out.push_back({path + ".reason", "is missing"});
    if (!entries[i].until().empty() && !ParseTime(entries[i].until(), WallTime(), TimeZone{})) {
      out.push_back({path + ".until",
                     "'" + Printable(entries[i].until()) + "' is not a time such as 2026-12-01T00:00:00Z"});
    }
  }
}

void CheckSinkhole(Problems& out, const std::string& path, const Policy& policy) {
  int names = 0;
  for (int i = 0; i < policy.sinkhole_size(); ++i) {
    const std::string& text = policy.sinkhole(i);
    if (IpAddress::Parse(text)) continue;
    ++names;
    if (!dns::Name::Parse(text))
      out.push_back({At(path + ".sinkhole", i), "'" + Printable(text) + "' is not an address, nor a name"});
  }
  if (names > 0 && policy.sinkhole_size() > 1)
    out.push_back({path + ".sinkhole", "must be addresses, or one name alone"});
}

void CheckKnown(Problems& out, const std::string& list, const Texts& texts,
                const std::set<std::string>& known, const char* what) {
  for (int i = 0; i < texts.size(); ++i) {
    if (!known.contains(texts[i]))
      out.push_back({At(list, i), "no " + std::string(what) + " is '" + Printable(texts[i]) + "'"});
  }
}

bool Sinks(const Policy& policy, const Blocklist& blocklist) {
  bool sinks = policy.action() == "sinkhole";
  for (const PolicyAction& rule : policy.actions()) sinks = sinks || rule.action() == "sinkhole";
  for (const Feed& feed : blocklist.feeds())
    sinks = sinks || (policy.action().empty() && feed.action() == "sinkhole");
  return sinks;
}

void CheckMessage(Problems& out, const std::string& path, const BlockMessage& message) {
  if (message.text().size() > kMaxMessage)
    out.push_back({path + ".text", "longer than " + std::to_string(kMaxMessage) + " bytes"});
  if (!message.language().empty()) OneOf(out, path + ".language", message.language(), {"en", "ja"});
  if (!message.structured().empty())
    OneOf(out, path + ".structured", message.structured(), {"never", "asked", "always"});
  for (int i = 0; i < message.contacts_size(); ++i) {
    const std::string& uri = message.contacts(i);
    if (!uri.starts_with("mailto:") && !uri.starts_with("tel:") && !uri.starts_with("sips:")) {
      out.push_back(
          {At(path + ".contacts", i), "'" + Printable(uri) + "': must begin with mailto:, tel: or sips:"});
    }
  }
}

struct Known {
  std::set<std::string> feeds;
  std::set<std::string> categories;
};

void CheckPolicy(Problems& out, const std::string& path, const Policy& policy, const Known& known,
                 const Blocklist& blocklist) {
  CheckMode(out, path + ".mode", policy.mode());
  CheckAction(out, path + ".action", policy.action());
  CheckSinkhole(out, path, policy);
  if (policy.sinkhole_size() == 0 && Sinks(policy, blocklist))
    out.push_back({path + ".sinkhole", "is missing: an action is sinkhole"});
  CheckKnown(out, path + ".feeds", policy.feeds(), known.feeds, "feed");
  CheckKnown(out, path + ".without_feeds", policy.without_feeds(), known.feeds, "feed");
  CheckKnown(out, path + ".categories", policy.categories(), known.categories, "feed's category");
  CheckKnown(out, path + ".without_categories", policy.without_categories(), known.categories,
             "feed's category");
  for (int i = 0; i < policy.actions_size(); ++i) {
    const PolicyAction& rule = policy.actions(i);
    const std::string at = At(path + ".actions", i);
    if (rule.feed().empty() == rule.category().empty())
      out.push_back({at, "must name either a feed or a category"});
    if (!rule.feed().empty() && !known.feeds.contains(rule.feed()))
      out.push_back({at + ".feed", "no feed is '" + Printable(rule.feed()) + "'"});
    if (rule.action().empty()) out.push_back({at + ".action", "is missing"});
    CheckAction(out, at + ".action", rule.action());
  }
  CheckEntries(out, path + ".allow", policy.allow());
  CheckEntries(out, path + ".block", policy.block());
  CheckMessage(out, path + ".message", policy.message());
}

}  // namespace

void CheckPolicies(Problems& out, const Config& config) {
  Known known;
  for (int i = 0; i < config.blocklist().feeds_size(); ++i) {
    const Feed& feed = config.blocklist().feeds(i);
    known.feeds.insert(feed.name());
    known.categories.insert(feed.category());
    const std::string path = At("blocklist.feeds", i);
    CheckAction(out, path + ".action", feed.action());
    CheckMode(out, path + ".mode", feed.mode());
  }
  if (config.policies_size() > kMaxPolicies)
    out.push_back({"policies", "more than " + std::to_string(kMaxPolicies)});
  std::set<std::string> names;
  for (int i = 0; i < config.policies_size(); ++i) {
    const Policy& policy = config.policies(i);
    const std::string path = At("policies", i);
    Identifier(out, path + ".name", policy.name(), &names);
    CheckPolicy(out, path, policy, known, config.blocklist());
  }
  const bool sinks = !names.contains(kDefaultPolicy) && Sinks(Policy(), config.blocklist());
  for (int i = 0; i < config.agencies_size(); ++i) {
    const std::string& policy = config.agencies(i).policy();
    const std::string path = At("agencies", i) + ".policy";
    if (!policy.empty() && policy != kDefaultPolicy && !names.contains(policy))
      out.push_back({path, "no policy is '" + Printable(policy) + "'"});
    if (policy.empty() && sinks)
      out.push_back({path, "is missing: a feed's action is sinkhole, and the default policy says not where"});
  }
  for (int i = 0; i < config.blocklist().never_block_size(); ++i)
    CheckSubject(out, At("blocklist.never_block", i), config.blocklist().never_block(i));
}

}  // namespace sekisho::config
