// ParseTimestamp: the times that lists write, as microseconds since 1970.
//
//   "2025/07/01 09:14:00"  "2025-07-01T09:14:00.25Z"  "2025-07-01 09:14:00+09:00"  "1751328840"
//   "1751328840000"
//
// Threads: a function without state. Limits: years 1990 to 9999; 0 when it is no time. Standards: RFC 3339.
#ifndef SEKISHO_BLOCKLIST_FEED_FORMATS_TIMESTAMP_H_
#define SEKISHO_BLOCKLIST_FEED_FORMATS_TIMESTAMP_H_

#include <cstdint>
#include <string_view>

namespace sekisho::blocklist {

// `utc_offset_minutes` holds for times that name no zone.
int64_t ParseTimestamp(std::string_view text, int utc_offset_minutes);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_FORMATS_TIMESTAMP_H_
