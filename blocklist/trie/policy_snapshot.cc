#include "blocklist/trie/policy_snapshot.h"

#include <string_view>
#include <utility>

namespace sekisho::blocklist {
namespace {

// Allow first, then the most specific.
bool Beats(const NameMatch& a, const NameMatch& b) {
  const bool allows = a.action == RuleAction::kAllow;
  if (allows != (b.action == RuleAction::kAllow)) return allows;
  if (a.labels != b.labels) return a.labels > b.labels;
  return a.scope < b.scope;
}
bool Beats(const AddressMatch& a, const AddressMatch& b) {
  const bool allows = a.action == RuleAction::kAllow;
  if (allows != (b.action == RuleAction::kAllow)) return allows;
  return a.length > b.length;
}

}  // namespace

PolicySnapshot::PolicySnapshot(uint64_t generation, TrieView base, std::optional<TrieView> delta,
                               std::shared_ptr<const void> keepalive)
    : generation_(generation), base_(base), delta_(delta), keepalive_(std::move(keepalive)) {}

bool PolicySnapshot::SpeaksToAll(uint32_t delta_source) const {
  constexpr std::string_view kBetween = ", ";
  std::string_view feeds = delta_->source(delta_source).feeds;
  for (;;) {
    const size_t end = feeds.find(kBetween);
    std::string_view one = feeds.substr(0, end);
    if (one.starts_with("allow ")) one.remove_prefix(6);
    if (!one.starts_with("local@")) return true;
    if (end == std::string_view::npos) return false;
    feeds.remove_prefix(end + kBetween.size());
  }
}

size_t PolicySnapshot::rule_count() const {
  const auto count = [](const TrieView& view) { return view.rule_count() + view.address_count(); };
  return count(base_) + (delta_ ? count(*delta_) : 0);
}

std::optional<NameMatch> PolicySnapshot::MatchName(dns::NameView name) const {
  std::optional<NameMatch> best;
  ForEachMatch(name, [&best](const NameMatch& match) {
    if (!best || Beats(match, *best)) best = match;
  });
  return best;
}

std::optional<AddressMatch> PolicySnapshot::MatchAddress(const IpAddress& address) const {
  std::optional<AddressMatch> best;
  ForEachMatch(address, [&best](const AddressMatch& match) {
    if (!best || Beats(match, *best)) best = match;
  });
  return best;
}

}  // namespace sekisho::blocklist
