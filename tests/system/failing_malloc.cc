// An allocator for LD_PRELOAD whose call number SEKISHO_FAIL_AT fails, and SEKISHO_FAIL_COUNT - 1 more after
// it; it writes "failing allocation" to standard error when it comes to that. With SEKISHO_COUNT set, the
// number of calls is written at the end.
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>

namespace {

long Number(const char* name, long otherwise) {
  const char* text = ::getenv(name);
  return text == nullptr ? otherwise : std::atol(text);
}

std::atomic<long> calls{0};
std::atomic<bool> told{false};

bool Fails() {
  static const long first = Number("SEKISHO_FAIL_AT", 0);
  static const long count = Number("SEKISHO_FAIL_COUNT", 1);
  const long call = ++calls;
  if (first <= 0) return false;
  if (call < first || call >= first + count) return false;
  constexpr char kText[] = "failing allocation\n";
  if (!told.exchange(true)) [[maybe_unused]]
    const auto n = ::write(2, kText, sizeof(kText) - 1);
  errno = ENOMEM;
  return true;
}

struct Report {
  ~Report() {
    if (::getenv("SEKISHO_COUNT") == nullptr) return;
    const std::string text = std::to_string(calls.load()) + " allocations\n";
    [[maybe_unused]] const auto n = ::write(2, text.data(), text.size());
  }
} report;

}  // namespace

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* at, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) { return Fails() ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return Fails() ? nullptr : __libc_calloc(count, size); }
void* realloc(void* at, size_t size) { return Fails() ? nullptr : __libc_realloc(at, size); }
void* aligned_alloc(size_t alignment, size_t size) {
  return Fails() ? nullptr : __libc_memalign(alignment, size);
}
}
