// The words of policies in the configuration.
//
// Threads: constants.
#ifndef SEKISHO_PROTO_CONFIG_POLICY_WORDS_H_
#define SEKISHO_PROTO_CONFIG_POLICY_WORDS_H_

#include <array>
#include <string_view>

namespace sekisho::config {

// The policy of agencies that name none; it may be given, too.
inline constexpr char kDefaultPolicy[] = "default";

inline constexpr std::array<std::string_view, 8> kPolicyActions = {
    "nxdomain", "nodata", "sinkhole", "refused", "drop", "tcp-only", "passthru", "log-only"};

}  // namespace sekisho::config

#endif  // SEKISHO_PROTO_CONFIG_POLICY_WORDS_H_
