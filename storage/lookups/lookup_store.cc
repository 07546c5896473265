#include "storage/lookups/lookup_store.h"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "proto/base/bytes.h"
#include "proto/record/block_builder.h"
#include "proto/record/block_reader.h"

namespace sekisho::lookups {
namespace {

namespace fs = std::filesystem;

constexpr char kMarker[] = "SEKISHO-LOOKUPS";
constexpr char kFormat[] = "sekisho lookups, format 2";

// The days that the block has rows of, ascending.
std::optional<std::set<int32_t>> DaysOf(record::BlockReader& block) {
  const int32_t first = DayOf(block.header().first_us);
  const int32_t last = DayOf(block.header().last_us);
  if (last - first <= 1) return std::set<int32_t>{first, last};
  std::set<int32_t> days;  // the clock jumped within a second's worth of lookups
  for (uint32_t chunk = 0; chunk < block.header().chunks(); ++chunk) {
    const auto* rest = block.ChunkRestColumns(chunk);
    if (rest == nullptr) return std::nullopt;
    for (const int64_t t : rest->time_us) days.insert(DayOf(t));
  }
  return days;
}

}  // namespace

LookupStore::LookupStore(const StoreOptions& options)
    : options_(options), cache_(rocksdb::NewLRUCache(options.cache_bytes)) {}

LookupStore::~LookupStore() {
  if (rewrite_) AbandonRewrite();
  if (lock_fd_ >= 0) close(lock_fd_);
}

std::unique_ptr<LookupStore> LookupStore::Open(const StoreOptions& options, std::string* error) {
  std::unique_ptr<LookupStore> store(new LookupStore(options));
  if (!store->Prepare(error) || !store->OpenHeads(error) || !store->OpenPartitions(error)) return nullptr;
  store->CheckHeads();
  return store;
}

// A folder is taken only when it is empty (first start) or bears our marker.
bool LookupStore::Prepare(std::string* error) {
  std::error_code ec;
  fs::create_directories(options_.dir, ec);
  if (ec) {
    *error = "cannot create " + options_.dir + ": " + ec.message();
    return false;
  }
  const std::string lock = options_.dir + "/LOCK";
  const bool empty = fs::is_empty(options_.dir, ec);
  lock_fd_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (lock_fd_ < 0 || flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    *error = options_.dir + " is in use by another process";
    return false;
  }
  const std::string marker = options_.dir + "/" + kMarker;
  if (empty) {
    std::ofstream(marker) << kFormat << "\n";
    return true;
  }
  std::ifstream in(marker);
  std::string line;
  if (!std::getline(in, line)) {
    *error = options_.dir + " is not empty and has no marker file " + kMarker +
             "; it is not taken for a lookup log";
    return false;
  }
  if (line != kFormat) {
    *error = options_.dir + " holds \"" + line.substr(0, 80) + "\"; this version reads \"" + kFormat + "\"";
    return false;
  }
  return true;
}

bool LookupStore::OpenPartitions(std::string* error) {
  std::error_code ec;
  std::vector<PartitionId> ids;
  for (const auto& entry : fs::directory_iterator(options_.dir, ec)) {
    const std::string name = entry.path().filename();
    std::error_code ignored;
    if (name.ends_with(".new") || fs::exists(entry.path() / "DROPPED", ignored)) {
      fs::remove_all(entry.path(), ignored);
      continue;
    }
    if (const auto id = PartitionId::Parse(name)) ids.push_back(*id);
  }
  if (ec) {
    *error = "cannot read " + options_.dir + ": " + ec.message();
    return false;
  }
  for (const PartitionId& id : ids) {
    if (RemoveUnsigned(id)) continue;
    std::ifstream damaged(options_.dir + "/" + id.FolderName() + "/DAMAGED");
    std::string why;
    if (damaged) {
      std::getline(damaged, why);
      damaged_.push_back({id, why});
      continue;
    }
    auto partition = Partition::Open(options_.dir, id, cache_, &why);
    if (!partition) {
      Partition::Fence(options_.dir, id, why);
      damaged_.push_back({id, why});
      continue;
    }
    partitions_[id] = EntryOf(std::move(partition));
  }
  return true;
}

LookupStore::Entry LookupStore::EntryOf(std::shared_ptr<Partition> partition) {
  auto blocks = std::make_shared<const std::vector<BlockInfo>>(partition->Blocks());
  auto instant = partition->Now();
  return {std::move(partition), std::move(blocks), std::move(instant)};
}

std::shared_ptr<Partition> LookupStore::CurrentPartition(int32_t day) const {
  std::lock_guard<std::mutex> lock(mutex_);
  auto it = partitions_.upper_bound({day, UINT32_MAX});
  if (it == partitions_.begin() || (--it)->first.day != day) return nullptr;
  return it->second.partition;
}

std::shared_ptr<Partition> LookupStore::PartitionForWriting(int32_t day, std::string* error) {
  if (auto current = CurrentPartition(day)) return current;
  const PartitionId id = NextGeneration(day);
  auto made = Partition::Create(options_.dir, id, cache_, error);
  if (!made) return nullptr;
  std::lock_guard<std::mutex> lock(mutex_);
  partitions_[id] = EntryOf(made);
  return made;
}

bool LookupStore::RangesToImport(record::BlockReader& block, const record::SpoolPosition& end,
                                 std::vector<TimeRange>* out, std::vector<int32_t>* imported) const {
  const auto days = DaysOf(block);
  if (!days) return false;
  for (const int32_t day : *days) {
    const auto partition = CurrentPartition(day);
    if (partition) {
      const auto it = partition->positions().find({end.segment.node, end.segment.boot});
      if (it != partition->positions().end() && it->second >= end) {
        imported->push_back(day);
        continue;
      }
    }
    const PartitionId id{day, 0};
    out->push_back({id.first_us(), id.end_us()});
  }
  return true;
}

bool LookupStore::Add(record::SpoolReader::Block block, MonoTime now, std::string* error) {
  auto tail = std::make_shared<TailBlock>();
  tail->bytes = std::move(block.bytes);
  tail->header = std::move(block.framed.header);
  tail->end = block.end;
  const auto reader = record::BlockReader::Open(AsBytes(tail->bytes), error);
  if (!reader) return false;
  std::vector<int32_t> imported;
  if (!RangesToImport(*reader, block.end, &tail->ranges, &imported)) {
    *error = reader->error();
    return false;
  }
  if (!CountImported(*reader, block.end, imported, error)) return false;
  if (tail->ranges.empty()) return true;
  std::lock_guard<std::mutex> lock(mutex_);
  if (tail_.empty()) tail_since_ = now;
  tail_rows_ += tail->header.rows;
  tail_.push_back(std::move(tail));
  return true;
}

bool LookupStore::ImportDue(MonoTime now) const {
  const uint64_t rows = tail_rows_.load();
  return rows >= options_.block_rows || (rows > 0 && now - tail_since_ >= options_.tail_age);
}

bool LookupStore::Import(std::string* error) {
  std::vector<std::shared_ptr<const TailBlock>> tail;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    tail = tail_;
  }
  const record::BlockOptions block_options{.seed = options_.seed,
                                           .rows = options_.block_rows,
                                           .chunk_rows = options_.chunk_rows,
                                           .zstd_level = options_.zstd_level};
  std::map<int32_t, record::BlockBuilder> builders;
  Positions positions;
  size_t taken = 0;
  bool full = false;
  for (; taken < tail.size() && !full; ++taken) {
    const TailBlock& block = *tail[taken];
    const auto reader = record::BlockReader::Open(AsBytes(block.bytes), error);
    if (!reader) return false;
    for (const TimeRange& range : block.ranges) {
      record::BlockBuilder& builder = builders.try_emplace(DayOf(range.from_us), block_options).first->second;
      const bool losses = block.header.first_us >= range.from_us && block.header.first_us < range.end_us;
      // The spool's reader has checked every digest: what fails here was written so. It is left out, not
      // waited for.
      if (!builder.AddBlock(*reader, range.from_us, range.end_us, losses)) ++unreadable_blocks_;
      full = full || builder.Full();
    }
    record::SpoolPosition& position = positions[{block.end.segment.node, block.end.segment.boot}];
    position = std::max(position, block.end);
  }
  bool all = true;
  tail.resize(taken);
  for (auto& [day, builder] : builders) {
    // Passive DNS first, as it is durable at once: what it has counted it knows when the import comes again.
    all = CountForPassive(day, builder, tail, positions, error) &&
          ImportDay(day, &builder, positions, error) && all;
  }
  return all;
}

