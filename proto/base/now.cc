#include "proto/base/now.h"

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

}  // namespace sekisho
