// The grammar of the bytes is in the header.
#include "storage/export/frame_stream.h"

#include "proto/base/bytes.h"

namespace sekisho::exports {
namespace {

constexpr uint32_t kContentType = 1;

void AppendU32(uint32_t v, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) *out += static_cast<char>(v >> shift & 0xff);
}

}  // namespace

void AppendData(std::string_view payload, std::string* out) {
  AppendU32(static_cast<uint32_t>(payload.size()), out);
  out->append(payload);
}

std::string ControlFrame(Control type, std::string_view content) {
  std::string out;
  const size_t fields = content.empty() ? 0 : 8 + content.size();
  AppendU32(0, &out);
  AppendU32(static_cast<uint32_t>(4 + fields), &out);
  AppendU32(static_cast<uint32_t>(type), &out);
  if (content.empty()) return out;
  AppendU32(kContentType, &out);
  AppendU32(static_cast<uint32_t>(content.size()), &out);
  out.append(content);
  return out;
}

std::optional<ControlBody> ReadControl(std::string_view body) {
  ByteReader in(AsBytes(body));
  const uint32_t type = in.U32();
  if (!in.ok() || type < 1 || type > 5) return std::nullopt;
  ControlBody out{static_cast<Control>(type), {}};
  while (in.left() > 0) {
    const uint32_t field = in.U32();
    const auto value = in.Take(in.U32());
    if (!in.ok() || field != kContentType) return std::nullopt;
    out.content = AsText(value);
  }
  return out;
}

}  // namespace sekisho::exports
