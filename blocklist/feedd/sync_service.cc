#include "blocklist/feedd/sync_service.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sekisho::feedd {
namespace {

constexpr Duration kFirstRetry = std::chrono::minutes(1);
constexpr Duration kLastRetry = std::chrono::hours(1);
// Claims that expire one by one do not each cost a compile.
constexpr Duration kExpiryStep = std::chrono::seconds(30);
// The wall clock may jump meanwhile.
constexpr Duration kExpiryLook = std::chrono::seconds(5);

// ±10 %, so that many nodes do not ask a publisher in step.
Duration Spread(Duration duration, Rng& rng) {
  const int64_t tenth = std::max<int64_t>(duration.count() / 10, 1);
  return duration - Duration(tenth) +
         Duration(rng.Below(static_cast<uint32_t>(std::min<int64_t>(2 * tenth, 1 << 30))));
}

}  // namespace

SyncService::SyncService(indicators::IndicatorStore& store, PolicyPublisher& publisher, std::string folder,
                         Log log)
    : store_(store), publisher_(publisher), sync_(store, std::move(folder)), log_(std::move(log)) {}

SyncService::~SyncService() { Stop(); }

void SyncService::Configure(std::shared_ptr<const PolicyInputs> inputs) {
  const MonoTime now = ReadClocks().mono;
  const std::lock_guard<std::mutex> lock(mutex_);
  std::map<std::string, FeedState> feeds;
  for (const config::Feed& feed : inputs->feeds) {
    const auto known = feeds_.find(feed.name());
    FeedState& state = feeds[feed.name()];
    if (known != feeds_.end()) state = std::move(known->second);
    const config::Feed* before = inputs_ == nullptr ? nullptr : inputs_->Find(feed.name());
    if (before == nullptr || before->SerializeAsString() != feed.SerializeAsString()) state.due = now;
  }
  // A feed that is gone while it runs stays until it is done, for the sake of those who wait for it.
  for (auto& [name, state] : feeds_) {
    if (state.running && !feeds.contains(name)) feeds[name] = std::move(state);
  }
  feeds_ = std::move(feeds);
  inputs_ = std::move(inputs);
  dirty_ = true;
  wake_workers_.notify_all();
  wake_compiler_.notify_all();
}

std::shared_ptr<const PolicyInputs> SyncService::inputs() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return inputs_;
}

void SyncService::Start() {
  for (size_t i = 0; i < kWorkers; ++i) threads_.emplace_back([this] { Work(); });
  threads_.emplace_back([this] { Compile(); });
}

void SyncService::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    wake_workers_.notify_all();
    wake_compiler_.notify_all();
  }
  sync_.Stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void SyncService::Sync(const std::string& feed, Done done) {
  std::unique_lock<std::mutex> lock(mutex_);
  auto request = std::make_shared<Request>();
  request->done = std::move(done);
  const MonoTime now = ReadClocks().mono;
  for (auto& [name, state] : feeds_) {
    if (!feed.empty() && name != feed) continue;
    if (state.waiting.size() >= kMaxWaiting) {
      request->status = absl::ResourceExhaustedError("too many requests wait for " + name);
      continue;
    }
    ++request->left;
    state.due = now;
    state.waiting.push_back(request);
  }
  if (request->left > 0) {
    wake_workers_.notify_all();
    return;
  }
  lock.unlock();
  if (request->status.ok() && !feed.empty())
    request->status = absl::NotFoundError("no feed is named '" + feed + "'");
  request->done(request->status, publisher_.state().generation);
}

bool SyncService::Post(std::function<void()> task) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (tasks_.size() >= kMaxWaiting || stopping_) return false;
  tasks_.push_back(std::move(task));
  wake_workers_.notify_one();
  return true;
}

void SyncService::Decide(const std::string& feed, const Decision& decision, Done done) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = feeds_.find(feed);
    if (found != feeds_.end() && !found->second.decision && found->second.waiting.size() < kMaxWaiting) {
      auto request = std::make_shared<Request>();
      request->left = 1;
      request->done = std::move(done);
      found->second.decision = decision;
      found->second.waiting.push_back(std::move(request));
      found->second.due = ReadClocks().mono;
      wake_workers_.notify_all();
      return;
    }
  }
  done(absl::NotFoundError("no feed is named '" + feed + "', or it is being decided about"), 0);
}

