// Trigger: what a policy zone's owner name says a rule is about.
//
//   owner := name                                  the question's name, or one that the answer's aliases lead
//   to
//          | prefix ".rpz-client-ip"               the client's address
//          | prefix ".rpz-ip"                      an address in the answer
//          | name ".rpz-nsdname"                   a name server of the answer's zone or of one above it
//          | prefix ".rpz-nsip"                    the address of one
//   prefix := length "." b4 "." b3 "." b2 "." b1   32.1.2.0.192: 192.0.2.1/32
//           | length "." w8 "." … "." w1           48.zz.1.db8.2001: 2001:db8:1::/48; "zz" stands for "::"
//
// Threads: functions without state. Standards: draft-vixie-dnsop-dns-rpz-00 section 4.
#ifndef SEKISHO_RESOLVER_CORE_RPZ_TRIGGER_H_
#define SEKISHO_RESOLVER_CORE_RPZ_TRIGGER_H_

#include <optional>
#include <string>
#include <variant>

#include "proto/base/ip_address.h"
#include "proto/dns/name.h"

namespace sekisho::resolver::rpz {

enum class TriggerKind : uint8_t { kClient, kQname, kAddress, kNsName, kNsAddress };
inline constexpr size_t kTriggerKinds = 5;

struct TriggerName {
  TriggerKind kind = TriggerKind::kQname;
  std::variant<dns::Name, IpPrefix> what;
};

// `owner` is below `zone`. On failure *error says why.
std::optional<TriggerName> ReadTrigger(dns::NameView owner, dns::NameView zone, std::string* error);

}  // namespace sekisho::resolver::rpz

#endif  // SEKISHO_RESOLVER_CORE_RPZ_TRIGGER_H_
