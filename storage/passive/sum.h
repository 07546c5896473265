// Sum: what passive DNS knows of one (name, type, data): when it was first and last seen, and how often.
//
//   value := first second | last − first | answered | blocked | collected      LEB128 numbers
//
// Sums join in any order and any grouping to the same sum, which is what RocksDB's merging needs.
//
// Threads: values; the merge operator is used by RocksDB's threads. Limits: times are whole seconds since
// 1970.
#ifndef SEKISHO_STORAGE_PASSIVE_SUM_H_
#define SEKISHO_STORAGE_PASSIVE_SUM_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rocksdb {
class CompactionFilterFactory;
class MergeOperator;
}  // namespace rocksdb

namespace sekisho::passive {

struct Sum {
  uint64_t first_s = 0;
  uint64_t last_s = 0;
  uint64_t answered = 0;   // lookups of clients that got it
  uint64_t blocked = 0;    // lookups of clients that would have got it
  uint64_t collected = 0;  // times it was found by asking for a blocked name ourselves

  void Join(const Sum& other);
  friend bool operator==(const Sum&, const Sum&) = default;
};

void EncodeSum(const Sum& sum, std::string* out);
std::optional<Sum> DecodeSum(std::string_view bytes);

std::shared_ptr<rocksdb::MergeOperator> MakeSumJoin();
// Lets compactions drop what was last seen before *cutoff_s.
std::shared_ptr<rocksdb::CompactionFilterFactory> MakeRetention(
    std::shared_ptr<const std::atomic<uint64_t>> cutoff_s);

}  // namespace sekisho::passive

#endif  // SEKISHO_STORAGE_PASSIVE_SUM_H_
