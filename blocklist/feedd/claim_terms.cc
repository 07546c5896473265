#include "blocklist/feedd/claim_terms.h"

#include <algorithm>

namespace sekisho::feedd {
namespace {

constexpr int64_t kDay = int64_t{86400} * 1'000'000;

}  // namespace

ClaimTerms::ClaimTerms(const config::Feed& feed, const std::vector<indicators::VersionRecord>& versions)
    : min_confidence_(feed.min_confidence()), max_age_us_(int64_t{feed.max_age_days()} * kDay) {
  for (const indicators::VersionRecord& version : versions)
    accepted_us_[version.version()] = version.accepted_us();
}

// When decay or validity ends the claim.
int64_t ClaimTerms::Expiry(const indicators::Claim& claim) const {
  int64_t expiry = claim.valid_until_us() != 0 ? claim.valid_until_us() : kNever;
  if (max_age_us_ == 0) return expiry;
  int64_t reported = claim.reported_us();
  if (reported == 0 && !claim.spans().empty()) {
    const auto accepted = accepted_us_.find(claim.spans().rbegin()->added());
    if (accepted != accepted_us_.end()) reported = accepted->second;
  }
  return reported == 0 ? expiry : std::min(expiry, reported + max_age_us_);
}

std::string_view ClaimTerms::WhyNot(const indicators::Claim& claim, int64_t now_us) {
  if (min_confidence_ != 0 && claim.confidence() != 0 && claim.confidence() < min_confidence_) {
    return "the publisher trusts it less than the feed's setting asks";
  }
  if (claim.valid_from_us() > now_us) {
    next_change_us_ = std::min(next_change_us_, claim.valid_from_us());
    return "not valid yet";
  }
  const int64_t expiry = Expiry(claim);
  if (expiry <= now_us)
    return claim.valid_until_us() != 0 && claim.valid_until_us() <= now_us ? "expired" : "too old";
  next_change_us_ = std::min(next_change_us_, expiry);
  return {};
}

}  // namespace sekisho::feedd
