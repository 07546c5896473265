#include "resolver/server/record_writer.h"

#include <algorithm>

#include "proto/base/this_thread.h"

namespace sekisho::resolver {
namespace {

// Between looks at the rings: short after records came, long when nothing does. Even the long one leaves a
// full ring's worth of time at any rate a worker can reach from standstill.
constexpr Duration kShortPause = std::chrono::milliseconds(2);
constexpr Duration kLongPause = std::chrono::milliseconds(20);

}  // namespace

RecordWriter::RecordWriter(const record::SpoolerOptions& options, size_t workers, size_t ring_bytes)
    : spooler_(options) {
  for (size_t i = 0; i < workers; ++i) {
    sinks_.push_back(std::make_unique<RingSink>(static_cast<uint16_t>(i), ring_bytes));
    rings_.push_back(&sinks_.back()->ring());
  }
}

RecordWriter::~RecordWriter() { Stop(); }

void RecordWriter::Start() {
  thread_ = std::thread([this] { Run(); });
}

void RecordWriter::Stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void RecordWriter::Run() {
  BeginThread("record-writer", kBesides);
  Duration pause = kShortPause;
  for (;;) {
    const bool busy = spooler_.Drain(rings_, ReadClocks());
    pause = busy ? kShortPause : std::min(pause * 2, kLongPause);
    std::unique_lock<std::mutex> lock(mutex_);
    if (stop_) break;
    wake_.wait_for(lock, pause, [this] { return stop_; });
  }
  while (spooler_.Drain(rings_, ReadClocks())) {
  }
  spooler_.Flush(ReadClocks());
}

}  // namespace sekisho::resolver
