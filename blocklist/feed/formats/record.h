// EmitRecord: what a CSV record or a JSON item says, once its fields are known by their meaning, as an
// indicator.
//
// Threads: functions without state.
#ifndef SEKISHO_BLOCKLIST_FEED_FORMATS_RECORD_H_
#define SEKISHO_BLOCKLIST_FEED_FORMATS_RECORD_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "blocklist/feed/field_map.h"
#include "blocklist/feed/indicator.h"

namespace sekisho::blocklist {

using FieldValues = std::array<std::string_view, kFields>;  // empty: not there

// Names under which lists keep a field, in the order of preference.
std::span<const std::string_view> UsualNames(Field field);
bool EqualsNoCase(std::string_view a, std::string_view b);

// `shown`: the record for error texts.
void EmitRecord(const FieldValues& values, int utc_offset_minutes, uint64_t number, std::string_view shown,
                IndicatorSink& sink);

// Takes `text` for what it looks like: URL, address, prefix or name.
void EmitByLooks(std::string_view text, Indicator indicator, IndicatorSink& sink);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_FORMATS_RECORD_H_
