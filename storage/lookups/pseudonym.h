// Pseudonyms: client addresses replaced by keyed ones, the same for a client throughout a month and unlike
// those of any other month.
//
//   PseudonymKeys keys(folder);
//   const auto key = keys.KeyFor(day, &error);        // of the day's month; made when there is none
//   PseudonymOf(*key, address)                        // 100::/64, which no client ever has (RFC 6666)
//   keys.Expire(today, days);                         // from then on nobody can tell, not even we
//
// Whoever has a month's key can find an address's pseudonym, and by trial the address of one; without it the
// pseudonyms only tell that rows are of the same client. So the folder stands apart from the log.
//
// Threads: one thread. Limits: a file a month. Standards: RFC 2104 (HMAC), RFC 6666.
#ifndef SEKISHO_STORAGE_LOOKUPS_PSEUDONYM_H_
#define SEKISHO_STORAGE_LOOKUPS_PSEUDONYM_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/ip_address.h"

namespace sekisho::lookups {

using PseudonymKey = std::array<uint8_t, 32>;

// A pseudonym is its own pseudonym.
IpAddress PseudonymOf(const PseudonymKey& key, const IpAddress& address);
bool IsPseudonym(const IpAddress& address);

class PseudonymKeys {
 public:
  explicit PseudonymKeys(std::string dir) : dir_(std::move(dir)) {}

  // Nothing and *error when the key cannot be read or made.
  std::optional<PseudonymKey> KeyFor(int32_t day, std::string* error);
  // Deletes the keys of months that ended more than `days` days before `today`; returns their names.
  std::vector<std::string> Expire(int32_t today, uint32_t days);

 private:
  std::string dir_;
};

}  // namespace sekisho::lookups

#endif  // SEKISHO_STORAGE_LOOKUPS_PSEUDONYM_H_
