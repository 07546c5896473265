#include "storage/indicators/feed_import.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "storage/indicators/rocksdb_status.h"
#include "storage/indicators/store_keys.h"

namespace sekisho::indicators {
namespace {

// Cut where a character begins.
std::string_view CutUtf8(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<uint8_t>(text[limit]) & 0xc0) == 0x80) --limit;
  return text.substr(0, limit);
}

// The longer of two spans of validity; one that is not limited is the longest.
void CombineValidity(const Claim& more, Claim* claim) {
  claim->set_valid_from_us(std::min(more.valid_from_us(), claim->valid_from_us()));
  const bool open_end = more.valid_until_us() == 0 || claim->valid_until_us() == 0;
  claim->set_valid_until_us(open_end ? 0 : std::max(more.valid_until_us(), claim->valid_until_us()));
}

// Several lines may say the same of one name: the earliest time, the first reference, the first few URLs.
void Combine(const Claim& more, Claim* claim) {
  if (more.reported_us() != 0 && (claim->reported_us() == 0 || more.reported_us() < claim->reported_us())) {
    claim->set_reported_us(more.reported_us());
  }
  if (claim->reference().empty()) claim->set_reference(more.reference());
  if (claim->category().empty()) claim->set_category(more.category());
  if (claim->actor().empty()) claim->set_actor(more.actor());
  if (claim->link().empty()) claim->set_link(more.link());
  if (claim->marking().empty()) claim->set_marking(more.marking());
  claim->set_confidence(std::max(claim->confidence(), more.confidence()));
  CombineValidity(more, claim);
  if (more.action() == ACTION_LOCAL_DATA && claim->action() == ACTION_LOCAL_DATA &&
      claim->action_data().size() + more.action_data().size() < kMaxActionData) {
    claim->set_action_data(claim->action_data() + "\n" + more.action_data());
  }
  claim->set_evidence_count(claim->evidence_count() + more.evidence_count());
  for (const std::string& url : more.evidence()) {
    if (claim->evidence_size() >= kMaxEvidence) break;
    if (std::find(claim->evidence().begin(), claim->evidence().end(), url) == claim->evidence().end()) {
      claim->add_evidence(url);
    }
  }
  claim->set_allow(claim->allow() || more.allow());
}

// The new version's claims with equal ones made one.
class Distinct {
 public:
  explicit Distinct(std::unique_ptr<ExternalSorter::Cursor> cursor) : cursor_(std::move(cursor)) { Next(); }

  bool Valid() const { return valid_; }
  const std::string& key() const { return key_; }
  const Claim& claim() const { return claim_; }
  absl::Status status() const { return status_.ok() ? cursor_->status() : status_; }

  void Next() {
    valid_ = cursor_->Valid();
    if (!valid_) return;
    key_ = cursor_->key();
    claim_.Clear();
    for (bool first = true; cursor_->Valid() && cursor_->key() == key_; cursor_->Next(), first = false) {
      Claim one;
      if (!one.ParseFromArray(cursor_->value().data(), static_cast<int>(cursor_->value().size()))) {
        status_ = absl::DataLossError("a sorted claim is damaged");
        valid_ = false;
        return;
      }
      if (first) {
        claim_ = std::move(one);
      } else {
        Combine(one, &claim_);
      }
    }
  }

 private:
  std::unique_ptr<ExternalSorter::Cursor> cursor_;
  std::string key_;
  Claim claim_;
  bool valid_ = false;
  absl::Status status_;
};

// Takes away what versions after the committed one wrote: they were abandoned.
bool DropUncommitted(uint64_t committed, Claim* claim) {
  bool changed = false;
  auto* spans = claim->mutable_spans();
  while (!spans->empty() && spans->rbegin()->added() > committed) {
    spans->RemoveLast();
    changed = true;
  }
  if (!spans->empty() && spans->rbegin()->removed() > committed) {
    spans->rbegin()->set_removed(0);
    changed = true;
  }
  return changed;
}

bool IsOpen(const Claim& claim) { return claim.spans_size() > 0 && claim.spans().rbegin()->removed() == 0; }

void OpenSpan(uint64_t version, Claim* claim) {
  if (claim->spans_size() >= kMaxSpans) claim->mutable_spans()->DeleteSubrange(0, 1);
  claim->add_spans()->set_added(version);
}

