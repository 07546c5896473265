// LOCK holds the last generation given, as decimal text: it is read only when CURRENT cannot be.
#include "blocklist/snapshot/snapshot_writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "blocklist/snapshot/durable_file.h"
#include "blocklist/snapshot/mapped_trie.h"
#include "blocklist/snapshot/read_current.h"

namespace sekisho::blocklist {
namespace {

namespace fs = std::filesystem;

// The generation in "base-7.trie" or "delta-7.trie".
std::optional<uint64_t> GenerationOf(std::string_view name) {
  for (std::string_view prefix : {"base-", "delta-"}) {
    if (!name.starts_with(prefix) || !name.ends_with(".trie")) continue;
    name.remove_prefix(prefix.size());
    name.remove_suffix(5);
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
    if (error == std::errc() && end == name.data() + name.size()) return value;
    return std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  return names;
}

uint64_t GenerationInLock(int lock) {
  char text[24];
  const ssize_t n = ::pread(lock, text, sizeof(text), 0);
  uint64_t value = 0;
  if (n > 0) std::from_chars(text, text + n, value);
  return value;
}

}  // namespace

absl::StatusOr<SnapshotWriter> SnapshotWriter::Open(const std::string& folder, Options options) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(folder + ": cannot make the folder: " + error.message());
  const std::string path = folder + "/LOCK";
  const int lock = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (lock < 0) return SystemError(path, "cannot open");
  SnapshotWriter writer(folder, options, lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0)
    return SystemError(path, "another writer holds the snapshot folder");
  if (auto s = writer.Recover(); !s.ok()) return s;
  return writer;
}

SnapshotWriter::SnapshotWriter(std::string folder, Options options, int lock)
    : folder_(std::move(folder)), options_(options), lock_(lock) {
  options_.keep = std::min(options_.keep, CurrentFile::kMaxKept);
}

SnapshotWriter::SnapshotWriter(SnapshotWriter&& other) noexcept
    : folder_(std::move(other.folder_)),
      options_(other.options_),
      lock_(std::exchange(other.lock_, -1)),
      current_(std::move(other.current_)),
      last_generation_(other.last_generation_),
      damage_(std::move(other.damage_)) {}

SnapshotWriter::~SnapshotWriter() {
  if (lock_ >= 0) ::close(lock_);  // and so unlocks
}

absl::Status SnapshotWriter::Recover() {
  auto current = ReadCurrent(folder_);
  if (current.ok()) {
    current_ = *std::move(current);
    last_generation_ = current_.now.generation;
  } else if (!absl::IsNotFound(current.status())) {
    damage_ = current.status();
  }
  for (const std::string& name : NamesIn(folder_)) {
    if (name.ends_with(kTemporarySuffix)) ::unlink((folder_ + "/" + name).c_str());
    // With CURRENT gone nothing else tells which generations were given.
    const auto generation = GenerationOf(name);
    if (generation && current_.now.generation == 0)
      last_generation_ = std::max(last_generation_, *generation);
  }
  if (current_.now.generation == 0) last_generation_ = std::max(last_generation_, GenerationInLock(lock_));
  // Unused tries are removed only beside a CURRENT that says which are used.
  if (current_.now.generation != 0) RemoveUnused();
  return absl::OkStatus();
}

absl::Status SnapshotWriter::WriteTrie(const std::string& name, const Fill& fill) {
  auto file = DurableFile::Create(folder_, name);
  if (!file.ok()) return file.status();
  if (auto s = fill([&file](std::span<const uint8_t> bytes) { return file->Append(bytes); }); !s.ok())
    return s;
  if (auto s = file->Sync(); !s.ok()) return s;
  auto read_back = MappedTrie::Open(file->temporary_path(), TrieResidence::kMapped);
  if (!read_back.ok()) return read_back.status();
  return file->Commit();
}

absl::StatusOr<uint64_t> SnapshotWriter::Publish(const Fill& base, const Fill& delta) {
  if (!base && !delta) return absl::InvalidArgumentError("a publish without a base and without a delta");
  if (!base && current_.now.base == 0)
    return absl::FailedPreconditionError(folder_ + ": no base to lay a delta over");
  blocklist::Publish next{.generation = NextGeneration(), .base = current_.now.base, .delta = 0};
  if (base) {
    next.base = next.generation;
    if (auto s = WriteTrie(BaseFileName(next.base), base); !s.ok()) return s;
  }
  if (delta) {
    next.delta = next.generation;
    if (auto s = WriteTrie(DeltaFileName(next.delta), delta); !s.ok()) return s;
  }
  return PutInForce(next);
}

absl::StatusOr<uint64_t> SnapshotWriter::DropDelta() {
  if (current_.now.base == 0) return absl::FailedPreconditionError(folder_ + ": nothing was published yet");
  return PutInForce({.generation = NextGeneration(), .base = current_.now.base, .delta = 0});
}

absl::StatusOr<uint64_t> SnapshotWriter::Rollback(uint64_t generation) {
  const auto found = std::find_if(current_.kept.begin(), current_.kept.end(),
                                  [generation](const auto& p) { return p.generation == generation; });
  if (found == current_.kept.end()) {
    return absl::NotFoundError(folder_ + ": generation " + std::to_string(generation) + " is not kept");
  }
  blocklist::Publish next = *found;
  next.generation = NextGeneration();
  auto base = MappedTrie::Open(folder_ + "/" + BaseFileName(next.base), TrieResidence::kMapped);
  if (!base.ok()) return base.status();
  if (next.delta != 0) {
    auto delta = MappedTrie::Open(folder_ + "/" + DeltaFileName(next.delta), TrieResidence::kMapped);
    if (!delta.ok()) return delta.status();
  }
  return PutInForce(next);
}

absl::StatusOr<uint64_t> SnapshotWriter::PutInForce(const blocklist::Publish& next) {
  CurrentFile file{next, current_.kept};
  if (current_.now.generation != 0) file.kept.insert(file.kept.begin(), current_.now);
  if (file.kept.size() > options_.keep) file.kept.resize(options_.keep);
  const std::string text = file.Write();
  auto durable = DurableFile::Create(folder_, kCurrentName);
  if (!durable.ok()) return durable.status();
  const auto* data = reinterpret_cast<const uint8_t*>(text.data());
  if (auto s = durable->Append({data, text.size()}); !s.ok()) return s;
  if (auto s = durable->Commit(); !s.ok()) return s;
  current_ = std::move(file);
  last_generation_ = next.generation;
  const std::string digits = std::to_string(last_generation_);
  if (::pwrite(lock_, digits.data(), digits.size(), 0) < 0)
    damage_ = SystemError(folder_ + "/LOCK", "cannot write");
  RemoveUnused();
  return next.generation;
}

void SnapshotWriter::RemoveUnused() const {
  std::set<std::string> used;
  const auto use = [&used](const blocklist::Publish& p) {
    used.insert(BaseFileName(p.base));
    if (p.delta != 0) used.insert(DeltaFileName(p.delta));
  };
  use(current_.now);
  for (const auto& p : current_.kept) use(p);
  for (const std::string& name : NamesIn(folder_)) {
    if (GenerationOf(name) && !used.contains(name)) ::unlink((folder_ + "/" + name).c_str());
  }
}

}  // namespace sekisho::blocklist
