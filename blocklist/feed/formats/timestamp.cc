#include "blocklist/feed/formats/timestamp.h"

#include <charconv>
#include <chrono>
#include <optional>

#include "blocklist/feed/formats/parsers.h"

namespace sekisho::blocklist {
namespace {

constexpr int64_t kLatestSeconds = 253402300799;  // 9999-12-31
constexpr size_t kMaxDigits = 16;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes a number of at most four digits off the front.
std::optional<int> TakeNumber(std::string_view& text) {
  size_t n = 0;
  int value = 0;
  while (n < text.size() && n < 4 && IsDigit(text[n])) value = value * 10 + (text[n++] - '0');
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return value;
}

// Seconds, milliseconds or microseconds since 1970, told apart by their size.
int64_t FromEpoch(std::string_view digits) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value <= 0) return 0;
  if (value <= kLatestSeconds / 60) return value * 1'000'000;
  if (value <= kLatestSeconds * 1000 / 60) return value * 1000;
  return value;
}

// "Z", "+09:00", "-0500" at the front; nothing when there is none.
std::optional<int> ZoneMinutes(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text[0] == 'Z' || text[0] == 'z') return 0;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  std::optional<int> hours = TakeNumber(text);
  if (!hours) return std::nullopt;
  int minutes = 0;
  if (*hours > 99) {
    minutes = *hours % 100;
    hours = *hours / 100;
  } else if (text.starts_with(':')) {
    text.remove_prefix(1);
    minutes = TakeNumber(text).value_or(0);
  }
  if (*hours > 14 || minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + minutes);
}

}  // namespace

int64_t ParseTimestamp(std::string_view text, int utc_offset_minutes) {
  text = Trim(text);
  if (text.size() > 4 && text.size() <= kMaxDigits &&
      text.find_first_not_of("0123456789") == std::string_view::npos)
    return FromEpoch(text);
  int parts[6] = {0, 0, 0, 0, 0, 0};
  for (int i = 0; i < 6 && !text.empty(); ++i) {
    if (i > 2 && !IsDigit(text[0])) break;
    const std::optional<int> number = TakeNumber(text);
    if (!number) return 0;
    parts[i] = *number;
    const bool separator =
        !text.empty() && (i < 5) && std::string_view("/-T :t").find(text[0]) != std::string_view::npos;
    if (!separator && i < 2) return 0;
    if (separator) text.remove_prefix(1);
  }
  if (text.starts_with('.'))
    text.remove_prefix(std::min(text.find_first_not_of("0123456789", 1), text.size()));
  const std::chrono::year_month_day day{std::chrono::year(parts[0]),
                                        std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!day.ok() || parts[0] < 1990 || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return 0;
  const int offset = ZoneMinutes(Trim(text)).value_or(utc_offset_minutes);
  const std::chrono::seconds since = std::chrono::sys_days(day).time_since_epoch() +
                                     std::chrono::hours(parts[3]) + std::chrono::minutes(parts[4] - offset) +
                                     std::chrono::seconds(parts[5]);
  return std::chrono::microseconds(since).count();
}

}  // namespace sekisho::blocklist
