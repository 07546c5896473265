// LookupStore: all lookups that logd keeps — day partitions in RocksDB and, before them, the tail: blocks of
// the spool that wait in memory until there are enough rows for one big block.
//
//   spool blocks ──Add──▶ tail ──Import──▶ partitions          a query's View sees each row once, wherever it
//   is
//
// Small blocks never reach RocksDB: they stay in the spool, and after a crash the tail is read from there
// again. Each partition knows the spool position it has imported, so nothing is missed and nothing comes
// twice.
//
// Threads: Add, Import, Flush, Pseudonymise and Fence on one thread (the ingest); TakeView and status on
// any. Limits: rows in the tail are bounded by the caller (see tail_rows). Standards: rows S02, S06, S07, S09
// and S20 of the reliability table.
#ifndef SEKISHO_STORAGE_LOOKUPS_LOOKUP_STORE_H_
#define SEKISHO_STORAGE_LOOKUPS_LOOKUP_STORE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/now.h"
#include "proto/record/spool.h"
#include "storage/lookups/day_rewrite.h"
#include "storage/lookups/heads.h"
#include "storage/lookups/partition.h"
#include "storage/lookups/verify.h"
#include "storage/passive/passive_store.h"

namespace sekisho::lookups {

struct StoreOptions {
  std::string dir;
  size_t cache_bytes = size_t{128} << 20;
  uint32_t block_rows = 1 << 21;  // of a big block
  uint32_t chunk_rows = 8192;
  int zstd_level = 3;
  uint64_t seed = 0;          // random
  std::string key_path = {};  // of the signing key, made when missing; empty: beside the folder
  passive::PassiveStore* passive = nullptr;     // counts every lookup that is imported; may be null
  Duration tail_age = std::chrono::minutes(5);    // a row waits no longer for a big block to fill
  std::function<void(const char*)> at_step = {};  // for tests: called between the steps that change the disk
};

// A range of time, end exclusive.
struct TimeRange {
  int64_t from_us = 0;
  int64_t end_us = 0;
};

// A block of the spool that was not imported yet, and which of its days that is true for.
struct TailBlock {
  std::string bytes;
  record::BlockHeader header;
  record::SpoolPosition end;
  std::vector<TimeRange> ranges;
};

struct DamagedPartition {
  PartitionId id;
  std::string why;
};

// Nothing of that time is deleted or changed; for an incident that is looked into.
struct Hold {
  std::string name;  // one word of letters, digits, dot, dash, underscore
  TimeRange range;
};

// What a query works on: immutable, each row in exactly one place.
struct View {
  struct Day {
    std::shared_ptr<Partition> partition;
    std::shared_ptr<const std::vector<BlockInfo>> blocks;  // ascending numbers; later ones are in the tail
    std::shared_ptr<const Instant> instant;                // in which these are the blocks
  };
  std::vector<Day> days;  // ascending
  std::vector<std::shared_ptr<const TailBlock>> tail;
  std::vector<DamagedPartition> damaged;
};

struct StoreStatus {
  uint64_t rows = 0;
  uint64_t lost = 0;
  uint64_t tail_rows = 0;
  uint64_t disk_bytes = 0;
  uint64_t unreadable_blocks = 0;  // of the spool, left out
  size_t partitions = 0;
  std::string oldest_day;
  std::string newest_day;
  std::vector<DamagedPartition> damaged;
  // What did not fit the signed heads, ever; kept until the file TROUBLES is removed.
  std::vector<std::string> troubles;
  uint64_t heads_counter = 0;
};

class LookupStore {
 public:
  // Null and *error when the folder cannot be used: not ours, of a newer format, in use by another process.
  static std::unique_ptr<LookupStore> Open(const StoreOptions& options, std::string* error);
  ~LookupStore();
  LookupStore(const LookupStore&) = delete;
  LookupStore& operator=(const LookupStore&) = delete;

  // Takes the block into the tail, as far as its rows are not imported yet. False: the block cannot be read;
  // it is left out and *error says why.
  bool Add(record::SpoolReader::Block block, MonoTime now, std::string* error);
  uint64_t tail_rows() const { return tail_rows_.load(); }
  bool ImportDue(MonoTime now) const;
  // Lets passive DNS count what waits in the tail, unless that is more than `most` rows: then it waits for
  // the import, which is cheaper.
  bool CountTail(uint64_t most, std::string* error) const;
  // Moves one big block's worth out of the tail. False: nothing or not all could be written; the tail keeps
  // the rest.
  bool Import(std::string* error);
  // The segments that still have blocks in the tail.
  std::vector<record::SegmentId> TailSegments() const;
  bool Flush(std::string* error);
  // Forgets the tail; the caller reads the spool anew from its beginning.
  void DropTail();

