// ReadRecordFile: the records of a small file in master file form: one record a line, comments after ';'.
//
// A record without a TTL gets 0. Neither $-directives, relative names nor records over several lines are
// known; the root hints and the anchors as they are published need none of them.
//
// Threads: functions without state. Limits: kMaxListFile bytes. Standards: RFC 1035 section 5.1.
#ifndef SEKISHO_RESOLVER_CONFIG_RECORD_FILE_H_
#define SEKISHO_RESOLVER_CONFIG_RECORD_FILE_H_

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "proto/dns/presentation.h"

namespace sekisho::resolver {

inline constexpr size_t kMaxListFile = 4 << 20;

// A whole file of at most kMaxListFile bytes. kNotFound when there is none.
absl::StatusOr<std::string> ReadTextFile(const std::string& path);

// kNotFound when there is no such file; other errors name the file and the line.
// For anchors a DS with a digest of an odd length is a record, too (dns::ParseAnchor).
enum class RecordUse : uint8_t { kAny, kAnchors };
absl::StatusOr<std::vector<dns::TextRecord>> ReadRecordFile(const std::string& path,
                                                            RecordUse use = RecordUse::kAny);
absl::StatusOr<std::vector<dns::TextRecord>> ParseRecords(std::string_view text, std::string_view origin,
                                                          RecordUse use = RecordUse::kAny);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CONFIG_RECORD_FILE_H_
