// ForEachEntry: the entries of a guard's list: plain text with '#' comments, or a MISP warning list.
//
// Threads: functions without state. Limits: files up to 256 MiB.
#ifndef SEKISHO_BLOCKLIST_MERGE_LIST_TEXT_H_
#define SEKISHO_BLOCKLIST_MERGE_LIST_TEXT_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace sekisho::blocklist {

using EntryVisitor = std::function<void(std::string_view entry)>;

// False when the text is JSON but no warning list; *error says why.
bool ForEachEntry(std::string_view text, const EntryVisitor& visit, std::string* error);
bool ForEachEntryOfFile(const std::string& path, const EntryVisitor& visit, std::string* error);

// Reads a whole file; false and *error when it cannot be read or is larger than `limit`.
bool ReadWholeFile(const std::string& path, size_t limit, std::string* text, std::string* error);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_LIST_TEXT_H_
