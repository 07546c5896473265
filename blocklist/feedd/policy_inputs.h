// PolicyInputs: what a configuration says about feeds, as the worker threads use it; replaced whole on
// reload.
//
// Threads: immutable.
#ifndef SEKISHO_BLOCKLIST_FEEDD_POLICY_INPUTS_H_
#define SEKISHO_BLOCKLIST_FEEDD_POLICY_INPUTS_H_

#include <absl/status/statusor.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "blocklist/merge/guard.h"
#include "proto/schema/config.pb.h"

namespace sekisho::feedd {

struct PolicyInputs {
  std::vector<config::Feed> feeds;
  std::shared_ptr<const blocklist::Guard> guard;
  std::vector<std::string> warnings;
  std::set<std::string> agencies;  // by name

  // Fails when a list that the configuration names cannot be read.
  static absl::StatusOr<std::shared_ptr<const PolicyInputs>> Load(const config::Config& config);
  // Null when there is no such feed.
  const config::Feed* Find(const std::string& name) const;
};

// Its claims are recorded where they meet a question, and not enforced.
inline bool LogsOnly(const config::Feed& feed) { return feed.log_only() || feed.mode() == "log-only"; }

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_POLICY_INPUTS_H_
