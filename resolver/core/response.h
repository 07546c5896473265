// Response: what the DNS said about one (name, type), scrubbed, before any CNAME in it is followed further.
//
// It comes from one zone's server or from the cache, and is what the validator judges, the cache keeps, and
// the chain-following code strings together.
//
// Threads: values; shared as shared_ptr<const Response> once judged.
#ifndef SEKISHO_RESOLVER_CORE_RESPONSE_H_
#define SEKISHO_RESOLVER_CORE_RESPONSE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/base/now.h"
#include "proto/dns/edns.h"
#include "proto/dns/name.h"
#include "proto/dns/rrset.h"
#include "proto/dns/types.h"
#include "proto/record/lookup_record.h"
#include "resolver/core/beside.h"

namespace sekisho::resolver {

using record::Security;

enum class ResponseKind : uint8_t {
  kAnswer,    // `answer` ends with an RRset of the type asked for, owned by qname
  kCname,     // `answer` is a CNAME at qname (with the DNAME it was made from before it, where there is one)
  kNodata,    // the name exists, the type does not
  kNxdomain,  // the name does not exist
  kFailure,   // nothing usable came; `errors` says why
};

struct Response {
  dns::Name qname;
  dns::RRType qtype = dns::RRType::kNone;
  ResponseKind kind = ResponseKind::kFailure;
  dns::Rcode rcode = dns::Rcode::kServFail;
  std::vector<dns::RRsetPtr> answer;     // for qtype ANY: all RRsets of qname
  std::vector<dns::RRsetPtr> authority;  // SOA and its signatures; NSEC/NSEC3 with theirs
  std::shared_ptr<const Beside> beside;  // null: nothing, or not wanted
  dns::Name zone;                        // the zone cut whose server answered (bailiwick)
  Security security = Security::kUnchecked;
  // Of what is secure: the denials of `authority` that were verified, and, when a wildcard made the answer,
  // the labels of the name that the wildcard stands below.
  std::vector<dns::RRsetPtr> proven;
  std::optional<int> wildcard_encloser;
  // The validator may cut TTLs: seconds, at most this (RFC 4035 section 5.3.3); 0xffffffff: no cut.
  uint32_t ttl_cap = 0xffffffff;
  std::vector<dns::ExtendedError> errors;
  std::optional<IpAddress> server;  // who said so; not known of what comes from the cache
  bool altered = false;             // its CNAME is not what its DNAME makes: somebody changed it on the way
  bool own_limit = false;           // kFailure: a bound of ours was reached; not to be remembered of the name
  bool from_cache = false;
  bool stale = false;
  bool refresh_due = false;  // from the cache, and about to expire
  MonoTime refresh_at{};     // from the cache: when that will be
};

using ResponsePtr = std::shared_ptr<const Response>;

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_RESPONSE_H_
