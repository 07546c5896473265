#include "blocklist/snapshot/snapshot_watcher.h"

#include <utility>

#include "blocklist/snapshot/current_file.h"

namespace sekisho::blocklist {
namespace {

bool SameFile(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

}  // namespace

bool SnapshotWatcher::Changed() {
  struct stat now{};
  if (::stat((reader_.folder() + "/" + kCurrentName).c_str(), &now) != 0) now = {};
  const bool same = SameFile(now, seen_);
  seen_ = now;
  return !same && now.st_ino != 0;
}

absl::StatusOr<std::shared_ptr<const PolicySnapshot>> SnapshotWatcher::Poll() {
  const bool changed = Changed();
  const bool retry = polls_until_retry_ > 0 && --polls_until_retry_ == 0;
  if (!changed && !retry) return nullptr;
  auto snapshot = reader_.Open();
  if (!snapshot.ok()) {
    polls_until_retry_ = kRetryPolls;
    if (absl::IsNotFound(snapshot.status()) && seen_.st_ino == 0) return nullptr;
    if (!changed) return nullptr;  // said before
    return snapshot.status();
  }
  polls_until_retry_ = 0;
  if (last_ && last_->generation() == (*snapshot)->generation()) return nullptr;
  last_ = *std::move(snapshot);
  return last_;
}

}  // namespace sekisho::blocklist
