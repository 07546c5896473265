// File := START frame* STOP (Frame Streams) | (JSON LF)*;   FILE.20260131T090005Z[-N] are the older ones.
//
// A file is cut back to the end of its last whole block when a write fails, so a full disk leaves no half
// payload.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "proto/base/time_text.h"
#include "storage/export/frame_stream.h"
#include "storage/export/sink.h"

namespace sekisho::exports {
namespace {

namespace fs = std::filesystem;

constexpr size_t kAtOnce = 256 << 10;
constexpr Duration kSyncEvery = std::chrono::seconds(1);

// "20260131T090005Z": sorts by time.
std::string Stamp(WallTime now) {
  std::string text = FormatTime(UnixMicros(now), TimeZone{}, 0).substr(0, 19);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

class FileSink final : public Sink {
 public:
  explicit FileSink(const SinkOptions& options) : options_(options) {}
  ~FileSink() override {
    if (fd_) Put(Stop());
  }

  bool Open() {
    struct stat st{};
    const bool there = ::stat(options_.file.c_str(), &st) == 0 && st.st_size > 0;
    // A frame stream has one beginning, and lines may be torn: both begin a new file.
    if (there && options_.framing == Framing::kFrameStream && !MoveAway()) return false;
    fd_ = io::UniqueFd(
        ::open(options_.file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!fd_ || ::fstat(fd_.get(), &st) != 0) return Fail("cannot open");
    if (!S_ISREG(st.st_mode)) return Fail("is no file", 0);
    if (!CutTornLine(static_cast<uint64_t>(st.st_size))) return Fail("cannot cut a torn line");
    size_ = good_ = static_cast<uint64_t>(::lseek(fd_.get(), 0, SEEK_END));
    inode_ = st.st_ino;
    if (options_.framing != Framing::kFrameStream) return true;
    if (!Put(ControlFrame(Control::kStart, kDnstapContent))) return false;
    good_ = size_;
    return true;
  }

  bool Write(const std::vector<Payload>& payloads, const io::Patience&) override {
    std::string bytes;
    for (const Payload& p : payloads) {
      AppendFramed(options_.framing, options_.host, p, &bytes);
      if (bytes.size() < kAtOnce) continue;
      if (!Put(bytes)) return false;
      sent_ += bytes.size();
      bytes.clear();
    }
    if (bytes.empty()) return true;
    if (!Put(bytes)) return false;
    sent_ += bytes.size();
    return true;
  }

  bool EndBlock() override {
    good_ = size_;
    struct stat st{};
    const bool ours = ::stat(options_.file.c_str(), &st) == 0 && st.st_ino == inode_;
    if (ours && size_ < options_.rotate_bytes) return true;
    if (!Put(Stop()) || ::fdatasync(fd_.get()) != 0) return Fail("cannot write");
    taken_ = sent_;
    fd_.reset();
    if (ours && !MoveAway()) return false;
    DropOld();
    return Open();
  }

  uint64_t sent() const override { return sent_; }

  uint64_t taken(MonoTime now) override {
    if (taken_ == sent_ || now - synced_ < kSyncEvery) return taken_;
    synced_ = now;
    if (::fdatasync(fd_.get()) == 0)
      taken_ = sent_;
    else
      Fail("cannot make it durable");
    return taken_;
  }

  bool Finish(const io::Patience&) override { return fd_ && ::fdatasync(fd_.get()) == 0; }

 private:
  std::string Stop() const {
    return options_.framing == Framing::kFrameStream ? ControlFrame(Control::kStop, {}) : std::string();
  }
  bool Fail(const char* what, int number = errno) {
    error_ = options_.file + ": " + what + (number == 0 ? "" : std::string(": ") + std::strerror(number));
    return false;
  }

  bool Put(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        Fail("cannot write", n < 0 ? errno : ENOSPC);
        if (::ftruncate(fd_.get(), static_cast<off_t>(good_)) == 0) size_ = good_;
        return false;
      }
      size_ += static_cast<uint64_t>(n);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  // A process that died while writing left half a line.
  bool CutTornLine(uint64_t size) {
    std::string tail(std::min<uint64_t>(size, 1 << 20), '\0');
    if (tail.empty()) return true;
    const uint64_t from = size - tail.size();
    if (::pread(fd_.get(), tail.data(), tail.size(), static_cast<off_t>(from)) !=
        static_cast<ssize_t>(tail.size())) {
      return false;
    }
    if (tail.back() == '\n') return true;
    const size_t end = tail.rfind('\n');
    const uint64_t keep = end == std::string::npos ? from : from + end + 1;
    return ::ftruncate(fd_.get(), static_cast<off_t>(keep)) == 0;
  }

  bool MoveAway() {
    const std::string to = options_.file + "." + Stamp(ReadClocks().wall);
    std::string free = to;
    std::error_code ec;
    for (int i = 1; fs::exists(free, ec); ++i) free = to + "-" + std::to_string(i);
    fs::rename(options_.file, free, ec);
    return !ec || Fail("cannot be moved away", ec.value());
  }

  void DropOld() const {
    const fs::path file(options_.file);
    const std::string prefix = file.filename().string() + ".2";
    std::vector<fs::path> old;
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(file.parent_path(), ec)) {
      const std::string name = entry.path().filename();
      const size_t stamp = prefix.size() - 1;
      if (name.starts_with(prefix) && name.size() >= stamp + 16 && name[stamp + 8] == 'T' &&
          name[stamp + 15] == 'Z') {
        old.push_back(entry.path());
      }
    }
    std::sort(old.begin(), old.end());
    for (size_t i = 0; i + options_.keep_files < old.size(); ++i) fs::remove(old[i], ec);
  }

  SinkOptions options_;
  io::UniqueFd fd_;
  ino_t inode_ = 0;
  uint64_t size_ = 0;  // of the file
  uint64_t good_ = 0;  // up to here it makes sense
  uint64_t sent_ = 0;
  uint64_t taken_ = 0;
  MonoTime synced_{};
};

}  // namespace

std::unique_ptr<Sink> OpenFileSink(const SinkOptions& options, std::string* error) {
  auto sink = std::make_unique<FileSink>(options);
  if (sink->Open()) return sink;
  *error = sink->error();
  return nullptr;
}

}  // namespace sekisho::exports
