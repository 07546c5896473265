// Candidates: the blocks that may hold rows of an answer, by their time, in the order of reading.
//
// Threads: functions without state.
#ifndef SEKISHO_STORAGE_QUERY_CANDIDATES_H_
#define SEKISHO_STORAGE_QUERY_CANDIDATES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proto/record/block_reader.h"
#include "storage/lookups/lookup_store.h"
#include "storage/query/lookup_filter.h"

namespace sekisho::query {

// A block in a partition, or a range of a block in the tail.
struct Candidate {
  int64_t first_us = 0;
  int64_t last_us = 0;
  lookups::TimeRange range;  // the part that counts
  std::shared_ptr<lookups::Partition> partition = nullptr;
  std::shared_ptr<const lookups::Instant> instant = nullptr;
  uint32_t block = 0;
  std::shared_ptr<const lookups::TailBlock> tail = nullptr;

  // Null when it cannot be read; *error says why.
  std::unique_ptr<record::BlockReader> Open(std::string* error) const;
};

struct CandidateSet {
  std::vector<Candidate> candidates;  // sorted as the filter's order wants them
  uint64_t lost = 0;
  std::string partial;
};

CandidateSet FindCandidates(const lookups::LookupStore& store, const LookupFilter& filter,
                            const std::function<bool()>& stop);

}  // namespace sekisho::query

#endif  // SEKISHO_STORAGE_QUERY_CANDIDATES_H_
