#include "blocklist/merge/gate.h"

#include <algorithm>

namespace sekisho::blocklist {
namespace {

std::string Count(uint64_t part, uint64_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole);
}

// Many small steps in one direction: each alone would pass.
GateAnswer JudgeAgainstMedian(const VersionFacts& facts, const GateLimits& limits) {
  const auto hold = [&facts](const char* what) {
    return GateAnswer{GateDecision::kHold, std::to_string(facts.indicators) + " indicators, far " + what +
                                               " the " + std::to_string(facts.median) +
                                               " that the last versions had"};
  };
  if (facts.median == 0) return {};
  if (limits.max_shrink_percent != 0 && facts.indicators + kRemovalsTolerated < facts.median &&
      (facts.median - facts.indicators) * 100 > facts.median * limits.max_shrink_percent) {
    return hold("under");
  }
  if (limits.max_growth_percent != 0 && facts.indicators > facts.median + kAdditionsTolerated &&
      (facts.indicators - facts.median) * 100 > facts.median * limits.max_growth_percent) {
    return hold("over");
  }
  return {};
}

}  // namespace

GateAnswer JudgeVersion(const VersionFacts& facts, const GateLimits& limits) {
  const auto refuse = [](std::string why) { return GateAnswer{GateDecision::kRefuse, std::move(why)}; };
  const auto hold = [](std::string why) { return GateAnswer{GateDecision::kHold, std::move(why)}; };
  if (facts.body != BodyKind::kText) return refuse("not a list but " + std::string(BodyKindName(facts.body)));
  const uint64_t first = std::min(facts.content_lines, kFirstLines);
  if (facts.first_errors * 2 > first) {
    return refuse("the first lines are not in the feed's format: " + Count(facts.first_errors, first) +
                  " unreadable");
  }
  if (facts.errors > kErrorsTolerated && facts.errors * 100 > facts.content_lines) {
    return refuse("too many unreadable lines: " + Count(facts.errors, facts.content_lines));
  }
  if (facts.indicators == 0) return refuse("no indicator in it");
  if (facts.indicators < limits.min_indicators) {
    return hold("only " + std::to_string(facts.indicators) + " indicators, at least " +
                std::to_string(limits.min_indicators) + " are expected");
  }
  if (!facts.missing_name.empty()) return hold("the expected name " + facts.missing_name + " is not in it");
  if (facts.before == 0) return {};
  if (limits.max_shrink_percent != 0 && facts.removed > kRemovalsTolerated &&
      facts.removed * 100 > facts.before * limits.max_shrink_percent) {
    return hold("it would remove " + Count(facts.removed, facts.before) + " indicators");
  }
  if (limits.max_growth_percent != 0 && facts.added > kAdditionsTolerated &&
      facts.added * 100 > facts.before * limits.max_growth_percent) {
    return hold("it would add " + std::to_string(facts.added) + " indicators to " +
                std::to_string(facts.before));
  }
  return JudgeAgainstMedian(facts, limits);
}

}  // namespace sekisho::blocklist
