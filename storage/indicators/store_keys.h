// Keys of the store's records other than claims, and numbers in keys.
//
// Threads: functions without state.
#ifndef SEKISHO_STORAGE_INDICATORS_STORE_KEYS_H_
#define SEKISHO_STORAGE_INDICATORS_STORE_KEYS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/indicators/claim_key.h"

namespace sekisho::indicators {

inline constexpr char kFeedPrefix[] = "feed/";
inline constexpr char kVersionPrefix[] = "version/";

// Eight bytes, the highest first: sorts as the number does.
inline std::string Big64(uint64_t value) {
  std::string out(8, '\0');
  for (int i = 7; i >= 0; --i, value >>= 8) out[static_cast<size_t>(i)] = static_cast<char>(value & 0xff);
  return out;
}
inline uint64_t ReadBig64(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes.substr(0, 8)) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

inline std::string FeedKey(const std::string& name) { return kFeedPrefix + name; }
inline std::string VersionKey(uint32_t feed_id, uint64_t version) {
  return kVersionPrefix + FeedPrefix(feed_id) + Big64(version);
}

}  // namespace sekisho::indicators

#endif  // SEKISHO_STORAGE_INDICATORS_STORE_KEYS_H_
