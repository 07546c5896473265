#include "resolver/server/policy_zone_files.h"

#include <absl/status/statusor.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "proto/base/this_thread.h"
#include "proto/config/printable.h"
#include "proto/dns/rdata.h"
#include "proto/io/unique_fd.h"
#include "resolver/core/rpz/zone_builder.h"

namespace sekisho::resolver {
namespace {

absl::Status Failed(const std::string& path, const char* what) {
  return absl::InvalidArgumentError(path + ": " + what + ": " + std::strerror(errno));
}

// Not blocking, so that a pipe in the file's place holds nobody up.
absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  const io::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return Failed(path, "cannot open");
  struct stat s{};
  if (::fstat(fd.get(), &s) != 0) return Failed(path, "cannot read");
  if (!S_ISREG(s.st_mode)) return absl::InvalidArgumentError(path + ": not a file");
  std::string text;
  const auto most = static_cast<size_t>(PolicyZoneFiles::kMaxFile);
  if (static_cast<uint64_t>(s.st_size) > most)
    return absl::InvalidArgumentError(path + ": larger than 1 GiB");
  text.resize(static_cast<size_t>(s.st_size));
  size_t got = 0;
  while (got < text.size()) {
    const ssize_t n = ::read(fd.get(), text.data() + got, text.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed(path, "cannot read");
    if (n == 0) break;
    got += static_cast<size_t>(n);
  }
  text.resize(got);
  return text;
}

std::optional<uint32_t> SerialOf(const rpz::Zone& zone) {
  const auto soa = zone.soa() ? dns::ReadSoa(zone.soa()->rdata.front()) : std::nullopt;
  if (!soa) return std::nullopt;
  return soa->serial;
}

}  // namespace

PolicyZoneFiles::PolicyZoneFiles(Published<const rpz::Zones>* published,
                                 std::function<void(const State&)> news)
    : published_(published), news_(std::move(news)) {}

PolicyZoneFiles::~PolicyZoneFiles() { Stop(); }

std::optional<PolicyZoneFiles::Identity> PolicyZoneFiles::Identify(const std::string& path) {
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) return std::nullopt;
  const auto nanos = [](const timespec& t) { return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec; };
  return Identity{s.st_dev, s.st_ino, static_cast<uint64_t>(s.st_size), nanos(s.st_mtim), nanos(s.st_ctim)};
}

// Leaves the zone as it is when the file is none.
void PolicyZoneFiles::Read(Entry* e) {
  const std::string& path = e->file.path;
  e->tried = e->seen = Identify(path);
  const auto text = ReadWhole(path);
  if (!text.ok()) {
    e->state.error = std::string(text.status().message());
    return;
  }
  rpz::ReadResult read = rpz::ReadZone(*text, e->file.origin);
  if (read.zone == nullptr) {
    e->state.error = path + ":" + std::to_string(read.line) + ": " + config::Printable(read.error);
    return;
  }
  e->zone = std::move(read.zone);
  e->state = {.name = e->file.name,
              .path = path,
              .in_force = true,
              .rules = e->zone->rules(),
              .bytes = e->zone->bytes(),
              .serial = SerialOf(*e->zone),
              .loaded = ReadClocks().wall,
              .left_out = read.left_out,
              .left_out_why = "",
              .error = ""};
  if (read.left_out != 0) {
    e->state.left_out_why =
        path + ":" + std::to_string(read.left_out_line) + ": " + config::Printable(read.left_out_reason);
  }
}

absl::Status PolicyZoneFiles::Load(const std::vector<PolicyZoneFile>& files) {
  const std::lock_guard<std::mutex> loading(loading_);
  std::vector<Entry> fresh;
  for (const PolicyZoneFile& file : files) {
    Entry e;
    const auto old = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& o) { return o.file.origin == file.origin; });
    if (old != entries_.end()) {
      e.zone = old->zone;
      e.state = old->state;
    }
    e.file = file;
    e.state.name = file.name;
    e.state.path = file.path;
    Read(&e);
    const bool may_come = !file.primaries.empty() && !e.tried;
    if (e.zone == nullptr && !may_come) return absl::InvalidArgumentError("resolver.rpz: " + e.state.error);
    fresh.push_back(std::move(e));
  }
  for (const Entry& old : entries_) {
    if (old.zone != nullptr) retired_.push_back(old.zone);
  }
  entries_ = std::move(fresh);
  Publish();
  for (const Entry& e : entries_) news_(e.state);
  return absl::OkStatus();
}

void PolicyZoneFiles::Publish() {
  auto zones = std::make_shared<rpz::Zones>();
  std::vector<State> states;
  for (const Entry& e : entries_) {
    if (e.zone != nullptr) (*zones)[e.file.name] = e.zone;
    states.push_back(e.state);
  }
  published_->Publish(std::move(zones));
  const std::lock_guard<std::mutex> lock(mutex_);
  states_ = std::move(states);
}

void PolicyZoneFiles::Start() {
  thread_ = std::thread([this] { Run(); });
}

void PolicyZoneFiles::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::vector<PolicyZoneFiles::State> PolicyZoneFiles::states() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return states_;
}

void PolicyZoneFiles::Run() {
  BeginThread("policy-zones", kBackground);
  for (;;) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      if (wake_.wait_for(lock, kPause, [this] { return stop_; })) return;
    }
    Look();
  }
}

void PolicyZoneFiles::Look(bool whole) {
  const std::lock_guard<std::mutex> loading(loading_);
  std::erase_if(retired_, [](const auto& zone) { return zone.use_count() == 1; });
  std::vector<const Entry*> told;
  for (Entry& e : entries_) {
    const auto now = Identify(e.file.path);
    const bool still = whole || now == e.seen;
    e.seen = now;
    // Somebody may be writing it.
    if (now == e.tried || !still) continue;
    const auto old = e.zone;
    Read(&e);
    if (e.zone != old && old != nullptr) retired_.push_back(old);
    told.push_back(&e);
  }
  if (told.empty()) return;
  Publish();
  for (const Entry* e : told) news_(e->state);
}

}  // namespace sekisho::resolver
