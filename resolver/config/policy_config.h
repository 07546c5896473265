// SetPolicies: the configuration's policies, feeds and own lists as the core judges by them.
//
// Threads: a function without state.
#ifndef SEKISHO_RESOLVER_CONFIG_POLICY_CONFIG_H_
#define SEKISHO_RESOLVER_CONFIG_POLICY_CONFIG_H_

#include <absl/status/status.h>

#include "proto/schema/config.pb.h"
#include "resolver/core/settings.h"

namespace sekisho::resolver {

// Fills agency_policies and never_block; the agencies are there already.
absl::Status SetPolicies(const config::Config& config, Settings* settings);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CONFIG_POLICY_CONFIG_H_
