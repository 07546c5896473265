// Frames: protobuf messages over a byte stream, each with its length and a checksum. No I/O here.
//
//   std::string wire;
//   AppendFrame(request, &wire);                       // sender
//   decoder.Append(bytes);                             // receiver, with whatever bytes came in
//   while (decoder.Next(&payload) == FrameDecoder::Result::kFrame) request.ParseFromString(payload);
//
// Threads: values. Limits: a payload has at most `max_payload` bytes; a larger one is refused from its
// header, before anything is kept. Standards: none; the layout stands in frame.cc.
#ifndef SEKISHO_PROTO_FRAME_FRAME_H_
#define SEKISHO_PROTO_FRAME_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace google::protobuf {
class MessageLite;
}

namespace sekisho::frame {

inline constexpr size_t kHeaderSize = 12;
inline constexpr size_t kMaxRequest = 1 << 20;
inline constexpr size_t kMaxResponse = 16 << 20;

void AppendFrame(std::string_view payload, std::string* out);
// False when the message does not serialise or takes more than kMaxResponse bytes; nothing is appended then.
bool AppendFrame(const google::protobuf::MessageLite& message, std::string* out);

class FrameDecoder {
 public:
  enum class Result : uint8_t {
    kFrame,     // *payload holds one
    kNeedMore,  // no whole frame yet
    kBad,       // the stream is broken for good; error() says why
  };

  explicit FrameDecoder(size_t max_payload) : max_payload_(max_payload) {}

  // Bytes after an error are ignored.
  void Append(std::span<const uint8_t> bytes);
  Result Next(std::string* payload);

  const std::string& error() const { return error_; }
  // Bytes received that do not yet make a frame; not zero at the end of a stream means that it was cut.
  size_t buffered() const { return buffer_.size() - at_; }

 private:
  Result Fail(std::string why);

  size_t max_payload_;
  std::string buffer_;
  size_t at_ = 0;
  std::string error_;
};

}  // namespace sekisho::frame

#endif  // SEKISHO_PROTO_FRAME_FRAME_H_
