#include "blocklist/feedd/feed_inspect.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "blocklist/feedd/claim_terms.h"
#include "blocklist/feedd/entry_text.h"
#include "blocklist/feedd/explain.h"
#include "blocklist/feedd/version_reader.h"
#include "blocklist/merge/merger.h"
#include "blocklist/merge/normaliser.h"
#include "proto/dns/name.h"

namespace sekisho::feedd {
namespace {

using blocklist::GuardVerdict;
using indicators::Claim;
using indicators::EntryKind;
using indicators::EntryParts;
using indicators::FeedRecord;

uint32_t Limit(uint32_t asked) { return std::min(asked == 0 ? kShownByDefault : asked, kMaxShown); }

absl::StatusOr<FeedRecord> RecordOf(const InspectInputs& about) {
  return about.store.FeedNamed(about.feed.name());
}

// Every entry of the held version beside the one in force.
absl::Status ForEachHeld(const InspectInputs& about, const FeedRecord& record,
                         const indicators::FeedImport::Entry& visit) {
  if (record.held().empty())
    return absl::FailedPreconditionError("no version of " + about.feed.name() + " is held");
  indicators::FeedImport import(about.store, record, {.sort_folder = about.sort_folder, .go_on = {}});
  const std::atomic<bool> stopping{false};
  const auto content = ReadVersion(about.held_path, about.feed, *about.inputs.guard, stopping, &import);
  if (!content.ok()) return content.status();
  return import.ForEachEntry(visit);
}

class DiffAnswer {
 public:
  explicit DiffAnswer(uint32_t limit) : limit_(static_cast<int>(limit)) {}

  void Add(std::string_view entry, const Claim& claim, bool before, bool after) {
    if (before == after) return;
    after ? diff.set_added(diff.added() + 1) : diff.set_removed(diff.removed() + 1);
    EntryParts parts;
    if (diff.entries_size() >= limit_ || !indicators::SplitEntry(entry, &parts)) return;
    control::FeedDiffEntry* shown = diff.add_entries();
    shown->set_added(after);
    shown->set_indicator(SubjectText(parts));
    shown->set_scope(ScopeText(parts.kind));
    shown->set_reference(claim.reference());
  }

  control::FeedDiff diff;

 private:
  const int limit_;
};

// Names by the entries that would decide about them.
class NamesByEntry {
 public:
  explicit NamesByEntry(const control::FeedPreviewRequest& request) {
    for (int i = 0; i < request.names_size(); ++i) {
      const blocklist::NameOrProblem name = blocklist::NormaliseName(request.names(i));
      const auto* text = std::get_if<std::string>(&name);
      if (text == nullptr) continue;
      for (std::string_view owner = *text; !owner.empty(); owner = blocklist::ParentName(owner)) {
        by_owner_[std::string(owner)].push_back({i, owner.size() == text->size()});
      }
    }
  }

  struct Asked {
    int name;
    bool itself;
  };
  const std::vector<Asked>* Find(std::string_view owner) const {
    const auto found = by_owner_.find(owner);
    return found == by_owner_.end() ? nullptr : &found->second;
  }

