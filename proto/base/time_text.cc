#include "proto/base/time_text.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace sekisho {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86'400;

bool TakeNumber(std::string_view* text, size_t digits, int* out) {
  if (text->size() < digits) return false;
  const char* end = text->data() + digits;
  if ((*text)[0] < '0' || (*text)[0] > '9') return false;
  const auto r = std::from_chars(text->data(), end, *out);
  if (r.ec != std::errc() || r.ptr != end) return false;
  text->remove_prefix(digits);
  return true;
}

bool TakeChar(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

// "15m": how long ago, in microseconds.
std::optional<int64_t> ParseAgo(std::string_view text) {
  int64_t n = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  if (r.ec != std::errc() || n < 0 || r.ptr + 1 != text.data() + text.size()) return std::nullopt;
  const int64_t unit = *r.ptr == 's'   ? 1
                       : *r.ptr == 'm' ? 60
                       : *r.ptr == 'h' ? 3600
                       : *r.ptr == 'd' ? kDay
                       : *r.ptr == 'w' ? 7 * kDay
                                       : 0;
  if (unit == 0 || n > 400'000'000 / (unit / 60 + 1)) return std::nullopt;
  return n * unit * kSecond;
}

bool TakeOffset(std::string_view* text, int* minutes) {
  const bool minus = !text->empty() && text->front() == '-';
  if (!TakeChar(text, '+') && !TakeChar(text, '-')) return false;
  int h = 0;
  int m = 0;
  if (!TakeNumber(text, 2, &h)) return false;
  TakeChar(text, ':');
  if (!TakeNumber(text, 2, &m) || h > 23 || m > 59) return false;
  *minutes = (minus ? -1 : 1) * (h * 60 + m);
  return true;
}

// Seconds that the zone is ahead of UTC at the instant.
int64_t AheadAt(int64_t unix_seconds, const TimeZone& zone) {
  if (!zone.local) return int64_t{zone.offset_minutes} * 60;
  const std::time_t t = unix_seconds;
  std::tm tm{};
  if (localtime_r(&t, &tm) == nullptr) return 0;
  return tm.tm_gmtoff;
}

int64_t ToUnix(int64_t wall_seconds, const TimeZone& zone) {
  // Twice, for the second guess knows on which side of a clock change it stands.
  const int64_t guess = wall_seconds - AheadAt(wall_seconds, zone);
  return wall_seconds - AheadAt(guess, zone);
}

}  // namespace

std::optional<TimeZone> ParseTimeZone(std::string_view text) {
  if (text == "UTC" || text == "utc" || text == "Z" || text == "z") return TimeZone{};
  if (text == "local") return TimeZone{.local = true};
  TimeZone zone;
  if (!TakeOffset(&text, &zone.offset_minutes) || !text.empty()) return std::nullopt;
  return zone;
}

std::optional<int64_t> ParseTime(std::string_view text, WallTime now, const TimeZone& zone) {
  if (text == "now") return UnixMicros(now);
  if (const auto ago = ParseAgo(text)) return UnixMicros(now) - *ago;
  int year = 0;
  int month = 0;
  int day = 0;
  if (!TakeNumber(&text, 4, &year) || !TakeChar(&text, '-') || !TakeNumber(&text, 2, &month) ||
      !TakeChar(&text, '-') || !TakeNumber(&text, 2, &day) || year < 1970) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  int64_t seconds = std::chrono::sys_days(date).time_since_epoch().count() * kDay;
  if (text.empty()) return ToUnix(seconds, zone) * kSecond;
  int h = 0;
  int m = 0;
  int s = 0;
  int64_t micros = 0;
  if ((!TakeChar(&text, 'T') && !TakeChar(&text, 't') && !TakeChar(&text, ' ')) ||
      !TakeNumber(&text, 2, &h) || !TakeChar(&text, ':') || !TakeNumber(&text, 2, &m)) {
    return std::nullopt;
  }
  if (TakeChar(&text, ':') && !TakeNumber(&text, 2, &s)) return std::nullopt;
  if (TakeChar(&text, '.')) {
    int64_t scale = 100'000;
    int digit = 0;
    if (!TakeNumber(&text, 1, &digit)) return std::nullopt;
    do {
      micros += digit * scale;
      scale /= 10;
    } while (TakeNumber(&text, 1, &digit));
  }
  if (h > 23 || m > 59 || s > 60) return std::nullopt;
  seconds += h * 3600 + m * 60 + s;
  if (TakeChar(&text, 'Z') || TakeChar(&text, 'z')) {
    if (!text.empty()) return std::nullopt;
    return seconds * kSecond + micros;
  }
  TimeZone own = zone;
  if (!text.empty()) {
    own.local = false;
    if (!TakeOffset(&text, &own.offset_minutes) || !text.empty()) return std::nullopt;
  }
  return ToUnix(seconds, own) * kSecond + micros;
}

std::string FormatTime(int64_t us, const TimeZone& zone, int fraction_digits) {
  const int64_t unix_seconds = us >= 0 ? us / kSecond : -((-us + kSecond - 1) / kSecond);
  const int64_t micros = us - unix_seconds * kSecond;
  const int64_t ahead = AheadAt(unix_seconds, zone);
  const int64_t wall = unix_seconds + ahead;
  const int64_t days = wall >= 0 ? wall / kDay : -((-wall + kDay - 1) / kDay);
  const std::chrono::year_month_day d{std::chrono::sys_days(std::chrono::days(days))};
  const int64_t in_day = wall - days * kDay;
  char text[80];
  int n = std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(d.year()),
                        static_cast<unsigned>(d.month()), static_cast<unsigned>(d.day()),
                        static_cast<int>(in_day / 3600), static_cast<int>(in_day / 60 % 60),
                        static_cast<int>(in_day % 60));
  std::string out(text, static_cast<size_t>(n));
  if (fraction_digits > 0) {
    n = std::snprintf(text, sizeof(text), ".%06d", static_cast<int>(micros));
    out.append(text, static_cast<size_t>(fraction_digits) + 1);
  }
  if (ahead == 0) return out + "Z";
  const int64_t minutes = (ahead < 0 ? -ahead : ahead) / 60;
  n = std::snprintf(text, sizeof(text), "%c%02d:%02d", ahead < 0 ? '-' : '+', static_cast<int>(minutes / 60),
                    static_cast<int>(minutes % 60));
  return out.append(text, static_cast<size_t>(n));
}

}  // namespace sekisho
