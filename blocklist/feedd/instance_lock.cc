#include "blocklist/feedd/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sekisho::feedd {

absl::StatusOr<io::UniqueFd> LockInstance(const std::string& path) {
  io::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!fd) return absl::UnavailableError(path + ": " + std::strerror(errno));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::AlreadyExistsError(path + ": another sekisho-feedd runs on this folder");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd.get(), 0) != 0 ||
      ::write(fd.get(), pid.data(), pid.size()) != static_cast<ssize_t>(pid.size())) {
    return absl::UnavailableError(path + ": " + std::strerror(errno));
  }
  return fd;
}

}  // namespace sekisho::feedd
