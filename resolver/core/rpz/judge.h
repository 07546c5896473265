// Judge: which rule of an agency's policy zones decides about one name of an answer.
//
//   const Judgement j = Judge(zones, {.client = &client, .name = qname, .answer = nullptr});
//   if (j.rule) …it decides    else if (j.waits) …judge again when the answer is known
//
// The first zone that has anything to say decides, by whatever trigger. Within a zone: the client's address,
// the name, addresses in the answer, names of servers, addresses of servers; among prefixes the longest. What
// needs the answer holds back the zones behind it until the answer is there. A zone that is only noted
// decides nothing and holds nothing back.
//
// Threads: a function without state. Limits: one look-up for each zone, and for each address and server where
// a zone has such rules. Standards: draft-vixie-dnsop-dns-rpz-00 section 5 (precedence).
#ifndef SEKISHO_RESOLVER_CORE_RPZ_JUDGE_H_
#define SEKISHO_RESOLVER_CORE_RPZ_JUDGE_H_

#include <functional>
#include <optional>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/dns/name.h"
#include "proto/record/lookup_record.h"
#include "resolver/core/rpz/zone_list.h"

namespace sekisho::resolver::rpz {

// A name server as far as it is known.
struct KnownServer {
  dns::Name name;
  std::vector<IpAddress> addresses;
};

struct Facts {
  std::vector<IpAddress> addresses;
  // Servers of the zones above the name; asked for only where a zone has rules about them. Empty: none known.
  std::function<std::vector<KnownServer>()> servers;
};

struct Subject {
  const IpAddress* client = nullptr;  // null: judged already, or not to be judged
  dns::NameView name;
  bool alias = false;             // the name is not the question's own
  const Facts* answer = nullptr;  // null: not known yet
};

struct Finding {
  const BoundZone* zone = nullptr;
  record::Trigger trigger = record::Trigger::kNone;
  Rule rule;
  dns::Name matched;   // the name that matched, or under which the address was found
  uint8_t labels = 0;  // of a rule that is a name
  bool wildcard = false;
  std::optional<IpPrefix> prefix;  // of one that is a prefix
  IpAddress address;               // that is in it
};

struct Judgement {
  std::optional<Finding> rule;
  std::optional<Finding> noted;  // the first in a zone that is only noted
  bool waits = false;
};

Judgement Judge(const ZoneList& zones, const Subject& subject);

}  // namespace sekisho::resolver::rpz

#endif  // SEKISHO_RESOLVER_CORE_RPZ_JUDGE_H_
