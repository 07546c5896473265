// TrustAnchors: where chains of trust begin, and where the operator has cut them off.
//
//   Start start = anchors.StartFor(name, now);        the closest anchor or negative anchor at or above the
//   name
//
// Threads: immutable after Load. Limits: as many as the configuration has; a look-up costs one probe per
// label. Standards: RFC 4035 section 4.4, RFC 6840 section C.3 (closest enclosing), RFC 7646 (negative trust
// anchors).
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_TRUST_ANCHORS_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_TRUST_ANCHORS_H_

#include <string>
#include <unordered_map>

#include "proto/dns/name.h"
#include "resolver/core/settings.h"
#include "resolver/core/validator/zone_keys.h"

namespace sekisho::resolver::dnssec {

class TrustAnchors {
 public:
  TrustAnchors() = default;
  // DS and DNSKEY records; others are not looked at.
  explicit TrustAnchors(const Settings& settings);

  // The anchor that names at or below `name`'s zone hang from; null when there is none, or when a negative
  // one is as close: then the name is insecure.
  const EntryPoints* StartFor(dns::NameView name, WallTime now) const;

 private:
  std::unordered_map<std::string, EntryPoints> anchors_;  // by lower-case wire form
  std::unordered_map<std::string, WallTime> negative_;    // until when
};

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_TRUST_ANCHORS_H_
