// FetchZone: brings a zone's file up to date from one of its primaries.
//
//   auto fetched = FetchZone(source, primary, path, stop_fd);
//   if (fetched.ok() && fetched->changed) …the file is new
//
// Over TCP: the primary's SOA, then, when it is newer, IXFR where there is a file to change and AXFR else.
// The file is replaced whole. With a key all that counts must be signed with it.
//
// Threads: blocks; a thread of its own. Limits: kConnectTime, kIdleTime between messages, kTotalTime and
// kMaxBytes in all; those of TransferReader. Standards: RFC 5936, RFC 1995, RFC 8945.
#ifndef SEKISHO_RESOLVER_TRANSFER_FETCH_ZONE_H_
#define SEKISHO_RESOLVER_TRANSFER_FETCH_ZONE_H_

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>

#include "proto/base/ip_address.h"
#include "proto/base/now.h"
#include "proto/base/rng.h"
#include "proto/dns/name.h"
#include "proto/dns/tsig.h"

namespace sekisho::resolver {

struct TransferSource {
  dns::Name origin;
  std::optional<dns::TsigKey> key;
};

struct FetchedZone {
  bool changed = false;
  uint32_t serial = 0;
  uint32_t refresh = 0, retry = 0, expire = 0;  // of the SOA, seconds
};

inline constexpr Duration kTransferConnectTime = std::chrono::seconds(10);
inline constexpr Duration kTransferIdleTime = std::chrono::seconds(30);
inline constexpr Duration kTransferTotalTime = std::chrono::minutes(10);
inline constexpr uint64_t kTransferMaxBytes = uint64_t{1} << 30;

// `stop_fd`: gives up when it becomes readable.
absl::StatusOr<FetchedZone> FetchZone(const TransferSource& source, const Endpoint& primary,
                                      const std::string& path, Rng& rng, int stop_fd);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_TRANSFER_FETCH_ZONE_H_
