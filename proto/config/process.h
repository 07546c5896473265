// What every daemon does to its process at the start: folders, lock, descriptors, user.
//
// Threads: the main thread, before there are others. Limits: one holder per lock file. Standards: flock(2),
// credentials(7).
#ifndef SEKISHO_PROTO_CONFIG_PROCESS_H_
#define SEKISHO_PROTO_CONFIG_PROCESS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sekisho::config {

// Makes the folder and those above it (mode 0750) where missing.
absl::Status MakeFolder(const std::string& path);

// Held until destroyed; the file holds the process's id and stays.
class ProcessLock {
 public:
  // kAlreadyExists, with the other's process id, when another process holds it.
  static absl::StatusOr<ProcessLock> Take(const std::string& path);
  ProcessLock(ProcessLock&& other) noexcept;
  ProcessLock& operator=(ProcessLock&&) = delete;
  ~ProcessLock();

 private:
  explicit ProcessLock(int fd) : fd_(fd) {}
  int fd_;
};

// From now on a process that runs out of memory, threads or other things of the system says so and exits with
// 1, where it would abort: it holds nothing that a restart does not bring back.
void EndWhenOutOfMemory();

// Raises the soft limit of open files to the hard one; returns what it is then.
uint64_t RaiseOpenFiles();

// Becomes `user` with its groups when the process is root; kNotFound for an unknown user. Does nothing when
// it is that user already. `owned` is given to the user first.
absl::Status BecomeUser(const std::string& user, const std::vector<std::string>& owned);

}  // namespace sekisho::config

#endif  // SEKISHO_PROTO_CONFIG_PROCESS_H_
