#include "resolver/core/iterator/fetch_quota.h"

#include <algorithm>
#include <cstdint>

namespace sekisho::resolver {
namespace {

constexpr double kLossPerSilence = 0.98;
constexpr double kGainPerReply = 1.10;

}  // namespace

size_t FetchQuota::Bound(const State& state) const {
  if (most_ == 0) return SIZE_MAX;
  return std::max(std::min(least_, most_), static_cast<size_t>(static_cast<double>(most_) * state.share));
}

FetchQuota::Slot FetchQuota::Take(const std::string& key) {
  State& state = keys_[key];
  if (state.is_remembered) {
    idle_.erase(state.remembered);
    state.is_remembered = false;
  }
  if (state.in_progress >= Bound(state)) return {};
  ++state.in_progress;
  return {this, key};
}

bool FetchQuota::IsFull(const std::string& key) const {
  const auto it = keys_.find(key);
  return it != keys_.end() && it->second.in_progress >= Bound(it->second);
}

bool FetchQuota::IsSurplus(const std::string& key) const {
  const auto it = keys_.find(key);
  return it != keys_.end() && it->second.in_progress > Bound(it->second);
}

void FetchQuota::OnSilence(const std::string& key) {
  const auto it = keys_.find(key);
  if (it == keys_.end() || most_ == 0) return;
  // Not below what `least` needs, or the way back would be long.
  const double floor = static_cast<double>(std::min(least_, most_)) / static_cast<double>(most_);
  it->second.share = std::max(it->second.share * kLossPerSilence, floor);
}

void FetchQuota::OnReply(const std::string& key) {
  const auto it = keys_.find(key);
  if (it != keys_.end()) it->second.share = std::min(1.0, it->second.share * kGainPerReply);
}

size_t FetchQuota::in_progress(const std::string& key) const {
  const auto it = keys_.find(key);
  return it == keys_.end() ? 0 : it->second.in_progress;
}

void FetchQuota::Give(const std::string& key) {
  const auto it = keys_.find(key);
  if (it == keys_.end()) return;
  --it->second.in_progress;
  ForgetIfIdle(it);
}

void FetchQuota::ForgetIfIdle(Keys::iterator it) {
  State& state = it->second;
  if (state.in_progress > 0) return;
  if (state.share >= 1) {
    keys_.erase(it);
    return;
  }
  idle_.push_back(it->first);
  state.remembered = std::prev(idle_.end());
  state.is_remembered = true;
  if (idle_.size() > kKeys) {
    keys_.erase(idle_.front());
    idle_.pop_front();
  }
}

}  // namespace sekisho::resolver
