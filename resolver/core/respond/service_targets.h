// ServiceTargets: the addresses of what SVCB and HTTPS records point to, as far as they are in the cache, so
// that a client needs not ask again.
//
// Threads: a function without state. Limits: the first kServiceTargets records; nothing is asked of anybody.
// Standards: RFC 9460 section 4.2.
#ifndef SEKISHO_RESOLVER_CORE_RESPOND_SERVICE_TARGETS_H_
#define SEKISHO_RESOLVER_CORE_RESPOND_SERVICE_TARGETS_H_

#include <functional>
#include <vector>

#include "resolver/core/question.h"
#include "resolver/core/response.h"

namespace sekisho::resolver {

using FindCached = std::function<ResponsePtr(dns::NameView, dns::RRType)>;
// May the client be told of this set? Policy's word, and the rebinding guard's.
using MayTell = std::function<bool(const dns::RRset&)>;

std::vector<Question::Extra> ServiceTargets(const Answer& answer, const FindCached& find,
                                            const MayTell& may_tell);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_RESPOND_SERVICE_TARGETS_H_
