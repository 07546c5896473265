// RecordWriter: takes the workers' lookup records to the spool, on a thread of its own.
//
// RingSink numbers the records of one worker and puts them into its ring; a record for which there was no
// room leaves a hole in the numbers, so whoever reads the log can count what is missing.
//
// Threads: each RingSink belongs to one worker; Start and Stop to the main thread; counters to anybody.
// Limits: a ring per worker. Stop writes everything that the rings hold.
#ifndef SEKISHO_RESOLVER_SERVER_RECORD_WRITER_H_
#define SEKISHO_RESOLVER_SERVER_RECORD_WRITER_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "proto/base/bounded_ring.h"
#include "proto/record/lookup_event.h"
#include "proto/record/lookup_spooler.h"
#include "proto/record/raw_record.h"
#include "resolver/core/core.h"

namespace sekisho::resolver {

class RingSink final : public RecordSink {
 public:
  RingSink(uint16_t worker, size_t ring_bytes) : worker_(worker), ring_(ring_bytes) {}

  bool Write(const record::LookupEvent& event) override {
    record::LookupEvent numbered = event;
    numbered.worker = worker_;
    numbered.sequence = ++sequence_;
    return record::EncodeRaw(numbered, ring_);
  }
  BoundedRing& ring() { return ring_; }

 private:
  uint16_t worker_;
  uint64_t sequence_ = 0;
  BoundedRing ring_;
};

class RecordWriter {
 public:
  RecordWriter(const record::SpoolerOptions& options, size_t workers, size_t ring_bytes);
  ~RecordWriter();

  RecordSink* sink(size_t worker) { return sinks_[worker].get(); }
  void Start();
  // To be called when no worker writes any more.
  void Stop();

  const record::LookupSpooler& spooler() const { return spooler_; }

 private:
  void Run();

  std::vector<std::unique_ptr<RingSink>> sinks_;
  std::vector<BoundedRing*> rings_;
  record::LookupSpooler spooler_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_RECORD_WRITER_H_