// A last block that is not full yet is made anew with the new rows, so that few lookups a minute make few
// blocks a day.
bool LookupStore::AddLastBlock(Partition& partition, record::BlockBuilder* builder) const {
  const std::vector<BlockInfo> blocks = partition.Blocks();
  if (blocks.empty() || blocks.back().rows + builder->count() > options_.block_rows) return false;
  const auto last = partition.OpenBlock(blocks.back().block);
  return last && builder->AddBlock(*last, INT64_MIN, INT64_MAX, true);
}

// Writes one day's rows of the first `taken` blocks of the tail, and in the same moment takes them from the
// tail's view.
bool LookupStore::ImportDay(int32_t day, record::BlockBuilder* builder, const Positions& positions,
                            std::string* error) {
  std::shared_ptr<Partition> partition;
  if (builder->count() > 0) {
    partition = PartitionForWriting(day, error);
    if (!partition) return false;
    const bool replaces = AddLastBlock(*partition, builder);
    const record::BlockChain& chain = replaces ? partition->chain_without_last() : partition->chain();
    const record::FinishedBlock block = builder->Finish(chain, false);
    const ChainEnd next{
        block.header.number,
        block.header.rows + partition->rows() - (replaces ? partition->Blocks().back().rows : 0),
        block.digest};
    if (!SignBefore(*partition, next, error)) return false;
    if (!partition->Write(block, positions, replaces)) {
      *error = "cannot write to partition " + partition->id().FolderName() + ": " + partition->error();
      return false;
    }
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (partition) {
    const auto it = partitions_.find(partition->id());
    if (it != partitions_.end()) {
      it->second = EntryOf(partition);
    }
  }
  std::vector<std::shared_ptr<const TailBlock>> rest;
  for (const auto& block : tail_) {
    const auto taken = positions.find({block->end.segment.node, block->end.segment.boot});
    if (taken == positions.end() || block->end > taken->second) {
      rest.push_back(block);
      continue;
    }
    std::vector<TimeRange> ranges = block->ranges;
    std::erase_if(ranges, [day](const TimeRange& r) { return DayOf(r.from_us) == day; });
    if (ranges.empty()) continue;
    auto left = std::make_shared<TailBlock>(*block);
    left->ranges = std::move(ranges);
    rest.push_back(std::move(left));
  }
  tail_ = std::move(rest);
  uint64_t rows = 0;
  for (const auto& block : tail_) rows += block->header.rows;
  tail_rows_ = rows;
  return true;
}

std::vector<record::SegmentId> LookupStore::TailSegments() const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::set<record::SegmentId> out;
  for (const auto& block : tail_) out.insert(block->end.segment);
  return {out.begin(), out.end()};
}

void LookupStore::DropTail() {
  std::lock_guard<std::mutex> lock(mutex_);
  tail_.clear();
  tail_rows_ = 0;
}

}  // namespace sekisho::lookups
