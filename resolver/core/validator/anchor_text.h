// The state of trust points as text, to be kept on disk between runs.
//
// Threads: functions without state. Limits: kMaxAnchorText bytes; kMaxTrustPoints points of kKeysPerPoint
// keys.
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_ANCHOR_TEXT_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_ANCHOR_TEXT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resolver/core/validator/anchor_rollover.h"

namespace sekisho::resolver::dnssec {

inline constexpr size_t kMaxAnchorText = 1 << 20;
inline constexpr size_t kMaxTrustPoints = 1000;

std::string WriteAnchors(const std::vector<TrustPoint>& points);
// Nothing, with the line and the reason in *error, when it is not what WriteAnchors wrote, to the last bit.
std::optional<std::vector<TrustPoint>> ReadAnchors(std::string_view text, std::string* error);

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_ANCHOR_TEXT_H_
