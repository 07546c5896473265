// The gate: decides by counts whether a feed's new version is taken, waits for a person, or is refused.
//
//   a body that is no list (HTML, JSON, binary, empty), or one without any indicator    → refused
//   more than half of the first lines unreadable, or over 1 % of all                      → refused
//   loses or gains more than the feed's limits allow against the version in force         → held
//
// Whatever the answer, the version in force stays until a new one is taken.
//
// Threads: a function without state. Standards: reliability rows S11–S14.
#ifndef SEKISHO_BLOCKLIST_MERGE_GATE_H_
#define SEKISHO_BLOCKLIST_MERGE_GATE_H_

#include <cstdint>
#include <string>

#include "blocklist/feed/sniff.h"

namespace sekisho::blocklist {

inline constexpr uint64_t kFirstLines = 50;
// So many lines may be wrong, gone or new whatever the ratio: small lists move in big steps.
inline constexpr uint64_t kErrorsTolerated = 5;
inline constexpr uint64_t kRemovalsTolerated = 10;
inline constexpr uint64_t kAdditionsTolerated = 1000;

struct VersionFacts {
  BodyKind body = BodyKind::kText;
  uint64_t content_lines = 0;  // that say something or should
  uint64_t errors = 0;
  uint64_t first_errors = 0;  // among the first kFirstLines content lines
  uint64_t indicators = 0;    // distinct
  uint64_t before = 0;        // in the version in force
  uint64_t added = 0;
  uint64_t removed = 0;
  uint64_t median = 0;         // of the indicators of the last accepted versions; 0: none
  std::string missing_name{};  // one that every good version holds
};

struct GateLimits {
  uint32_t max_shrink_percent = 10;  // 0: no limit
  uint32_t max_growth_percent = 100;
  uint64_t min_indicators = 0;
};

enum class GateDecision : uint8_t { kAccept, kHold, kRefuse };

struct GateAnswer {
  GateDecision decision = GateDecision::kAccept;
  std::string reason;  // empty when accepted
};

GateAnswer JudgeVersion(const VersionFacts& facts, const GateLimits& limits);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_GATE_H_
