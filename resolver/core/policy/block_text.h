// ExplainBlock: what a client is told about a block: an extended error with the lists, the category and the
// reference, as text or in the structured form.
//
//   {"c":["mailto:soc@agency.example"],"j":"listed by …","s":1,"o":"National SOC","l":"en"}
//
// The form needs a contact; without one the text is plain. To a client that asks for the form, a sinkhole's
// answer is "blocked" (15), not "forged" (4).
//
// Threads: functions without state. Limits: texts are cut to kMaxBlockText bytes where a character ends; the
// form is made to fit dns::kMaxEdeText by a shorter text, then without the organization, else it is plain.
// Standards: RFC 8914, draft-ietf-dnsop-structured-dns-error.
#ifndef SEKISHO_RESOLVER_CORE_POLICY_BLOCK_TEXT_H_
#define SEKISHO_RESOLVER_CORE_POLICY_BLOCK_TEXT_H_

#include <cstddef>
#include <optional>

#include "proto/dns/edns.h"
#include "resolver/core/policy/verdict.h"

namespace sekisho::resolver {

inline constexpr size_t kMaxBlockText = 200;

// Nothing when the verdict says so. `asked`: the client has shown that it understands the structured form.
std::optional<dns::ExtendedError> ExplainBlock(const Verdict& verdict, bool asked);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_POLICY_BLOCK_TEXT_H_
