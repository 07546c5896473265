#include "resolver/core/admission/reply_pacer.h"

#include <gtest/gtest.h>

#include <vector>

namespace sekisho::resolver {
namespace {

using std::chrono::milliseconds;

TEST(ReplyPacer, NoWindowHoldsMoreThanThePulse) {
  ReplyPacer pacer(KeyedHash(1, 2));
  const auto client = *IpAddress::Parse("192.0.2.1");
  const MonoTime start(milliseconds(1000));
  std::vector<MonoTime> out;
  for (int i = 0; i < 1000; ++i) out.push_back(pacer.When(client, start));
  EXPECT_EQ(out.front(), start);
  for (size_t i = 0, j = 0; i < out.size(); ++i) {
    while (out[i] - out[j] >= milliseconds(10)) ++j;
    ASSERT_LE(i - j + 1, static_cast<size_t>(limits::kPulse));
  }
  EXPECT_LE(out.back() - start, milliseconds(200)) << "a thousand are through in a fifth of a second";
}

TEST(ReplyPacer, OthersAndQuietOnesDoNotWait) {
  ReplyPacer pacer(KeyedHash(1, 2));
  MonoTime now(milliseconds(1000));
  for (int i = 0; i < 500; ++i) pacer.When(*IpAddress::Parse("192.0.2.1"), now);
  EXPECT_EQ(pacer.When(*IpAddress::Parse("192.0.2.2"), now), now);
  now += milliseconds(500);
  EXPECT_EQ(pacer.When(*IpAddress::Parse("192.0.2.1"), now), now);
}

TEST(ReplyPacer, ForgetsWhoIsQuiet) {
  ReplyPacer pacer(KeyedHash(1, 2));
  for (uint32_t i = 0; i < 100'000; ++i) {
    const std::array<uint8_t, 4> a = {10, static_cast<uint8_t>(i >> 16), static_cast<uint8_t>(i >> 8),
                                      static_cast<uint8_t>(i)};
    pacer.When(IpAddress::V4(a), MonoTime(milliseconds(i)));
  }
  EXPECT_LE(pacer.size(), 2048u);
}

}  // namespace
}  // namespace sekisho::resolver
