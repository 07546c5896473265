// ValueNames: the words for a lookup's enumerated values, as shown and as read.
//
// Threads: constants.
#ifndef SEKISHO_STORAGE_QUERY_VALUE_NAMES_H_
#define SEKISHO_STORAGE_QUERY_VALUE_NAMES_H_

#include <string_view>
#include <vector>

#include "proto/record/lookup_record.h"

namespace sekisho::query {

// In the order of the enumerations' numbers.
inline constexpr std::string_view kTransportNames[] = {"udp", "tcp", "tls", "https", "quic"};
inline constexpr std::string_view kOriginNames[] = {"cache", "upstream", "stale", "policy", "local"};
inline constexpr std::string_view kActionNames[] = {"none",    "allow", "nxdomain", "nodata",   "sinkhole",
                                                    "refused", "drop",  "tcp-only", "passthru", "log-only"};
inline constexpr std::string_view kTriggerNames[] = {"none",    "client",  "qname",     "cname",
                                                     "address", "ns-name", "ns-address"};
inline constexpr std::string_view kSecurityNames[] = {"unchecked", "insecure", "secure", "bogus"};

// What an analyst calls a verdict (blocked, allowed, log-only, none) → the actions that are meant.
bool ActionsOfVerdict(std::string_view verdict, std::vector<record::Action>* out);

}  // namespace sekisho::query

#endif  // SEKISHO_STORAGE_QUERY_VALUE_NAMES_H_
