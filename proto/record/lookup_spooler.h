// LookupSpooler: the work of resolverd's writer thread — drains the workers' rings into blocks and the blocks
// into the spool.
//
//   LookupSpooler spooler(options);
//   for (;;) { bool busy = spooler.Drain(rings, ReadClocks()); if (stop) break; if (!busy) wait a few
//   milliseconds; } spooler.Flush(ReadClocks());
//
// A block is finished when it is full or its first record has waited for `block_age`. A block that cannot be
// written (quota, disk) is dropped and counted, and so are its rows by the gap that the next block shows.
//
// Threads: one thread; the counters may be read by any. Limits: those of the builder and the spool.
#ifndef SEKISHO_PROTO_RECORD_LOOKUP_SPOOLER_H_
#define SEKISHO_PROTO_RECORD_LOOKUP_SPOOLER_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>

#include "proto/base/bounded_ring.h"
#include "proto/base/now.h"
#include "proto/record/block_builder.h"
#include "proto/record/spool.h"

namespace sekisho::record {

struct SpoolerOptions {
  SpoolOptions spool;
  uint64_t seed = 0;  // random
  uint32_t block_rows = 16384;
  Duration block_age = std::chrono::seconds(1);
  int zstd_level = 1;
  uint32_t latency_bits = 7;    // within 1 %
  int64_t time_unit_us = 1000;  // milliseconds; the order within one is that of the sequence numbers
};

struct SpoolerCounters {
  std::atomic<uint64_t> records_spooled{0};
  std::atomic<uint64_t> records_dropped{0};  // their block could not be written
  std::atomic<uint64_t> records_refused{0};  // not a raw record: a defect of ours
  std::atomic<uint64_t> blocks_spooled{0};
  std::atomic<uint64_t> bytes_spooled{0};
};

class LookupSpooler {
 public:
  explicit LookupSpooler(const SpoolerOptions& options);

  // Takes what the rings hold, at most one block's worth from each; writes a block when it is time. True:
  // took something.
  bool Drain(std::span<BoundedRing* const> rings, Now now);
  // Writes what is left and makes it durable.
  void Flush(Now now);

  const SpoolerCounters& counters() const { return counters_; }
  // The last failure; empty when the last block was written.
  std::string LastError() const;

 private:
  void WriteBlock(Now now);

  SpoolerOptions options_;
  BlockBuilder builder_;
  BlockChain chain_;
  SpoolWriter writer_;
  MonoTime block_started_{};
  SpoolerCounters counters_;
  mutable std::mutex error_mutex_;
  std::string last_error_;
};

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_LOOKUP_SPOOLER_H_
