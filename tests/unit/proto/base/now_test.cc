#include "proto/base/now.h"

#include <gtest/gtest.h>

namespace sekisho {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

Now At(Duration mono, Duration wall) { return {MonoTime(mono), WallTime(wall)}; }

TEST(FollowingClock, JumpsAheadWithTheWallClockAndNeverBack) {
  FollowingClock clock(true);
  const MonoTime start = clock.Follow(At(seconds(5), hours(1000))).mono;
  EXPECT_EQ(clock.Follow(At(seconds(6), hours(1000) + seconds(1))).mono - start, seconds(1));
  EXPECT_EQ(clock.Follow(At(seconds(7), hours(1024))).mono - start, hours(24));
  // Set back by a day: time goes on at its usual pace, so that timers fire.
  EXPECT_EQ(clock.Follow(At(seconds(9), hours(1000))).mono - start, hours(24) + seconds(2));
  EXPECT_EQ(clock.Follow(At(seconds(9), hours(1000))).wall, WallTime(hours(1000)));
}

TEST(FollowingClock, OffItIsTheKernelsClock) {
  FollowingClock clock(false);
  const MonoTime before = ReadClocks().mono;
  const MonoTime read = clock.Read().mono;
  EXPECT_GE(read, before);
  EXPECT_LE(read, ReadClocks().mono);
}

}  // namespace
}  // namespace sekisho
