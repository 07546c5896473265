// SnapshotReader: opens what is in force in a snapshot folder, wholly verified.
//
// A base that it opened before is not read again while CURRENT still names it, so a new delta costs only the
// delta.
//
// Threads: one; the snapshots it gives may be used by any thread and outlive it.
#ifndef SEKISHO_BLOCKLIST_SNAPSHOT_SNAPSHOT_READER_H_
#define SEKISHO_BLOCKLIST_SNAPSHOT_SNAPSHOT_READER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "blocklist/snapshot/mapped_trie.h"
#include "blocklist/trie/policy_snapshot.h"

namespace sekisho::blocklist {

class SnapshotReader {
 public:
  explicit SnapshotReader(std::string folder, TrieResidence residence = TrieResidence::kCopied)
      : folder_(std::move(folder)), residence_(residence) {}

  const std::string& folder() const { return folder_; }
  // NotFound when nothing was published yet; otherwise the error names the file and what is wrong with it.
  absl::StatusOr<std::shared_ptr<const PolicySnapshot>> Open();

 private:
  absl::StatusOr<std::shared_ptr<const PolicySnapshot>> OpenOnce();

  std::string folder_;
  TrieResidence residence_;
  uint64_t base_generation_ = 0;
  std::weak_ptr<const MappedTrie> base_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_SNAPSHOT_SNAPSHOT_READER_H_
