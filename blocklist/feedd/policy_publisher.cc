#include "blocklist/feedd/policy_publisher.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <span>
#include <utility>

#include "blocklist/feedd/claim_terms.h"
#include "blocklist/feedd/explain.h"
#include "blocklist/feedd/policy_inputs.h"
#include "blocklist/merge/merger.h"
#include "blocklist/trie/trie_builder.h"
#include "proto/base/bytes.h"

namespace sekisho::feedd {
namespace {

using blocklist::RuleAction;
using blocklist::RuleScope;
using indicators::EntryKind;

// One feed's claims on their way into the merge.
struct Stream {
  uint32_t feed = 0;
  const indicators::FeedRecord* record = nullptr;
  std::unique_ptr<indicators::ClaimCursor> cursor;
  ClaimTerms terms;
};
struct LaterEntry {
  bool operator()(const Stream* a, const Stream* b) const {
    const int order = a->cursor->entry_key().compare(b->cursor->entry_key());
    return order != 0 ? order > 0 : a->feed > b->feed;
  }
};

// What is said by hand about one name or prefix: one rule, whose source names who says it as the resolver
// reads it: "local", "local@AGENCY", and "allow " before those that allow beside others that block.
class LocalRule {
 public:
  void Add(const indicators::LocalRecord& record) { records_.push_back(&record); }
  bool empty() const { return records_.empty(); }

  RuleAction action() const {
    const bool allows =
        std::all_of(records_.begin(), records_.end(), [](const auto* r) { return r->allow(); });
    return allows ? RuleAction::kAllow : RuleAction::kBlock;
  }
  std::string feeds() const {
    std::string out;
    for (const indicators::LocalRecord* record : records_) {
      if (!out.empty()) out += ", ";
      if (record->allow() && action() == RuleAction::kBlock) out += "allow ";
      out += record->agency().empty() ? "local" : "local@" + record->agency();
    }
    return out;
  }
  const std::string& reason() const { return records_.front()->reason(); }

