#include "proto/config/quantity.h"

#include <charconv>
#include <span>

namespace sekisho::config {
namespace {

struct Suffix {
  std::string_view text;
  uint64_t factor;
};

constexpr Suffix kByteSuffixes[] = {
    {"TiB", uint64_t{1} << 40},
    {"GiB", 1 << 30},
    {"MiB", 1 << 20},
    {"KiB", 1 << 10},
    {"TB", 1'000'000'000'000},
    {"GB", 1'000'000'000},
    {"MB", 1'000'000},
    {"KB", 1000},
    {"kB", 1000},
    {"B", 1},
};
constexpr Suffix kSecondSuffixes[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
constexpr Suffix kDaySuffixes[] = {{"d", 1}};

std::span<const Suffix> SuffixesOf(Unit unit) {
  switch (unit) {
    case Unit::kBytes:
      return kByteSuffixes;
    case Unit::kSeconds:
      return kSecondSuffixes;
    case Unit::kDays:
      return kDaySuffixes;
    case Unit::kNone:
      break;
  }
  return {};
}

}  // namespace

Unit UnitOf(std::string_view field_name) {
  if (field_name.ends_with("_bytes")) return Unit::kBytes;
  if (field_name.ends_with("_seconds") || field_name.ends_with("_ttl")) return Unit::kSeconds;
  if (field_name.ends_with("_days")) return Unit::kDays;
  return Unit::kNone;
}

std::optional<uint64_t> ParseQuantity(std::string_view text, Unit unit) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  std::string_view suffix = text.substr(static_cast<size_t>(end - text.data()));
  if (suffix.empty()) return value;
  if (suffix.front() == ' ') suffix.remove_prefix(1);
  for (const Suffix& known : SuffixesOf(unit)) {
    if (known.text != suffix) continue;
    uint64_t product = 0;
    if (__builtin_mul_overflow(value, known.factor, &product)) return std::nullopt;
    return product;
  }
  return std::nullopt;
}

std::string FormatQuantity(uint64_t value, Unit unit) {
  for (const Suffix& known : SuffixesOf(unit)) {
    // Decimal bytes are read but not written.
    if (unit == Unit::kBytes && !known.text.ends_with("iB")) continue;
    if (known.factor > 1 && value > 0 && value % known.factor == 0) {
      return std::to_string(value / known.factor) + std::string(known.text);
    }
  }
  return std::to_string(value);
}

}  // namespace sekisho::config
