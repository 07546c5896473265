#include "proto/record/lookup_spooler.h"

namespace sekisho::record {

LookupSpooler::LookupSpooler(const SpoolerOptions& options)
    : options_(options),
      builder_({.node = options.spool.node,
                .boot = options.spool.boot,
                .seed = options.seed,
                .rows = options.block_rows,
                .chunk_rows = options.block_rows,
                .zstd_level = options.zstd_level,
                .latency_bits = options.latency_bits,
                .time_unit_us = options.time_unit_us}),
      writer_(options.spool) {}

bool LookupSpooler::Drain(std::span<BoundedRing* const> rings, Now now) {
  bool took = false;
  for (BoundedRing* ring : rings) {
    for (uint32_t n = 0; n < options_.block_rows; ++n) {
      const auto raw = ring->Front();
      if (raw.empty()) break;
      took = true;
      if (builder_.count() == 0) block_started_ = now.mono;
      if (!builder_.AddRaw(raw)) counters_.records_refused.fetch_add(1, std::memory_order_relaxed);
      ring->Pop();
      if (builder_.Full()) WriteBlock(now);
    }
  }
  if (builder_.count() > 0 && now.mono - block_started_ >= options_.block_age) WriteBlock(now);
  writer_.Sync(now.mono, false);
  return took;
}

void LookupSpooler::Flush(Now now) {
  if (builder_.count() > 0) WriteBlock(now);
  writer_.Sync(now.mono, true);
}

void LookupSpooler::WriteBlock(Now now) {
  const uint64_t rows = builder_.count();
  const FinishedBlock block = builder_.Finish(chain_, true);
  block_started_ = now.mono;
  const auto outcome = writer_.Append(block.bytes, now.mono);
  if (outcome == SpoolWriter::Outcome::kWritten) {
    chain_.Advance(block.header, block.digest);
    counters_.records_spooled.fetch_add(rows, std::memory_order_relaxed);
    counters_.blocks_spooled.fetch_add(1, std::memory_order_relaxed);
    counters_.bytes_spooled.fetch_add(block.bytes.size(), std::memory_order_relaxed);
  } else {
    counters_.records_dropped.fetch_add(rows, std::memory_order_relaxed);
  }
  std::lock_guard<std::mutex> lock(error_mutex_);
  last_error_ = outcome == SpoolWriter::Outcome::kWritten ? "" : writer_.error();
}

std::string LookupSpooler::LastError() const {
  std::lock_guard<std::mutex> lock(error_mutex_);
  return last_error_;
}

}  // namespace sekisho::record
