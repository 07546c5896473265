#include "blocklist/feedd/feed_score.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "blocklist/feedd/entry_text.h"
#include "blocklist/feedd/explain.h"
#include "blocklist/feedd/subject.h"

namespace sekisho::feedd {
namespace {

using indicators::FeedRecord;

// When each version of a feed was accepted; its first one tells nothing about when an indicator was new.
class Arrivals {
 public:
  static absl::StatusOr<Arrivals> Of(const FeedRecord& feed, const indicators::IndicatorStore& store) {
    const auto versions = store.Versions(feed.id(), kVersionsForAge);
    if (!versions.ok()) return versions.status();
    Arrivals out;
    for (const indicators::VersionRecord& version : *versions)
      out.accepted_us_[version.version()] = version.accepted_us();
    // The oldest that is known: what it brought may have been there before.
    if (!out.accepted_us_.empty()) out.accepted_us_.erase(out.accepted_us_.begin());
    return out;
  }
  std::optional<int64_t> Of(const indicators::Claim& claim) const {
    if (claim.spans().empty()) return std::nullopt;
    const auto found = accepted_us_.find(claim.spans(0).added());
    return found == accepted_us_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::map<uint64_t, int64_t> accepted_us_;
};

// One feed's subjects in the order of keys, each once, whatever is claimed about it. Exceptions are no
// claims.
class Subjects {
 public:
  Subjects(const indicators::StoreView& view, const FeedRecord& feed, Arrivals arrivals)
      : name_(feed.name()),
        arrivals_(std::move(arrivals)),
        cursor_(view.Claims(feed, indicators::ClaimRange::kAll)) {
    Next();
  }

  bool valid() const { return valid_; }
  const std::string& name() const { return name_; }
  const std::string& key() const { return key_; }
  std::optional<int64_t> since_us() const { return since_us_; }
  absl::Status status() const { return cursor_->status(); }

  void Next() {
    valid_ = false;
    for (; cursor_->Valid(); cursor_->Next()) {
      if (cursor_->claim().allow()) continue;
      const std::string_view key = SubjectKey();
      if (!valid_) {
        valid_ = true;
        key_ = key;
        since_us_ = arrivals_.Of(cursor_->claim());
      } else if (key == key_) {
        const auto since = arrivals_.Of(cursor_->claim());
        // One of unknown age makes the age of the whole unknown.
        since_us_ = since && since_us_ ? std::optional(std::min(*since, *since_us_)) : std::nullopt;
      } else {
        return;
      }
    }
  }
  void SkipTo(const std::string& key) {
    while (valid_ && key_ < key) Next();
  }

 private:
  // An entry ends with a zero byte and its kind.
  std::string_view SubjectKey() const {
    const std::string_view entry = cursor_->entry_key();
    return entry.substr(0, entry.size() - std::min<size_t>(entry.size(), 2));
  }

  std::string name_;
  Arrivals arrivals_;
  std::unique_ptr<indicators::ClaimCursor> cursor_;
  bool valid_ = false;
  std::string key_;
  std::optional<int64_t> since_us_;
};

struct Overlap {
  std::unique_ptr<Subjects> other;
  uint64_t shared = 0;
  uint64_t earlier = 0;
  uint64_t later = 0;
  std::vector<int64_t> leads;

  void Take(std::optional<int64_t> mine, std::optional<int64_t> others) {
    ++shared;
    if (!mine || !others) return;
    if (*mine < *others) ++earlier;
    if (*mine > *others) ++later;
    if (leads.size() < kMaxLeads) leads.push_back(*others - *mine);
  }
  void Put(control::FeedOverlap* out) {
    out->set_feed(other->name());
    out->set_shared(shared);
    out->set_earlier(earlier);
    out->set_later(later);
    out->set_timed(leads.size());
    if (leads.empty()) return;
    const auto middle = leads.begin() + static_cast<std::ptrdiff_t>(leads.size() / 2);
    std::nth_element(leads.begin(), middle, leads.end());
    out->set_median_lead_us(*middle);
  }
};

absl::Status Compare(const InspectInputs& about, const FeedRecord& record, const indicators::StoreView& view,
                     control::FeedScore* score) {
  const auto feeds = view.Feeds();
  if (!feeds.ok()) return feeds.status();
  std::vector<Overlap> overlaps;
  for (const FeedRecord& feed : *feeds) {
    if (feed.id() == record.id() || about.inputs.Find(feed.name()) == nullptr) continue;
    auto arrivals = Arrivals::Of(feed, about.store);
    if (!arrivals.ok()) return arrivals.status();
    overlaps.emplace_back().other = std::make_unique<Subjects>(view, feed, *std::move(arrivals));
  }
  auto arrivals = Arrivals::Of(record, about.store);
  if (!arrivals.ok()) return arrivals.status();
  Subjects mine(view, record, *std::move(arrivals));
  for (; mine.valid(); mine.Next()) {
    score->set_indicators(score->indicators() + 1);
    bool alone = true;
    for (Overlap& overlap : overlaps) {
      overlap.other->SkipTo(mine.key());
      if (!overlap.other->valid() || overlap.other->key() != mine.key()) continue;
      alone = false;
      overlap.Take(mine.since_us(), overlap.other->since_us());
    }
    if (alone) score->set_unique(score->unique() + 1);
  }
  if (!mine.status().ok()) return mine.status();
  for (Overlap& overlap : overlaps) {
    if (!overlap.other->status().ok()) return overlap.other->status();
    overlap.Put(score->add_overlaps());
  }
  return absl::OkStatus();
}

// Exceptions by hand for what the feed lists, itself or with something above it.
absl::Status AddExceptions(const InspectInputs& about, const FeedRecord& record,
                           const indicators::StoreView& view, control::FeedScore* score) {
  const auto locals = about.store.Locals();
  if (!locals.ok()) return locals.status();
  const int64_t now_us = UnixMicros(ReadClocks().wall);
  for (const indicators::LocalEntry& local : *locals) {
    if (!local.record.allow() || (local.record.until_us() != 0 && local.record.until_us() <= now_us))
      continue;
    const std::string text = SubjectText({local.name_key, local.prefix, local.kind});
    const auto subject = Subject::Parse(text);
    if (!subject.ok()) continue;
    for (const Candidate& candidate : subject->Candidates()) {
      const auto claim = view.FindEntry(record, candidate.entry);
      if (!claim.ok()) return claim.status();
      if (!claim->has_value() || (*claim)->allow() ||
          !indicators::StandsIn(**claim, record.committed_version()))
        continue;
      score->set_exceptions(score->exceptions() + 1);
      if (score->shown_exceptions_size() < kMaxShownExceptions) {
        const std::string& agency = local.record.agency();
        score->add_shown_exceptions(text + (agency.empty() ? "" : " for " + agency));
      }
      break;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<control::FeedScore> ScoreFeed(const InspectInputs& about) {
  const auto record = about.store.FeedNamed(about.feed.name());
  if (!record.ok()) return record.status();
  control::FeedScore score;
  const indicators::StoreView view(about.store);
  absl::Status status = Compare(about, *record, view, &score);
  if (status.ok()) status = AddExceptions(about, *record, view, &score);
  if (!status.ok()) return status;
  const auto quarantine = ListQuarantine(about, 1);
  if (!quarantine.ok()) return quarantine.status();
  score.set_quarantined(quarantine->total());
  score.set_rejected_lines(quarantine->rejected_lines());
  return score;
}

}  // namespace sekisho::feedd
