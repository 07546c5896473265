#include "resolver/core/policy/judge.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "proto/dns/reverse_name.h"
#include "resolver/core/limits.h"
#include "resolver/core/policy/own_rules.h"

namespace sekisho::resolver {
namespace {

using blocklist::AddressMatch;
using blocklist::NameMatch;
using blocklist::RuleAction;
using blocklist::RuleSource;

enum class Class : uint8_t {
  kProtected,
  kAgencyAllow,
  kCentralAllow,
  kAgencyBlock,
  kCentralBlock,
  kFeed,
  kNoted
};

int Specificity(const NameMatch& m) {
  return 2 * m.labels + (m.scope == blocklist::RuleScope::kExact ? 1 : 0);
}
int Specificity(const AddressMatch& m) { return m.length; }

void TakeRule(const NameMatch& m, Verdict* v) {
  v->rule_labels = m.labels;
  v->rule_subtree = m.scope == blocklist::RuleScope::kSubtree;
}
void TakeRule(const AddressMatch& m, Verdict* v) {
  v->rule_labels = m.length;
  v->rule_subtree = true;
}

constexpr std::string_view kLocal = "local";
constexpr std::string_view kAllowMark = "allow ";
constexpr std::string_view kBetween = ", ";

// The rule that decides among all that hold.
template <typename Match>
class Decision {
 public:
  Decision(const AgencyPolicy& policy, std::string_view agency) : policy_(policy), agency_(agency) {}

  void OfferProtected(const Match& match) {
    Offer({Class::kProtected, 0}, match, Action::kAllow, "protected", "");
  }
  void OfferOwn(const Match& match, WallTime end, WallTime now) {
    // A kept reply would outlive the rule.
    if (end != WallTime::max()) agency_bound_ = true;
    if (end <= now) return;
    const bool allow = match.action == RuleAction::kAllow;
    Offer({allow ? Class::kAgencyAllow : Class::kAgencyBlock, 0}, match,
          allow ? Action::kAllow : policy_.action, policy_.own_feed, "agency");
  }
  // Every feed or hand that the rule comes from speaks for itself.
  void OfferListed(const Match& match, const RuleSource& source) {
    std::string_view rest = source.feeds;
    for (bool first = true; first || !rest.empty(); first = false) {
      const size_t end = rest.find(kBetween);
      OfferOne(match, source, rest, rest.substr(0, end), first);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + kBetween.size());
    }
  }

  bool found() const { return best_.has_value(); }
  bool agency_bound() const { return agency_bound_; }
  void Fill(Verdict* v) const {
    v->action = best_->action;
    if (policy_.log_only && (v->Blocks(record::Transport::kUdp) || v->action == Action::kTcpOnly))
      v->action = Action::kLogOnly;
    v->feeds = best_->feeds;
    v->category = best_->category;
    v->reference = best_->reference;
    TakeRule(best_->match, v);
  }

 private:
  struct Order {
    Class of;
    uint32_t rank;
  };
  struct Best {
    Order order;
    Match match;
    Action action;
    std::string_view feeds;
    std::string_view category;
    std::string_view reference;
  };

  void OfferOne(const Match& match, const RuleSource& source, std::string_view from, std::string_view one,
                bool first) {
    bool allow = match.action == RuleAction::kAllow;
    if (one.starts_with(kAllowMark)) {
      allow = true;
      one.remove_prefix(kAllowMark.size());
      from.remove_prefix(kAllowMark.size());
    }
    if (one == kLocal) {
      Offer({allow ? Class::kCentralAllow : Class::kCentralBlock, 0}, match,
            allow ? Action::kAllow : policy_.action, kLocal, source.category);
      return;
    }
    if (one.size() > kLocal.size() && one.starts_with(kLocal) && one[kLocal.size()] == '@') {
      agency_bound_ = true;
      if (one.substr(kLocal.size() + 1) != agency_) return;
      Offer({allow ? Class::kAgencyAllow : Class::kAgencyBlock, 0}, match,
            allow ? Action::kAllow : policy_.action, one, source.category);
      return;
    }
    const auto known = policy_.feeds.find(one);
    const FeedTerm& term = known == policy_.feeds.end() ? policy_.unknown_feed : known->second;
    if (!term.counts) return;
    const bool noted = match.action == RuleAction::kLogOnly || term.action == Action::kLogOnly;
    const Action action = allow ? Action::kAllow : noted ? Action::kLogOnly : term.action;
    const Class of = allow ? Class::kCentralAllow : noted ? Class::kNoted : Class::kFeed;
    Offer({of, term.rank}, match, action, from,
          first || term.category.empty() ? source.category : std::string_view(term.category),
          source.reference);
  }

