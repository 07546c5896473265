// CheckPolicies: policies, what feeds and agencies say about them, and what nothing blocks.
//
// Threads: a function without state.
#ifndef SEKISHO_PROTO_CONFIG_VALIDATE_POLICIES_H_
#define SEKISHO_PROTO_CONFIG_VALIDATE_POLICIES_H_

#include <set>
#include <string>
#include <vector>

#include "proto/config/config.h"

namespace sekisho::config {

// Names that go into records and file names: 1 to 64 letters, digits, '-' and '_', each once.
void Identifier(std::vector<Problem>& out, const std::string& path, const std::string& text,
                std::set<std::string>* taken);

void CheckPolicies(std::vector<Problem>& out, const Config& config);

}  // namespace sekisho::config

#endif  // SEKISHO_PROTO_CONFIG_VALIDATE_POLICIES_H_
