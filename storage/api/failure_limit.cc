#include "storage/api/failure_limit.h"

#include <algorithm>

namespace sekisho::api {
namespace {

constexpr uint32_t kFree = 5;
constexpr Duration kFirstWait = std::chrono::seconds(1);
constexpr Duration kLongestWait = std::chrono::minutes(15);
constexpr Duration kForget = std::chrono::hours(1);

}  // namespace

Duration FailureLimit::Wait(const std::string& key, MonoTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto at = failing_.find(key);
  return at == failing_.end() || at->second.until <= now ? Duration(0) : at->second.until - now;
}

void FailureLimit::Failed(const std::string& key, MonoTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (failing_.size() >= kMaxFailing && !failing_.contains(key)) {
    failing_.erase(std::ranges::min_element(
        failing_, [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
  }
  State& s = failing_[key];
  if (now - s.last > kForget) s.failures = 0;
  s.last = now;
  if (++s.failures <= kFree) return;
  const uint32_t doublings = std::min<uint32_t>(s.failures - kFree - 1, 10);
  s.until = now + std::min(kFirstWait * (int64_t{1} << doublings), kLongestWait);
}

}  // namespace sekisho::api
