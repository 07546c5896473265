#include "blocklist/feedd/subject.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "blocklist/feedd/entry_text.h"
#include "blocklist/merge/merger.h"
#include "blocklist/merge/normaliser.h"
#include "proto/dns/name.h"

namespace sekisho::feedd {
namespace {

using indicators::EntryKind;

// The last `labels` labels of a name.
std::string Suffix(const std::string& name, int labels) {
  size_t begin = name.size();
  while (labels-- > 0 && begin != 0 && begin != std::string::npos) {
    begin = name.rfind('.', begin - 1);
    if (begin == std::string::npos) return name;
  }
  return name.substr(std::min(begin + 1, name.size()));
}

}  // namespace

absl::StatusOr<Subject> Subject::Parse(const std::string& text) {
  Subject subject;
  blocklist::NameOrProblem name = blocklist::NormaliseName(text);
  if (auto* good = std::get_if<std::string>(&name)) {
    subject.text_ = std::move(*good);
    return subject;
  }
  const auto problem = std::get<blocklist::NameProblem>(name);
  bool with_port = false;
  const auto prefix = blocklist::NormaliseAddress(text, &with_port);
  if (prefix && !with_port) {
    // Bits after the prefix may be a slip of the one who meant another length.
    if (text.find('/') != std::string::npos && text.find('[') == std::string::npos &&
        !IpPrefix::Parse(text)) {
      return absl::InvalidArgumentError("not a network: there are bits beyond the prefix; " +
                                        prefix->ToString() + " may be meant");
    }
    subject.prefix_ = *prefix;
    subject.text_ = prefix->ToString();
    return subject;
  }
  return absl::InvalidArgumentError("not a name or address that can be listed: " +
                                    std::string(blocklist::NameProblemText(problem)));
}

std::vector<Candidate> Subject::Candidates() const {
  std::vector<Candidate> out;
  if (!prefix_) {
    for (std::string_view owner = text_; !owner.empty(); owner = blocklist::ParentName(owner)) {
      const std::string key = blocklist::KeyFromNameText(owner);
      for (const EntryKind kind : indicators::kEntryKinds) {
        if (owner.size() != text_.size() && kind != EntryKind::kSubtree) continue;
        out.push_back({indicators::EntryKey(key, kind), kind, std::string(owner)});
      }
    }
    return out;
  }
  for (int length = blocklist::LengthOf(*prefix_); length >= 0; --length) {
    const auto around = IpPrefix::Make(prefix_->address(), length);
    if (!around) continue;
    for (const EntryKind kind : {EntryKind::kAddress, EntryKind::kUrlAddress}) {
      out.push_back({indicators::AddressEntryKey(*around, kind), kind, around->ToString(), *around});
    }
  }
  return out;
}

bool Subject::IsSpokenOfBy(const indicators::EntryParts& parts) const {
  if (prefix_) {
    return parts.kind == EntryKind::kAddress && parts.prefix.Contains(prefix_->address()) &&
           parts.prefix.mapped_length() <= prefix_->mapped_length();
  }
  if (!indicators::IsQueryNameKind(parts.kind)) return false;
  const std::string owner = SubjectText(parts);
  return owner == text_ || (parts.kind == EntryKind::kSubtree && text_.ends_with("." + owner));
}

std::optional<SubjectRule> Subject::Match(const blocklist::PolicySnapshot& snapshot) const {
  if (!prefix_) {
    const auto name = dns::Name::Parse(text_);
    const auto match = name ? snapshot.MatchName(*name) : std::nullopt;
    if (!match) return std::nullopt;
    return SubjectRule{match->action, match->scope == blocklist::RuleScope::kSubtree, match->in_delta,
                       Suffix(text_, match->labels), snapshot.source(*match)};
  }
  std::optional<blocklist::AddressMatch> best;
  snapshot.ForEachMatch(prefix_->address(), [&](const blocklist::AddressMatch& match) {
    if (match.length > blocklist::LengthOf(*prefix_)) return;
    const bool allows = match.action == blocklist::RuleAction::kAllow;
    const bool best_allows = best && best->action == blocklist::RuleAction::kAllow;
    if (!best || (allows != best_allows ? allows : match.length > best->length)) best = match;
  });
  if (!best) return std::nullopt;
  return SubjectRule{best->action, true, best->in_delta,
                     IpPrefix::Make(prefix_->address(), best->length)->ToString(), snapshot.source(*best)};
}

blocklist::GuardVerdict CheckCandidate(const blocklist::Guard& guard, const Candidate& candidate) {
  const auto kind = static_cast<blocklist::ClaimKind>(candidate.kind);
  return indicators::IsAddressKind(candidate.kind) ? guard.CheckAddress(candidate.prefix, kind)
                                                   : guard.Check(candidate.text, kind);
}

}  // namespace sekisho::feedd
