// Bytes on a stream := frames of Frame Streams after a handshake | (JSON LF)* | (length SP syslog message)*
// syslog message    := "<" priority ">1" SP time SP host SP "sekisho - dns_activity -" SP JSON
#include "proto/base/bytes.h"
#include "proto/base/time_text.h"
#include "storage/export/frame_stream.h"
#include "storage/export/sink.h"

namespace sekisho::exports {
namespace {

constexpr size_t kAtOnce = 256 << 10;
constexpr int kLocal0 = 16 * 8;
constexpr int kNotice = 5;
constexpr int kInfo = 6;

class StreamSink final : public Sink {
 public:
  StreamSink(const SinkOptions& options, std::unique_ptr<io::ClientStream> stream)
      : options_(options), stream_(std::move(stream)) {}

  // READY, ACCEPT, START. False: the receiver is not one of dnstap.
  bool Shake(const io::Patience& patience) {
    if (options_.framing != Framing::kFrameStream) return true;
    if (!Send(ControlFrame(Control::kReady, kDnstapContent), patience)) return false;
    const auto answer = ReadFrame(patience);
    if (!answer) return false;
    if (answer->type != Control::kAccept || (!answer->content.empty() && answer->content != kDnstapContent)) {
      error_ = "the receiver does not take dnstap";
      return false;
    }
    return Send(ControlFrame(Control::kStart, kDnstapContent), patience);
  }

  bool Write(const std::vector<Payload>& payloads, const io::Patience& patience) override {
    std::string bytes;
    for (const Payload& p : payloads) {
      AppendFramed(options_.framing, options_.host, p, &bytes);
      if (bytes.size() < kAtOnce) continue;
      if (!Send(bytes, patience)) return false;
      bytes.clear();
    }
    return bytes.empty() || Send(bytes, patience);
  }

  bool EndBlock() override { return true; }
  uint64_t sent() const override { return stream_->sent(); }

  // What a receiver that hung up had not read is gone with it: asked for before, its answer holds.
  uint64_t taken(MonoTime) override {
    const uint64_t taken = stream_->taken();
    if (!stream_->gone())
      taken_ = taken;
    else if (error_.empty())
      error_ = "the receiver hung up";
    return taken_;
  }

  bool Finish(const io::Patience& patience) override {
    if (options_.framing != Framing::kFrameStream) return false;
    if (!Send(ControlFrame(Control::kStop, {}), patience)) return false;
    const auto answer = ReadFrame(patience);
    return answer && answer->type == Control::kFinish;
  }

 private:
  bool Send(std::string_view bytes, const io::Patience& patience) {
    if (stream_->Write(AsBytes(bytes), patience)) return true;
    error_ = stream_->error();
    return false;
  }

  bool ReadExactly(std::span<uint8_t> out, const io::Patience& patience) {
    while (!out.empty()) {
      const size_t n = stream_->Read(out, patience);
      if (n == 0) {
        error_ = stream_->error();
        return false;
      }
      out = out.subspan(n);
    }
    return true;
  }

  std::optional<ControlBody> ReadFrame(const io::Patience& patience) {
    std::array<uint8_t, 8> front{};
    if (!ReadExactly(front, patience)) return std::nullopt;
    ByteReader in(front);
    const uint32_t escape = in.U32();
    const uint32_t size = in.U32();
    std::string body(size <= kMaxControl ? size : 0, '\0');
    if (escape == 0 && size <= kMaxControl &&
        ReadExactly({reinterpret_cast<uint8_t*>(body.data()), body.size()}, patience)) {
      if (auto control = ReadControl(body)) return control;
    }
    if (error_.empty()) error_ = "the receiver does not speak Frame Streams";
    return std::nullopt;
  }

  SinkOptions options_;
  std::unique_ptr<io::ClientStream> stream_;
  uint64_t taken_ = 0;
};

}  // namespace

void AppendFramed(Framing framing, const std::string& host, const Payload& payload, std::string* out) {
  if (framing == Framing::kFrameStream) {
    AppendData(payload.bytes, out);
    return;
  }
  if (framing == Framing::kLines) {
    out->append(payload.bytes);
    *out += '\n';
    return;
  }
  const std::string head = "<" + std::to_string(kLocal0 + (payload.notable ? kNotice : kInfo)) + ">1 " +
                           FormatTime(UnixMicros(payload.time), TimeZone{}, 3) + " " + host +
                           " sekisho - dns_activity - ";
  *out += std::to_string(head.size() + payload.bytes.size()) + " " + head;
  out->append(payload.bytes);
}

std::unique_ptr<Sink> OpenSink(const SinkOptions& options, const io::Patience& patience, std::string* error) {
  if (!options.file.empty()) return OpenFileSink(options, error);
  auto stream = io::ClientStream::Connect(options.target, patience, error);
  if (!stream) return nullptr;
  auto sink = std::make_unique<StreamSink>(options, std::move(stream));
  if (sink->Shake(patience)) return sink;
  *error = sink->error();
  return nullptr;
}

}  // namespace sekisho::exports