// Takes over what the new version says beside the fact itself; true when anything differs. Comparing field by
// field would be quicker to run and easy to forget a field in.
bool TakeDetails(const Claim& from, Claim* claim) {
  const std::string before = claim->SerializeAsString();
  int64_t reported = claim->reported_us();
  if (reported == 0 || (from.reported_us() != 0 && from.reported_us() < reported))
    reported = from.reported_us();
  auto spans = std::move(*claim->mutable_spans());
  *claim = from;
  *claim->mutable_spans() = std::move(spans);
  claim->set_reported_us(reported);
  return before != claim->SerializeAsString();
}

}  // namespace

// Collects writes and hands them to the store when they are enough.
class FeedImport::Batch {
 public:
  Batch(FeedImport& import) : import_(import), prefix_(FeedPrefix(import.feed_id_)) {}  // NOLINT

  absl::Status Put(std::string_view entry, const Claim& claim) {
    batch_.Put(import_.store_.families_[IndicatorStore::kClaims], prefix_ + std::string(entry),
               claim.SerializeAsString());
    return MaybeWrite();
  }
  absl::Status Delete(std::string_view entry) {
    batch_.Delete(import_.store_.families_[IndicatorStore::kClaims], prefix_ + std::string(entry));
    return MaybeWrite();
  }
  absl::Status Flush() {
    if (batch_.Count() == 0) return absl::OkStatus();
    if (!import_.GoOn()) return absl::CancelledError("import abandoned");
    absl::Status status = import_.store_.Write(&batch_, /*sync=*/false);
    batch_.Clear();
    return status;
  }

 private:
  absl::Status MaybeWrite() {
    return batch_.GetDataSize() < import_.options_.batch_bytes ? absl::OkStatus() : Flush();
  }

  FeedImport& import_;
  const std::string prefix_;
  rocksdb::WriteBatch batch_;
};

FeedImport::FeedImport(IndicatorStore& store, const FeedRecord& feed, Options options)
    : store_(store),
      feed_id_(feed.id()),
      committed_(feed.committed_version()),
      options_(std::move(options)),
      sorter_({.folder = options_.sort_folder, .memory = options_.sort_memory}) {}

absl::Status FeedImport::Add(const NewClaim& claim) {
  Claim record;
  const auto cut = [](std::string_view text, size_t limit) { return std::string(CutUtf8(text, limit)); };
  record.set_reported_us(claim.reported_us);
  record.set_reference(cut(claim.reference, kMaxReferenceSize));
  record.set_allow(claim.allow);
  record.set_valid_from_us(claim.valid_from_us);
  record.set_valid_until_us(claim.valid_until_us);
  record.set_confidence(std::min(claim.confidence, uint32_t{100}));
  record.set_category(cut(claim.category, kMaxCategorySize));
  record.set_actor(cut(claim.actor, kMaxReferenceSize));
  record.set_link(cut(claim.link, kMaxEvidenceSize));
  record.set_marking(cut(claim.marking, kMaxCategorySize));
  record.set_action(claim.action);
  record.set_action_data(cut(claim.action_data, kMaxActionData));
  if (!claim.evidence.empty()) {
    record.add_evidence(cut(claim.evidence, kMaxEvidenceSize));
    record.set_evidence_count(1);
  }
  return sorter_.Add(IsAddressKind(claim.kind) ? AddressEntryKey(claim.prefix, claim.kind)
                                               : EntryKey(claim.name_key, claim.kind),
                     record.SerializeAsString());
}

absl::Status FeedImport::AddStored(std::string_view entry, const Claim& claim) {
  Claim record = claim;
  record.clear_spans();
  return sorter_.Add(entry, record.SerializeAsString());
}

absl::Status FeedImport::ForEach(const Visit& visit) {
  auto sorted = sorter_.Read();
  if (!sorted.ok()) return sorted.status();
  Distinct fresh(std::move(*sorted));
  const StoreView view(store_);
  FeedRecord feed;
  feed.set_id(feed_id_);
  const std::unique_ptr<ClaimCursor> stored = view.Claims(feed, ClaimRange::kAll, /*with_past=*/true);
  while (stored->Valid() || fresh.Valid()) {
    const int order = !stored->Valid() ? 1 : !fresh.Valid() ? -1 : stored->entry_key().compare(fresh.key());
    absl::Status status;
    if (order > 0) {
      status = visit(fresh.key(), nullptr, &fresh.claim());
    } else {
      status = visit(stored->entry_key(), &stored->claim(), order == 0 ? &fresh.claim() : nullptr);
    }
    if (!status.ok()) return status;
    if (order >= 0) fresh.Next();
    if (order <= 0) stored->Next();
  }
  if (!fresh.status().ok()) return fresh.status();
  return stored->status();
}