  void Offer(Order order, const Match& match, Action action, std::string_view feeds,
             std::string_view category, std::string_view reference = {}) {
    if (best_) {
      const auto weight = [](const Order& o, const Match& m) {
        return std::tuple(o.of, o.rank, -Specificity(m));
      };
      if (weight(order, match) >= weight(best_->order, best_->match)) return;
    }
    best_ = Best{order, match, action, feeds, category, reference};
  }

  const AgencyPolicy& policy_;
  std::string_view agency_;
  std::optional<Best> best_;
  bool agency_bound_ = false;
};

// 64:ff9b::/96.
std::optional<IpAddress> Embedded(const IpAddress& address) {
  static constexpr std::array<uint8_t, 12> kPrefix = {0, 0x64, 0xff, 0x9b};
  const auto& bytes = address.mapped();
  if (!std::equal(kPrefix.begin(), kPrefix.end(), bytes.begin())) return std::nullopt;
  return IpAddress::FromRdata(std::span<const uint8_t>(bytes).subspan(12));
}

struct Kept {
  std::shared_ptr<const blocklist::PolicySnapshot> snapshot;
  std::shared_ptr<const AgencyPolicy> policy;
};

}  // namespace

template <typename Subject>
Verdict Judge::Decide(const Subject& subject) const {
  using Match = std::conditional_t<std::is_same_v<Subject, IpAddress>, AddressMatch, NameMatch>;
  Verdict v;
  if (snapshot_ != nullptr) v.generation = snapshot_->generation();
  Decision<Match> decision(*policy_, agency_);
  if (never_block_ != nullptr)
    never_block_->ForEachMatch(subject, [&](const Match& m) { decision.OfferProtected(m); });
  if (policy_->own != nullptr)
    policy_->own->ForEachMatch(
        subject, [&](const Match& m) { decision.OfferOwn(m, EndOf(policy_->own->source(m)), now_); });
  if (snapshot_ != nullptr) {
    snapshot_->ForEachMatch(subject, [&](const Match& m) { decision.OfferListed(m, snapshot_->source(m)); });
  }
  v.agency_bound = decision.agency_bound();
  if (!decision.found()) return v;
  decision.Fill(&v);
  v.keep = std::make_shared<const Kept>(Kept{snapshot_, policy_});
  v.text = &policy_->text;
  if (v.action == Action::kSinkhole) {
    v.answer.records = policy_->sinkhole;
    v.answer.error = dns::EdeCode::kForgedAnswer;
  }
  v.answer.max_ttl = limits::kBlockTtl;
  return v;
}

Verdict Judge::Name(dns::NameView name, Trigger trigger) const {
  Verdict v = Decide(name);
  if (v.action == Action::kNone) return v;
  v.trigger = trigger;
  v.trigger_name = dns::Name(name);
  return v;
}

Verdict Judge::OneAddress(const IpAddress& address) const {
  Verdict v = Decide(address);
  // It says nothing about other addresses of the answer.
  if (v.action == Action::kNone || v.action == Action::kAllow || v.action == Action::kPassthru) {
    Verdict nothing;
    nothing.generation = v.generation;
    nothing.agency_bound = v.agency_bound;
    return nothing;
  }
  v.trigger = Trigger::kAnswerAddress;
  v.trigger_name = dns::ReverseName(address);
  return v;
}

Verdict Judge::Address(const IpAddress& address) const {
  Verdict v = OneAddress(address);
  if (v.action != Action::kNone) return v;
  if (const auto inner = Embedded(address)) return OneAddress(*inner);
  return v;
}

}  // namespace sekisho::resolver
