#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "proto/record/spool.h"

namespace sekisho::record {
namespace {

constexpr std::string_view kSegmentMagic = "SKSPOOL1";
constexpr std::string_view kSuffix = ".spool";

}  // namespace

std::string SegmentId::FileName() const {
  char text[64];
  std::snprintf(text, sizeof(text), "%08x-%016llx-%08u.spool", node, static_cast<unsigned long long>(boot),
                number);
  return text;
}

std::optional<SegmentId> SegmentId::Parse(std::string_view name) {
  if (name.size() != 8 + 1 + 16 + 1 + 8 + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  SegmentId id;
  const auto field = [&name](size_t from, size_t size, int base, auto* out) {
    const char* end = name.data() + from + size;
    const auto r = std::from_chars(name.data() + from, end, *out, base);
    return r.ec == std::errc() && r.ptr == end;
  };
  if (name[8] != '-' || name[25] != '-' || !field(0, 8, 16, &id.node) || !field(9, 16, 16, &id.boot) ||
      !field(26, 8, 10, &id.number) || id.FileName() != name) {
    return std::nullopt;
  }
  return id;
}

SpoolWriter::SpoolWriter(SpoolOptions options) : options_(std::move(options)) {}

SpoolWriter::~SpoolWriter() { CloseSegment(); }

bool SpoolWriter::Fail(const char* what) {
  error_ = std::string(what) + ": " + std::strerror(errno);
  return false;
}

// Finds out what the other segments take; logd removes some now and then, so it is measured again every
// second.
void SpoolWriter::MeasureOthers(MonoTime now) {
  if (measured_once_ && now - measured_ < std::chrono::seconds(1)) return;
  measured_ = now;
  measured_once_ = true;
  DIR* dir = opendir(options_.dir.c_str());
  if (dir == nullptr) return;
  uint64_t sum = 0;
  while (const dirent* entry = readdir(dir)) {
    const auto id = SegmentId::Parse(entry->d_name);
    if (!id || (fd_ >= 0 && id->node == options_.node && id->boot == options_.boot && id->number == number_))
      continue;
    struct stat st{};
    if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0) sum += static_cast<uint64_t>(st.st_size);
  }
  closedir(dir);
  others_ = sum;
}

bool SpoolWriter::OpenSegment(MonoTime now) {
  const SegmentId id{options_.node, options_.boot, number_ + 1};
  const std::string name = options_.dir + "/" + id.FileName();
  const std::string hidden = name + ".new";
  fd_ = open(hidden.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd_ < 0) return Fail("cannot create a spool segment");
  size_ = 0;
  const bool ready = flock(fd_, LOCK_EX | LOCK_NB) == 0 && WriteAll(kSegmentMagic) &&
                     renameat2(AT_FDCWD, hidden.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0;
  if (!ready) {
    Fail("cannot begin a spool segment");
    close(fd_);
    fd_ = -1;
    unlink(hidden.c_str());
    return false;
  }
  const int dir = open(options_.dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0) {
    if (fsync(dir) != 0) ++sync_failures_;
    close(dir);
  }
  number_ = id.number;
  size_ = kSegmentMagic.size();
  opened_ = now;
  dirty_ = true;
  return true;
}

void SpoolWriter::CloseSegment() {
  if (fd_ < 0) return;
  if (dirty_ && fdatasync(fd_) != 0) ++sync_failures_;
  close(fd_);  // and with it the lock
  fd_ = -1;
  others_ += size_;
  size_ = 0;
  dirty_ = false;
}

bool SpoolWriter::WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Fail("cannot write to the spool");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

SpoolWriter::Outcome SpoolWriter::Append(std::string_view block, MonoTime now) {
  if (fd_ >= 0 && (size_ + block.size() > options_.segment_bytes || now - opened_ >= options_.segment_age) &&
      size_ > kSegmentMagic.size()) {
    CloseSegment();
  }
  MeasureOthers(now);
  if (others_ + size_ + block.size() > options_.quota_bytes) {
    error_ = "the spool's quota of " + std::to_string(options_.quota_bytes) + " bytes is used up";
    return Outcome::kOverQuota;
  }
  if (fd_ < 0 && !OpenSegment(now)) return Outcome::kFailed;
  if (!WriteAll(block)) {
    // Take back the part that was written; where even that fails, the segment ends here with a torn tail.
    if (ftruncate(fd_, static_cast<off_t>(size_)) != 0 ||
        lseek(fd_, static_cast<off_t>(size_), SEEK_SET) < 0) {
      CloseSegment();
    }
    return Outcome::kFailed;
  }
  size_ += block.size();
  bytes_written_ += block.size();
  dirty_ = true;
  error_.clear();
  Sync(now, false);
  return Outcome::kWritten;
}

void SpoolWriter::Sync(MonoTime now, bool force) {
  if (fd_ < 0 || !dirty_ || (!force && now - synced_ < options_.sync_every)) return;
  synced_ = now;
  if (fdatasync(fd_) == 0) {
    dirty_ = false;
    return;
  }
  // The kernel may have thrown the pages away: nothing further goes into this file.
  Fail("cannot make the spool durable");
  ++sync_failures_;
  dirty_ = false;
  CloseSegment();
}

}  // namespace sekisho::record
