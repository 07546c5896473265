#include "blocklist/feedd/feed_sync.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "blocklist/feed/collection_fetcher.h"
#include "blocklist/feed/list_archive.h"
#include "proto/base/now.h"

namespace sekisho::feedd {
namespace {

using indicators::FeedRecord;

constexpr size_t kVersionsForMedian = 7;
constexpr uint64_t kDefaultMaxBytes = uint64_t{512} << 20;

uint64_t MaxBytes(const config::Feed& feed) {
  return feed.has_max_bytes() ? feed.max_bytes() : kDefaultMaxBytes;
}

std::string SettingsOf(const config::Feed& feed) {
  std::string settings =
      feed.url() + "|" + feed.format() + "|" + (feed.has_subtree() ? (feed.subtree() ? "s" : "e") : "");
  if (feed.has_fields()) settings += "|" + feed.fields().SerializeAsString();
  return settings;
}

// A failed attempt; the version in force stays.
void NoteFailure(std::string why, FeedRecord* record) {
  record->set_last_error(std::move(why));
  record->set_failures(record->failures() + 1);
}

void NoteSuccess(FeedRecord* record) {
  record->clear_last_error();
  record->set_failures(0);
}

}  // namespace

FeedSync::FeedSync(indicators::IndicatorStore& store, std::string folder)
    : store_(store), folder_(std::move(folder)) {}

void FeedSync::Stop() {
  stopping_ = true;
  fetcher_.Stop();
}

absl::Status FeedSync::Save(FeedRecord* record, const std::string& what, const std::string& detail,
                            const std::string& who) {
  if (absl::Status status = store_.SaveFeed(*record); !status.ok()) return status;
  if (what.empty()) return absl::OkStatus();
  indicators::HistoryEvent event;
  event.set_what(what);
  event.set_subject(record->name());
  event.set_detail(detail);
  event.set_who(who);
  event.set_time_us(UnixMicros(ReadClocks().wall));
  return store_.AddHistory(event);
}

blocklist::FetchResult FeedSync::FetchList(const config::Feed& feed, const FeedRecord& last) {
  const blocklist::FetchRequest request{.url = feed.url(),
                                        .etag = last.etag(),
                                        .last_modified = last.last_modified(),
                                        .target = FetchedPath(feed),
                                        .max_bytes = MaxBytes(feed),
                                        .credentials_file = feed.credentials_file(),
                                        .proxy = feed.proxy()};
  if (feed.format() == "taxii")
    return blocklist::FetchCollection(fetcher_, blocklist::CollectionKind::kTaxii, request);
  if (feed.format() == "misp-feed")
    return blocklist::FetchCollection(fetcher_, blocklist::CollectionKind::kMispFeed, request);
  return fetcher_.Fetch(request);
}

absl::StatusOr<SyncResult> FeedSync::Fetch(const config::Feed& feed, const blocklist::Guard& guard) {
  absl::StatusOr<FeedRecord> record = store_.FeedNamed(feed.name());
  if (!record.ok()) return record.status();
  const bool same_settings = record->settings() == SettingsOf(feed);
  const int64_t now = UnixMicros(ReadClocks().wall);
  record->set_last_attempt_us(now);
  const blocklist::FetchResult fetched = FetchList(feed, same_settings ? *record : FeedRecord());
  if (fetched.outcome == blocklist::FetchOutcome::kFailed) {
    NoteFailure(fetched.error, &*record);
    if (absl::Status status = Save(&*record, "", "", ""); !status.ok()) return status;
    return SyncResult::kFailed;
  }
  const auto known = Known(feed, guard, fetched, same_settings, &*record);
  if (!known.ok()) return known.status();
  if (known->has_value()) return **known;
  if (std::string error; !blocklist::UnpackList(FetchedPath(feed), MaxBytes(feed), &error)) {
    NoteFailure("refused: cannot be unpacked: " + error, &*record);
    ::unlink(FetchedPath(feed).c_str());
    if (absl::Status status = Save(&*record, "", "", ""); !status.ok()) return status;
    return SyncResult::kFailed;
  }
  FeedRecord next = *record;
  next.set_etag(fetched.etag);
  next.set_last_modified(fetched.last_modified);
  next.set_digest(fetched.digest);
  next.set_settings(SettingsOf(feed));
  absl::StatusOr<SyncResult> result = Import(FetchedPath(feed), feed, guard, /*approved=*/false, &next);
  ::unlink(FetchedPath(feed).c_str());
  return result;
}

absl::StatusOr<std::optional<SyncResult>> FeedSync::Known(const config::Feed& feed,
                                                          const blocklist::Guard& guard,
                                                          const blocklist::FetchResult& fetched,
                                                          bool same_settings, FeedRecord* record) {
  const bool not_modified = fetched.outcome == blocklist::FetchOutcome::kNotModified;
  const auto is = [&](const std::string& digest) {
    return !not_modified && !digest.empty() && fetched.digest == digest;
  };
  const bool held = !record->held().empty() && (not_modified || is(record->held_digest()));
  const bool in_force = same_settings && record->committed_version() != 0 && is(record->digest());
  if (!held && !not_modified && !in_force && !is(record->passed_digest())) return std::nullopt;
  NoteSuccess(record);
  if (!not_modified) {
    record->set_etag(fetched.etag);
    record->set_last_modified(fetched.last_modified);
    ::unlink(FetchedPath(feed).c_str());
  }
  if (held) {
    record->set_held_fetches(record->held_fetches() + 1);
    if (absl::Status status = Save(record, "", "", ""); !status.ok()) return status;
    if (feed.accept_held_after() == 0 || record->held_fetches() < feed.accept_held_after())
      return SyncResult::kHeld;
    auto taken = Decide(feed, guard, {.kind = Decision::kApprove, .who = "accept_held_after"});
    if (!taken.ok()) return taken.status();
    return *taken;
  }
  record->clear_held();  // the publisher is back at a version that is known
  record->set_last_success_us(record->last_attempt_us());
  if (absl::Status status = Save(record, "", "", ""); !status.ok()) return status;
  return SyncResult::kUnchanged;
}

// The middle of what the last accepted versions held.
absl::StatusOr<uint64_t> FeedSync::Median(const FeedRecord& feed) const {
  auto versions = store_.Versions(feed.id(), kVersionsForMedian);
  if (!versions.ok()) return versions.status();
  std::vector<uint64_t> counts;
  for (const indicators::VersionRecord& version : *versions) {
    if (version.version() >= feed.median_from()) counts.push_back(version.indicators());
  }
  if (counts.empty()) return 0;
  std::nth_element(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2),
                   counts.end());
  return counts[counts.size() / 2];
}

