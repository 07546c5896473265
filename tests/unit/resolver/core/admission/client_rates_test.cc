#include "resolver/core/admission/client_rates.h"

#include <gtest/gtest.h>

#include "tests/replay/harness.h"

namespace sekisho::resolver {
namespace {

using std::chrono::milliseconds;

class ClientRatesTest : public testing::Test {
 protected:
  int Burst(const IpAddress& client, int n, MonoTime now) {
    int taken = 0;
    for (int i = 0; i < n; ++i) taken += rates_.Take(client, 100, now) ? 1 : 0;
    return taken;
  }
  replay::SeededRng rng_{1};
  ClientRates rates_{rng_};
  IpAddress client_ = *IpAddress::Parse("192.0.2.1");
};

TEST_F(ClientRatesTest, ASecondsWorthAtOnceThenTheRate) {
  EXPECT_EQ(Burst(client_, 1000, MonoTime(milliseconds(5000))), 100);
  EXPECT_EQ(Burst(client_, 1000, MonoTime(milliseconds(5500))), 50);
  EXPECT_EQ(Burst(client_, 1000, MonoTime(milliseconds(60000))), 100);
}

TEST_F(ClientRatesTest, OthersAreOthers) {
  const MonoTime now(milliseconds(5000));
  EXPECT_EQ(Burst(client_, 1000, now), 100);
  EXPECT_EQ(Burst(*IpAddress::Parse("192.0.2.2"), 50, now), 50);
}

TEST_F(ClientRatesTest, ManyClientsNeverLimitAnother) {
  const MonoTime now(milliseconds(5000));
  for (uint32_t i = 0; i < 500'000; ++i) {
    const std::array<uint8_t, 4> a = {10, static_cast<uint8_t>(i >> 16), static_cast<uint8_t>(i >> 8),
                                      static_cast<uint8_t>(i)};
    ASSERT_TRUE(rates_.Take(IpAddress::V4(a), 100, now));
  }
}

}  // namespace
}  // namespace sekisho::resolver
