// Column families and keys (claim_key.h has the grammar of entries; all numbers big-endian):
//
//   default   "feed/" name                          → FeedRecord
//             "version/" u32 feed id | u64 version  → VersionRecord
//   claims    u32 feed id | entry                   → Claim
//   local     entry                                 → LocalRecord
//   history   u64 sequence                          → HistoryEvent
#include "storage/indicators/indicator_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <utility>

#include "storage/indicators/rocksdb_status.h"
#include "storage/indicators/store_keys.h"

namespace sekisho::indicators {
namespace {

constexpr const char* kFamilyNames[] = {"default", "claims", "local", "history"};
constexpr size_t kReadahead = size_t{1} << 20;

rocksdb::DBOptions DatabaseOptions() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.max_open_files = 256;
  options.keep_log_file_num = 3;
  options.max_log_file_size = 1 << 20;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.db_write_buffer_size = size_t{48} << 20;
  options.max_total_wal_size = size_t{128} << 20;
  options.bytes_per_sync = 1 << 20;
  return options;
}

rocksdb::ColumnFamilyOptions FamilyOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.block_size = 16 << 10;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kZSTD;
  options.write_buffer_size = size_t{16} << 20;
  return options;
}

template <typename Message>
absl::Status Parse(const rocksdb::Slice& bytes, Message* message, const char* what) {
  if (message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return absl::OkStatus();
  return absl::DataLossError(std::string("a stored record is damaged: ") + what);
}

absl::StatusOr<std::vector<FeedRecord>> ReadFeeds(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* meta,
                                                  const rocksdb::ReadOptions& options) {
  std::vector<FeedRecord> feeds;
  const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator(options, meta));
  for (it->Seek(kFeedPrefix); it->Valid() && it->key().starts_with(kFeedPrefix); it->Next()) {
    FeedRecord feed;
    if (absl::Status status = Parse(it->value(), &feed, "feed"); !status.ok()) return status;
    feeds.push_back(std::move(feed));
  }
  if (absl::Status status = FromRocks(it->status(), "cannot read feeds"); !status.ok()) return status;
  return feeds;
}

}  // namespace

bool StandsIn(const Claim& claim, uint64_t version) {
  for (const Span& span : claim.spans()) {
    if (span.added() <= version && (span.removed() == 0 || span.removed() > version)) return true;
  }
  return false;
}

absl::StatusOr<std::unique_ptr<IndicatorStore>> IndicatorStore::Open(const std::string& folder) {
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(size_t{16} << 20);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const char* name : kFamilyNames) descriptors.emplace_back(name, FamilyOptions(cache));
  std::unique_ptr<IndicatorStore> store(new IndicatorStore);
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(DatabaseOptions(), folder, descriptors, &store->families_, &db);
  if (!status.ok()) return FromRocks(status, ("cannot open the indicator store " + folder).c_str());
  store->db_.reset(db);
  const std::unique_ptr<rocksdb::Iterator> last(
      db->NewIterator(rocksdb::ReadOptions(), store->families_[kHistory]));
  last->SeekToLast();
  if (last->Valid()) store->history_sequence_ = ReadBig64(last->key().ToStringView());
  return store;
}

IndicatorStore::~IndicatorStore() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
  db_->Close();
}

absl::Status IndicatorStore::Write(rocksdb::WriteBatch* batch, bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  return FromRocks(db_->Write(options, batch), "cannot write to the indicator store");
}

absl::StatusOr<FeedRecord> IndicatorStore::FeedNamed(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  absl::StatusOr<std::vector<FeedRecord>> feeds = Feeds();
  if (!feeds.ok()) return feeds.status();
  uint32_t id = 1;
  for (FeedRecord& feed : *feeds) {
    if (feed.name() == name) return std::move(feed);
    id = std::max(id, feed.id() + 1);
  }
  FeedRecord feed;
  feed.set_id(id);
  feed.set_name(name);
  if (absl::Status status = SaveFeed(feed); !status.ok()) return status;
  return feed;
}

absl::StatusOr<std::vector<FeedRecord>> IndicatorStore::Feeds() const {
  return ReadFeeds(db_.get(), families_[kMeta], rocksdb::ReadOptions());
}