absl::StatusOr<SyncResult> FeedSync::Refuse(const VersionContent& content, const std::string& reason,
                                            const FeedRecord& next, FeedRecord record) {
  // Its etag is not kept: the same body may be served under a better one.
  record.set_last_attempt_us(next.last_attempt_us());
  record.mutable_sample_errors()->Assign(content.sample_errors.begin(), content.sample_errors.end());
  NoteFailure("refused: " + reason, &record);
  if (absl::Status status = Save(&record, "feed refused", reason, ""); !status.ok()) return status;
  return SyncResult::kFailed;
}

absl::StatusOr<SyncResult> FeedSync::Hold(const std::string& path, const config::Feed& feed,
                                          const std::string& reason, const FeedRecord& next,
                                          FeedRecord record) {
  if (std::rename(path.c_str(), HeldPath(feed).c_str()) != 0) {
    return absl::UnavailableError(HeldPath(feed) + ": " + std::strerror(errno));
  }
  record.set_last_attempt_us(next.last_attempt_us());
  record.set_etag(next.etag());
  record.set_last_modified(next.last_modified());
  record.set_held(reason);
  record.set_held_digest(next.digest());
  record.set_held_fetches(1);
  NoteSuccess(&record);
  if (absl::Status status = Save(&record, "feed held", reason, ""); !status.ok()) return status;
  return SyncResult::kHeld;
}

