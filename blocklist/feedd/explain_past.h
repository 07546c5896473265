// ExplainPast: who listed a name at a past moment, and what was decided by it: the versions of the feeds and
// the local entries as they stood then, those for single agencies included. The guard and the settings of
// feeds are those of today.
//
// Threads: a function without state. Limits: kMaxEvidenceClaims claims, kMaxHistory events back.
#ifndef SEKISHO_BLOCKLIST_FEEDD_EXPLAIN_PAST_H_
#define SEKISHO_BLOCKLIST_FEEDD_EXPLAIN_PAST_H_

#include <absl/status/statusor.h>

#include <string>

#include "blocklist/feedd/policy_inputs.h"
#include "blocklist/feedd/subject.h"
#include "proto/schema/control.pb.h"
#include "storage/indicators/indicator_store.h"

namespace sekisho::feedd {

inline constexpr size_t kMaxHistory = 1'000'000;

// What held for this agency; empty: for those of which nothing was said apart.
absl::StatusOr<control::Explained> ExplainPast(const Subject& subject, int64_t at_us,
                                               const std::string& agency, const PolicyInputs& inputs,
                                               const indicators::IndicatorStore& store);

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_EXPLAIN_PAST_H_