absl::StatusOr<VersionChange> FeedImport::Compare() {
  VersionChange change;
  const absl::Status status = ForEach([&](std::string_view, const Claim* old_claim, const Claim* new_claim) {
    const bool stood = old_claim != nullptr && StandsIn(*old_claim, committed_);
    change.before += stood ? 1 : 0;
    change.indicators += new_claim != nullptr ? 1 : 0;
    change.added += new_claim != nullptr && !stood ? 1 : 0;
    change.removed += new_claim == nullptr && stood ? 1 : 0;
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return change;
}

absl::Status FeedImport::ForEachEntry(const Entry& visit) {
  return ForEach([&](std::string_view entry, const Claim* old_claim, const Claim* new_claim) {
    const bool before = old_claim != nullptr && StandsIn(*old_claim, committed_);
    if (before || new_claim != nullptr)
      visit(entry, new_claim != nullptr ? *new_claim : *old_claim, before, new_claim != nullptr);
    return absl::OkStatus();
  });
}

absl::StatusOr<VersionChange> FeedImport::WriteClaims(uint64_t version) {
  VersionChange change;
  Batch batch(*this);
  absl::Status status = ForEach([&](std::string_view entry, const Claim* old_claim, const Claim* new_claim) {
    Claim claim = old_claim != nullptr ? *old_claim : Claim();
    bool changed = DropUncommitted(committed_, &claim);
    const bool stood = IsOpen(claim);
    change.before += stood ? 1 : 0;
    change.indicators += new_claim != nullptr ? 1 : 0;
    if (new_claim != nullptr) {
      changed = TakeDetails(*new_claim, &claim) || changed;
      if (!stood) OpenSpan(version, &claim);
      change.added += stood ? 0 : 1;
      changed = changed || !stood;
    } else if (stood) {
      claim.mutable_spans()->rbegin()->set_removed(version);
      ++change.removed;
      changed = true;
    }
    if (!changed) return absl::OkStatus();
    return claim.spans().empty() ? batch.Delete(entry) : batch.Put(entry, claim);
  });
  if (status.ok()) status = batch.Flush();
  if (!status.ok()) return status;
  return change;
}

// Takes the number for good before anything carries it.
absl::Status FeedImport::BeginVersion(FeedRecord* feed) {
  feed->set_id(feed_id_);
  feed->set_committed_version(committed_);
  feed->set_last_version(feed->last_version() + 1);
  auto stored = store_.FeedNamed(feed->name());
  if (!stored.ok()) return stored.status();
  if (stored->id() != feed_id_) return absl::InvalidArgumentError("the record is another feed's");
  stored->set_last_version(std::max(stored->last_version() + 1, feed->last_version()));
  feed->set_last_version(stored->last_version());
  return store_.SaveFeed(*stored);
}

absl::StatusOr<VersionChange> FeedImport::Commit(FeedRecord* feed, WallTime now) {
  if (!GoOn()) return absl::CancelledError("import abandoned");
  FeedRecord record = *feed;
  if (absl::Status status = BeginVersion(&record); !status.ok()) return status;
  const uint64_t version = record.last_version();
  const absl::StatusOr<VersionChange> change = WriteClaims(version);
  if (!change.ok()) return change;
  if (!GoOn()) return absl::CancelledError("import abandoned");

  VersionRecord about;
  about.set_version(version);
  about.set_accepted_us(UnixMicros(now));
  about.set_before_us(feed->last_success_us());
  about.set_indicators(change->indicators);
  about.set_added(change->added);
  about.set_removed(change->removed);
  about.set_digest(record.digest());
  record.set_committed_version(version);
  record.set_indicators(change->indicators);
  record.set_last_success_us(UnixMicros(now));
  rocksdb::WriteBatch batch;
  batch.Put(store_.families_[IndicatorStore::kMeta], FeedKey(record.name()), record.SerializeAsString());
  batch.Put(store_.families_[IndicatorStore::kMeta], VersionKey(feed_id_, version),
            about.SerializeAsString());
  if (absl::Status status = store_.Write(&batch, /*sync=*/true); !status.ok()) return status;
  *feed = std::move(record);
  return change;
}

}  // namespace sekisho::indicators
