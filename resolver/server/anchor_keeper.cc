#include "resolver/server/anchor_keeper.h"

#include <cstdio>
#include <utility>

#include "blocklist/snapshot/durable_file.h"
#include "proto/base/bytes.h"
#include "proto/base/this_thread.h"
#include "resolver/config/record_file.h"
#include "resolver/core/validator/anchor_text.h"

namespace sekisho::resolver {
namespace {

using dnssec::AnchorState;
using dnssec::TrustPoint;

constexpr char kFile[] = "trust-anchors";
// How long to wait before a state that could not be written is tried again.
constexpr Duration kRetry = std::chrono::minutes(1);

bool Same(const std::vector<dns::TextRecord>& a, const std::vector<dns::TextRecord>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.owner == y.owner && x.type == y.type && x.rdata == y.rdata;
  });
}

const dnssec::AnchorKey* FindKey(const std::vector<TrustPoint>& points, const dns::Name& zone,
                                 const std::string& rdata) {
  for (const TrustPoint& point : points) {
    if (point.zone != zone) continue;
    for (const auto& key : point.keys) {
      if (key.rdata == rdata) return &key;
    }
  }
  return nullptr;
}

}  // namespace

AnchorKeeper::AnchorKeeper(std::string folder, Published<const Settings>* settings,
                           std::function<void()> published, News news)
    : folder_(std::move(folder)),
      settings_(settings),
      published_(std::move(published)),
      news_(std::move(news)),
      rollover_([this] {
        {
          const std::lock_guard lock(mutex_);
          changed_ = true;
        }
        Publish();
        wake_.notify_all();
      }) {}

AnchorKeeper::~AnchorKeeper() { Stop(); }

void AnchorKeeper::Configure(std::shared_ptr<const Settings> settings) {
  if (settings->rfc5011) {
    Read();
    rollover_.Configure(*settings);
  }
  {
    const std::lock_guard lock(mutex_);
    configured_ = std::move(settings);
    in_force_ = configured_->trust_anchors;
    if (told_.empty()) told_ = rollover_.Points();
    if (!configured_->rfc5011) {
      settings_->Publish(configured_);
      return;
    }
    in_force_.clear();
  }
  Publish();
}

// What cannot be used is kept beside, for whoever wants to know why, and what is written next does not
// replace it.
void AnchorKeeper::Read() {
  if (std::exchange(was_read_, true)) return;
  const std::string path = folder_ + "/" + kFile;
  const auto text = ReadTextFile(path);
  if (!text.ok() && absl::IsNotFound(text.status())) return;
  std::string error;
  std::optional<std::vector<TrustPoint>> points;
  if (text.ok()) {
    points = dnssec::ReadAnchors(*text, &error);
  } else {
    error = std::string(text.status().message());
  }
  if (points) return rollover_.Restore(*std::move(points));
  const bool aside = std::rename(path.c_str(), (path + ".damaged").c_str()) == 0;
  error = path + ": " + error + (aside ? "; set aside as trust-anchors.damaged" : "");
  {
    const std::lock_guard lock(mutex_);
    read_error_ = error;
  }
  news_(error + "; the configured anchors count", true);
}

void AnchorKeeper::Publish() {
  {
    const std::lock_guard lock(mutex_);
    std::vector<dns::TextRecord> anchors = rollover_.Anchors();
    if (configured_ == nullptr || !configured_->rfc5011 || Same(anchors, in_force_)) return;
    in_force_ = anchors;
    Settings settings = *configured_;
    settings.trust_anchors = std::move(anchors);
    settings_->Publish(std::make_shared<const Settings>(std::move(settings)));
  }
  published_();
}

void AnchorKeeper::Start() {
  thread_ = std::thread([this] { Run(); });
}

void AnchorKeeper::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

AnchorKeeper::State AnchorKeeper::state() const {
  State state;
  std::vector<TrustPoint> points = rollover_.Points();
  const std::lock_guard lock(mutex_);
  state.follows = configured_ != nullptr && configured_->rfc5011 && configured_->validate;
  if (state.follows) state.points = std::move(points);
  state.read_error = read_error_;
  state.write_error = write_error_;
  return state;
}

void AnchorKeeper::Run() {
  BeginThread("anchor-keeper", kBackground);
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto due = [this] { return stop_ || changed_; };
    if (write_error_.empty()) {
      wake_.wait(lock, due);
    } else {
      changed_ |= !wake_.wait_for(lock, kRetry, due);
    }
    const bool stop = stop_;
    if (std::exchange(changed_, false)) {
      lock.unlock();
      Write();
      lock.lock();
    }
    if (stop) return;
  }
}

void AnchorKeeper::Write() {
  const std::vector<TrustPoint> points = rollover_.Points();
  TellChanges(points);
  auto file = blocklist::DurableFile::Create(folder_, kFile);
  absl::Status status = file.status();
  if (status.ok()) status = file->Append(AsBytes(dnssec::WriteAnchors(points)));
  if (status.ok()) status = file->Commit();
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    is_new = !status.ok() && write_error_.empty();
    write_error_ = status.ok() ? "" : std::string(status.message());
  }
  if (is_new) news_("trust anchors cannot be kept: " + std::string(status.message()), true);
}

void AnchorKeeper::TellChanges(const std::vector<TrustPoint>& points) {
  for (const TrustPoint& point : points) {
    for (const auto& key : point.keys) {
      const auto* before = FindKey(told_, point.zone, key.rdata);
      if (before != nullptr && before->state == key.state) continue;
      news_("trust anchor " + point.zone.ToString() + " " + std::to_string(dns::KeyTag(AsBytes(key.rdata))) +
                ": " + (before == nullptr ? "new" : ToString(before->state)) + " -> " + ToString(key.state),
            key.state == AnchorState::kRevoked);
    }
  }
  told_ = points;
}

}  // namespace sekisho::resolver
