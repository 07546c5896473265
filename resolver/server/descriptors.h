// Who may have how many of the process's file descriptors, so that neither clients nor silent servers leave
// none for the log, the policy and the listeners.
//
// Threads: values. Limits: RLIMIT_NOFILE, out of which a reserve is kept. Row D40 of the attack table.
#ifndef SEKISHO_RESOLVER_SERVER_DESCRIPTORS_H_
#define SEKISHO_RESOLVER_SERVER_DESCRIPTORS_H_

#include <algorithm>
#include <cstdint>

namespace sekisho::resolver {

struct DescriptorShares {
  uint32_t clients = 0;              // TCP connections of clients, of all workers
  uint32_t upstream_per_worker = 0;  // sockets on their way to servers
};

// Of `limit` descriptors; `wanted_clients` is what the configuration allows.
inline DescriptorShares ShareDescriptors(uint64_t limit, uint32_t workers, uint32_t addresses,
                                         uint32_t wanted_clients) {
  // Spool, snapshots, anchors, control connections, log; each worker's loop and listeners.
  constexpr uint64_t kReserve = 48;
  constexpr uint64_t kLoop = 8;
  constexpr uint64_t kLeast = 16;
  constexpr uint64_t kMost = 1 << 20;
  const uint64_t taken = kReserve + uint64_t{workers} * (kLoop + 2 * uint64_t{addresses});
  const uint64_t left = std::clamp<uint64_t>(limit - std::min(limit, taken), kLeast, kMost);
  DescriptorShares shares;
  shares.clients = static_cast<uint32_t>(std::min<uint64_t>(wanted_clients, left / 2));
  shares.upstream_per_worker =
      static_cast<uint32_t>(std::max<uint64_t>((left - shares.clients) / workers, 1));
  return shares;
}

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_DESCRIPTORS_H_
