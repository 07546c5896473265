//   stream := frame*
//   frame  := u32 length | u64 checksum | payload (length bytes)              integers big-endian
//
// The checksum is XXH3-64 of the payload seeded with its length: a damaged length is caught as well as
// damaged bytes.
#include "proto/frame/frame.h"

#include <google/protobuf/message_lite.h>
#include <xxhash.h>

#include <utility>

#include "proto/base/bytes.h"

namespace sekisho::frame {
namespace {

uint64_t Checksum(std::string_view payload) {
  return XXH3_64bits_withSeed(payload.data(), payload.size(), payload.size());
}

void WriteHeader(std::string_view payload, char* at) {
  ByteWriter header({reinterpret_cast<uint8_t*>(at), kHeaderSize});
  header.U32(static_cast<uint32_t>(payload.size()));
  header.U64(Checksum(payload));
}

}  // namespace

void AppendFrame(std::string_view payload, std::string* out) {
  const size_t at = out->size();
  out->append(kHeaderSize, '\0');
  WriteHeader(payload, out->data() + at);
  out->append(payload);
}

bool AppendFrame(const google::protobuf::MessageLite& message, std::string* out) {
  const size_t at = out->size();
  if (message.ByteSizeLong() > kMaxResponse) return false;
  out->append(kHeaderSize, '\0');
  if (!message.AppendToString(out)) {
    out->resize(at);
    return false;
  }
  WriteHeader(std::string_view(*out).substr(at + kHeaderSize), out->data() + at);
  return true;
}

void FrameDecoder::Append(std::span<const uint8_t> bytes) {
  if (!error_.empty()) return;
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  }
  buffer_.append(AsText(bytes));
}

FrameDecoder::Result FrameDecoder::Next(std::string* payload) {
  if (!error_.empty()) return Result::kBad;
  if (buffered() < kHeaderSize) return Result::kNeedMore;
  ByteReader header(AsBytes(std::string_view(buffer_).substr(at_, kHeaderSize)));
  const size_t length = header.U32();
  const uint64_t checksum = header.U64();
  if (length > max_payload_) {
    return Fail("frame of " + std::to_string(length) + " bytes is larger than the " +
                std::to_string(max_payload_) + " allowed here");
  }
  if (buffered() < kHeaderSize + length) return Result::kNeedMore;
  const auto body = std::string_view(buffer_).substr(at_ + kHeaderSize, length);
  if (Checksum(body) != checksum) {
    return Fail("frame of " + std::to_string(length) + " bytes does not match its checksum");
  }
  payload->assign(body);
  at_ += kHeaderSize + length;
  // Moving the rest to the front only now and then keeps a long run of small frames linear.
  if (at_ > buffer_.size() / 2) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  return Result::kFrame;
}

FrameDecoder::Result FrameDecoder::Fail(std::string why) {
  error_ = std::move(why);
  buffer_.clear();
  buffer_.shrink_to_fit();
  at_ = 0;
  return Result::kBad;
}

}  // namespace sekisho::frame
