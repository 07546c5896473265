#include "resolver/server/policy_zone_transfers.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "proto/base/this_thread.h"

namespace sekisho::resolver {
namespace {

Duration Held(uint32_t seconds) {
  return std::clamp<Duration>(std::chrono::seconds(seconds), PolicyZoneTransfers::kSoonest,
                              PolicyZoneTransfers::kLatest);
}

}  // namespace

PolicyZoneTransfers::PolicyZoneTransfers(std::function<void()> on_new) : on_new_(std::move(on_new)) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
    stop_read_.reset(ends[0]);
    stop_write_.reset(ends[1]);
  }
}

PolicyZoneTransfers::~PolicyZoneTransfers() { Stop(); }

void PolicyZoneTransfers::Configure(const std::vector<PolicyZoneFile>& files) {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.clear();
  ++configured_;
  for (const PolicyZoneFile& file : files) {
    if (file.primaries.empty()) continue;
    Entry entry;
    entry.file = file;
    entry.state.name = file.name;
    entries_.push_back(std::move(entry));
  }
  wake_.notify_all();
}

void PolicyZoneTransfers::Start() {
  thread_ = std::thread([this] { Run(); });
}

void PolicyZoneTransfers::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  // The pipe's other end becomes readable, which ends a transfer under way.
  stop_write_.reset();
  wake_.notify_all();
  thread_.join();
}

std::vector<PolicyZoneTransfers::State> PolicyZoneTransfers::states() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<State> out;
  for (const Entry& e : entries_) out.push_back(e.state);
  return out;
}

void PolicyZoneTransfers::Notified(dns::NameView zone) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Entry& e : entries_) {
    if (!(e.file.origin.view() == zone)) continue;
    e.notified = true;
    e.due = std::min(e.due, std::max(ReadClocks().mono, e.notify_from));
  }
  wake_.notify_all();
}

absl::StatusOr<FetchedZone> PolicyZoneTransfers::Fetch(const PolicyZoneFile& file) {
  absl::Status failed = absl::UnavailableError("no primary");
  for (const Endpoint& primary : file.primaries) {
    auto fetched = FetchZone({file.origin, file.key}, primary, file.path, rng_, stop_read_.get());
    if (fetched.ok() || absl::IsCancelled(fetched.status())) return fetched;
    failed = fetched.status();
  }
  return failed;
}

void PolicyZoneTransfers::Note(Entry* e, const absl::StatusOr<FetchedZone>& fetched) {
  const Now now = ReadClocks();
  e->state.asked = now.wall;
  if (fetched.ok()) {
    e->state.serial = fetched->serial;
    e->state.error.clear();
    e->retry = Held(fetched->retry);
    // What was said while it was being asked may be newer than the answer.
    e->due = e->notified ? std::max(now.mono, e->notify_from) : now.mono + Held(fetched->refresh);
    return;
  }
  e->state.error = std::string(fetched.status().message());
  e->due = now.mono + e->retry;
  if (!e->state.serial) e->retry = std::min<Duration>(2 * e->retry, std::chrono::minutes(5));
}

void PolicyZoneTransfers::Run() {
  BeginThread("zone-transfers", kBackground);
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    const auto next = std::min_element(entries_.begin(), entries_.end(),
                                       [](const Entry& a, const Entry& b) { return a.due < b.due; });
    const MonoTime now = ReadClocks().mono;
    if (next == entries_.end() || next->due > now) {
      const Duration pause = next == entries_.end() ? kLatest : next->due - now;
      wake_.wait_for(lock, std::min<Duration>(pause, kLatest));
      continue;
    }
    const PolicyZoneFile file = next->file;
    const auto index = next - entries_.begin();
    const uint64_t configured = configured_;
    if (std::exchange(next->notified, false)) next->notify_from = now + kNotifyPause;
    lock.unlock();
    const auto fetched = Fetch(file);
    if (fetched.ok() && fetched->changed) on_new_();
    lock.lock();
    if (configured == configured_) Note(&entries_[static_cast<size_t>(index)], fetched);
  }
}

}  // namespace sekisho::resolver
