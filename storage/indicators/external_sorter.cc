// A run file:  entry*     entry := u32 key size | u32 value size (host order) | key | value
#include "storage/indicators/external_sorter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace sekisho::indicators {
namespace {

constexpr size_t kReadBuffer = size_t{256} << 10;
constexpr uint32_t kMaxEntry = 1 << 20;

absl::Status SystemError(const std::string& what) {
  return absl::UnavailableError(what + ": " + std::strerror(errno));
}

absl::Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return SystemError("cannot write a sort file");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

}  // namespace

class ExternalSorter::MemoryCursor final : public Cursor {
 public:
  explicit MemoryCursor(const ExternalSorter& sorter) : sorter_(sorter) {}
  bool Valid() const override { return at_ < sorter_.entries_.size(); }
  void Next() override { ++at_; }
  std::string_view key() const override {
    const Entry& e = sorter_.entries_[at_];
    return std::string_view(sorter_.arena_).substr(e.at, e.key_size);
  }
  std::string_view value() const override {
    const Entry& e = sorter_.entries_[at_];
    return std::string_view(sorter_.arena_).substr(e.at + e.key_size, e.value_size);
  }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  const ExternalSorter& sorter_;
  size_t at_ = 0;
};

class ExternalSorter::RunCursor final : public Cursor {
 public:
  explicit RunCursor(int fd) : fd_(fd) { Next(); }
  bool Valid() const override { return valid_; }
  void Next() override {
    uint32_t sizes[2];
    valid_ = Take(reinterpret_cast<char*>(sizes), sizeof(sizes));
    if (!valid_) return;
    if (sizes[0] > kMaxEntry || sizes[1] > kMaxEntry) {
      status_ = absl::DataLossError("a sort file is damaged");
      valid_ = false;
      return;
    }
    key_.resize(sizes[0]);
    value_.resize(sizes[1]);
    valid_ = Take(key_.data(), key_.size()) && Take(value_.data(), value_.size());
    if (!valid_ && status_.ok()) status_ = absl::DataLossError("a sort file is cut short");
  }
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return value_; }
  absl::Status status() const override { return status_; }

 private:
  bool Take(char* out, size_t n) {
    while (n > 0) {
      if (at_ == buffer_.size() && !Fill()) return false;
      const size_t piece = std::min(n, buffer_.size() - at_);
      std::memcpy(out, buffer_.data() + at_, piece);
      at_ += piece;
      out += piece;
      n -= piece;
    }
    return true;
  }
  bool Fill() {
    buffer_.resize(kReadBuffer);
    at_ = 0;
    ssize_t n;
    do {
      n = ::pread(fd_, buffer_.data(), buffer_.size(), offset_);
    } while (n < 0 && errno == EINTR);
    if (n < 0) status_ = SystemError("cannot read a sort file");
    buffer_.resize(n > 0 ? static_cast<size_t>(n) : 0);
    offset_ += n > 0 ? n : 0;
    return n > 0;
  }

  int fd_;
  off_t offset_ = 0;
  std::string buffer_;
  size_t at_ = 0;
  std::string key_;
  std::string value_;
  bool valid_ = false;
  absl::Status status_;
};

class ExternalSorter::MergeCursor final : public Cursor {
 public:
  explicit MergeCursor(std::vector<std::unique_ptr<Cursor>> runs) : runs_(std::move(runs)) { Choose(); }
  bool Valid() const override { return best_ != nullptr; }
  void Next() override {
    best_->Next();
    Choose();
  }
  std::string_view key() const override { return best_->key(); }
  std::string_view value() const override { return best_->value(); }
  absl::Status status() const override { return status_; }

 private:
  // The earliest run wins among equal keys, which keeps the order of Add. Runs are few: a scan does.
  void Choose() {
    best_ = nullptr;
    for (const auto& run : runs_) {
      if (!run->status().ok()) status_ = run->status();
      if (run->Valid() && (best_ == nullptr || run->key() < best_->key())) best_ = run.get();
    }
    if (!status_.ok()) best_ = nullptr;
  }

  std::vector<std::unique_ptr<Cursor>> runs_;
  Cursor* best_ = nullptr;
  absl::Status status_;
};

ExternalSorter::ExternalSorter(Options options) : options_(std::move(options)) {}

ExternalSorter::~ExternalSorter() {
  for (const int fd : runs_) ::close(fd);
}

absl::Status ExternalSorter::Add(std::string_view key, std::string_view value) {
  if (key.size() > kMaxEntry || value.size() > kMaxEntry)
    return absl::InvalidArgumentError("entry too large to sort");
  if (arena_.size() + key.size() + value.size() + (entries_.size() + 1) * sizeof(Entry) > options_.memory &&
      !entries_.empty()) {
    if (absl::Status status = Spill(); !status.ok()) return status;
  }
  entries_.push_back({arena_.size(), static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size())});
  arena_.append(key);
  arena_.append(value);
  ++size_;
  return absl::OkStatus();
}

void ExternalSorter::Sort() {
  const std::string_view arena = arena_;
  std::sort(entries_.begin(), entries_.end(), [arena](const Entry& a, const Entry& b) {
    const int order = arena.substr(a.at, a.key_size).compare(arena.substr(b.at, b.key_size));
    return order != 0 ? order < 0 : a.at < b.at;
  });
}

absl::Status ExternalSorter::Spill() {
  Sort();
  std::string path = options_.folder + "/sort-XXXXXX";
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return SystemError("cannot create a sort file in " + options_.folder);
  ::unlink(path.c_str());
  runs_.push_back(fd);
  std::string out;
  for (const Entry& entry : entries_) {
    const uint32_t sizes[2] = {entry.key_size, entry.value_size};
    out.append(reinterpret_cast<const char*>(sizes), sizeof(sizes));
    out.append(arena_, entry.at, size_t{entry.key_size} + entry.value_size);
    if (out.size() < kReadBuffer) continue;
    if (absl::Status status = WriteAll(fd, out); !status.ok()) return status;
    out.clear();
  }
  arena_.clear();
  entries_.clear();
  return WriteAll(fd, out);
}

absl::StatusOr<std::unique_ptr<ExternalSorter::Cursor>> ExternalSorter::Read() {
  Sort();
  if (runs_.empty()) return std::make_unique<MemoryCursor>(*this);
  std::vector<std::unique_ptr<Cursor>> cursors;
  for (const int fd : runs_) cursors.push_back(std::make_unique<RunCursor>(fd));
  cursors.push_back(std::make_unique<MemoryCursor>(*this));
  return std::make_unique<MergeCursor>(std::move(cursors));
}

}  // namespace sekisho::indicators
