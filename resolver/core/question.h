// Question: one client's question on its way through the pipeline, and the answer that came of it.
//
// The answer is `path`, then `own_answer` or `answer`: policy may replace the end of an alias chain, and send
// the question on to another name.
//
// Threads: one worker. A Question owns all it needs; it outlives the packet it came in.
#ifndef SEKISHO_RESOLVER_CORE_QUESTION_H_
#define SEKISHO_RESOLVER_CORE_QUESTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/base/now.h"
#include "proto/dns/edns.h"
#include "proto/dns/name.h"
#include "proto/dns/types.h"
#include "proto/record/lookup_record.h"
#include "resolver/core/admission/server_cookies.h"
#include "resolver/core/budget.h"
#include "resolver/core/policy/agency_table.h"
#include "resolver/core/policy/verdict.h"
#include "resolver/core/response.h"

namespace sekisho::resolver {

struct Settings;

// What the DNS said to a question: the links of its CNAME chain, the last of them the end.
struct Answer {
  std::vector<ResponsePtr> chain;
  dns::Rcode rcode = dns::Rcode::kServFail;
  Security security = Security::kUnchecked;  // the weakest of the links
  bool looped = false;  // an alias leads back: the chain stands beside the SERVFAIL (RFC 1034 section 3.6.2)
  std::vector<dns::ExtendedError> errors;
  record::Origin origin = record::Origin::kCache;
};
using AnswerPtr = std::shared_ptr<const Answer>;

struct Question {
  uint64_t token = 0;
  Endpoint client;
  record::Transport transport = record::Transport::kUdp;
  Now arrived;
  std::optional<AgencyTable::Id> agency;
  // What `agency` is an index into, of a question that waits: a reload may number agencies anew. Null: those
  // in force.
  std::shared_ptr<const Settings> asked_under;

  uint16_t id = 0;
  dns::Opcode opcode = dns::Opcode::kQuery;
  bool rd = false;
  bool cd = false;
  bool ad = false;
  bool has_question = false;
  dns::Name qname;
  dns::RRType qtype = dns::RRType::kNone;
  dns::RRClass qclass = dns::RRClass::kIN;
  bool edns = false;
  bool dnssec_ok = false;
  bool asks_structured = false;  // an EDE option came: block texts may be in the structured form
  bool edns_options = false;     // some came beside the cookie; the reply may be for this client alone
  bool has_cookie = false;
  bool cookie_valid = false;
  WholeCookie cookie{};  // of the reply
  // Nobody can have asked in this client's name.
  bool verified() const { return cookie_valid || transport != record::Transport::kUdp; }
  uint16_t udp_size = 512;

  Verdict verdict;
  // The name that is looked for: qname, or where policy has sent the question since.
  dns::Name sought;
  // What stands before it in the answer: links of the DNS's chain and aliases that policy made.
  struct Extra {
    dns::RRsetPtr rrset;
    uint32_t ttl = 0;
  };
  std::vector<Extra> path;
  // What the DNS said and the client is not told: evidence for the record.
  std::vector<AnswerPtr> withheld;
  // What earlier names of the path have cost already; null: nothing.
  std::shared_ptr<const Budget> spent;
  bool exempt = false;         // a rule lets the answer pass: no policy zone is asked any more
  bool client_judged = false;  // a rule about the client's address has spoken: the reply is for it alone
  bool rewritten = false;      // policy had a hand in the answer: it proves nothing
  bool alias_owned = false;    // policy made an alias of the question's own name
  bool authoritative = false;  // AA
  bool clear_ra = false;
  bool tcp_only = false;  // told to come over TCP by policy
  // An answer that needs no DNS: rcode and perhaps records, errors for EDE.
  dns::Rcode own_rcode = dns::Rcode::kNoError;
  std::vector<dns::RRsetPtr> own_answer;
  std::vector<dns::RRsetPtr> own_authority;
  std::vector<dns::ExtendedError> own_errors;
  record::Origin own_origin = record::Origin::kLocal;
  // Otherwise what the DNS said; null until then.
  AnswerPtr answer;
  // Of service, beside the answer: not asked for, and left out where there is no room.
  std::vector<Extra> additional;
  bool over_rate = false;  // told to come over TCP, and nothing else

  // Set by Respond.
  dns::Rcode rcode = dns::Rcode::kNoError;
  bool authenticated = false;
  bool truncated = false;
  uint16_t first_ede = 0xffff;
  bool dropped = false;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_QUESTION_H_