absl::Status IndicatorStore::SaveFeed(const FeedRecord& feed) {
  rocksdb::WriteBatch batch;
  batch.Put(families_[kMeta], FeedKey(feed.name()), feed.SerializeAsString());
  return Write(&batch, /*sync=*/true);
}

absl::StatusOr<std::optional<VersionRecord>> IndicatorStore::Version(uint32_t feed_id,
                                                                     uint64_t version) const {
  std::string value;
  const rocksdb::Status got =
      db_->Get(rocksdb::ReadOptions(), families_[kMeta], VersionKey(feed_id, version), &value);
  if (got.IsNotFound()) return std::nullopt;
  if (!got.ok()) return FromRocks(got, "cannot read a feed version");
  VersionRecord record;
  if (absl::Status status = Parse(value, &record, "version"); !status.ok()) return status;
  return record;
}

absl::Status IndicatorStore::AppendHistory(const HistoryEvent& event, rocksdb::WriteBatch* batch) {
  return FromRocks(batch->Put(families_[kHistory], Big64(++history_sequence_), event.SerializeAsString()),
                   "cannot keep history");
}

absl::Status IndicatorStore::AddHistory(const HistoryEvent& event) {
  rocksdb::WriteBatch batch;
  if (absl::Status status = AppendHistory(event, &batch); !status.ok()) return status;
  return Write(&batch, /*sync=*/false);
}

absl::StatusOr<std::vector<HistoryEvent>> IndicatorStore::History(size_t limit) const {
  std::vector<HistoryEvent> events;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions(), families_[kHistory]));
  for (it->SeekToLast(); it->Valid() && events.size() < limit; it->Prev()) {
    if (absl::Status status = Parse(it->value(), &events.emplace_back(), "history"); !status.ok())
      return status;
  }
  if (absl::Status status = FromRocks(it->status(), "cannot read history"); !status.ok()) return status;
  return events;
}

absl::StatusOr<std::vector<VersionRecord>> IndicatorStore::Versions(uint32_t feed_id, size_t limit) const {
  std::vector<VersionRecord> versions;
  const std::string prefix = kVersionPrefix + FeedPrefix(feed_id);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions(), families_[kMeta]));
  for (it->SeekForPrev(prefix + std::string(8, '\xff'));
       it->Valid() && it->key().starts_with(prefix) && versions.size() < limit; it->Prev()) {
    VersionRecord version;
    if (absl::Status status = Parse(it->value(), &version, "version"); !status.ok()) return status;
    versions.push_back(std::move(version));
  }
  if (absl::Status status = FromRocks(it->status(), "cannot read versions"); !status.ok()) return status;
  return versions;
}

absl::Status IndicatorStore::PutLocal(const LocalEntry& entry) {
  HistoryEvent event;
  event.set_what(entry.record.allow() ? "allow added" : "block added");
  event.set_subject(entry.Key());
  event.set_detail(entry.record.reason());
  event.set_who(entry.record.who());
  event.set_time_us(entry.record.added_us());
  rocksdb::WriteBatch batch;
  batch.Put(families_[kLocal], event.subject(), entry.record.SerializeAsString());
  if (absl::Status status = AppendHistory(event, &batch); !status.ok()) return status;
  return Write(&batch, /*sync=*/true);
}

absl::StatusOr<bool> IndicatorStore::RemoveLocal(const LocalEntry& entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string key = entry.Key();
  std::string value;
  const rocksdb::Status got = db_->Get(rocksdb::ReadOptions(), families_[kLocal], key, &value);
  if (got.IsNotFound()) return false;
  if (!got.ok()) return FromRocks(got, "cannot read a local entry");
  LocalRecord record;
  if (absl::Status status = Parse(value, &record, "local entry"); !status.ok()) return status;
  if (record.allow() != entry.record.allow()) return false;
  HistoryEvent event;
  event.set_what(record.allow() ? "allow removed" : "block removed");
  event.set_subject(key);
  event.set_detail(entry.record.reason());
  event.set_who(entry.record.who());
  event.set_time_us(entry.record.added_us());
  rocksdb::WriteBatch batch;
  batch.Delete(families_[kLocal], key);
  if (absl::Status status = AppendHistory(event, &batch); !status.ok()) return status;
  if (absl::Status status = Write(&batch, /*sync=*/true); !status.ok()) return status;
  return true;
}

