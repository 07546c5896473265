#include "proto/base/now.h"

#include <algorithm>
#include <ctime>

namespace sekisho {
namespace {

Duration Read(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(ts.tv_sec) +
                                              std::chrono::nanoseconds(ts.tv_nsec));
}

}  // namespace

Now ReadClocks() { return Now{MonoTime(Read(CLOCK_MONOTONIC)), WallTime(Read(CLOCK_REALTIME))}; }

Now FollowingClock::Follow(Now read) {
  const int64_t wanted = (read.wall.time_since_epoch() - read.mono.time_since_epoch()).count();
  int64_t ahead = ahead_.load(std::memory_order_relaxed);
  while (wanted > ahead && !ahead_.compare_exchange_weak(ahead, wanted, std::memory_order_relaxed)) {
  }
  return Now{read.mono + Duration(std::max(ahead, wanted)), read.wall};
}

}  // namespace sekisho
