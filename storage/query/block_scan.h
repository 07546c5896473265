// BlockScan: finds the rows of one block that a condition lets through, unpacking only the columns it needs.
//
// Threads: one thread per call. Limits: none of its own; cost is bounded by the block.
#ifndef SEKISHO_STORAGE_QUERY_BLOCK_SCAN_H_
#define SEKISHO_STORAGE_QUERY_BLOCK_SCAN_H_

#include <cstdint>
#include <functional>

#include "proto/record/block_reader.h"
#include "storage/query/condition.h"
#include "storage/query/lookup_filter.h"

namespace sekisho::query {

// One row that fits: where it is, and its place in the order of answers.
struct FoundRow {
  uint32_t row = 0;
  RowKey key;
};

struct ScanOrder {
  int64_t from_us = INT64_MIN;
  int64_t end_us = INT64_MAX;
  bool oldest_first = true;
};

// Calls `found` for each row in time that fits, in the order of time asked for, until it returns false.
// False: the block is damaged; its error() says how.
bool ScanBlock(record::BlockReader& block, const Condition& condition, const ScanOrder& order,
               const std::function<bool(const FoundRow&)>& found);
// How many rows fit; cheaper than to list them.
bool CountBlock(record::BlockReader& block, const Condition& condition, int64_t from_us, int64_t end_us,
                uint64_t* count);

}  // namespace sekisho::query

#endif  // SEKISHO_STORAGE_QUERY_BLOCK_SCAN_H_
