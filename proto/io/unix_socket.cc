#include "proto/io/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace sekisho::io {
namespace {

constexpr mode_t kMode = 0660;

absl::Status Failed(const std::string& path, const char* what) {
  return absl::InternalError(path + ": " + what + ": " + std::strerror(errno));
}

// Removes a socket file that nobody listens on.
absl::Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat st{};
  if (::lstat(path.c_str(), &st) != 0)
    return errno == ENOENT ? absl::OkStatus() : Failed(path, "cannot look at it");
  if (!S_ISSOCK(st.st_mode)) return absl::AlreadyExistsError(path + ": exists and is not a socket");
  UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return Failed(path, "cannot make a socket");
  // EAGAIN: alive with a full backlog.
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
      errno == EAGAIN) {
    return absl::AlreadyExistsError(path + ": another process listens there already");
  }
  if (errno != ECONNREFUSED && errno != ENOENT) return Failed(path, "cannot tell whether it is in use");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Failed(path, "cannot remove the stale socket");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UniqueFd> BindUnixSocket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError("'" + path + "': a socket path has 1 to " +
                                      std::to_string(sizeof(address.sun_path) - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (auto removed = RemoveStale(path, address); !removed.ok()) return removed;
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Failed(path, "cannot make a socket");
  // Before bind, so that the file never exists with a wider mode.
  ::fchmod(fd.get(), kMode);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    return Failed(path, "cannot bind");
  ::chmod(path.c_str(), kMode);  // a narrow umask must not lock the group out
  if (::listen(fd.get(), 64) != 0) return Failed(path, "cannot listen");
  return fd;
}

}  // namespace sekisho::io