absl::StatusOr<std::vector<LocalEntry>> IndicatorStore::Locals() const {
  std::vector<LocalEntry> entries;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions(), families_[kLocal]));
  for (it->SeekToFirst(); it->Valid() && entries.size() < kMaxLocal; it->Next()) {
    EntryParts parts;
    LocalEntry entry;
    if (!SplitLocal(it->key().ToStringView(), &parts))
      return absl::DataLossError("a local entry's key is damaged");
    entry.name_key = parts.name_key;
    entry.prefix = parts.prefix;
    entry.kind = parts.kind;
    if (absl::Status status = Parse(it->value(), &entry.record, "local entry"); !status.ok()) return status;
    entries.push_back(std::move(entry));
  }
  if (absl::Status status = FromRocks(it->status(), "cannot read local entries"); !status.ok()) return status;
  return entries;
}

ClaimCursor::ClaimCursor(std::unique_ptr<rocksdb::Iterator> it, uint32_t feed_id, const Span& span)
    : it_(std::move(it)), prefix_(FeedPrefix(feed_id)), span_(span) {
  if (span_.range == ClaimRange::kAddresses) end_ = prefix_ + std::string(kAfterAddresses);
  it_->Seek(span_.range == ClaimRange::kNames ? prefix_ + std::string(kAfterAddresses) : prefix_);
  Settle();
}

ClaimCursor::~ClaimCursor() = default;

void ClaimCursor::Next() {
  it_->Next();
  Settle();
}

std::string_view ClaimCursor::entry_key() const { return it_->key().ToStringView().substr(prefix_.size()); }

bool ClaimCursor::Wanted() const {
  if (span_.range == ClaimRange::kNames && !IsQueryNameKind(parts_.kind)) return false;
  return span_.with_past || StandsIn(claim_, span_.version);
}

void ClaimCursor::Settle() {
  for (valid_ = false; it_->Valid() && it_->key().starts_with(prefix_); it_->Next()) {
    if (!end_.empty() && it_->key().compare(end_) >= 0) break;
    const rocksdb::Slice value = it_->value();
    if (!SplitEntry(entry_key(), &parts_) ||
        !claim_.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      status_ = absl::DataLossError("a stored claim is damaged");
      return;
    }
    valid_ = Wanted();
    if (valid_) return;
  }
  status_ = FromRocks(it_->status(), "cannot read claims");
}

StoreView::StoreView(const IndicatorStore& store) : store_(store), snapshot_(store.db_->GetSnapshot()) {}

StoreView::~StoreView() { store_.db_->ReleaseSnapshot(snapshot_); }

absl::StatusOr<std::vector<FeedRecord>> StoreView::Feeds() const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  return ReadFeeds(store_.db_.get(), store_.families_[IndicatorStore::kMeta], options);
}

std::unique_ptr<ClaimCursor> StoreView::Claims(const FeedRecord& feed, ClaimRange range,
                                               bool with_past) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  options.readahead_size = kReadahead;
  options.fill_cache = false;
  std::unique_ptr<rocksdb::Iterator> it(
      store_.db_->NewIterator(options, store_.families_[IndicatorStore::kClaims]));
  return std::unique_ptr<ClaimCursor>(
      new ClaimCursor(std::move(it), feed.id(), {feed.committed_version(), with_past, range}));
}

absl::StatusOr<std::optional<Claim>> StoreView::FindEntry(const FeedRecord& feed,
                                                          std::string_view entry) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  std::string value;
  const rocksdb::Status got = store_.db_->Get(options, store_.families_[IndicatorStore::kClaims],
                                              FeedPrefix(feed.id()) + std::string(entry), &value);
  if (got.IsNotFound()) return std::nullopt;
  if (!got.ok()) return FromRocks(got, "cannot read a claim");
  Claim claim;
  if (absl::Status status = Parse(value, &claim, "claim"); !status.ok()) return status;
  return claim;
}

}  // namespace sekisho::indicators
