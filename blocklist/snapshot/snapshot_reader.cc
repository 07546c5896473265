#include "blocklist/snapshot/snapshot_reader.h"

#include <optional>
#include <utility>

#include "blocklist/snapshot/read_current.h"

namespace sekisho::blocklist {
namespace {

// A writer may remove a file between our look at CURRENT and our open(2) of the file; the next look finds its
// follower.
constexpr int kAttempts = 5;

struct OpenTries {
  std::shared_ptr<const MappedTrie> base;
  std::shared_ptr<const MappedTrie> delta;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const PolicySnapshot>> SnapshotReader::Open() {
  uint64_t generation = 0;
  for (int attempt = 1;; ++attempt) {
    auto snapshot = OpenOnce();
    if (snapshot.ok() || !absl::IsNotFound(snapshot.status()) || attempt == kAttempts) return snapshot;
    const auto current = ReadCurrent(folder_);
    if (!current.ok() || current->now.generation == generation) return snapshot;
    generation = current->now.generation;
  }
}

absl::StatusOr<std::shared_ptr<const PolicySnapshot>> SnapshotReader::OpenOnce() {
  auto current = ReadCurrent(folder_);
  if (!current.ok()) return current.status();
  const blocklist::Publish& now = current->now;
  auto tries = std::make_shared<OpenTries>();
  if (now.base == base_generation_) tries->base = base_.lock();
  if (!tries->base) {
    auto base = MappedTrie::Open(folder_ + "/" + BaseFileName(now.base), residence_);
    if (!base.ok()) return base.status();
    tries->base = *std::move(base);
    base_ = tries->base;
    base_generation_ = now.base;
  }
  std::optional<TrieView> delta_view;
  if (now.delta != 0) {
    auto delta = MappedTrie::Open(folder_ + "/" + DeltaFileName(now.delta), residence_);
    if (!delta.ok()) return delta.status();
    tries->delta = *std::move(delta);
    delta_view = tries->delta->view();
  }
  const TrieView base_view = tries->base->view();
  return std::make_shared<const PolicySnapshot>(now.generation, base_view, delta_view, std::move(tries));
}

}  // namespace sekisho::blocklist
