#include "resolver/server/policy_watch.h"

#include <utility>

#include "proto/base/this_thread.h"

namespace sekisho::resolver {

PolicyWatch::PolicyWatch(std::string folder, Published<const blocklist::PolicySnapshot>* published,
                         std::function<void(const State&)> on_publish)
    : watcher_(std::move(folder)), published_(published), on_publish_(std::move(on_publish)) {}

PolicyWatch::~PolicyWatch() { Stop(); }

void PolicyWatch::Start() {
  thread_ = std::thread([this] { Run(); });
  std::unique_lock<std::mutex> lock(mutex_);
  wake_.wait(lock, [this] { return first_look_done_; });
}

void PolicyWatch::Stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

PolicyWatch::State PolicyWatch::state() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return state_;
}

std::vector<PolicyWatch::InForce> PolicyWatch::history() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return {history_.begin(), history_.end()};
}

void PolicyWatch::Run() {
  BeginThread("policy-watch", kBesides);
  for (;;) {
    Look();
    std::unique_lock<std::mutex> lock(mutex_);
    if (!std::exchange(first_look_done_, true)) wake_.notify_all();
    if (wake_.wait_for(lock, kPause, [this] { return stop_; })) return;
  }
}

void PolicyWatch::Look() {
  std::erase_if(retired_, [](const auto& snapshot) { return snapshot.use_count() == 1; });
  const auto before = watcher_.last();
  auto fresh = watcher_.Poll();
  if (!fresh.ok()) {
    State told;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      state_.error = std::string(fresh.status().message());
      told = state_;
    }
    return on_publish_(told);
  }
  if (*fresh == nullptr) return;
  State told;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    state_ = {(*fresh)->generation(), (*fresh)->rule_count(), ReadClocks().wall, ""};
    told = state_;
  }
  if (before != nullptr) retired_.push_back(before);
  published_->Publish(*std::move(fresh));
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (history_.size() == kRemembered) history_.pop_front();
    history_.push_back({told.generation, ReadClocks().wall});
  }
  on_publish_(told);
}

}  // namespace sekisho::resolver
