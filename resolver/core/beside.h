// Beside: records that accompany an answer without being part of it.
//
// Threads: immutable once shared.
#ifndef SEKISHO_RESOLVER_CORE_BESIDE_H_
#define SEKISHO_RESOLVER_CORE_BESIDE_H_

#include <vector>

#include "proto/dns/rrset.h"

namespace sekisho::resolver {

// What a server sent beside the answer, for clients that get more than they need (minimal_responses off): NS
// RRsets of the zone, and addresses of the names that they and the answer give.
struct Beside {
  std::vector<dns::RRsetPtr> authority;
  std::vector<dns::RRsetPtr> additional;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_BESIDE_H_
