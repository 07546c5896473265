// Ingest: moves lookups from the spool into the store, and removes the segments that the store has made
// durable.
//
//   Ingest ingest(spool_dir, store);
//   while (!stop) { if (!ingest.Tick(ReadClocks())) wait a little; }
//
// Threads: one thread; the counters may be read by any. Limits: the tail holds at most four big blocks' worth
// of rows; beyond that the rest waits in the spool.
#ifndef SEKISHO_STORAGE_LOOKUPS_INGEST_H_
#define SEKISHO_STORAGE_LOOKUPS_INGEST_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "proto/base/now.h"
#include "proto/record/spool.h"
#include "storage/lookups/lookup_store.h"

namespace sekisho::lookups {

struct IngestCounters {
  std::atomic<uint64_t> blocks{0};
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> damages{0};     // places in the spool that could not be read
  std::atomic<uint64_t> torn_tails{0};  // ends of segments whose writer died while writing
  std::atomic<uint64_t> segments_removed{0};
  std::atomic<uint64_t> backlog_bytes{0};
};

class Ingest {
 public:
  Ingest(std::string spool_dir, LookupStore* store, uint64_t tail_limit_rows);

  // Asked before a segment is removed, for those who read the spool too. Before the first Tick.
  void BeforeRemoval(std::function<void(const record::SegmentId&)> fn) { before_removal_ = std::move(fn); }

  // Does a bounded piece of work; false when there was nothing to do.
  bool Tick(Now now);
  // Imports the whole tail however small; for tests and measurements.
  bool ImportAll(std::string* error);
  // Makes the store durable and removes what is finished.
  bool Settle(std::string* error);

  const IngestCounters& counters() const { return counters_; }
  // The last things that went wrong, oldest first.
  std::deque<std::string> Troubles() const;

 private:
  void Note(const std::string& trouble);
  bool TakeBlocks(Now now);

  std::string spool_dir_;
  LookupStore* store_;
  uint64_t tail_limit_rows_;
  std::unique_ptr<record::SpoolReader> reader_;
  std::function<void(const record::SegmentId&)> before_removal_;
  MonoTime settled_{};
  MonoTime counted_{};
  MonoTime retry_at_{};
  IngestCounters counters_;
  mutable std::mutex mutex_;
  std::deque<std::string> troubles_;
};

}  // namespace sekisho::lookups

#endif  // SEKISHO_STORAGE_LOOKUPS_INGEST_H_
