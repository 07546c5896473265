#include "proto/config/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "proto/dns/dnssec_crypto.h"

namespace sekisho::config {
namespace {

// Allocates nothing.
[[noreturn]] void EndWith(std::string_view text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(1);
}

absl::Status Failed(const std::string& path, const char* what) {
  return absl::InternalError(path + ": " + what + ": " + std::strerror(errno));
}

}  // namespace

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (error) return absl::InternalError(path + ": cannot make the folder: " + error.message());
  if (made) ::chmod(path.c_str(), 0750);
  return absl::OkStatus();
}

absl::StatusOr<ProcessLock> ProcessLock::Take(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return Failed(path, "cannot open the lock");
  ProcessLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Failed(path, "cannot lock");
    char holder[32] = {};
    (void)!::read(fd, holder, sizeof(holder) - 1);
    holder[std::strcspn(holder, "\n")] = '\0';
    return absl::AlreadyExistsError(path + ": held by process " + holder + ", which runs already");
  }
  const std::string id = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::write(fd, id.data(), id.size()) != static_cast<ssize_t>(id.size())) {
    return Failed(path, "cannot write the process id");
  }
  return lock;
}

ProcessLock::ProcessLock(ProcessLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
ProcessLock::~ProcessLock() {
  if (fd_ >= 0) ::close(fd_);
}

void EndWhenOutOfMemory() {
  dns::SendOpenSslToTheNewHandler();
  // ldns asserts that its allocations succeed. What else aborts does so as ever.
  std::signal(SIGABRT, [](int) {
    if (errno == ENOMEM) EndWith("out of memory: ending, to be started again\n");
    std::signal(SIGABRT, SIG_DFL);
  });
  std::set_new_handler([] { EndWith("out of memory: ending, to be started again\n"); });
  std::set_terminate([] {
    try {
      if (std::current_exception()) std::rethrow_exception(std::current_exception());
    } catch (const std::bad_alloc&) {
      EndWith("out of memory: ending, to be started again\n");
    } catch (const std::system_error&) {
      EndWith("out of threads or another resource of the system: ending, to be started again\n");
    } catch (...) {
    }
    std::abort();
  });
}

uint64_t RaiseOpenFiles() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

absl::Status BecomeUser(const std::string& user, const std::vector<std::string>& owned) {
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) return absl::NotFoundError("there is no user '" + user + "'");
  if (::geteuid() == entry->pw_uid) return absl::OkStatus();
  if (::geteuid() != 0) {
    return absl::PermissionDeniedError("cannot become '" + user + "': not started as root");
  }
  for (const std::string& path : owned) {
    if (::chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0)
      return Failed(path, "cannot give it to the user");
  }
  if (::initgroups(user.c_str(), entry->pw_gid) != 0 || ::setgid(entry->pw_gid) != 0 ||
      ::setuid(entry->pw_uid) != 0) {
    return absl::PermissionDeniedError("cannot become '" + user + "': " + std::strerror(errno));
  }
  return absl::OkStatus();
}

}  // namespace sekisho::config
