// Executor: answers questions to the log — the only one, behind the tool, the API and everything that
// searches.
//
//   Executor executor(store);
//   Answer a = executor.Run(filter, {.deadline = …}, [&](LookupRecord row) { …; return true; });
//
// Rows come in the order asked for (by time, then by identity) and each once; `more` says that the limit cut
// them, the next page begins behind the last row's key. The tail that was not yet imported is part of every
// answer.
//
// Threads: any; one call is one thread. Limits: the filter's limit; the deadline is looked at between blocks
// and inside long index scans. Damage never fails a query: what it leaves out is said in `partial`.
#ifndef SEKISHO_STORAGE_QUERY_EXECUTOR_H_
#define SEKISHO_STORAGE_QUERY_EXECUTOR_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "proto/base/now.h"
#include "proto/record/lookup_record.h"
#include "storage/lookups/lookup_store.h"
#include "storage/query/lookup_filter.h"

namespace sekisho::query {

struct Budget {
  // True when the query must end (deadline, asker gone).
  std::function<bool()> stop = [] { return false; };
};

struct Answer {
  uint64_t rows = 0;  // handed out, or counted
  uint64_t lost = 0;  // lookups counted as lost in the time asked for
  bool more = false;
  RowKey last;
  std::string partial;  // not empty: what is left out, and why
  uint64_t blocks_read = 0;
};

class Executor {
 public:
  explicit Executor(const lookups::LookupStore& store) : store_(store) {}

  // `each` returns false to end.
  Answer Run(const LookupFilter& filter, const Budget& budget,
             const std::function<bool(const record::LookupRecord&)>& each) const;
  // Counts all rows that fit; `after` and `limit` do not matter.
  Answer Count(const LookupFilter& filter, const Budget& budget) const;

 private:
  const lookups::LookupStore& store_;
};

}  // namespace sekisho::query

#endif  // SEKISHO_STORAGE_QUERY_EXECUTOR_H_
