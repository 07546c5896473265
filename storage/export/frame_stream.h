// FrameStream: the framing of dnstap on streams and in files, as bytes; no I/O.
//
//   data frame     := size u32, payload
//   control frame  := 0 u32, size u32, type u32, [1 u32, size u32, content type]        numbers big-endian
//   one way        := START data* STOP
//   both ways      := READY → ; ← ACCEPT ; START data* STOP → ; ← FINISH
//
// Threads: functions without state. Limits: a control frame has at most 512 bytes, as readers expect.
// Standards: Frame Streams as fstrm 0.6 speaks it.
#ifndef SEKISHO_STORAGE_EXPORT_FRAME_STREAM_H_
#define SEKISHO_STORAGE_EXPORT_FRAME_STREAM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sekisho::exports {

inline constexpr std::string_view kDnstapContent = "protobuf:dnstap.Dnstap";
inline constexpr size_t kMaxControl = 512;

enum class Control : uint32_t { kAccept = 1, kStart = 2, kStop = 3, kReady = 4, kFinish = 5 };

void AppendData(std::string_view payload, std::string* out);
std::string ControlFrame(Control type, std::string_view content);
// What follows the first eight bytes of a control frame.
struct ControlBody {
  Control type = Control::kAccept;
  std::string content;  // the last content type in it; empty: none
};
std::optional<ControlBody> ReadControl(std::string_view body);

}  // namespace sekisho::exports

#endif  // SEKISHO_STORAGE_EXPORT_FRAME_STREAM_H_
