// UnpackList: a fetched body that is compressed or an archive of lists, as one plain text file.
//
//   UnpackList("/…/a.fetched", {.max_bytes = limit}) → what was done, or why not
//
// gzip and tar (also one in the other) are told by their first bytes; anything else stays as it is. The
// regular files of a tar follow one another, each behind a line of kFileMark and its name.
//
// Threads: a function without state. Limits: max_bytes unpacked, a ratio of 100:1 from 8 MiB on,
// kMaxArchiveFiles. Standards: RFC 1952 (gzip), POSIX.1-2017 ustar, GNU long names.
#ifndef SEKISHO_BLOCKLIST_FEED_LIST_ARCHIVE_H_
#define SEKISHO_BLOCKLIST_FEED_LIST_ARCHIVE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sekisho::blocklist {

inline constexpr std::string_view kFileMark = "\x1c";
inline constexpr size_t kMaxArchiveFiles = 20'000;

// Replaces the file by its plain text; false and *error when it cannot be unpacked within the bounds, the
// file is then as it was.
bool UnpackList(const std::string& path, uint64_t max_bytes, std::string* error);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_LIST_ARCHIVE_H_
