#include "blocklist/feedd/feed_sync.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "blocklist/feed/list_archive.h"
#include "proto/base/now.h"

namespace sekisho::feedd {
namespace {

using indicators::FeedRecord;

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

absl::StatusOr<SyncResult> FeedSync::Fetch(const config::Feed& feed, const blocklist::Guard& guard) {
  absl::StatusOr<FeedRecord> record = store_.FeedNamed(feed.name());
  if (!record.ok()) return record.status();
  const bool same_settings = record->settings() == SettingsOf(feed);
  const int64_t now = UnixMicros(ReadClocks().wall);
  record->set_last_attempt_us(now);
  const blocklist::FetchResult fetched =
      fetcher_.Fetch({.url = feed.url(),
                      .etag = same_settings ? record->etag() : "",
                      .last_modified = same_settings ? record->last_modified() : "",
                      .target = FetchedPath(feed),
                      .max_bytes = MaxBytes(feed)});
  if (fetched.outcome == blocklist::FetchOutcome::kFailed) {
    NoteFailure(fetched.error, &*record);
    if (absl::Status status = Save(&*record, "", "", ""); !status.ok()) return status;
    return SyncResult::kFailed;
  }
  const bool same = fetched.outcome == blocklist::FetchOutcome::kNotModified ||
                    (same_settings && record->committed_version() != 0 && fetched.digest == record->digest());
  if (same) {
    NoteSuccess(&*record);
    if (fetched.outcome == blocklist::FetchOutcome::kFetched) {
      record->clear_held();  // the publisher is back at the version in force
      record->set_etag(fetched.etag);
      record->set_last_modified(fetched.last_modified);
    }
    if (record->held().empty()) record->set_last_success_us(now);
    if (absl::Status status = Save(&*record, "", "", ""); !status.ok()) return status;
    return record->held().empty() ? SyncResult::kUnchanged : SyncResult::kHeld;
  }
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
  const blocklist::GateAnswer answer = JudgeVersion(
      facts, {.max_shrink_percent = feed.has_max_shrink_percent() ? feed.max_shrink_percent() : 10,
              .max_growth_percent = feed.has_max_growth_percent() ? feed.max_growth_percent() : 100});
  if (answer.decision == blocklist::GateDecision::kRefuse) {
    // Its etag is not kept: the same body may be served under a better one.
    FeedRecord record = *before;
    record.set_last_attempt_us(next->last_attempt_us());
    record.mutable_sample_errors()->Assign(content->sample_errors.begin(), content->sample_errors.end());
    NoteFailure("refused: " + answer.reason, &record);
    if (absl::Status status = Save(&record, "feed refused", answer.reason, ""); !status.ok()) return status;
    return SyncResult::kFailed;
  }
  if (answer.decision == blocklist::GateDecision::kHold && !approved) {
    if (std::rename(path.c_str(), HeldPath(feed).c_str()) != 0) {
      return absl::UnavailableError(HeldPath(feed) + ": " + std::strerror(errno));
    }
    FeedRecord record = *before;
    record.set_last_attempt_us(next->last_attempt_us());
    record.set_etag(next->etag());
    record.set_last_modified(next->last_modified());
    record.set_held(answer.reason);
    NoteSuccess(&record);
    if (absl::Status status = Save(&record, "feed held", answer.reason, ""); !status.ok()) return status;
    return SyncResult::kHeld;
  }
  next->set_format(content->format);
  next->set_rejected_lines(facts.errors);
  next->set_not_enforced(content->not_enforced);
  next->set_addresses(content->addresses);
  next->mutable_sample_errors()->Assign(content->sample_errors.begin(), content->sample_errors.end());
  next->clear_held();
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
                                            bool approve, const std::string& who) {
  absl::StatusOr<FeedRecord> record = store_.FeedNamed(feed.name());
  if (!record.ok()) return record.status();
  if (record->held().empty())
    return absl::FailedPreconditionError("no version of " + feed.name() + " is held");
  if (absl::Status status = Save(&*record, approve ? "feed approved" : "feed rejected", record->held(), who);
      !status.ok()) {
    return status;
  }
  if (!approve) {
    ::unlink(HeldPath(feed).c_str());
    record->clear_held();
    // The etag stays that of the version thrown away: it is fetched again only when it changes.
    if (absl::Status status = Save(&*record, "", "", ""); !status.ok()) return status;
    return SyncResult::kUnchanged;
  }
  FeedRecord next = *record;
  next.clear_digest();  // unknown for a held file: the next fetch compares by claims
  next.set_settings(SettingsOf(feed));
  return Import(HeldPath(feed), feed, guard, /*approved=*/true, &next);
}

}  // namespace sekisho::feedd
