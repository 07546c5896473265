// ClaimKey: under which key a claim stands, so that one feed's claims are one range in the order of names.
//
//   claim := u32 feed id (big-endian) | entry          local := entry
//   entry := NameKey | 0x00 | u8 kind
//
// A label begins with a byte over 0x00, so the 0x00 after a name's key sorts it before every name below it.
//
// Threads: functions without state. Limits: as NameKey.
#ifndef SEKISHO_STORAGE_INDICATORS_CLAIM_KEY_H_
#define SEKISHO_STORAGE_INDICATORS_CLAIM_KEY_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace sekisho::indicators {

// What is claimed of the name. Stored; never renumber.
enum class EntryKind : uint8_t { kExact = 0, kSubtree = 1, kUrlHost = 2 };
inline constexpr EntryKind kEntryKinds[] = {EntryKind::kExact, EntryKind::kSubtree, EntryKind::kUrlHost};

inline std::string EntryKey(std::string_view name_key, EntryKind kind) {
  std::string out(name_key);
  out.push_back('\0');
  out.push_back(static_cast<char>(kind));
  return out;
}

inline std::string FeedPrefix(uint32_t feed_id) {
  return {static_cast<char>(feed_id >> 24), static_cast<char>(feed_id >> 16), static_cast<char>(feed_id >> 8),
          static_cast<char>(feed_id)};
}

struct EntryParts {
  std::string_view name_key;
  EntryKind kind = EntryKind::kExact;
};
// False when the bytes are no entry.
inline bool SplitEntry(std::string_view entry, EntryParts* parts) {
  if (entry.size() < 2 || entry[entry.size() - 2] != '\0' || static_cast<uint8_t>(entry.back()) > 2)
    return false;
  parts->name_key = entry.substr(0, entry.size() - 2);
  parts->kind = static_cast<EntryKind>(entry.back());
  return true;
}

}  // namespace sekisho::indicators

#endif  // SEKISHO_STORAGE_INDICATORS_CLAIM_KEY_H_