std::optional<SyncService::FeedTimes> SyncService::Times(const std::string& feed) const {
  const Now now = ReadClocks();
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = feeds_.find(feed);
  if (found == feeds_.end()) return std::nullopt;
  return FeedTimes{now.wall + std::max(found->second.due - now.mono, Duration(0)), found->second.error,
                   found->second.in_force};
}

std::string SyncService::Choose(MonoTime now, std::optional<MonoTime>* next) const {
  std::string best;
  for (const auto& [name, state] : feeds_) {
    if (state.running || inputs_->Find(name) == nullptr) continue;
    if (*next && **next <= state.due) continue;
    *next = state.due;
    best = name;
  }
  return *next && **next <= now ? best : "";
}

void SyncService::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (!tasks_.empty()) {
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
      continue;
    }
    const MonoTime now = ReadClocks().mono;
    std::optional<MonoTime> next;
    const std::string name = inputs_ == nullptr ? "" : Choose(now, &next);
    if (!name.empty()) {
      RunFeed(name, lock);
    } else if (next) {
      wake_workers_.wait_for(lock, *next - now);
    } else {
      wake_workers_.wait(lock);
    }
  }
}

void SyncService::RunFeed(const std::string& name, std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<const PolicyInputs> inputs = inputs_;
  const config::Feed* feed = inputs->Find(name);
  std::optional<Decision> decision;
  std::vector<std::shared_ptr<Request>> requests;
  {
    FeedState& state = feeds_[name];
    state.running = true;
    decision = std::exchange(state.decision, std::nullopt);
    requests = std::exchange(state.waiting, {});
  }
  lock.unlock();
  const absl::StatusOr<SyncResult> result =
      decision ? sync_.Decide(*feed, *inputs->guard, *decision) : sync_.Fetch(*feed, *inputs->guard);
  LogResult(name, result);
  lock.lock();
  FeedState& state = feeds_[name];
  state.running = false;
  state.error = result.ok() ? "" : std::string(result.status().message());
  NoteDamage(result.status());
  // What was asked for meanwhile is due at once.
  if (state.waiting.empty()) Reschedule(*feed, !result.ok() || *result == SyncResult::kFailed, &state);
  const bool changed = result.ok() && *result == SyncResult::kAccepted;
  state.accepted_here = state.accepted_here || changed;
  if (changed) dirty_ = true;
  FinishRequests(std::move(requests), changed, result.ok() ? absl::OkStatus() : result.status(), lock);
  if (changed) wake_compiler_.notify_all();
}

void SyncService::Reschedule(const config::Feed& feed, bool failed, FeedState* state) {
  const Duration interval =
      std::chrono::seconds(feed.has_interval_seconds() ? feed.interval_seconds() : kDefaultInterval);
  Duration wait = interval;
  if (failed) {
    wait = std::min({kFirstRetry * (int64_t{1} << std::min(state->failures, 6u)), kLastRetry, interval});
    ++state->failures;
  } else {
    state->failures = 0;
  }
  state->due = ReadClocks().mono + Spread(wait, rng_);
}

void SyncService::FinishRequests(std::vector<std::shared_ptr<Request>> requests, bool changed,
                                 const absl::Status& status, std::unique_lock<std::mutex>& lock) {
  std::vector<std::shared_ptr<Request>> finished;
  for (std::shared_ptr<Request>& request : requests) {
    request->changed = request->changed || changed;
    if (request->status.ok()) request->status = status;
    if (--request->left > 0) continue;
    (request->changed || dirty_ || compiling_ ? for_next_compile_ : finished).push_back(std::move(request));
  }
  if (finished.empty()) return;
  lock.unlock();
  const uint64_t generation = publisher_.state().generation;
  for (const auto& request : finished) request->done(request->status, generation);
  lock.lock();
}

void SyncService::LogResult(const std::string& name, const absl::StatusOr<SyncResult>& result) {
  if (!result.ok()) {
    log_(true, "feed " + name + ": " + std::string(result.status().message()));
    return;
  }
  const absl::StatusOr<indicators::FeedRecord> record = store_.FeedNamed(name);
  if (!record.ok()) return;
  switch (*result) {
    case SyncResult::kAccepted:
      log_(false, "feed " + name + ": version " + std::to_string(record->committed_version()) + " with " +
                      std::to_string(record->indicators()) + " indicators accepted");
      break;
    case SyncResult::kUnchanged:
      break;
    case SyncResult::kHeld:
      log_(true, "feed " + name + ": held: " + record->held());
      break;
    case SyncResult::kFailed:
      log_(true, "feed " + name + ": " + record->last_error());
      break;
  }
}

