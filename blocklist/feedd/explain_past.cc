#include "blocklist/feedd/explain_past.h"

#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "blocklist/feedd/claim_terms.h"
#include "blocklist/feedd/entry_text.h"
#include "blocklist/feedd/explain.h"
#include "blocklist/merge/merger.h"

namespace sekisho::feedd {
namespace {

using indicators::EntryKind;
using indicators::EntryParts;

// Later ones win, as in resolver/core/policy/judge.h; at the same rank the longer name.
enum Rank : int { kNothing, kLogs, kBlocks, kLocalBlocks, kAgencyBlocks, kLocalAllows, kAgencyAllows };

constexpr const char* kVerdicts[] = {"not listed", "log-only", "blocked", "blocked",
                                     "blocked",    "allowed",  "allowed"};

Rank RankOf(bool allow, bool for_agency) {
  if (allow) return for_agency ? kAgencyAllows : kLocalAllows;
  return for_agency ? kAgencyBlocks : kLocalBlocks;
}

size_t Specificity(const Subject& subject, const Candidate& candidate) {
  return subject.is_address() ? static_cast<size_t>(candidate.prefix.mapped_length())
                              : candidate.text.size() + 1;
}

class PastExplainer {
 public:
  PastExplainer(const Subject& subject, int64_t at_us, const std::string& agency, const PolicyInputs& inputs,
                const indicators::IndicatorStore& store)
      : subject_(subject), at_us_(at_us), agency_(agency), inputs_(inputs), store_(store), view_(store) {
    out_.set_name(subject.text());
  }

  absl::Status AddLocals() {
    const auto events = store_.History(kMaxHistory);
    if (!events.ok()) return events.status();
    std::map<std::string, const indicators::HistoryEvent*> last;  // by entry, of the time before
    for (const indicators::HistoryEvent& event : *events) {       // newest first
      if (event.time_us() <= at_us_ &&
          (event.what().starts_with("block ") || event.what().starts_with("allow "))) {
        last.emplace(event.subject(), &event);
      }
    }
    for (const auto& [entry, event] : last) {
      EntryParts parts;
      std::string_view agency;
      if (event->what().ends_with("removed") || !indicators::SplitLocal(entry, &parts, &agency) ||
          !subject_.IsSpokenOfBy(parts))
        continue;
      const bool allow = event->what().starts_with("allow");
      control::ClaimEvidence* claim = out_.add_claims();
      claim->set_feed("local");
      claim->set_indicator(SubjectText(parts));
      claim->set_scope(ScopeText(parts.kind));
      claim->set_action(allow ? "allow" : "block");
      claim->set_category("local");
      claim->set_first_seen_us(event->time_us());
      claim->set_last_seen_us(at_us_);
      if (!agency.empty()) {
        claim->set_feed("local@" + std::string(agency));
        if (agency != agency_) claim->set_not_enforced("for this agency alone");
      }
      claim->set_reference(event->detail() + (event->who().empty() ? "" : " (" + event->who() + ")"));
      if (!agency.empty() && agency != agency_) continue;
      Compete(RankOf(allow, !agency.empty()), parts.name_key.empty()
                                                  ? static_cast<size_t>(parts.prefix.mapped_length())
                                                  : parts.name_key.size());
    }
    return absl::OkStatus();
  }

  absl::Status AddFeeds() {
    const auto feeds = view_.Feeds();
    if (!feeds.ok()) return feeds.status();
    const std::vector<Candidate> candidates = subject_.Candidates();
    for (const indicators::FeedRecord& feed : *feeds) {
      const auto versions = store_.Versions(feed.id(), kVersionsForAge);
      if (!versions.ok()) return versions.status();
      const indicators::VersionRecord* then = nullptr;
      for (const indicators::VersionRecord& version : *versions) {  // newest first
        if (version.accepted_us() <= at_us_ && then == nullptr) then = &version;
      }
      if (then == nullptr) continue;
      for (const Candidate& candidate : candidates) {
        if (absl::Status status = AddClaim(feed, *then, *versions, candidate); !status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  control::Explained Take() {
    out_.set_verdict(kVerdicts[best_]);
    if (best_claim_ >= 0) out_.mutable_claims(best_claim_)->set_decides(true);
    return std::move(out_);
  }

 private:
  void Compete(Rank rank, size_t length) {
    if (rank < best_ || (rank == best_ && length <= best_length_)) return;
    best_ = rank;
    best_length_ = length;
    best_claim_ = out_.claims_size() - 1;
  }

  absl::Status AddClaim(const indicators::FeedRecord& feed, const indicators::VersionRecord& then,
                        const std::vector<indicators::VersionRecord>& versions, const Candidate& candidate) {
    if (out_.claims_size() >= kMaxEvidenceClaims) return absl::OkStatus();
    const auto& [entry, kind, owner, prefix] = candidate;
    const auto found = view_.FindEntry(feed, entry);
    if (!found.ok()) return found.status();
    if (!found->has_value() || !indicators::StandsIn(**found, then.version())) return absl::OkStatus();
    const indicators::Claim& stored = **found;
    const config::Feed* configured = inputs_.Find(feed.name());
    control::ClaimEvidence* claim = out_.add_claims();
    claim->set_feed(feed.name());
    claim->set_indicator(owner);
    claim->set_scope(ScopeText(kind));
    const bool logs = configured != nullptr && LogsOnly(*configured);
    claim->set_action(stored.allow() ? "allow" : logs ? "log" : "block");
    claim->set_category(!stored.category().empty() ? stored.category()
                        : configured != nullptr    ? configured->category()
                                                   : "");
    claim->set_reference(stored.reference());
    claim->set_actor(stored.actor());
    claim->set_confidence(stored.confidence());
    claim->set_link(stored.link());
    claim->set_marking(stored.marking());
    claim->set_first_seen_us(stored.reported_us());
    for (const indicators::VersionRecord& version : versions) {
      if (!stored.spans().empty() && version.version() == stored.spans(0).added() &&
          claim->first_seen_us() == 0)
        claim->set_first_seen_us(version.accepted_us());
    }
    claim->set_last_seen_us(at_us_);
    const auto guard = CheckCandidate(*inputs_.guard, candidate);
    std::string_view why = configured == nullptr ? "the feed is not in the configuration any more"
                                                 : blocklist::GuardVerdictText(guard);
    if (why.empty()) why = ClaimTerms(*configured, versions).WhyNot(stored, at_us_);
    claim->set_not_enforced(std::string(why));
    if (why.empty() && !stored.allow()) Compete(logs ? kLogs : kBlocks, Specificity(subject_, candidate));
    return absl::OkStatus();
  }

  const Subject& subject_;
  const int64_t at_us_;
  const std::string& agency_;
  const PolicyInputs& inputs_;
  const indicators::IndicatorStore& store_;
  const indicators::StoreView view_;
  control::Explained out_;
  Rank best_ = kNothing;
  size_t best_length_ = 0;
  int best_claim_ = -1;
};

}  // namespace

absl::StatusOr<control::Explained> ExplainPast(const Subject& subject, int64_t at_us,
                                               const std::string& agency, const PolicyInputs& inputs,
                                               const indicators::IndicatorStore& store) {
  PastExplainer explainer(subject, at_us, agency, inputs, store);
  absl::Status status = explainer.AddLocals();
  if (status.ok()) status = explainer.AddFeeds();
  if (!status.ok()) return status;
  return explainer.Take();
}

}  // namespace sekisho::feedd
