// Sink: where a stream of payloads goes — a file that is rotated, or a receiver behind a socket.
//
//   auto sink = OpenSink(options, patience, &error);           // null: not now, ask again later
//   sink->Write(payloads, patience);  sink->EndBlock();        // false: the sink is over, open another
//   sink->taken(now)                                           // of sent(), what need not be sent again
//
// Threads: one thread. Limits: waits as Patience says. Standards: Frame Streams; RFC 5424 (messages), RFC
// 6587 section 3.4.1 and RFC 5425 (octet counting); JSON lines.
#ifndef SEKISHO_STORAGE_EXPORT_SINK_H_
#define SEKISHO_STORAGE_EXPORT_SINK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proto/io/client_stream.h"
#include "storage/export/row_form.h"

namespace sekisho::exports {

enum class Framing : uint8_t { kFrameStream, kLines, kSyslog };

struct SinkOptions {
  Framing framing = Framing::kLines;
  std::string file;         // empty: to `target`
  io::StreamTarget target;  // Frame Streams shake hands there
  uint64_t rotate_bytes = uint64_t{100} << 20;
  uint32_t keep_files = 10;
  std::string host;  // in syslog messages
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual bool Write(const std::vector<Payload>& payloads, const io::Patience& patience) = 0;
  // What was written so far makes sense by itself: the place to rotate, and to go back to.
  virtual bool EndBlock() = 0;
  virtual uint64_t sent() const = 0;
  // Also finds out that the receiver is gone; then error() is not empty.
  virtual uint64_t taken(MonoTime now) = 0;
  // Says goodbye where that is the custom; what was sent counts as taken when it returns true.
  virtual bool Finish(const io::Patience& patience) = 0;
  const std::string& error() const { return error_; }

 protected:
  std::string error_;
};

std::unique_ptr<Sink> OpenSink(const SinkOptions& options, const io::Patience& patience, std::string* error);

// For the two kinds of sinks: payloads as bytes.
void AppendFramed(Framing framing, const std::string& host, const Payload& payload, std::string* out);

std::unique_ptr<Sink> OpenFileSink(const SinkOptions& options, std::string* error);

}  // namespace sekisho::exports

#endif  // SEKISHO_STORAGE_EXPORT_SINK_H_
