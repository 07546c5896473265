// Policy: what the operator decides about algorithms, key sizes and clock skew when signatures are judged.
//
// Threads: immutable values. Standards: RFC 8624, RFC 9905 (SHA-1), RFC 4035 section 5.3.1 (times).
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_POLICY_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_POLICY_H_

#include <algorithm>
#include <cstdint>

#include "proto/dns/dnssec_crypto.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {
struct Settings;
}

namespace sekisho::resolver::dnssec {

struct Policy {
  bool sha1_digests = false;  // DS digest 1
  bool rsasha1 = false;       // algorithms 5 and 7
  int64_t skew_min = 3600;    // seconds
  int64_t skew_max = 86400;
  int nsec3_iterations = limits::kNsec3Iterations;

  bool AllowsAlgorithm(uint8_t algorithm) const {
    if ((algorithm == 5 || algorithm == 7) && !rsasha1) return false;
    return dns::IsSupportedAlgorithm(algorithm);
  }
  bool AllowsDigest(uint8_t digest_type) const {
    if (digest_type == 1 && !sha1_digests) return false;
    return dns::IsSupportedDigest(digest_type);
  }
  // Clocks may be wrong by a tenth of the signature's life, within the two bounds.
  int64_t Skew(int64_t validity) const {
    return std::clamp(validity / 10, skew_min, std::max(skew_min, skew_max));
  }
};

Policy PolicyOf(const Settings& settings);

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_POLICY_H_