std::string SyncService::damage() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return damage_;
}

void SyncService::NoteDamage(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kDataLoss)
    damage_ = "the indicator store is damaged: " + std::string(status.message());
}

bool SyncService::AnyUnread(const PolicyInputs& inputs) const {
  for (const config::Feed& feed : inputs.feeds) {
    const absl::StatusOr<indicators::FeedRecord> record = store_.FeedNamed(feed.name());
    if (!record.ok() || record->committed_version() == 0) return true;
  }
  return false;
}

std::map<std::string, uint64_t> SyncService::Versions(const PolicyInputs& inputs) const {
  std::map<std::string, uint64_t> out;
  for (const config::Feed& feed : inputs.feeds) {
    const absl::StatusOr<indicators::FeedRecord> record = store_.FeedNamed(feed.name());
    if (record.ok() && record->committed_version() != 0) out[feed.name()] = record->committed_version();
  }
  return out;
}

void SyncService::NoteInForce(const std::map<std::string, uint64_t>& versions, uint64_t generation) {
  for (const auto& [name, version] : versions) {
    const auto found = feeds_.find(name);
    if (found == feeds_.end() || found->second.in_force.version == version) continue;
    const bool known = found->second.in_force.version != 0 || found->second.accepted_here;
    found->second.in_force = {version, generation, known ? UnixMicros(ReadClocks().wall) : 0};
  }
}

// Until something changes, or a claim or a local entry expires by itself.
void SyncService::WaitToCompile(std::unique_lock<std::mutex>& lock) {
  if (wake_compiler_.wait_for(lock, kExpiryLook) != std::cv_status::timeout) return;
  const PolicyPublisher::State state = publisher_.state();
  const int64_t now_us = UnixMicros(ReadClocks().wall);
  // Not one compile for each claim of many that expire one after the other.
  dirty_ = dirty_ || (state.next_change_us != kNever && state.next_change_us + kExpiryStep.count() <= now_us);
  if (state.next_local_end_us > now_us) return;
  lock.unlock();
  const absl::StatusOr<uint64_t> generation = publisher_.PublishLocal();
  if (!generation.ok()) log_(true, "cannot publish: " + std::string(generation.status().message()));
  lock.lock();
}

void SyncService::Compile() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (!dirty_) {
      WaitToCompile(lock);
      continue;
    }
    dirty_ = false;
    compiling_ = true;
    std::vector<std::shared_ptr<Request>> requests = std::exchange(for_next_compile_, {});
    const std::shared_ptr<const PolicyInputs> inputs = inputs_;
    lock.unlock();
    if (rebuilding_ && !AnyUnread(*inputs)) rebuilding_ = false;
    const std::map<std::string, uint64_t> versions =
        rebuilding_ ? std::map<std::string, uint64_t>() : Versions(*inputs);
    const absl::StatusOr<uint64_t> generation =
        rebuilding_ ? publisher_.PublishLocal() : publisher_.PublishBase(inputs->feeds, *inputs->guard);
    if (generation.ok()) {
      log_(false, "generation " + std::to_string(*generation) + " published with " +
                      std::to_string(publisher_.state().rules) + " rules");
    } else {
      log_(true, "cannot publish: " + std::string(generation.status().message()));
    }
    lock.lock();
    NoteDamage(generation.status());
    if (generation.ok()) NoteInForce(versions, *generation);
    compiling_ = false;
    // Who came meanwhile with nothing new waited for this compile only.
    if (!dirty_) std::move(for_next_compile_.begin(), for_next_compile_.end(), std::back_inserter(requests));
    if (!dirty_) for_next_compile_.clear();
    lock.unlock();
    for (const auto& request : requests) {
      request->done(generation.ok() ? request->status : generation.status(),
                    generation.ok() ? *generation : 0);
    }
    lock.lock();
  }
}

}  // namespace sekisho::feedd
