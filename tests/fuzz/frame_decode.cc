// Bytes as a stream of frames, cut into pieces by their own first byte: the pieces must not matter, and a
// frame that comes out must be one that goes in again.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/frame/frame.h"

namespace {

using sekisho::frame::FrameDecoder;

std::vector<std::string> Frames(std::span<const uint8_t> bytes, size_t piece) {
  FrameDecoder decoder(1 << 16);
  std::vector<std::string> frames;
  std::string payload;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    decoder.Append(bytes.subspan(at, std::min(piece, bytes.size() - at)));
    while (decoder.Next(&payload) == FrameDecoder::Result::kFrame) frames.push_back(payload);
  }
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::span<const uint8_t> stream(data + 1, size - 1);
  const auto whole = Frames(stream, std::max<size_t>(1, stream.size()));
  if (Frames(stream, 1 + data[0] % 32) != whole) std::abort();
  std::string again;
  for (const std::string& payload : whole) sekisho::frame::AppendFrame(payload, &again);
  if (!sekisho::AsText(stream).starts_with(again)) std::abort();
  return 0;
}
