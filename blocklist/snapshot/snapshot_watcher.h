// SnapshotWatcher: tells, on being asked, whether a new snapshot is in force, and opens it.
//
//   SnapshotWatcher watcher(folder);
//   auto fresh = watcher.Poll();                       // every 50–100 ms, or when inotify says so
//   if (!fresh.ok()) …report, the old snapshot stays
//   else if (*fresh) published.Publish(*fresh);
//
// A poll that finds nothing new is one stat(2). A CURRENT that cannot be opened is reported once and tried
// again after kRetryPolls polls, or at once when it changes. Poll may read and verify a whole file: not for a
// thread that answers.
//
// Threads: one. Limits: keeps the last snapshot alive until a newer one is opened.
#ifndef SEKISHO_BLOCKLIST_SNAPSHOT_SNAPSHOT_WATCHER_H_
#define SEKISHO_BLOCKLIST_SNAPSHOT_SNAPSHOT_WATCHER_H_

#include <sys/stat.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "blocklist/snapshot/snapshot_reader.h"

namespace sekisho::blocklist {

class SnapshotWatcher {
 public:
  static constexpr int kRetryPolls = 100;

  explicit SnapshotWatcher(std::string folder, TrieResidence residence = TrieResidence::kCopied)
      : reader_(std::move(folder), residence) {}

  // The new snapshot; null when there is none; an error when CURRENT changed to something that cannot be
  // used. A missing CURRENT is no error: nothing was published yet.
  absl::StatusOr<std::shared_ptr<const PolicySnapshot>> Poll();
  // The last good one, or null.
  const std::shared_ptr<const PolicySnapshot>& last() const { return last_; }

 private:
  bool Changed();

  SnapshotReader reader_;
  struct stat seen_{};
  int polls_until_retry_ = 0;  // 0: no retry wanted
  std::shared_ptr<const PolicySnapshot> last_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_SNAPSHOT_SNAPSHOT_WATCHER_H_
