// IndicatorStore: everything feeds claim and people decide, with its history, in RocksDB.
//
//   auto store = IndicatorStore::Open(folder);
//   auto feed = (*store)->FeedNamed("phishing");           // made when new
//   FeedImport import(**store, *feed, …); …                // feed_import.h
//   StoreView view(**store);                               // one moment, while imports go on
//   for (auto claims = view.Claims(*feed); claims->Valid(); claims->Next()) …
//
// A claim is one feed's word on one name and carries the versions in which it stood. The feed's record holds
// the number of the committed version and is written last: a claim counts by that number alone, so an import
// that stops at any moment leaves the old version whole.
//
// Threads: any, but one import at a time per feed. Limits: memory is bounded by RocksDB's buffers (64 MiB);
// nothing is ever read whole. Local entries: kMaxLocal.
#ifndef SEKISHO_STORAGE_INDICATORS_INDICATOR_STORE_H_
#define SEKISHO_STORAGE_INDICATORS_INDICATOR_STORE_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/now.h"
#include "proto/schema/indicator.pb.h"
#include "storage/indicators/claim_key.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
class Iterator;
class Snapshot;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace sekisho::indicators {

inline constexpr size_t kMaxLocal = 100'000;

struct LocalEntry {
  std::string name_key;                  // for names
  IpPrefix prefix{};                     // for addresses
  EntryKind kind = EntryKind::kSubtree;  // kExact, kSubtree or kAddress
  LocalRecord record{};

  bool IsAddress() const { return kind == EntryKind::kAddress; }
  // Without the agency.
  std::string Entry() const { return IsAddress() ? AddressEntryKey(prefix, kind) : EntryKey(name_key, kind); }
  std::string Key() const { return LocalKey(Entry(), record.agency()); }
};

// Whether a standing claim counts at that moment: valid_from and valid_until as published.
inline bool ValidAt(const Claim& claim, int64_t time_us) {
  return claim.valid_from_us() <= time_us &&
         (claim.valid_until_us() == 0 || time_us < claim.valid_until_us());
}

// Whether the claim stood in that version of its feed.
bool StandsIn(const Claim& claim, uint64_t version);

class IndicatorStore {
 public:
  static absl::StatusOr<std::unique_ptr<IndicatorStore>> Open(const std::string& folder);
  ~IndicatorStore();

  // The feed's record; a new one with a number of its own when the name was never seen.
  absl::StatusOr<FeedRecord> FeedNamed(const std::string& name);
  absl::StatusOr<std::vector<FeedRecord>> Feeds() const;
  // For what became of an attempt; commits go through FeedImport.
  absl::Status SaveFeed(const FeedRecord& feed);
  absl::StatusOr<std::optional<VersionRecord>> Version(uint32_t feed_id, uint64_t version) const;
  // Accepted versions, newest first.
  absl::StatusOr<std::vector<VersionRecord>> Versions(uint32_t feed_id, size_t limit) const;

  // Adds or replaces; allow and block exclude each other for one name and kind, or one prefix, and agency.
  // `now` is kept as the time.
  absl::Status PutLocal(const LocalEntry& entry);
  // False when there was none of that sort.
  absl::StatusOr<bool> RemoveLocal(const LocalEntry& entry);
  // In the order of their keys: addresses before names.
  absl::StatusOr<std::vector<LocalEntry>> Locals() const;

  absl::Status AddHistory(const HistoryEvent& event);
  // Newest first.
  absl::StatusOr<std::vector<HistoryEvent>> History(size_t limit) const;

 private:
  friend class StoreView;
  friend class FeedImport;
  friend class ClaimCursor;

  enum Family : size_t { kMeta, kClaims, kLocal, kHistory, kFamilies };

  IndicatorStore() = default;
  absl::Status Write(rocksdb::WriteBatch* batch, bool sync);
  absl::Status AppendHistory(const HistoryEvent& event, rocksdb::WriteBatch* batch);

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::mutex mutex_;  // read-modify-write of records
  std::atomic<uint64_t> history_sequence_{0};
};

// Which claims a cursor gives.
enum class ClaimRange : uint8_t { kNames, kAddresses, kAll };

// One feed's claims of its committed version, in the order of entries: addresses before names. kNames gives
// query names only (IsQueryNameKind); name servers' names come with kAll.
class ClaimCursor {
 public:
  ~ClaimCursor();
  bool Valid() const { return valid_; }
  void Next();
  std::string_view entry_key() const;  // until Next
  EntryParts parts() const { return parts_; }
  const Claim& claim() const { return claim_; }
  absl::Status status() const { return status_; }

 private:
  friend class StoreView;
  struct Span {
    uint64_t version = 0;
    bool with_past = false;
    ClaimRange range = ClaimRange::kNames;
  };
  ClaimCursor(std::unique_ptr<rocksdb::Iterator> it, uint32_t feed_id, const Span& span);
  void Settle();
  bool Wanted() const;

  std::unique_ptr<rocksdb::Iterator> it_;
  std::string prefix_;
  Span span_;
  std::string end_;  // where the range ends; empty: with the feed
  bool valid_ = false;
  EntryParts parts_;
  Claim claim_;
  absl::Status status_;
};

// The store as it was when the view was made.
class StoreView {
 public:
  explicit StoreView(const IndicatorStore& store);
  ~StoreView();
  StoreView(const StoreView&) = delete;
  StoreView& operator=(const StoreView&) = delete;

  absl::StatusOr<std::vector<FeedRecord>> Feeds() const;
  // `with_past`: also claims that stood in earlier versions only.
  std::unique_ptr<ClaimCursor> Claims(const FeedRecord& feed, ClaimRange range = ClaimRange::kNames,
                                      bool with_past = false) const;
  // One claim, also a past one; nothing when the feed never said it.
  absl::StatusOr<std::optional<Claim>> Find(const FeedRecord& feed, std::string_view name_key,
                                            EntryKind kind) const {
    return FindEntry(feed, EntryKey(name_key, kind));
  }
  absl::StatusOr<std::optional<Claim>> FindEntry(const FeedRecord& feed, std::string_view entry) const;

 private:
  const IndicatorStore& store_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace sekisho::indicators

#endif  // SEKISHO_STORAGE_INDICATORS_INDICATOR_STORE_H_