  // Fences the partitions that were found damaged; true when there was one: its rows may still be in the
  // spool.
  bool FenceDamaged();
  // Drops the days before `today` − `days`, at most two on any one day (a clock gone wrong must not empty the
  // log). Returns the names of the days dropped.
  std::vector<std::string> ApplyRetention(WallTime now, uint32_t days);
  // Gives the oldest day older than `days` days, that has none yet and is not held, pseudonyms for its client
  // addresses: a bounded piece of work at each call, at most four days on any one day. kFailed: *error; what
  // was begun is taken back.
  enum class Rewriting : uint8_t { kNothing, kBusy, kDone, kFailed };
  Rewriting Pseudonymise(WallTime now, uint32_t days, PseudonymKeys& keys, std::string* error);
  // Days that overlap a hold are kept, whatever retention says. Any thread. False: *error says why.
  bool AddHold(const Hold& hold, std::string* error);
  bool RemoveHold(const std::string& name, std::string* error);
  std::vector<Hold> Holds() const;
  // Compacts one partition that is not written any more; true when there was one to do. Any thread.
  bool CompactOne(WallTime now);
  // Compacts all of them; for measurements.
  void CompactAll();
  // Checks every byte of one partition after the other, the next at each call; damage is fenced later. Any
  // thread.
  void ScrubNext();

  // Holds everything against the signed heads. Any thread; reads the whole log.
  VerifyReport Verify(const std::function<bool()>& stop) const;

  // Partitions and tail blocks that have rows in [from, end).
  View TakeView(int64_t from_us, int64_t end_us) const;
  StoreStatus Status() const;

 private:
  struct Entry {
    std::shared_ptr<Partition> partition;
    std::shared_ptr<const std::vector<BlockInfo>> published;
    std::shared_ptr<const Instant> instant;
  };
  static Entry EntryOf(std::shared_ptr<Partition> partition);
  explicit LookupStore(const StoreOptions& options);
  bool Prepare(std::string* error);
  bool OpenPartitions(std::string* error);
  bool OpenHeads(std::string* error);
  void CheckHeads();
  void Trouble(const std::string& what);
  static ChainEnd EndOf(const Partition& partition);
  // Signs that the partition may from now on also end with that block.
  bool SignBefore(const Partition& partition, const ChainEnd& next, std::string* error);
  // Signs that what was flushed is the only state.
  bool SignFlushed(std::string* error);
  bool RangesToImport(record::BlockReader& block, const record::SpoolPosition& end,
                      std::vector<TimeRange>* out, std::vector<int32_t>* imported) const;
  std::shared_ptr<Partition> CurrentPartition(int32_t day) const;
  std::shared_ptr<Partition> PartitionForWriting(int32_t day, std::string* error);
  // Passive DNS of what is about to be imported, and of what was imported without it.
  bool CountForPassive(int32_t day, const record::BlockBuilder& builder,
                       const std::vector<std::shared_ptr<const TailBlock>>& taken, const Positions& positions,
                       std::string* error) const;
  bool CountBlocks(int32_t day, const std::vector<std::shared_ptr<const TailBlock>>& blocks,
                   std::string* error) const;
  bool CountImported(record::BlockReader& block, const record::SpoolPosition& end,
                     const std::vector<int32_t>& days, std::string* error) const;
  bool AddLastBlock(Partition& partition, record::BlockBuilder* builder) const;
  bool ImportDay(int32_t day, record::BlockBuilder* builder, const Positions& positions, std::string* error);

  void AtStep(const char* step) const;
  PartitionId NextGeneration(int32_t day) const;
  std::shared_ptr<Partition> DueForPseudonyms(int32_t today, uint32_t days) const;
  bool BeginRewrite(std::shared_ptr<Partition> from, PseudonymKeys& keys, std::string* error);
  bool RewriteBlock(std::string* error);
  bool CommitRewrite(WallTime now, std::string* error);
  void AbandonRewrite();
  bool RemoveUnsigned(const PartitionId& id) const;

  StoreOptions options_;
  std::shared_ptr<rocksdb::Cache> cache_;
  int lock_fd_ = -1;
  std::atomic<uint64_t> tail_rows_{0};
  std::atomic<uint64_t> unreadable_blocks_{0};
  MonoTime tail_since_{};  // when the oldest block of the tail was added
  mutable std::mutex mutex_;
  std::map<PartitionId, Entry> partitions_;
  std::vector<std::shared_ptr<const TailBlock>> tail_;
  std::vector<DamagedPartition> damaged_;
  bool WriteHolds(const std::vector<Hold>& holds, std::string* error);
  bool Held(const PartitionId& id) const;
  bool ReadHolds(std::string* error);
  bool Bury(const PartitionId& id, const ChainEnd& end, const std::string& why, WallTime now);

  std::vector<Hold> holds_;
  PartitionId scrubbed_{-1, 0};
  std::unique_ptr<DayRewrite> rewrite_;
  std::set<PartitionId> not_rewritten_;  // tried in vain since the start
  mutable std::mutex heads_mutex_;       // taken after mutex_ when both are needed
  std::unique_ptr<HeadsFile> heads_;
  std::vector<std::string> troubles_;
};

}  // namespace sekisho::lookups

#endif  // SEKISHO_STORAGE_LOOKUPS_LOOKUP_STORE_H_
