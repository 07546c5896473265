// Counters: what one worker has done since its start, for status and metrics.
//
// Threads: written by the worker, read by anybody; each number is exact, the set is not one instant.
#ifndef SEKISHO_RESOLVER_CORE_COUNTERS_H_
#define SEKISHO_RESOLVER_CORE_COUNTERS_H_

#include <atomic>
#include <cstdint>

namespace sekisho::resolver {

// A number with one writer: plain load and store, no locked instruction.
class Counter {
 public:
  void Add(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void Sub(uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct Counters {
  Counter questions;        // packets that were questions from an agency
  Counter refused_clients;  // packets from addresses of no agency
  Counter dropped_packets;  // not a query, too short
  Counter format_errors;
  Counter answers_from_cache;
  Counter answers_resolved;
  Counter answers_stale;
  Counter servfail;
  Counter blocked;
  Counter records_written;
  Counter records_lost;   // the ring was full
  Counter refused_load;   // too many in progress: no resolution was begun, or it was ended for another
  Counter rate_limited;   // over their client's rate
  Counter paced_replies;  // held back so that they do not arrive in a pulse
  Counter upstream_udp;
  Counter upstream_tcp;
  Counter upstream_timeouts;
  Counter upstream_mismatches;  // replies that did not match: wrong ID, question, case
  Counter upstream_malformed;
  Counter validations_bogus;
  Counter in_flight_questions;  // gauge
  Counter in_flight_upstream;   // gauge
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_COUNTERS_H_
