// ClaimTerms: whether one feed's standing claims count at a moment, and when that changes next by itself: the
// publisher's span of validity, the feed's least confidence, and its decay.
//
//   ClaimTerms terms(feed, versions);   if (terms.Counts(claim, now_us)) …   terms.next_change_us()
//
// Threads: one. Limits: the age of a claim that the publisher gives no time for is that of the version that
// brought it, as far back as `versions` goes.
#ifndef SEKISHO_BLOCKLIST_FEEDD_CLAIM_TERMS_H_
#define SEKISHO_BLOCKLIST_FEEDD_CLAIM_TERMS_H_

#include <cstdint>
#include <limits>
#include <map>
#include <string_view>
#include <vector>

#include "proto/schema/config.pb.h"
#include "proto/schema/indicator.pb.h"

namespace sekisho::feedd {

inline constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

class ClaimTerms {
 public:
  ClaimTerms(const config::Feed& feed, const std::vector<indicators::VersionRecord>& versions);

  // Empty when the claim counts; else why not, for people.
  std::string_view WhyNot(const indicators::Claim& claim, int64_t now_us);
  bool Counts(const indicators::Claim& claim, int64_t now_us) { return WhyNot(claim, now_us).empty(); }
  // The earliest moment after `now_us` at which one of the claims asked about is judged otherwise.
  int64_t next_change_us() const { return next_change_us_; }

 private:
  int64_t Expiry(const indicators::Claim& claim) const;

  const uint32_t min_confidence_;
  const int64_t max_age_us_;
  std::map<uint64_t, int64_t> accepted_us_;
  int64_t next_change_us_ = kNever;
};

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_CLAIM_TERMS_H_
