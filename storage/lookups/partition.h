// Partition: the lookups of one day, a RocksDB of its own that can be dropped, fenced and checked alone.
//
//   <dir>/20260131-0/   day and generation; a day whose database was damaged goes on in the next generation
//   <dir>/20260131-0/PARTITION   written before the folder gets its name: a folder without a database is
//   damage, never
//                                an occasion to create one
//   <dir>/20260131-0/DAMAGED     why it was fenced; the partition is left alone as long as this file exists
//
//   column family   key               value
//   default         'P' node boot     number, offset: spool position imported so far
//   default         'H' block         the block's header bytes
//   default         'A'               there: client addresses are pseudonyms
//   blocks          block section     the section's bytes                    numbers big-endian
//
// There is no write-ahead log but the spool: a block and the spool position are one write batch, and what a
// crash takes out of memory is imported again from there.
//
// Threads: any thread reads; one thread writes. Limits: 2^32 blocks.
#ifndef SEKISHO_STORAGE_LOOKUPS_PARTITION_H_
#define SEKISHO_STORAGE_LOOKUPS_PARTITION_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/record/block_builder.h"
#include "proto/record/block_reader.h"
#include "proto/record/spool.h"

namespace rocksdb {
class Cache;
class ColumnFamilyHandle;
class DB;
class Status;
}  // namespace rocksdb

namespace sekisho::lookups {

struct PartitionId {
  int32_t day = 0;  // since 1970-01-01
  uint32_t generation = 0;
  std::string FolderName() const;
  static std::optional<PartitionId> Parse(std::string_view folder);
  int64_t first_us() const;
  int64_t end_us() const;
  friend auto operator<=>(const PartitionId&, const PartitionId&) = default;
};
// Of a time in microseconds; days before 1970 and after 9999 are taken as the first and the last.
int32_t DayOf(int64_t us);
std::string DayText(int32_t day);  // "2026-01-31"

using Origin = std::pair<uint32_t, uint64_t>;  // node and boot
using Positions = std::map<Origin, record::SpoolPosition>;

// What is kept in memory of each block.
struct BlockInfo {
  uint32_t block = 0;
  uint32_t rows = 0;
  int64_t first_us = 0;
  int64_t last_us = 0;
  uint64_t lost = 0;
};

// A file that a new partition's folder has from its first moment on; without a name: none.
struct ExtraFile {
  std::string name;
  std::string text;
};

// A state of a partition's database.
class Instant;

class Partition {
 public:
  // Both set *error and return null on failure; Create only makes a partition that does not exist.
  static std::shared_ptr<Partition> Create(const std::string& dir, PartitionId id,
                                           std::shared_ptr<rocksdb::Cache> cache, std::string* error,
                                           const ExtraFile& extra = {});
  static std::shared_ptr<Partition> Open(const std::string& dir, PartitionId id,
                                         std::shared_ptr<rocksdb::Cache> cache, std::string* error);
  // For a look at a fenced one: changes nothing and does not mind what does not fit.
  static std::shared_ptr<Partition> OpenToRead(const std::string& dir, PartitionId id,
                                               std::shared_ptr<rocksdb::Cache> cache, std::string* error);
  // Writes the DAMAGED file.
  static void Fence(const std::string& dir, PartitionId id, const std::string& why);

  // Closes the database; deletes it when DropOnClose was called.
  ~Partition();
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  const PartitionId& id() const { return id_; }
  const record::BlockChain& chain() const { return chain_; }
  const Positions& positions() const { return positions_; }

  // The chain as it was before the last block, for a block that takes its place.
  const record::BlockChain& chain_without_last() const { return chain_without_last_; }

  // Adds a block, or puts it in the place of the last one, and sets positions, all in one batch. False and
  // error(): nothing was written.
  bool Write(const record::FinishedBlock& block, const Positions& positions, bool replaces_last);
  // The database as of now; reads through it see no later write. Must not outlive the partition.
  std::shared_ptr<const Instant> Now() const;
  // Makes everything written so far durable.
  bool Flush();
  bool dirty() const { return dirty_.load(); }
  // Rewrites everything into its smallest form.
  bool Compact();
  bool compacted() const { return compacted_.load(); }
  // Every row's client address is a pseudonym; over with the next Write.
  bool MarkPseudonymised();
  bool pseudonymised() const { return pseudonymised_.load(); }
  // Reads every byte and checks it.
  bool Verify();
  void DropOnClose();

  // Blocks written so far, ascending.
  std::vector<BlockInfo> Blocks() const;
  uint64_t rows() const { return rows_.load(); }
  uint64_t lost() const { return lost_.load(); }
  uint64_t DiskBytes() const;

  // `instant` may be null: the newest state.
  std::unique_ptr<record::BlockReader> OpenBlock(uint32_t block, const Instant* instant = nullptr);
  // The header's bytes as they are kept. False: there is none or it cannot be read.
  bool HeaderBytes(uint32_t block, const Instant* instant, std::string* bytes);

  // The numbers of all headers there are, ascending.
  std::vector<uint32_t> HeaderNumbers(const Instant* instant);
  // What is wrong with the block's sections; empty: each is there and matches its digest.
  std::string SectionDamage(uint32_t block, const record::BlockHeader& header, const Instant* instant);

  // The first corruption met; the store fences the partition then.
  bool damaged() const { return damaged_.load(); }
  std::string error() const;

 private:
  struct Handles;
  Partition(std::string path, PartitionId id);
  enum class Mode : uint8_t { kCreate, kWrite, kRead };
  bool OpenDb(Mode mode, std::shared_ptr<rocksdb::Cache> cache, std::string* error);
  bool LoadState(std::string* error);
  bool Check(const rocksdb::Status& status);
  void SetDamaged(const std::string& why);

  std::string path_;
  PartitionId id_;
  std::unique_ptr<Handles> handles_;
  record::BlockChain chain_;
  record::BlockChain chain_without_last_;
  Positions positions_;
  mutable std::mutex mutex_;
  std::vector<BlockInfo> blocks_;
  std::string error_;
  std::atomic<uint64_t> rows_{0};
  std::atomic<uint64_t> lost_{0};
  std::atomic<bool> dirty_{false};
  std::atomic<bool> compacted_{false};
  std::atomic<bool> pseudonymised_{false};
  std::atomic<bool> damaged_{false};
  std::atomic<bool> drop_{false};
};

}  // namespace sekisho::lookups

#endif  // SEKISHO_STORAGE_LOOKUPS_PARTITION_H_