 private:
  std::vector<const indicators::LocalRecord*> records_;
};

// Name servers and clients are policy zones' business.
bool IsEnforceable(EntryKind kind) {
  return indicators::IsQueryNameKind(kind) || kind == EntryKind::kAddress || kind == EntryKind::kUrlAddress;
}
static_assert(static_cast<int>(EntryKind::kUrlAddress) ==
              static_cast<int>(blocklist::ClaimKind::kUrlAddress));

std::vector<const config::Feed*> InRankOrder(const std::vector<config::Feed>& feeds) {
  std::vector<const config::Feed*> sorted;
  for (const config::Feed& feed : feeds) sorted.push_back(&feed);
  // Elements of the vector: their addresses are in the configuration's order.
  std::sort(sorted.begin(), sorted.end(), [](const config::Feed* a, const config::Feed* b) {
    return a->rank() != b->rank() ? a->rank() < b->rank() : std::less<const config::Feed*>()(a, b);
  });
  return sorted;
}

// All streams' claims in the order of their entries.
absl::Status MergeAll(std::vector<Stream>* streams, int64_t now_us, blocklist::Merger* merger) {
  std::priority_queue<Stream*, std::vector<Stream*>, LaterEntry> queue;
  for (Stream& stream : *streams) {
    if (stream.cursor->Valid()) queue.push(&stream);
  }
  while (!queue.empty()) {
    Stream* stream = queue.top();
    queue.pop();
    const indicators::EntryParts parts = stream->cursor->parts();
    const indicators::Claim& claim = stream->cursor->claim();
    if (IsEnforceable(parts.kind) && stream->terms.Counts(claim, now_us)) {
      const blocklist::MergeClaim merged{.kind = static_cast<blocklist::ClaimKind>(parts.kind),
                                         .allow = claim.allow(),
                                         .feed = stream->feed,
                                         .reference = claim.reference()};
      const absl::Status status = indicators::IsAddressKind(parts.kind)
                                      ? merger->AddAddress(parts.prefix, merged)
                                      : merger->Add(parts.name_key, merged);
      if (!status.ok()) return status;
    }
    stream->cursor->Next();
    if (stream->cursor->Valid()) queue.push(stream);
  }
  for (const Stream& stream : *streams) {
    if (!stream.cursor->status().ok()) return stream.cursor->status();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<PolicyPublisher>> PolicyPublisher::Open(
    const std::string& folder, size_t keep, const indicators::IndicatorStore& store) {
  auto writer = blocklist::SnapshotWriter::Open(folder, {.keep = keep});
  if (!writer.ok()) return writer.status();
  std::unique_ptr<PolicyPublisher> publisher(new PolicyPublisher(std::move(*writer), store));
  const absl::Status& damage = publisher->writer_.damage();
  if (!damage.ok()) publisher->state_.damage = std::string(damage.message());
  publisher->state_.generation = publisher->writer_.now().generation;
  publisher->state_.base_generation = publisher->writer_.now().base;
  return publisher;
}

PolicyPublisher::PolicyPublisher(blocklist::SnapshotWriter writer, const indicators::IndicatorStore& store)
    : store_(store), writer_(std::move(writer)) {}

absl::Status PolicyPublisher::CompileFeeds(const std::vector<config::Feed>& feeds,
                                           const blocklist::Guard& guard, std::string* bytes,
                                           State* counts) const {
  const indicators::StoreView view(store_);
  auto records = view.Feeds();
  if (!records.ok()) return records.status();
  std::map<std::string, const indicators::FeedRecord*> by_name;
  for (const indicators::FeedRecord& record : *records) by_name[record.name()] = &record;

  std::vector<blocklist::MergeFeed> merge_feeds;
  std::vector<Stream> streams;
  for (const config::Feed* feed : InRankOrder(feeds)) {
    const auto record = by_name.find(feed->name());
    if (record == by_name.end()) continue;
    const auto versions =
        store_.Versions(record->second->id(), feed->max_age_days() != 0 ? kVersionsForAge : 0);
    if (!versions.ok()) return versions.status();
    streams.push_back({static_cast<uint32_t>(merge_feeds.size()), record->second,
                       view.Claims(*record->second, indicators::ClaimRange::kAddresses),
                       ClaimTerms(*feed, *versions)});
    merge_feeds.push_back({.name = feed->name(), .category = feed->category(), .log_only = LogsOnly(*feed)});
  }
  blocklist::TrieBuilder builder;
  blocklist::Merger merger(std::move(merge_feeds), guard, &builder);
  const int64_t now_us = UnixMicros(ReadClocks().wall);
  absl::Status merged = MergeAll(&streams, now_us, &merger);
  for (Stream& stream : streams) stream.cursor = view.Claims(*stream.record);
  if (merged.ok()) merged = MergeAll(&streams, now_us, &merger);
  if (merged.ok()) merged = merger.Finish();
  if (!merged.ok()) return merged;
  for (const Stream& stream : streams) {
    counts->next_change_us = std::min(counts->next_change_us, stream.terms.next_change_us());
  }
  counts->rules = merger.rules();
  counts->not_enforced = merger.not_enforced();
  auto finished = builder.Finish();
  if (!finished.ok()) return finished.status();
  *bytes = std::move(*finished);
  return absl::OkStatus();
}

absl::StatusOr<std::string> PolicyPublisher::CompileLocals(uint64_t* count, int64_t* next_end_us) const {
  auto locals = store_.Locals();  // in key order
  if (!locals.ok()) return locals.status();
  blocklist::TrieBuilder builder;
  const int64_t now_us = UnixMicros(ReadClocks().wall);
  *next_end_us = kNever;
  for (size_t i = 0; i < locals->size();) {
    const indicators::LocalEntry& first = (*locals)[i];
    LocalRule rule;
    for (; i < locals->size() && (*locals)[i].Entry() == first.Entry(); ++i) {
      const indicators::LocalRecord& record = (*locals)[i].record;
      if (record.until_us() != 0 && record.until_us() <= now_us) continue;
      if (record.until_us() != 0) *next_end_us = std::min(*next_end_us, record.until_us());
      rule.Add(record);
      ++*count;
    }
    if (rule.empty()) continue;
    const uint32_t source =
        builder.AddSource({.feeds = rule.feeds(), .category = "local", .reference = rule.reason()});
    const RuleScope scope = first.kind == EntryKind::kSubtree ? RuleScope::kSubtree : RuleScope::kExact;
    const absl::Status status = first.IsAddress() ? builder.AddAddress(first.prefix, rule.action(), source)
                                                  : builder.Add(first.name_key, scope, rule.action(), source);
    if (!status.ok()) return status;
  }
  return builder.Finish();
}

// With the lock held: puts a new base, or the one in force, and the local entries as they are now in force.
absl::StatusOr<uint64_t> PolicyPublisher::Write(const std::string* base) {
  uint64_t count = 0;
  int64_t next_end_us = kNever;
  const absl::StatusOr<std::string> delta = CompileLocals(&count, &next_end_us);
  if (!delta.ok()) return delta.status();
  const auto fill = [](const std::string& bytes) {
    return [&bytes](const blocklist::TrieBuilder::Writer& write) { return write(AsBytes(bytes)); };
  };
  absl::StatusOr<uint64_t> generation =
      writer_.Publish(base != nullptr ? blocklist::SnapshotWriter::Fill(fill(*base)) : nullptr, fill(*delta));
  if (generation.ok()) {
    state_.local = count;
    state_.next_local_end_us = next_end_us;
  }
  return generation;
}

absl::StatusOr<uint64_t> PolicyPublisher::Remember(absl::StatusOr<uint64_t> result) {
  state_.error = result.ok() ? "" : std::string(result.status().message());
  state_.generation = writer_.now().generation;
  state_.base_generation = writer_.now().base;
  return result;
}

absl::StatusOr<uint64_t> PolicyPublisher::PublishBase(const std::vector<config::Feed>& feeds,
                                                      const blocklist::Guard& guard) {
  const MonoTime begin = ReadClocks().mono;
  State counts;
  std::string base;
  const absl::Status compiled = CompileFeeds(feeds, guard, &base, &counts);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!compiled.ok()) return Remember(compiled);
  absl::StatusOr<uint64_t> generation = Remember(Write(&base));
  if (!generation.ok()) return generation;
  state_.rules = counts.rules;
  state_.not_enforced = counts.not_enforced;
  state_.next_change_us = counts.next_change_us;
  state_.compile_time = ReadClocks().mono - begin;
  return generation;
}

absl::StatusOr<uint64_t> PolicyPublisher::PublishLocal() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (writer_.now().generation != 0) return Remember(Write(nullptr));
  // Nothing in force yet: an empty base to lay the local entries over.
  blocklist::TrieBuilder nothing;
  const absl::StatusOr<std::string> base = nothing.Finish();
  if (!base.ok()) return Remember(base.status());
  return Remember(Write(&*base));
}

PolicyPublisher::State PolicyPublisher::state() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return state_;
}

}  // namespace sekisho::feedd