 private:
  blocklist::NameMap<std::vector<Asked>> by_owner_;
};

// Who decides about the name now; empty when nobody does.
std::string DecidedBy(const blocklist::PolicySnapshot* snapshot, const std::string& text) {
  const auto name = dns::Name::Parse(text);
  if (snapshot == nullptr || !name) return {};
  const auto match = snapshot->MatchName(*name);
  if (!match) return {};
  const char* action = match->action == blocklist::RuleAction::kAllow ? "allowed: " : "";
  return action + std::string(snapshot->source(*match).feeds);
}

}  // namespace

absl::StatusOr<control::FeedVersions> ListVersions(const InspectInputs& about) {
  const auto record = RecordOf(about);
  if (!record.ok()) return record.status();
  const auto versions = about.store.Versions(record->id(), kVersionsForAge);
  if (!versions.ok()) return versions.status();
  control::FeedVersions answer;
  for (const indicators::VersionRecord& version : *versions) {
    control::FeedVersion* out = answer.add_versions();
    out->set_version(version.version());
    out->set_accepted_us(version.accepted_us());
    out->set_indicators(version.indicators());
    out->set_added(version.added());
    out->set_removed(version.removed());
    out->set_in_force(version.version() == record->committed_version());
  }
  return answer;
}

absl::StatusOr<control::FeedDiff> DiffVersions(const InspectInputs& about,
                                               const control::FeedDiffRequest& request) {
  const auto record = RecordOf(about);
  if (!record.ok()) return record.status();
  DiffAnswer answer(Limit(request.limit()));
  const auto add = [&answer](auto&&... args) { answer.Add(args...); };
  if (request.held()) {
    answer.diff.set_from(record->committed_version());
    if (absl::Status status = ForEachHeld(about, *record, add); !status.ok()) return status;
    return std::move(answer.diff);
  }
  uint64_t from = request.from();
  const uint64_t to = request.to() == 0 ? record->committed_version() : request.to();
  const auto versions = about.store.Versions(record->id(), kVersionsForAge);
  if (!versions.ok()) return versions.status();
  bool known = false;
  for (const indicators::VersionRecord& version : *versions) {
    known = known || version.version() == to;
    if (from == 0 && version.version() < to) from = version.version();
  }
  if (!known) return absl::NotFoundError(about.feed.name() + " has no version " + std::to_string(to));
  answer.diff.set_from(from);
  answer.diff.set_to(to);
  const indicators::StoreView view(about.store);
  const auto claims = view.Claims(*record, indicators::ClaimRange::kAll, /*with_past=*/true);
  for (; claims->Valid(); claims->Next()) {
    add(claims->entry_key(), claims->claim(), indicators::StandsIn(claims->claim(), from),
        indicators::StandsIn(claims->claim(), to));
  }
  if (!claims->status().ok()) return claims->status();
  return std::move(answer.diff);
}

absl::StatusOr<control::FeedQuarantine> ListQuarantine(const InspectInputs& about, uint32_t limit) {
  const auto record = RecordOf(about);
  if (!record.ok()) return record.status();
  const auto versions = about.store.Versions(record->id(), kVersionsForAge);
  if (!versions.ok()) return versions.status();
  ClaimTerms terms(about.feed, *versions);
  const int64_t now_us = UnixMicros(ReadClocks().wall);
  control::FeedQuarantine answer;
  answer.set_rejected_lines(record->rejected_lines());
  *answer.mutable_rejected() = record->sample_errors();
  const int shown = static_cast<int>(Limit(limit));
  const indicators::StoreView view(about.store);
  const auto claims = view.Claims(*record, indicators::ClaimRange::kAll);
  for (; claims->Valid(); claims->Next()) {
    const EntryParts& parts = claims->parts();
    const bool address = parts.kind == EntryKind::kAddress || parts.kind == EntryKind::kUrlAddress;
    if (claims->claim().allow() || (!address && !indicators::IsQueryNameKind(parts.kind))) continue;
    const std::string name = SubjectText(parts);
    const auto kind = static_cast<blocklist::ClaimKind>(parts.kind);
    const GuardVerdict verdict = address ? about.inputs.guard->CheckAddress(parts.prefix, kind)
                                         : about.inputs.guard->Check(name, kind);
    std::string_view why = blocklist::GuardVerdictText(verdict);
    if (verdict == GuardVerdict::kEnforce) why = terms.WhyNot(claims->claim(), now_us);
    if (why.empty()) continue;
    answer.set_total(answer.total() + 1);
    if (answer.entries_size() >= shown) continue;
    control::QuarantineEntry* entry = answer.add_entries();
    entry->set_indicator(name);
    entry->set_scope(ScopeText(claims->parts().kind));
    entry->set_reason(std::string(why));
    entry->set_reference(claims->claim().reference());
  }
  if (!claims->status().ok()) return claims->status();
  return answer;
}

absl::StatusOr<control::FeedPreview> PreviewNames(const InspectInputs& about,
                                                  const control::FeedPreviewRequest& request,
                                                  blocklist::SnapshotReader* snapshots) {
  if (request.names_size() > kMaxPreviewNames) return absl::InvalidArgumentError("too many names at once");
  const auto record = RecordOf(about);
  if (!record.ok()) return record.status();
  const auto snapshot = snapshots->Open();
  if (!snapshot.ok() && snapshot.status().code() != absl::StatusCode::kNotFound) return snapshot.status();
  const NamesByEntry names(request);
  std::map<int, std::string> hits;  // name → the longest indicator
  const auto judge = [&](std::string_view entry, const Claim& claim) {
    EntryParts parts;
    if (claim.allow() || !indicators::SplitEntry(entry, &parts) || !indicators::IsQueryNameKind(parts.kind))
      return;
    const std::string owner = SubjectText(parts);
    const auto* asked = names.Find(owner);
    if (asked == nullptr) return;
    if (about.inputs.guard->Check(owner, static_cast<blocklist::ClaimKind>(parts.kind)) !=
        GuardVerdict::kEnforce)
      return;
    for (const NamesByEntry::Asked& name : *asked) {
      if (!name.itself && parts.kind != EntryKind::kSubtree) continue;
      std::string& longest = hits[name.name];
      if (owner.size() > longest.size()) longest = owner;
    }
  };
  if (request.held()) {
    const absl::Status status =
        ForEachHeld(about, *record, [&](std::string_view entry, const Claim& claim, bool, bool after) {
          if (after) judge(entry, claim);
        });
    if (!status.ok()) return status;
  } else {
    const indicators::StoreView view(about.store);
    const auto claims = view.Claims(*record);
    for (; claims->Valid(); claims->Next()) judge(claims->entry_key(), claims->claim());
    if (!claims->status().ok()) return claims->status();
  }
  control::FeedPreview answer;
  for (const auto& [index, indicator] : hits) {
    control::PreviewHit* hit = answer.add_hits();
    hit->set_name(static_cast<uint32_t>(index));
    hit->set_indicator(indicator);
    hit->set_now(DecidedBy(snapshot.ok() ? snapshot->get() : nullptr, request.names(index)));
  }
  return answer;
}

}  // namespace sekisho::feedd
