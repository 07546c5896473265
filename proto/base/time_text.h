// TimeText: instants as people write them on the command line, and back as RFC 3339.
//
//   15m, 2h, 7d, 30s          that long ago
//   2026-01-31                the beginning of that day (in the given offset)
//   2026-01-31T09:00[:05[.25]]  with Z or +09:00, else in the given offset
//   now
//
// Threads: functions without state. Limits: years 1970 to 9999. Standards: RFC 3339.
#ifndef SEKISHO_PROTO_BASE_TIME_TEXT_H_
#define SEKISHO_PROTO_BASE_TIME_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/now.h"

namespace sekisho {

// How times are shown and read: an offset from UTC, or the machine's own time zone.
struct TimeZone {
  bool local = false;
  int offset_minutes = 0;
};
// "UTC", "Z", "local", "+09:00", "-0330"
std::optional<TimeZone> ParseTimeZone(std::string_view text);

// Microseconds since 1970; nothing when the text is no time.
std::optional<int64_t> ParseTime(std::string_view text, WallTime now, const TimeZone& zone);
// "2026-01-31T09:00:05.123456+09:00"; with fraction_digits 0, 3 or 6.
std::string FormatTime(int64_t us, const TimeZone& zone, int fraction_digits);

}  // namespace sekisho

#endif  // SEKISHO_PROTO_BASE_TIME_TEXT_H_
