#include "blocklist/merge/gate.h"

#include <algorithm>

namespace sekisho::blocklist {
namespace {

std::string Count(uint64_t part, uint64_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole);
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
  return {};
}

}  // namespace sekisho::blocklist
