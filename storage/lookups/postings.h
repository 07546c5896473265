// Postings: ascending block numbers of one index term, kept small, and the RocksDB merge operator that joins
// them.
//
//   postings := (LEB128: number − the number before)*       the first is written as it is
//
// Threads: functions without state; the operator may be called from any thread. Limits: 32-bit numbers.
#ifndef SEKISHO_STORAGE_LOOKUPS_POSTINGS_H_
#define SEKISHO_STORAGE_LOOKUPS_POSTINGS_H_

#include <rocksdb/merge_operator.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sekisho::lookups {

std::string EncodePostings(std::span<const uint32_t> ascending);
// Appends to *out (which then may hold doubles and be out of order); false when the bytes are damaged.
bool DecodePostings(std::string_view bytes, std::vector<uint32_t>* out);
void SortUnique(std::vector<uint32_t>* numbers);

std::shared_ptr<rocksdb::MergeOperator> PostingsMerge();

}  // namespace sekisho::lookups

#endif  // SEKISHO_STORAGE_LOOKUPS_POSTINGS_H_
