#include "resolver/core/iterator/server_table.h"

#include <gtest/gtest.h>

#include "resolver/core/limits.h"
#include "tests/replay/harness.h"

namespace sekisho::resolver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

MonoTime At(int s) { return MonoTime(seconds(s)); }

class ServerTableTest : public testing::Test {
 protected:
  replay::SeededRng rng_{3};
  ServerTable table_{KeyedHash(rng_)};
  IpAddress a_ = *IpAddress::Parse("10.0.0.1");
};

TEST_F(ServerTableTest, UnknownServerHasTheFirstTimeout) {
  EXPECT_EQ(table_.Peek(a_), nullptr);
  EXPECT_EQ(table_.Get(a_).Timeout(), limits::kFirstTimeout);
}

TEST_F(ServerTableTest, TimeoutFollowsTheRoundTrip) {
  table_.OnReply(a_, milliseconds(20));
  EXPECT_EQ(table_.Peek(a_)->srtt, milliseconds(20));
  // RFC 6298: srtt + 4 × rttvar, rttvar at first half of the first measure.
  EXPECT_EQ(table_.Peek(a_)->Timeout(), milliseconds(60));
  for (int i = 0; i < 100; ++i) table_.OnReply(a_, milliseconds(1));
  EXPECT_EQ(table_.Peek(a_)->Timeout(), limits::kMinTimeout);
  for (int i = 0; i < 100; ++i) table_.OnReply(a_, seconds(20));
  EXPECT_EQ(table_.Peek(a_)->Timeout(), limits::kMaxTimeout);
}

TEST_F(ServerTableTest, SilenceMakesAServerDeadAndAReplyBringsItBack) {
  for (int i = 0; i < 3; ++i) table_.OnTimeout(a_, At(0));
  EXPECT_LE(table_.Peek(a_)->retry_after, At(0));
  table_.OnTimeout(a_, At(0));
  const MonoTime first = table_.Peek(a_)->retry_after;
  EXPECT_GT(first, At(0));
  table_.OnTimeout(a_, At(0));
  EXPECT_GT(table_.Peek(a_)->retry_after, first);
  for (int i = 0; i < 100; ++i) table_.OnTimeout(a_, At(0));
  EXPECT_LE(table_.Peek(a_)->retry_after, At(60));
  table_.OnReply(a_, milliseconds(10));
  EXPECT_EQ(table_.Peek(a_)->timeouts, 0);
  EXPECT_LE(table_.Peek(a_)->retry_after, At(0));
}

TEST_F(ServerTableTest, LameForOneZoneOnlyAndNotForEver) {
  const auto zone = *dns::Name::Parse("Example.test.");
  table_.MarkLame(a_, zone, At(0));
  EXPECT_TRUE(table_.Peek(a_)->IsLame(*dns::Name::Parse("eXAMPLE.test."), At(1)));
  EXPECT_FALSE(table_.Peek(a_)->IsLame(*dns::Name::Parse("test."), At(1)));
  EXPECT_FALSE(table_.Peek(a_)->IsLame(*dns::Name::Parse("sub.example.test."), At(1)));
  EXPECT_FALSE(table_.Peek(a_)->IsLame(zone, At(3600)));
}

TEST_F(ServerTableTest, LameZonesAreBounded) {
  for (int i = 0; i < 10000; ++i)
    table_.MarkLame(a_, *dns::Name::Parse("z" + std::to_string(i) + ".test."), At(0));
  EXPECT_LE(table_.Peek(a_)->lame_for.size(), 64u);
  EXPECT_TRUE(table_.Peek(a_)->IsLame(*dns::Name::Parse("z9999.test."), At(1)));
}

TEST_F(ServerTableTest, TheLeastUsedServersGoFirst) {
  const auto address = [](int i) {
    return *IpAddress::Parse("10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." +
                             std::to_string(i & 255));
  };
  for (int i = 0; i < 60'000; ++i) {
    table_.Get(address(i));
    table_.Get(address(7));
  }
  EXPECT_LE(table_.size(), 50'000u);
  EXPECT_NE(table_.Peek(address(7)), nullptr);
  EXPECT_EQ(table_.Peek(address(8)), nullptr);
  EXPECT_NE(table_.Peek(address(59'999)), nullptr);
}

}  // namespace
}  // namespace sekisho::resolver
