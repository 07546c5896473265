// What the store tells passive DNS: every lookup once, by the same spool positions as the partitions.
#include <algorithm>

#include "proto/base/bytes.h"
#include "storage/lookups/lookup_store.h"
#include "storage/passive/aggregate.h"

namespace sekisho::lookups {
namespace {

const TimeRange* RangeOf(const TailBlock& block, int32_t day) {
  for (const TimeRange& range : block.ranges) {
    if (DayOf(range.from_us) == day) return &range;
  }
  return nullptr;
}

}  // namespace

// Most of the time none of the blocks was counted before, and the rows at hand are what is to be counted.
// After a crash between passive DNS and the partition some were: then the others are put together by
// themselves.
bool LookupStore::CountForPassive(int32_t day, const record::BlockBuilder& builder,
                                  const std::vector<std::shared_ptr<const TailBlock>>& taken,
                                  const Positions& positions, std::string* error) const {
  if (options_.passive == nullptr || builder.count() == 0) return true;
  bool none_counted = true;
  for (const auto& block : taken)
    none_counted =
        none_counted && (RangeOf(*block, day) == nullptr || !options_.passive->Counted(day, block->end));
  if (none_counted) {
    passive::Aggregate sums(options_.seed);
    sums.AddLookups(builder);
    return options_.passive->Write(sums, day, positions, error);
  }
  return CountBlocks(day, taken, error);
}

bool LookupStore::CountBlocks(int32_t day, const std::vector<std::shared_ptr<const TailBlock>>& blocks,
                              std::string* error) const {
  record::BlockBuilder rows({.seed = options_.seed, .rows = options_.block_rows});
  Positions moved;
  for (const auto& block : blocks) {
    const TimeRange* range = RangeOf(*block, day);
    if (range == nullptr || options_.passive->Counted(day, block->end)) continue;
    const auto reader = record::BlockReader::Open(AsBytes(block->bytes), error);
    if (reader) rows.AddBlock(*reader, range->from_us, range->end_us, false);
    record::SpoolPosition& position = moved[{block->end.segment.node, block->end.segment.boot}];
    position = std::max(position, block->end);
  }
  if (moved.empty() || rows.count() == 0) return true;
  passive::Aggregate sums(options_.seed);
  sums.AddLookups(rows);
  return options_.passive->Write(sums, day, moved, error);
}

// A block whose rows are in a partition and not in passive DNS: that was switched on later or begun anew.
bool LookupStore::CountImported(record::BlockReader& block, const record::SpoolPosition& end,
                                const std::vector<int32_t>& days, std::string* error) const {
  if (options_.passive == nullptr) return true;
  for (const int32_t day : days) {
    if (options_.passive->Counted(day, end)) continue;
    record::BlockBuilder rows({.seed = options_.seed, .rows = options_.block_rows});
    const PartitionId id{day, 0};
    if (!rows.AddBlock(block, id.first_us(), id.end_us(), false) || rows.count() == 0) continue;
    passive::Aggregate sums(options_.seed);
    sums.AddLookups(rows);
    if (!options_.passive->Write(sums, day, {{{end.segment.node, end.segment.boot}, end}}, error))
      return false;
  }
  return true;
}

bool LookupStore::CountTail(uint64_t most, std::string* error) const {
  if (options_.passive == nullptr) return true;
  std::vector<std::shared_ptr<const TailBlock>> tail;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    tail = tail_;
  }
  std::map<int32_t, std::vector<std::shared_ptr<const TailBlock>>> days;
  uint64_t rows = 0;
  for (const auto& block : tail) {
    for (const TimeRange& range : block->ranges) {
      if (options_.passive->Counted(DayOf(range.from_us), block->end)) continue;
      days[DayOf(range.from_us)].push_back(block);
      rows += block->header.rows;
    }
  }
  if (rows > most) return true;
  bool all = true;
  for (const auto& [day, blocks] : days) all = CountBlocks(day, blocks, error) && all;
  return all;
}

}  // namespace sekisho::lookups
