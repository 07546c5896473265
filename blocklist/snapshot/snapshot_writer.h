// SnapshotWriter: publishes compiled rules into a snapshot folder.
//
//   base-<generation>.trie    all rules            delta-<generation>.trie   urgent changes laid over a base
//   CURRENT                   which of them are in force, replaced by rename(2)
//
//   auto writer = SnapshotWriter::Open(folder, {.keep = 3});
//   auto generation = writer->Publish([&](const TrieBuilder::Writer& write) { return builder.Finish(write);
//   }, nullptr);
//
// Every publish, rollback too, gets a generation one above the last, also across restarts. A publish writes a
// temporary file, syncs it, opens and verifies it, renames it and syncs the folder, and then does the same
// with CURRENT: whenever the machine stops, the old or the new is whole. What a crash left behind is removed
// by the next Open.
//
// Threads: one. A lock (flock(2) on LOCK) keeps a second writer out, also in another process.
// Limits: `keep` older publishes stay for Rollback, at most CurrentFile::kMaxKept.
#ifndef SEKISHO_BLOCKLIST_SNAPSHOT_SNAPSHOT_WRITER_H_
#define SEKISHO_BLOCKLIST_SNAPSHOT_SNAPSHOT_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "blocklist/snapshot/current_file.h"
#include "blocklist/trie/trie_builder.h"

namespace sekisho::blocklist {

class SnapshotWriter {
 public:
  struct Options {
    size_t keep = 3;
  };
  // Writes a trie's bytes: TrieBuilder::Finish with the writer handed on.
  using Fill = std::function<absl::Status(const TrieBuilder::Writer&)>;

  // Makes the folder if it is missing. A CURRENT that cannot be read is reported by damage(); the writer goes
  // on with a generation above all that were ever given.
  static absl::StatusOr<SnapshotWriter> Open(const std::string& folder, Options options);
  SnapshotWriter(SnapshotWriter&& other) noexcept;
  SnapshotWriter& operator=(SnapshotWriter&&) = delete;
  ~SnapshotWriter();

  // Puts a new base, a new delta or both in force and returns the generation. A null base keeps the base in
  // force; a null delta beside a new base means that no delta is laid over it.
  absl::StatusOr<uint64_t> Publish(const Fill& base, const Fill& delta);
  // Takes the delta away; the base stays.
  absl::StatusOr<uint64_t> DropDelta();
  // Puts the files of a kept publish in force again, after verifying them.
  absl::StatusOr<uint64_t> Rollback(uint64_t generation);

  // What is in force; generation 0: nothing yet.
  const blocklist::Publish& now() const { return current_.now; }
  // Older publishes that Rollback can reach, newest first.
  const std::vector<blocklist::Publish>& kept() const { return current_.kept; }
  const absl::Status& damage() const { return damage_; }

 private:
  SnapshotWriter(std::string folder, Options options, int lock);

  absl::Status Recover();
  absl::Status WriteTrie(const std::string& name, const Fill& fill);
  absl::StatusOr<uint64_t> PutInForce(const blocklist::Publish& next);
  void RemoveUnused() const;
  uint64_t NextGeneration() const { return last_generation_ + 1; }

  std::string folder_;
  Options options_;
  int lock_;
  CurrentFile current_;
  uint64_t last_generation_ = 0;
  absl::Status damage_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_SNAPSHOT_SNAPSHOT_WRITER_H_
