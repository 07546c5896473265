// Enforce: carries out what policy decided: the one place where an action becomes an answer, whichever list
// or zone it comes from.
//
//   nxdomain, nodata, refused, drop   as they are called
//   sinkhole                          the verdict's records under the name that the rule speaks about; an
//                                     alias is followed from Screen on, under what is left of the same Budget
//   tcp-only                          over UDP an empty reply with TC; over others the answer passes
//
// What the DNS said and is not told goes into Question::withheld, and nothing of it into the reply.
//
// Threads: one worker. Limits: what stands before the name sought is bounded as a chain of the DNS is
// (kChainLinks). Standards: RFC 8914, draft-vixie-dnsop-dns-rpz-00 (policy zones).
#ifndef SEKISHO_RESOLVER_CORE_ENFORCE_H_
#define SEKISHO_RESOLVER_CORE_ENFORCE_H_

#include <string>

#include "resolver/core/pipeline.h"

namespace sekisho::resolver {

// Takes a verdict in when it is weightier than the one there is: what acts outweighs what lets pass, and that
// what is only noted. Of those that act the last counts: it made the answer's end. True: this one acts, and
// is to be enforced.
bool Adopt(Question& question, Verdict verdict);

// Executes query.question.verdict, which Blocks(). `links`: so many links of the answer stand before the name
// that the rule speaks about.
Next Enforce(Query& query, World& world, size_t links = 0);

// The answer becomes evidence.
void Withhold(Question& question);

Next AnswerWith(Query& query, dns::Rcode rcode);
Next AnswerWith(Query& query, dns::Rcode rcode, dns::EdeCode code, std::string text);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_ENFORCE_H_
