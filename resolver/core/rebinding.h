// The rebinding guard: private, loopback and link-local addresses do not belong into public names (row P32).
//
// Threads: functions without state. Standards: RFC 1918, RFC 4193, RFC 6598, RFC 6890.
#ifndef SEKISHO_RESOLVER_CORE_REBINDING_H_
#define SEKISHO_RESOLVER_CORE_REBINDING_H_

#include "proto/dns/rrset.h"
#include "resolver/core/question.h"
#include "resolver/core/settings.h"

namespace sekisho::resolver {

// A record of the set holds such an address, in a hint too.
bool HoldsRebinding(const dns::RRset& rrset);

// The first set of the answer that points inside and has no leave to; null: none.
const dns::RRset* FindRebinding(const Answer& answer, const Settings& settings);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_REBINDING_H_
