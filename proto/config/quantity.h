// Numbers as people write them: 4096, 256MiB, 10s, 90d.
//
// Threads: functions without state. Limits: 64 bits; an overflow is refused. Standards: IEC 80000-13
// prefixes.
#ifndef SEKISHO_PROTO_CONFIG_QUANTITY_H_
#define SEKISHO_PROTO_CONFIG_QUANTITY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sekisho::config {

enum class Unit : uint8_t { kNone, kBytes, kSeconds, kDays };

// What a field of this name counts: *_bytes, *_seconds and *_ttl, *_days.
Unit UnitOf(std::string_view field_name);
// Nothing when the text is not a number, has a suffix that the unit does not know, is not whole in the unit,
// or does not fit.
std::optional<uint64_t> ParseQuantity(std::string_view text, Unit unit);
// The shortest spelling that ParseQuantity reads back: 268435456 bytes → "256MiB".
std::string FormatQuantity(uint64_t value, Unit unit);

}  // namespace sekisho::config

#endif  // SEKISHO_PROTO_CONFIG_QUANTITY_H_
