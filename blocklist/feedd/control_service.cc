#include "blocklist/feedd/control_service.h"

#include <absl/time/time.h>

#include <fstream>
#include <map>
#include <utility>
#include <variant>

#include "blocklist/feedd/entry_text.h"
#include "blocklist/feedd/explain.h"
#include "blocklist/feedd/explain_past.h"
#include "blocklist/feedd/feed_inspect.h"
#include "blocklist/feedd/feed_score.h"
#include "blocklist/feedd/local_export.h"
#include "blocklist/feedd/subject.h"
#include "blocklist/merge/merger.h"
#include "proto/config/printable.h"

namespace sekisho::feedd {
namespace {

using blocklist::ClaimKind;
using blocklist::GuardVerdict;
using control::BlockChange;
using indicators::EntryKind;

constexpr size_t kMaxReason = 500;
constexpr size_t kMaxWho = 100;
// A feed that was not fetched for so many of its intervals needs a look (reliability row S10).
constexpr int64_t kStaleIntervals = 3;

// What the guard would say to a feed.
GuardVerdict CheckByHand(const blocklist::Guard& guard, const Subject& subject, bool exact) {
  if (subject.is_address()) return guard.CheckAddress(subject.prefix(), ClaimKind::kAddress);
  return guard.Check(subject.text(), exact ? ClaimKind::kExact : ClaimKind::kSubtree);
}

// What cuts off so much that it may be a slip of the finger.
bool NeedsForce(GuardVerdict verdict, bool exact) {
  const bool suffix = verdict == GuardVerdict::kTopLevel || verdict == GuardVerdict::kPublicSuffix;
  return (suffix && !exact) || verdict == GuardVerdict::kWidePrefix || verdict == GuardVerdict::kOwnNetwork ||
         verdict == GuardVerdict::kSpecialAddress;
}

// For whom and until when.
absl::Status CheckTerms(const BlockChange& change, bool add, const PolicyInputs& inputs) {
  if (add && !change.agency().empty() && !inputs.agencies.contains(change.agency()))
    return absl::InvalidArgumentError("no agency is named '" + config::Printable(change.agency()) + "'");
  if (add && change.until_us() != 0 && change.until_us() <= UnixMicros(ReadClocks().wall))
    return absl::InvalidArgumentError("it would have ended already");
  return absl::OkStatus();
}

indicators::LocalEntry EntryOf(const Subject& subject, bool exact) {
  indicators::LocalEntry entry;
  if (subject.is_address()) {
    entry.prefix = subject.prefix();
    entry.kind = EntryKind::kAddress;
  } else {
    entry.name_key = blocklist::KeyFromNameText(subject.text());
    entry.kind = exact ? EntryKind::kExact : EntryKind::kSubtree;
  }
  return entry;
}

control::FeedState ToFeedState(const config::Feed& feed, const indicators::FeedRecord* record,
                               const std::optional<SyncService::FeedTimes>& times) {
  control::FeedState state;
  state.set_name(feed.name());
  state.set_url(feed.url());
  state.set_format(feed.format());
  state.set_category(feed.category());
  if (times) {
    state.set_next_attempt_us(UnixMicros(times->next_attempt));
    state.set_last_error(times->error);
  }
  if (record == nullptr) return state;
  if (!record->format().empty()) state.set_format(record->format());
  state.set_indicators(record->indicators());
  state.set_rejected_lines(record->rejected_lines());
  state.set_evidence_only(record->not_enforced());
  state.set_addresses(record->addresses());
  state.set_last_attempt_us(record->last_attempt_us());
  state.set_last_success_us(record->last_success_us());
  if (state.last_error().empty()) state.set_last_error(record->last_error());
  state.set_version(record->committed_version());
  state.set_held(record->held());
  state.set_failures(record->failures());
  state.set_passed_over(record->passed_over());
  *state.mutable_sample_errors() = record->sample_errors();
  return state;
}

// How fresh the feed's version in force is.
void AddTimes(const indicators::FeedRecord& record, const std::optional<SyncService::FeedTimes>& times,
              const indicators::IndicatorStore& store, control::FeedState* state) {
  absl::Time published;
  if (absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", record.last_modified(), &published, nullptr))
    state->set_published_us(absl::ToUnixMicros(published));
  const auto version = store.Version(record.id(), record.committed_version());
  if (version.ok() && version->has_value()) state->set_accepted_us((*version)->accepted_us());
  if (!times || times->in_force.version != record.committed_version()) return;
  state->set_in_force_us(times->in_force.since_us);
  state->set_generation(times->in_force.generation);
}

void AddItem(control::StatusReply* reply, const std::string& name, const std::string& value,
             const std::string& alarm = "") {
  control::StatusItem* item = reply->add_items();
  item->set_name(name);
  item->set_value(value);
  item->set_alarm(alarm);
}

std::string FeedAlarm(const control::FeedState& feed, const config::Feed& settings, int64_t now_us) {
  if (!feed.held().empty()) return "held: " + feed.held();
  if (!feed.last_error().empty()) return feed.last_error();
  const int64_t interval = settings.has_interval_seconds() ? settings.interval_seconds() : kDefaultInterval;
  const int64_t interval_us = interval * 1'000'000;
  if (feed.last_success_us() != 0 && interval_us != 0 &&
      now_us - feed.last_success_us() > kStaleIntervals * interval_us) {
    return "not refreshed for more than three of its intervals";
  }
  return "";
}

}  // namespace

ControlService::ControlService(indicators::IndicatorStore& store, PolicyPublisher& publisher,
                               SyncService& sync, Options options)
    : store_(store),
      publisher_(publisher),
      sync_(sync),
      options_(std::move(options)),
      snapshots_(options_.snapshot_folder, blocklist::TrieResidence::kMapped) {}

void ControlService::Handle(const control::Request& request, const std::shared_ptr<io::ReplyStream>& reply) {
  if (request.has_feed_sync()) {
    sync_.Sync(request.feed_sync().feed(), SyncDone(reply, request.feed_sync().feed()));
    return;
  }
  if (request.has_feed_decision()) return Decide(request.feed_decision(), reply);
  if (Inspect(request, reply)) return;
  absl::StatusOr<control::Response> response = Answer(request);
  if (response.ok()) {
    reply->Finish(std::move(*response));
  } else {
    reply->Fail(std::string(response.status().message()));
  }
}

void ControlService::Decide(const control::FeedDecision& decision,
                            const std::shared_ptr<io::ReplyStream>& reply) {
  using Kind = feedd::Decision::Kind;
  const Kind kind = decision.rollback_to() != 0 ? Kind::kRollback
                    : decision.approve()        ? Kind::kApprove
                                                : Kind::kReject;
  sync_.Decide(decision.feed(),
               {.kind = kind, .version = decision.rollback_to(), .who = decision.who().substr(0, kMaxWho)},
               SyncDone(reply, decision.feed()));
}

bool ControlService::Inspect(const control::Request& request, const std::shared_ptr<io::ReplyStream>& reply) {
  const std::string* feed = request.has_feed_versions()     ? &request.feed_versions().feed()
                            : request.has_feed_diff()       ? &request.feed_diff().feed()
                            : request.has_feed_quarantine() ? &request.feed_quarantine().feed()
                            : request.has_feed_preview()    ? &request.feed_preview().feed()
                            : request.has_feed_score()      ? &request.feed_score().feed()
                                                            : nullptr;
  if (feed == nullptr) return false;
  const bool taken = sync_.Post([this, request, reply, name = *feed] {
    absl::StatusOr<control::Response> response = AnswerInspection(request, name);
    response.ok() ? reply->Finish(std::move(*response))
                  : reply->Fail(std::string(response.status().message()));
  });
  if (!taken) reply->Fail("too many requests wait");
  return true;
}

absl::StatusOr<control::Response> ControlService::AnswerInspection(const control::Request& request,
                                                                   const std::string& feed) {
  const std::shared_ptr<const PolicyInputs> inputs = sync_.inputs();
  const config::Feed* configured = inputs->Find(feed);
  if (configured == nullptr) return absl::NotFoundError("no feed is named '" + feed + "'");
  const InspectInputs about{*inputs, *configured, store_, sync_.HeldPath(*configured), sync_.folder()};
  control::Response response;
  const auto put = [&response](auto&& result, auto* field) -> absl::StatusOr<control::Response> {
    if (!result.ok()) return result.status();
    *field = std::move(*result);
    return std::move(response);
  };
  if (request.has_feed_versions()) return put(ListVersions(about), response.mutable_feed_versions());
  if (request.has_feed_diff())
    return put(DiffVersions(about, request.feed_diff()), response.mutable_feed_diff());
  if (request.has_feed_score()) return put(ScoreFeed(about), response.mutable_feed_score());
  if (request.has_feed_quarantine()) {
    return put(ListQuarantine(about, request.feed_quarantine().limit()), response.mutable_feed_quarantine());
  }
  blocklist::SnapshotReader snapshots(options_.snapshot_folder, blocklist::TrieResidence::kMapped);
  return put(PreviewNames(about, request.feed_preview(), &snapshots), response.mutable_feed_preview());
}

absl::StatusOr<control::Response> ControlService::Answer(const control::Request& request) {
  control::Response response;
  const auto put = [&response](auto&& result, auto* field) -> absl::StatusOr<control::Response> {
    if (!result.ok()) return result.status();
    *field = std::move(*result);
    return std::move(response);
  };
  switch (request.what_case()) {
    case control::Request::kStatus:
      return put(Status(), response.mutable_status());
    case control::Request::kBlockChange:
      return put(Change(request.block_change()), response.mutable_block_changed());
    case control::Request::kFeedList:
      return put(ListFeeds(), response.mutable_feed_list());
    case control::Request::kLocalList:
      return put(ListLocals(), response.mutable_local_list());
    case control::Request::kExplain: {
      const absl::StatusOr<Subject> subject = Subject::Parse(request.explain().name());
      if (!subject.ok()) return subject.status();
      if (const int64_t at_us = request.explain().at_us(); at_us != 0) {
        return put(ExplainPast(*subject, at_us, request.explain().agency(), *sync_.inputs(), store_),
                   response.mutable_explained());
      }
      return put(Explain(*subject, request.explain().agency(), *sync_.inputs(), store_, &snapshots_),
                 response.mutable_explained());
    }
    default:
      return absl::UnimplementedError("feedd does not answer this request");
  }
}

absl::StatusOr<control::BlockChanged> ControlService::Change(const BlockChange& change) {
  const absl::StatusOr<Subject> subject = Subject::Parse(change.name());
  if (!subject.ok()) return subject.status();
  const bool add = change.kind() == BlockChange::BLOCK_ADD || change.kind() == BlockChange::ALLOW_ADD;
  const bool allow = change.kind() == BlockChange::ALLOW_ADD || change.kind() == BlockChange::ALLOW_REMOVE;
  if (absl::Status status = CheckTerms(change, add, *sync_.inputs()); !status.ok()) return status;
  const GuardVerdict guard = CheckByHand(*sync_.inputs()->guard, *subject, change.exact());
  if (add && !allow && NeedsForce(guard, change.exact()) && !change.force()) {
    return absl::InvalidArgumentError(subject->text() + " is " +
                                      std::string(blocklist::GuardVerdictText(guard)) +
                                      "; to block it all the same, with everything in it, force it");
  }
  indicators::LocalEntry entry = EntryOf(*subject, change.exact());
  entry.record.set_allow(allow);
  entry.record.set_reason(change.reason().substr(0, kMaxReason));
  entry.record.set_who(change.who().substr(0, kMaxWho));
  entry.record.set_added_us(UnixMicros(ReadClocks().wall));
  entry.record.set_agency(change.agency());
  entry.record.set_until_us(change.until_us());
  control::BlockChanged changed;
  changed.set_name(subject->text());
  if (add) {
    if (absl::Status status = store_.PutLocal(entry); !status.ok()) return status;
    if (!allow && guard != GuardVerdict::kEnforce) {
      changed.set_note("feeds could not block it: " + std::string(blocklist::GuardVerdictText(guard)));
    }
  } else {
    const absl::StatusOr<bool> removed = store_.RemoveLocal(entry);
    if (!removed.ok()) return removed.status();
    if (!*removed) {
      return absl::NotFoundError("no local " + std::string(allow ? "allow" : "block") + " of " +
                                 subject->text() +
                                 (subject->is_address() ? ""
                                  : change.exact()      ? " alone"
                                                        : " with all below it"));
    }
  }
  if (!options_.local_export.empty()) {
    // The change holds all the same; the export is for the day on which the store is lost.
    if (absl::Status status = ExportLocals(store_, options_.local_export); !status.ok())
      changed.set_note("not exported: " + std::string(status.message()));
  }
  const absl::StatusOr<uint64_t> generation = publisher_.PublishLocal();
  if (!generation.ok()) return generation.status();
  changed.set_generation(*generation);
  if (!add) {
    auto left = Explain(*subject, change.agency(), *sync_.inputs(), store_, &snapshots_);
    if (left.ok() && left->verdict() != "not listed")
      changed.set_note("still " + left->verdict() + " by another rule");
  }
  return changed;
}

absl::StatusOr<control::LocalList> ControlService::ListLocals() const {
  auto locals = store_.Locals();
  if (!locals.ok()) return locals.status();
  control::LocalList list;
  for (const indicators::LocalEntry& entry : *locals) {
    control::LocalEntry* out = list.add_entries();
    out->set_name(SubjectText({entry.name_key, entry.prefix, entry.kind}));
    out->set_address(entry.IsAddress());
    out->set_exact(entry.kind == EntryKind::kExact);
    out->set_allow(entry.record.allow());
    out->set_reason(entry.record.reason());
    out->set_who(entry.record.who());
    out->set_added_us(entry.record.added_us());
    out->set_agency(entry.record.agency());
    out->set_until_us(entry.record.until_us());
  }
  return list;
}

absl::StatusOr<control::FeedList> ControlService::ListFeeds() const {
  auto records = store_.Feeds();
  if (!records.ok()) return records.status();
  std::map<std::string, const indicators::FeedRecord*> by_name;
  for (const indicators::FeedRecord& record : *records) by_name[record.name()] = &record;
  control::FeedList list;
  for (const config::Feed& feed : sync_.inputs()->feeds) {
    const auto record = by_name.find(feed.name());
    const auto times = sync_.Times(feed.name());
    control::FeedState* state = list.add_feeds();
    *state = ToFeedState(feed, record == by_name.end() ? nullptr : record->second, times);
    if (record != by_name.end()) AddTimes(*record->second, times, store_, state);
  }
  return list;
}

SyncService::Done ControlService::SyncDone(const std::shared_ptr<io::ReplyStream>& reply,
                                           const std::string& feed) const {
  return [this, reply, feed](absl::Status status, uint64_t generation) {
    if (!status.ok()) {
      reply->Fail(std::string(status.message()));
      return;
    }
    const absl::StatusOr<control::FeedList> feeds = ListFeeds();
    if (!feeds.ok()) {
      reply->Fail(std::string(feeds.status().message()));
      return;
    }
    control::Response response;
    control::FeedSynced* synced = response.mutable_feed_synced();
    for (const control::FeedState& state : feeds->feeds()) {
      if (feed.empty() || state.name() == feed) *synced->add_feeds() = state;
    }
    synced->set_generation(generation);
    reply->Finish(std::move(response));
  };
}

std::string ControlService::StoreAlarm() const {
  const std::string damage = sync_.damage();
  if (damage.empty()) return options_.store_damage;
  if (options_.rebuild_mark.empty()) return damage;
  std::ofstream(options_.rebuild_mark) << damage << "\n";
  return damage + "; it is rebuilt at the next start of feedd";
}

absl::StatusOr<control::StatusReply> ControlService::Status() const {
  const auto feeds = ListFeeds();
  if (!feeds.ok()) return feeds.status();
  const PolicyPublisher::State state = publisher_.state();
  const std::shared_ptr<const PolicyInputs> inputs = sync_.inputs();
  control::StatusReply reply;
  reply.set_daemon("feedd");
  reply.set_version(SEKISHO_VERSION);
  AddItem(&reply, "generation", std::to_string(state.generation), state.error);
  AddItem(&reply, "base generation", std::to_string(state.base_generation), state.damage);
  const std::string alarm = StoreAlarm();
  AddItem(&reply, "indicator store",
          alarm.empty()        ? "good"
          : sync_.rebuilding() ? "being rebuilt"
                               : "rebuilt",
          alarm);
  AddItem(&reply, "rules", std::to_string(state.rules));
  AddItem(&reply, "claims not enforced", std::to_string(state.not_enforced));
  AddItem(&reply, "local entries", std::to_string(state.local));
  AddItem(&reply, "compile time", std::to_string(state.compile_time.count() / 1000) + " ms");
  AddItem(&reply, "feeds", std::to_string(feeds->feeds_size()),
          feeds->feeds_size() == 0 ? "no feed is configured" : "");
  const int64_t now = UnixMicros(ReadClocks().wall);
  for (const control::FeedState& feed : feeds->feeds()) {
    const std::string value = "version " + std::to_string(feed.version()) + ", " +
                              std::to_string(feed.indicators()) + " indicators";
    AddItem(&reply, "feed " + feed.name(), value, FeedAlarm(feed, *inputs->Find(feed.name()), now));
  }
  for (const std::string& warning : inputs->warnings) AddItem(&reply, "guard", "incomplete", warning);
  return reply;
}

}  // namespace sekisho::feedd
