// Time as an argument: a monotonic instant for timers and TTLs, a wall-clock instant for signatures and
// records.
//
// Code below a daemon's main loop never reads a clock; it is handed a `Now`. The two instants have distinct
// types so that one cannot be used where the other is meant.
//
// Threads: values. Limits: microseconds in 64 bits.
#ifndef SEKISHO_PROTO_BASE_NOW_H_
#define SEKISHO_PROTO_BASE_NOW_H_

#include <atomic>
#include <chrono>
#include <cstdint>

namespace sekisho {

using Duration = std::chrono::microseconds;

struct MonoClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};
struct WallClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WallClock>;
  static constexpr bool is_steady = false;
};

using MonoTime = MonoClock::time_point;  // microseconds since some fixed instant before the process began
using WallTime = WallClock::time_point;  // microseconds since 1970-01-01T00:00:00Z

struct Now {
  MonoTime mono{};
  WallTime wall{};
};

// Reads both clocks through libc. Only main loops call this.
Now ReadClocks();

// The clocks of a process whose monotonic time may be told to follow the wall clock when that jumps ahead: a
// machine that was suspended, or one whose clock is set forward by days, must not serve what expired
// meanwhile. It never goes back and never slower than the kernel's monotonic clock, so that timers keep
// firing.
//
// Threads: any number share one.
class FollowingClock {
 public:
  explicit FollowingClock(bool follow_wall) : follow_wall_(follow_wall) {}
  Now Read() { return follow_wall_ ? Follow(ReadClocks()) : ReadClocks(); }
  // For tests: what Read makes of these two instants.
  Now Follow(Now read);

 private:
  const bool follow_wall_;
  std::atomic<int64_t> ahead_{0};  // microseconds that monotonic time was moved ahead by
};

inline int64_t UnixSeconds(WallTime t) {
  return std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count();
}
inline int64_t UnixMicros(WallTime t) { return t.time_since_epoch().count(); }
inline WallTime WallFromMicros(int64_t us) { return WallTime(Duration(us)); }

}  // namespace sekisho

#endif  // SEKISHO_PROTO_BASE_NOW_H_
