// ClientRates: how fast each client asks, in a table of fixed size.
//
//   if (!rates.Take(client, 100, now)) …over a hundred a second
//
// A client has a second's worth at once, then the rate, evenly (GCRA). Where two clients fall on one place of
// the table, the one that has been quiet gives way: a limit may be forgotten, never taken for another's.
//
// Threads: one worker. Limits: kPlaces clients. Standards: row D24 of the attack table; the hash is keyed
// (row D35).
#ifndef SEKISHO_RESOLVER_CORE_ADMISSION_CLIENT_RATES_H_
#define SEKISHO_RESOLVER_CORE_ADMISSION_CLIENT_RATES_H_

#include <array>
#include <cstdint>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/base/keyed_hash.h"
#include "proto/base/now.h"
#include "proto/base/rng.h"

namespace sekisho::resolver {

class ClientRates {
 public:
  explicit ClientRates(Rng& rng) : hash_(rng) {}

  // `client` is an address or the prefix that stands for it.
  bool Take(const IpAddress& client, uint32_t per_second, MonoTime now) {
    if (places_.empty()) places_.resize(kSets);
    const uint64_t hash = hash_(client.mapped());
    auto& set = places_[hash % kSets];
    Place* place = &set[0];
    for (Place& p : set) {
      if (p.hash == hash) {
        place = &p;
        break;
      }
      if (p.next < place->next) place = &p;
    }
    if (place->hash != hash) *place = {hash, now};
    const Duration interval = std::chrono::duration_cast<Duration>(std::chrono::seconds(1)) / per_second;
    const MonoTime next = (place->next < now ? now : place->next) + interval;
    if (next - now > std::chrono::seconds(1)) return false;
    place->next = next;
    return true;
  }

 private:
  static constexpr size_t kWays = 4;
  static constexpr size_t kSets = 16'384;  // kPlaces = kSets * kWays
  struct Place {
    uint64_t hash = 0;
    MonoTime next{};
  };
  KeyedHash hash_;
  std::vector<std::array<Place, kWays>> places_;  // made when first used
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_ADMISSION_CLIENT_RATES_H_
