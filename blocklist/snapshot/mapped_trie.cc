#include "blocklist/snapshot/mapped_trie.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "blocklist/snapshot/durable_file.h"

namespace sekisho::blocklist {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

// Fills `to` from the file; false with errno set, EIO when the file ends early.
bool ReadAll(int fd, uint8_t* to, size_t size) {
  size_t at = 0;
  while (at < size) {
    const ssize_t n = ::pread(fd, to + at, std::min(size - at, size_t{1} << 24), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    if (n == 0) {
      errno = EIO;
      return false;
    }
    at += static_cast<size_t>(n);
  }
  return true;
}

void* MapFile(int fd, size_t size) {
  return ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
}

void* CopyFile(int fd, size_t size) {
  void* data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return data;
  if (size >= kHugePage) ::madvise(data, size, MADV_HUGEPAGE);  // only a wish: matching is right without it
  if (!ReadAll(fd, static_cast<uint8_t*>(data), size)) {
    const int error = errno;
    ::munmap(data, size);
    errno = error;
    return MAP_FAILED;
  }
  ::mprotect(data, size, PROT_READ);
  return data;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const MappedTrie>> MappedTrie::Open(const std::string& path,
                                                                   TrieResidence residence) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError(path, "cannot open");
  struct stat info{};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return absl::DataLossError(path + ": not a regular file");
  }
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0 || size > kMaxSize) {
    ::close(fd);
    return absl::DataLossError(path + ": " + std::to_string(size) + " bytes cannot be a trie file");
  }
  void* data = residence == TrieResidence::kMapped ? MapFile(fd, size) : CopyFile(fd, size);
  auto failed = data == MAP_FAILED ? SystemError(path, "cannot read") : absl::OkStatus();
  ::close(fd);
  if (!failed.ok()) return failed;
  // make_shared cannot reach the private constructor.
  std::shared_ptr<MappedTrie> trie(new MappedTrie(data, size));
  auto view = TrieView::Open({static_cast<const uint8_t*>(data), size});
  if (!view.ok())
    return absl::Status(view.status().code(), path + ": " + std::string(view.status().message()));
  trie->view_ = *view;
  return trie;
}

MappedTrie::~MappedTrie() { ::munmap(data_, size_); }

}  // namespace sekisho::blocklist
