// Explain: everything that speaks about a name or address, and what of it decides.
//
// Threads: one at a time per SnapshotReader. Limits: kMaxEvidenceClaims claims.
#ifndef SEKISHO_BLOCKLIST_FEEDD_EXPLAIN_H_
#define SEKISHO_BLOCKLIST_FEEDD_EXPLAIN_H_

#include <absl/status/statusor.h>

#include <string>

#include "blocklist/feedd/policy_inputs.h"
#include "blocklist/feedd/subject.h"
#include "blocklist/snapshot/snapshot_reader.h"
#include "proto/schema/control.pb.h"
#include "storage/indicators/indicator_store.h"

namespace sekisho::feedd {

inline constexpr int kMaxEvidenceClaims = 1000;
// How many versions back the age of a claim is known.
inline constexpr size_t kVersionsForAge = 1000;

// What holds for this agency; empty: for those of which nothing is said apart.
absl::StatusOr<control::Explained> Explain(const Subject& subject, const std::string& agency,
                                           const PolicyInputs& inputs,
                                           const indicators::IndicatorStore& store,
                                           blocklist::SnapshotReader* snapshots);

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_EXPLAIN_H_
