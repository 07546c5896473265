// ReverseName: an address as the name that its reverse zone has for it, and back.
//
//   ReverseName(203.0.113.7)  → 7.113.0.203.in-addr.arpa.
//
// Threads: functions without state. Standards: RFC 1035 section 3.5, RFC 3596 section 2.5.
#ifndef SEKISHO_PROTO_DNS_REVERSE_NAME_H_
#define SEKISHO_PROTO_DNS_REVERSE_NAME_H_

#include <optional>

#include "proto/base/ip_address.h"
#include "proto/dns/name.h"

namespace sekisho::dns {

Name ReverseName(const IpAddress& address);
// Nothing when the name is no whole address.
std::optional<IpAddress> AddressOfReverse(NameView name);

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_REVERSE_NAME_H_
