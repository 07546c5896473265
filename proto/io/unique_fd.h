// UniqueFd: a file descriptor with one owner.
//
// Threads: values.
#ifndef SEKISHO_PROTO_IO_UNIQUE_FD_H_
#define SEKISHO_PROTO_IO_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace sekisho::io {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  int release() { return std::exchange(fd_, -1); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace sekisho::io

#endif  // SEKISHO_PROTO_IO_UNIQUE_FD_H_
