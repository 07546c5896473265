// Grouping: the rows that fit a filter, counted by what they hold in one field or by their time.
//
//   Groups g = GroupBy(store, filter, GroupField::kClient, budget);   // most frequent first
//   Timeline t = CountOverTime(store, filter, step_us, offset_us, budget);
//
// Threads: any; one call is one thread. Limits: kMaxGroups different values are told apart and kMaxBuckets
// steps of time counted; what is beyond is said in `partial`. The budget is looked at between blocks and
// every few thousand rows.
#ifndef SEKISHO_STORAGE_QUERY_GROUPING_H_
#define SEKISHO_STORAGE_QUERY_GROUPING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/lookups/lookup_store.h"
#include "storage/query/executor.h"
#include "storage/query/lookup_filter.h"

namespace sekisho::query {

inline constexpr size_t kMaxGroups = 500'000;
inline constexpr size_t kMaxBuckets = 20'000;

enum class GroupField : uint8_t {
  kClient,
  kName,
  kAgency,
  kAnswer,  // addresses; a row with several counts for each
  kTarget,  // names among the answers
  kType,
  kRcode,
  kAction,
  kFeed,
  kCategory,
  kRule,
};
inline constexpr std::string_view kGroupFieldNames[] = {
    "client", "name", "agency", "answer", "target", "type", "rcode", "action", "feed", "category", "rule"};
std::optional<GroupField> ParseGroupField(std::string_view text);

struct Group {
  std::string value = {};  // as shown
  uint64_t lookups = 0;
  uint64_t blocked = 0;
  uint64_t answered = 0;  // with at least one record of the answer, and not blocked
  int64_t first_us = 0;
  int64_t last_us = 0;
};

struct Groups {
  std::vector<Group> groups;  // at most the filter's limit; most lookups first, then by value
  uint64_t distinct = 0;      // values there are
  uint64_t lookups = 0;
  std::string partial;
};
Groups GroupBy(const lookups::LookupStore& store, const LookupFilter& filter, GroupField field,
               const Budget& budget);

struct Bucket {
  int64_t start_us = 0;
  uint64_t lookups = 0;
  uint64_t blocked = 0;
};
struct Timeline {
  std::vector<Bucket> buckets;  // in order of time; steps without lookups are left out
  uint64_t lookups = 0;
  std::string partial;
};
// Steps begin at multiples of `step_us` in the time zone `offset_us` ahead of UTC.
Timeline CountOverTime(const lookups::LookupStore& store, const LookupFilter& filter, int64_t step_us,
                       int64_t offset_us, const Budget& budget);

}  // namespace sekisho::query

#endif  // SEKISHO_STORAGE_QUERY_GROUPING_H_
