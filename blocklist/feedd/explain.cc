#include "blocklist/feedd/explain.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "blocklist/feedd/claim_terms.h"
#include "blocklist/feedd/entry_text.h"

namespace sekisho::feedd {
namespace {

using blocklist::RuleAction;
using indicators::EntryKind;

const char* VerdictText(const std::optional<SubjectRule>& rule) {
  if (!rule) return "not listed";
  switch (rule->action) {
    case RuleAction::kBlock:
      return "blocked";
    case RuleAction::kAllow:
      return "allowed";
    case RuleAction::kLogOnly:
      return "log-only";
    case RuleAction::kRemoved:
      return "not listed";
  }
  return "not listed";
}

class Explainer {
 public:
  Explainer(const Subject& subject, const std::string& agency, const PolicyInputs& inputs,
            const indicators::IndicatorStore& store)
      : subject_(subject), agency_(agency), inputs_(inputs), store_(store), view_(store) {}

  absl::Status Decide(blocklist::SnapshotReader* snapshots) {
    out_.set_name(subject_.text());
    const auto snapshot = snapshots->Open();
    if (snapshot.ok()) {
      out_.set_generation((*snapshot)->generation());
      rule_ = subject_.Match(**snapshot, agency_);
      if (rule_) feeds_ = ", " + std::string(rule_->source.feeds) + ", ";
    } else if (snapshot.status().code() != absl::StatusCode::kNotFound) {
      return snapshot.status();
    }
    out_.set_verdict(VerdictText(rule_));
    return absl::OkStatus();
  }

  absl::Status AddLocals() {
    auto locals = store_.Locals();
    if (!locals.ok()) return locals.status();
    for (const indicators::LocalEntry& entry : *locals) {
      const indicators::EntryParts parts{entry.name_key, entry.prefix, entry.kind};
      if (!subject_.IsSpokenOfBy(parts)) continue;
      const std::string owner = SubjectText(parts);
      control::ClaimEvidence* claim = out_.add_claims();
      const bool for_one = !entry.record.agency().empty();
      claim->set_feed(for_one ? "local@" + entry.record.agency() : "local");
      claim->set_valid_until_us(entry.record.until_us());
      claim->set_indicator(owner);
      claim->set_scope(ScopeText(entry.kind));
      claim->set_action(entry.record.allow() ? "allow" : "block");
      claim->set_first_seen_us(entry.record.added_us());
      claim->set_last_seen_us(entry.record.added_us());
      claim->set_category("local");
      claim->set_reference(entry.record.reason() +
                           (entry.record.who().empty() ? "" : " (" + entry.record.who() + ")"));
      claim->set_decides(Decides(owner, entry.kind, /*in_delta=*/true, claim->feed()));
    }
    return absl::OkStatus();
  }

