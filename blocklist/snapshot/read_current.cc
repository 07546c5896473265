#include "blocklist/snapshot/read_current.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "blocklist/snapshot/durable_file.h"

namespace sekisho::blocklist {

absl::StatusOr<CurrentFile> ReadCurrent(const std::string& folder) {
  const std::string path = folder + "/" + kCurrentName;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError(path, "cannot open");
  std::string text(CurrentFile::kMaxSize + 1, '\0');
  size_t size = 0;
  ssize_t n = 0;
  while (size < text.size() &&
         ((n = ::read(fd, text.data() + size, text.size() - size)) > 0 || errno == EINTR)) {
    if (n > 0) size += static_cast<size_t>(n);
    if (n == 0) break;
    errno = 0;
  }
  auto failed = n < 0 ? SystemError(path, "cannot read") : absl::OkStatus();
  ::close(fd);
  if (!failed.ok()) return failed;
  text.resize(size);
  auto file = CurrentFile::Parse(text);
  if (!file.ok())
    return absl::Status(file.status().code(), path + ": " + std::string(file.status().message()));
  return file;
}

}  // namespace sekisho::blocklist
