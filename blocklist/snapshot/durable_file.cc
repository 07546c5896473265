#include "blocklist/snapshot/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace sekisho::blocklist {

absl::Status SystemError(std::string_view path, std::string_view what) {
  const int error = errno;
  std::string text(path);
  text.append(": ").append(what).append(": ").append(std::generic_category().message(error));
  if (error == ENOENT) return absl::NotFoundError(text);
  return absl::UnavailableError(text);
}

absl::StatusOr<DurableFile> DurableFile::Create(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name + std::string(kTemporarySuffix);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return SystemError(path, "cannot create");
  return DurableFile(folder, name, fd);
}

DurableFile::DurableFile(DurableFile&& other) noexcept
    : folder_(std::move(other.folder_)), name_(std::move(other.name_)), fd_(std::exchange(other.fd_, -1)) {}

DurableFile::~DurableFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_path().c_str());
}

std::string DurableFile::temporary_path() const {
  return folder_ + "/" + name_ + std::string(kTemporarySuffix);
}

absl::Status DurableFile::Append(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(temporary_path(), "cannot write");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

absl::Status DurableFile::Sync() {
  if (::fsync(fd_) != 0) return SystemError(temporary_path(), "cannot sync");
  return absl::OkStatus();
}

absl::Status DurableFile::Commit() {
  if (auto s = Sync(); !s.ok()) return s;
  const std::string path = folder_ + "/" + name_;
  if (::rename(temporary_path().c_str(), path.c_str()) != 0)
    return SystemError(path, "cannot rename into place");
  ::close(std::exchange(fd_, -1));
  const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return SystemError(folder_, "cannot open to sync");
  const int synced = ::fsync(folder);
  const auto status = synced == 0 ? absl::OkStatus() : SystemError(folder_, "cannot sync");
  ::close(folder);
  return status;
}

}  // namespace sekisho::blocklist
