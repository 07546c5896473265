// Classify: what an accepted reply means for the question, and what of it may be kept. This is where
// bailiwick is enforced: nothing leaves here that the zone asked could not speak for.
//
//   answer      RRset, or CNAME/DNAME at the name; later links as far as they are inside the zone asked
//   authority   SOA, NSEC, NSEC3 of the zone; NS only as a referral strictly below the zone and above the
//   name additional  addresses of the referral's own servers, from inside the referring zone, for this
//   delegation only
//
// Threads: a function without state. Limits: limits.h (names, addresses, records). Standards: RFC 1034
// section 5.3.3, RFC 2181 section 5.4, RFC 2308, RFC 6672; attack rows P13–P18, D01, D12, M12.
#ifndef SEKISHO_RESOLVER_CORE_ITERATOR_CLASSIFY_H_
#define SEKISHO_RESOLVER_CORE_ITERATOR_CLASSIFY_H_

#include <cstdint>
#include <vector>

#include "proto/dns/message.h"
#include "proto/dns/name.h"
#include "proto/dns/rrset.h"
#include "resolver/core/response.h"

namespace sekisho::resolver {

enum class ReplyKind : uint8_t {
  kResponse,     // `response` is filled
  kReferral,     // `referral` is filled
  kTruncated,    // ask over TCP
  kNoEdns,       // the server does not understand EDNS: ask without
  kLame,         // it does not serve the zone
  kServerError,  // it serves it but cannot now (`response.rcode` tells)
  kUseless,      // nothing in it helps
};

struct Referral {
  dns::Name zone;
  dns::RRsetPtr ns;
  std::vector<dns::RRsetPtr> glue;
  dns::RRsetPtr ds;                   // null: none came
  std::vector<dns::RRsetPtr> denial;  // NSEC or NSEC3 that may prove that there is no DS
};

struct Classified {
  ReplyKind kind = ReplyKind::kUseless;
  Response response;
  std::vector<Response> further;  // the links behind `response`, when it is an alias
  Referral referral;
  bool authoritative = false;
  // kLame, kUseless: `response` is filled all the same and is better than none, should nobody else know.
  bool last_resort = false;
};

// What was asked, and of whom.
struct Asked {
  dns::NameView zone;  // the cut whose server it is
  dns::NameView qname;
  dns::RRType qtype = dns::RRType::kNone;
  bool edns = true;            // the query had an OPT
  bool forward = false;        // the server is a resolver: no AA, no referrals
  bool beside = false;         // what is beside the answer is wanted too
  bool ns_in_denials = false;  // and NS beside a denial, in any case
  bool harden_glue = true;     // glue outside the zone asked is not taken
};

Classified Classify(const dns::ParsedMessage& reply, const Asked& asked);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_ITERATOR_CLASSIFY_H_
