// Chain: walks from a trust anchor down to the zone that holds a name, one label at a time, by DS and DNSKEY.
//
//   ZoneStatusPtr zone = co_await FindZone(walk, name);     kSecure with keys, kInsecure or kBogus
//
// Every name on the way is asked for at the zone above it, with that zone's keys to judge the reply; so proof
// that there is no DS can come from the parent alone (row P24), and a walk ends where insecurity is proven.
//
// Threads: one worker. Limits: kStepsPerQuestion DS questions for one response; limits::kDepth; Budget.
// Standards: RFC 4035 section 5.2, RFC 5155 section 8.9, RFC 6840 section 4.4; rows P24, P30, D09, D18, M10.
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_CHAIN_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_CHAIN_H_

#include <memory>
#include <optional>
#include <vector>

#include "proto/dns/dnssec_crypto.h"
#include "proto/dns/name.h"
#include "resolver/core/response.h"
#include "resolver/core/settings.h"
#include "resolver/core/task.h"
#include "resolver/core/validator/key_cache.h"
#include "resolver/core/validator/policy.h"
#include "resolver/core/validator/signature.h"
#include "resolver/core/validator/trust_anchors.h"
#include "resolver/core/validator/validator.h"

namespace sekisho::resolver::dnssec {

// As many as a name below ip6.arpa has labels, with two to spare: validated through forwarders, each may be
// asked for.
inline constexpr int kStepsPerQuestion = 36;

// What one configuration knows and has learnt. A reload makes a new one; questions under way keep theirs.
struct Knowledge {
  explicit Knowledge(const Settings& settings);

  const TrustAnchors anchors;
  const Policy policy;
  const bool validate;
  dns::DnssecCrypto crypto;
  KeyCache cache;
};

// One response on its way through the validator.
struct Walk {
  std::shared_ptr<Knowledge> knowledge;
  RecordFetcher& fetcher;
  Budget& budget;
  int depth;
  const Response& judged;  // not asked for again when it is a DNSKEY RRset itself
  int steps_left = kStepsPerQuestion;
  std::vector<const dns::RRset*> proven{};  // of judged.authority

  // For what is judged itself.
  Check MakeProvingCheck() {
    Check check = MakeCheck();
    check.proven = &proven;
    return check;
  }
  Check MakeCheck() {
    return {knowledge->crypto, budget, knowledge->policy, UnixSeconds(fetcher.now().wall), nullptr};
  }
};

// Why nothing at or below `anchor` can ever be validated; nothing: it may be. Then nobody needs to be asked.
std::optional<dns::ExtendedError> Hopeless(const EntryPoints& anchor, const Policy& policy);

// The zone that holds `target`, as far as it can be followed. Never kNotACut or kNoName.
Task<ZoneStatusPtr> FindZone(Walk& walk, dns::Name target);

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_CHAIN_H_
