// Respond: writes a Question's answer as a DNS message.
//
// Threads: a function without state. Limits: UDP answers at most min(what the client takes, what we give)
// bytes; TCP 65535. Standards: RFC 1035, RFC 2181 section 9 (TC), RFC 2308 (SOA in negative answers), RFC
// 4035 section 3.2 (DO, AD, CD), RFC 6840 section 5.7 (AD asked), RFC 6891, RFC 8914.
#ifndef SEKISHO_RESOLVER_CORE_RESPOND_RESPOND_H_
#define SEKISHO_RESOLVER_CORE_RESPOND_RESPOND_H_

#include <cstdint>
#include <vector>

#include "resolver/core/question.h"
#include "resolver/core/settings.h"

namespace sekisho::resolver {

// Fills `out` and the "set by Respond" part of the question.
void BuildReply(Question& question, const Settings& settings, std::vector<uint8_t>* out);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_RESPOND_RESPOND_H_