  absl::Status AddFeeds() {
    auto feeds = view_.Feeds();
    if (!feeds.ok()) return feeds.status();
    const std::vector<Candidate> candidates = subject_.Candidates();
    for (const indicators::FeedRecord& feed : *feeds) {
      for (const Candidate& candidate : candidates) {
        if (absl::Status status = AddClaim(feed, candidate); !status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  control::Explained Take() { return std::move(out_); }

 private:
  bool Decides(const std::string& owner, EntryKind kind, bool in_delta, const std::string& feed) const {
    if (!rule_ || rule_->in_delta != in_delta || owner != rule_->owner) return false;
    // An exact rule's source names those too who list the whole subtree.
    if (rule_->subtree && kind != EntryKind::kSubtree && kind != EntryKind::kAddress) return false;
    return feeds_.find(", " + feed + ", ") != std::string::npos ||
           feeds_.find(", allow " + feed + ", ") != std::string::npos;
  }

  absl::Status AddClaim(const indicators::FeedRecord& feed, const Candidate& candidate) {
    if (out_.claims_size() >= kMaxEvidenceClaims) return absl::OkStatus();
    const auto& [entry, kind, owner, prefix] = candidate;
    auto found = view_.FindEntry(feed, entry);
    if (!found.ok()) return found.status();
    if (!found->has_value()) return absl::OkStatus();
    const indicators::Claim& stored = **found;
    const bool stands = indicators::StandsIn(stored, feed.committed_version());
    if (!stands && !EverStood(stored, feed.committed_version())) return absl::OkStatus();
    const config::Feed* configured = inputs_.Find(feed.name());
    control::ClaimEvidence* claim = out_.add_claims();
    claim->set_feed(feed.name());
    claim->set_indicator(owner);
    claim->set_scope(ScopeText(kind));
    claim->set_action(stored.allow()                                   ? "allow"
                      : configured != nullptr && LogsOnly(*configured) ? "log"
                                                                       : "block");
    claim->set_category(!stored.category().empty() ? stored.category()
                        : configured != nullptr    ? configured->category()
                                                   : "");
    claim->set_reference(stored.reference());
    claim->set_actor(stored.actor());
    claim->set_confidence(stored.confidence());
    claim->set_link(stored.link());
    claim->set_marking(stored.marking());
    claim->set_valid_until_us(stored.valid_until_us());
    *claim->mutable_evidence() = stored.evidence();
    claim->set_evidence_count(stored.evidence_count());
    if (absl::Status status = SetTimes(feed, stored, stands, claim); !status.ok()) return status;
    const blocklist::GuardVerdict guard = CheckCandidate(*inputs_.guard, candidate);
    if (!stands) {
      claim->set_not_enforced("the feed does not list it any more");
    } else if (configured == nullptr) {
      claim->set_not_enforced("the feed is not in the configuration any more");
    } else if (guard != blocklist::GuardVerdict::kEnforce && !stored.allow()) {
      claim->set_not_enforced(std::string(blocklist::GuardVerdictText(guard)));
    } else if (const auto why = WhyNotNow(feed, *configured, stored); !why.empty()) {
      claim->set_not_enforced(why);
    } else {
      claim->set_decides(Decides(owner, kind, /*in_delta=*/false, feed.name()));
    }
    return absl::OkStatus();
  }

  std::string WhyNotNow(const indicators::FeedRecord& feed, const config::Feed& configured,
                        const indicators::Claim& claim) const {
    const auto versions = store_.Versions(feed.id(), kVersionsForAge);
    if (!versions.ok()) return "";
    return std::string(ClaimTerms(configured, *versions).WhyNot(claim, UnixMicros(ReadClocks().wall)));
  }

  static bool EverStood(const indicators::Claim& claim, uint64_t committed) {
    return std::any_of(claim.spans().begin(), claim.spans().end(),
                       [committed](const indicators::Span& span) { return span.added() <= committed; });
  }

  absl::Status SetTimes(const indicators::FeedRecord& feed, const indicators::Claim& stored, bool stands,
                        control::ClaimEvidence* claim) {
    auto first = store_.Version(feed.id(), stored.spans(0).added());
    if (!first.ok()) return first.status();
    int64_t first_us = first->has_value() ? (*first)->accepted_us() : 0;
    if (stored.reported_us() != 0)
      first_us = first_us == 0 ? stored.reported_us() : std::min(first_us, stored.reported_us());
    claim->set_first_seen_us(first_us);
    claim->set_last_seen_us(feed.last_success_us());
    if (stands) return absl::OkStatus();
    // It was last seen when the version before the one that dropped it was last served.
    auto dropped = store_.Version(feed.id(), stored.spans().rbegin()->removed());
    if (!dropped.ok()) return dropped.status();
    if (dropped->has_value()) claim->set_last_seen_us((*dropped)->before_us());
    return absl::OkStatus();
  }

  const Subject& subject_;
  const std::string& agency_;
  const PolicyInputs& inputs_;
  const indicators::IndicatorStore& store_;
  const indicators::StoreView view_;
  std::optional<SubjectRule> rule_;
  std::string feeds_;  // of the rule: ", name, name, "
  control::Explained out_;
};

}  // namespace

absl::StatusOr<control::Explained> Explain(const Subject& subject, const std::string& agency,
                                           const PolicyInputs& inputs,
                                           const indicators::IndicatorStore& store,
                                           blocklist::SnapshotReader* snapshots) {
  Explainer explainer(subject, agency, inputs, store);
  absl::Status status = explainer.Decide(snapshots);
  if (status.ok()) status = explainer.AddLocals();
  if (status.ok()) status = explainer.AddFeeds();
  if (!status.ok()) return status;
  return explainer.Take();
}

}  // namespace sekisho::feedd
