// Trust sentinel: lets the operator of a test page see, through a browser, which root keys this resolver
// trusts.
//
// A secure answer for root-key-sentinel-is-ta-NNNNN.<anything> is withheld when no root trust anchor has the
// key tag NNNNN, and one for root-key-sentinel-not-ta-NNNNN when one has.
//
// Threads: functions without state. Standards: RFC 8509.
#ifndef SEKISHO_RESOLVER_CORE_TRUST_SENTINEL_H_
#define SEKISHO_RESOLVER_CORE_TRUST_SENTINEL_H_

#include "resolver/core/question.h"
#include "resolver/core/settings.h"

namespace sekisho::resolver {

// Must the answer of `q` give way to SERVFAIL?
bool SentinelWithholds(const Question& q, const Settings& settings);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_TRUST_SENTINEL_H_
