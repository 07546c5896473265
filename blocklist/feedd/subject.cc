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

using blocklist::RuleAction;

enum class Weight : uint8_t { kAgencyAllow, kAllow, kAgencyBlock, kBlock, kFeed, kNoted };
struct Word {
  Weight weight;
  RuleAction action;
};

// What a rule's source says to the agency; nothing when it speaks to others alone.
std::optional<Word> WordOf(RuleAction action, std::string_view feeds, const std::string& agency) {
  constexpr std::string_view kBetween = ", ";
  constexpr std::string_view kAllowMark = "allow ";
  std::optional<Word> best;
  for (bool more = true; more;) {
    const size_t end = feeds.find(kBetween);
    std::string_view one = feeds.substr(0, end);
    more = end != std::string_view::npos;
    if (more) feeds.remove_prefix(end + kBetween.size());
    const bool allow = action == RuleAction::kAllow || one.starts_with(kAllowMark);
    if (one.starts_with(kAllowMark)) one.remove_prefix(kAllowMark.size());
    const bool for_one = one.starts_with("local@");
    if (for_one && (agency.empty() || one.substr(6) != agency)) continue;
    const Weight weight = for_one          ? (allow ? Weight::kAgencyAllow : Weight::kAgencyBlock)
                          : allow          ? Weight::kAllow
                          : one == "local" ? Weight::kBlock
                          : action == RuleAction::kLogOnly ? Weight::kNoted
                                                           : Weight::kFeed;
    if (!best || weight < best->weight) best = Word{weight, allow ? RuleAction::kAllow : action};
  }
  return best;
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

std::optional<SubjectRule> Subject::Match(const blocklist::PolicySnapshot& snapshot,
                                          const std::string& agency) const {
  std::optional<SubjectRule> best;
  std::pair<Weight, int> best_order;
  const auto offer = [&](const auto& match, int specificity, bool subtree, auto owner) {
    const blocklist::RuleSource source = snapshot.source(match);
    const auto word = WordOf(match.action, source.feeds, agency);
    if (!word) return;
    const std::pair order(word->weight, -specificity);
    if (best && order >= best_order) return;
    best_order = order;
    best = SubjectRule{word->action, subtree, match.in_delta, owner(), source};
  };
  if (prefix_) {
    snapshot.ForEachMatch(prefix_->address(), [&](const blocklist::AddressMatch& m) {
      if (m.length > blocklist::LengthOf(*prefix_)) return;
      offer(m, m.length, true, [&] { return IpPrefix::Make(prefix_->address(), m.length)->ToString(); });
    });
  } else if (const auto name = dns::Name::Parse(text_)) {
    snapshot.ForEachMatch(*name, [&](const blocklist::NameMatch& m) {
      const bool subtree = m.scope == blocklist::RuleScope::kSubtree;
      offer(m, 2 * m.labels + (subtree ? 0 : 1), subtree, [&] { return Suffix(text_, m.labels); });
    });
  }
  return best;
}

blocklist::GuardVerdict CheckCandidate(const blocklist::Guard& guard, const Candidate& candidate) {
  const auto kind = static_cast<blocklist::ClaimKind>(candidate.kind);
  return indicators::IsAddressKind(candidate.kind) ? guard.CheckAddress(candidate.prefix, kind)
                                                   : guard.Check(candidate.text, kind);
}

}  // namespace sekisho::feedd
