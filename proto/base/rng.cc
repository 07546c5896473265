#include "proto/base/rng.h"

#include <pthread.h>
#include <sys/random.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace sekisho {

uint16_t Rng::Uint16() {
  uint16_t v = 0;
  Fill({reinterpret_cast<uint8_t*>(&v), sizeof(v)});
  return v;
}

uint64_t Rng::Uint64() {
  uint64_t v = 0;
  Fill({reinterpret_cast<uint8_t*>(&v), sizeof(v)});
  return v;
}

uint32_t Rng::Below(uint32_t bound) {
  // Reject the uneven tail so that every value is equally likely.
  const uint32_t limit = UINT32_MAX - (UINT32_MAX % bound);
  uint32_t v = 0;
  do {
    Fill({reinterpret_cast<uint8_t*>(&v), sizeof(v)});
  } while (v >= limit);
  return v % bound;
}

namespace {

// Counts forks, so that a child does not go on with its parent's bytes; asking for the process each time is a system
// call each time.
std::atomic<uint64_t> forks{0};

uint64_t Forks() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1); });
  if (registered != 0) std::abort();
  return forks.load(std::memory_order_relaxed);
}

}  // namespace

void KernelRng::Refill() {
  size_t have = 0;
  while (have < buffer_.size()) {
    const ssize_t n = getrandom(buffer_.data() + have, buffer_.size() - have, 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      std::abort();  // A kernel without getrandom cannot run a resolver safely.
    }
    have += static_cast<size_t>(n);
  }
  used_ = 0;
  forks_ = Forks();
}

void KernelRng::Fill(std::span<uint8_t> out) {
  while (!out.empty()) {
    if (used_ == buffer_.size() || forks_ != Forks()) Refill();
    const size_t n = std::min(out.size(), buffer_.size() - used_);
    std::memcpy(out.data(), buffer_.data() + used_, n);
    explicit_bzero(buffer_.data() + used_, n);
    used_ += n;
    out = out.subspan(n);
  }
}

}  // namespace sekisho