absl::StatusOr<SyncResult> FeedSync::Import(const std::string& path, const config::Feed& feed,
                                            const blocklist::Guard& guard, bool approved, FeedRecord* next) {
  const std::lock_guard<std::mutex> one_at_a_time(import_mutex_);
  absl::StatusOr<FeedRecord> before = store_.FeedNamed(feed.name());
  if (!before.ok()) return before.status();
  indicators::FeedImport import(store_, *before,
                                {.sort_folder = folder_, .go_on = [this] { return !stopping_; }});
  absl::StatusOr<VersionContent> content = ReadVersion(path, feed, guard, stopping_, &import);
  if (!content.ok()) return content.status();
  absl::StatusOr<indicators::VersionChange> change = import.Compare();
  if (!change.ok()) return change.status();
  blocklist::VersionFacts& facts = content->facts;
  facts.indicators = change->indicators;
  facts.before = change->before;
  facts.added = change->added;
  facts.removed = change->removed;
  const absl::StatusOr<uint64_t> median = Median(*before);
  if (!median.ok()) return median.status();
  facts.median = *median;
  const blocklist::GateAnswer answer = JudgeVersion(
      facts, {.max_shrink_percent = feed.has_max_shrink_percent() ? feed.max_shrink_percent() : 10,
              .max_growth_percent = feed.has_max_growth_percent() ? feed.max_growth_percent() : 100,
              .min_indicators = feed.min_indicators()});
  if (answer.decision == blocklist::GateDecision::kRefuse)
    return Refuse(*content, answer.reason, *next, *before);
  if (answer.decision == blocklist::GateDecision::kHold && !approved)
    return Hold(path, feed, answer.reason, *next, *before);
  next->set_format(content->format);
  next->set_rejected_lines(facts.errors);
  next->set_not_enforced(content->not_enforced);
  next->set_addresses(content->addresses);
  next->mutable_sample_errors()->Assign(content->sample_errors.begin(), content->sample_errors.end());
  next->set_passed_over(content->passed_over);
  if (approved) next->set_median_from(before->committed_version() + 1);
  next->clear_held();
  next->clear_held_digest();
  next->set_last_success_us(before->last_success_us());
  NoteSuccess(next);
  change = import.Commit(next, ReadClocks().wall);
  if (!change.ok()) return change.status();
  ::unlink(HeldPath(feed).c_str());
  const std::string detail = "version " + std::to_string(next->committed_version()) + ": " +
                             std::to_string(change->indicators) + " indicators, " +
                             std::to_string(change->added) + " added, " + std::to_string(change->removed) +
                             " removed";
  if (absl::Status status = Save(next, "feed accepted", detail, ""); !status.ok()) return status;
  return SyncResult::kAccepted;
}

absl::StatusOr<SyncResult> FeedSync::Decide(const config::Feed& feed, const blocklist::Guard& guard,
                                            const Decision& decision) {
  if (decision.kind == Decision::kRollback) return Rollback(feed, decision);
  const bool approve = decision.kind == Decision::kApprove;
  absl::StatusOr<FeedRecord> record = store_.FeedNamed(feed.name());
  if (!record.ok()) return record.status();
  if (record->held().empty())
    return absl::FailedPreconditionError("no version of " + feed.name() + " is held");
  if (absl::Status status =
          Save(&*record, approve ? "feed approved" : "feed rejected", record->held(), decision.who);
      !status.ok()) {
    return status;
  }
  if (!approve) {
    ::unlink(HeldPath(feed).c_str());
    record->clear_held();
    // It is taken only when it changes.
    record->set_passed_digest(record->held_digest());
    if (absl::Status status = Save(&*record, "", "", ""); !status.ok()) return status;
    return SyncResult::kUnchanged;
  }
  FeedRecord next = *record;
  next.set_digest(record->held_digest());
  next.set_settings(SettingsOf(feed));
  return Import(HeldPath(feed), feed, guard, /*approved=*/true, &next);
}

absl::StatusOr<SyncResult> FeedSync::Rollback(const config::Feed& feed, const Decision& decision) {
  const std::lock_guard<std::mutex> one_at_a_time(import_mutex_);
  absl::StatusOr<FeedRecord> before = store_.FeedNamed(feed.name());
  if (!before.ok()) return before.status();
  const auto wanted = store_.Version(before->id(), decision.version);
  if (!wanted.ok()) return wanted.status();
  const std::string number = std::to_string(decision.version);
  if (!wanted->has_value() || decision.version >= before->committed_version()) {
    return absl::NotFoundError(feed.name() + " has no version " + number + " before the one in force");
  }
  indicators::FeedImport import(store_, *before,
                                {.sort_folder = folder_, .go_on = [this] { return !stopping_; }});
  const indicators::StoreView view(store_);
  const auto claims = view.Claims(*before, indicators::ClaimRange::kAll, /*with_past=*/true);
  for (; claims->Valid(); claims->Next()) {
    if (!indicators::StandsIn(claims->claim(), decision.version)) continue;
    if (absl::Status status = import.AddStored(claims->entry_key(), claims->claim()); !status.ok())
      return status;
  }
  if (!claims->status().ok()) return claims->status();
  FeedRecord next = *before;
  next.set_passed_digest(before->digest());
  next.set_digest((*wanted)->digest());
  next.set_median_from(before->committed_version() + 1);
  const int64_t fetched_us = before->last_success_us();
  const auto change = import.Commit(&next, ReadClocks().wall);
  if (!change.ok()) return change.status();
  next.set_last_success_us(fetched_us);
  const std::string detail =
      "to version " + number + " as version " + std::to_string(next.committed_version());
  if (absl::Status status = Save(&next, "feed rolled back", detail, decision.who); !status.ok())
    return status;
  return SyncResult::kAccepted;
}

}  // namespace sekisho::feedd
