#include "resolver/core/iterator/fetch_quota.h"

#include <gtest/gtest.h>

#include <deque>

namespace sekisho::resolver {
namespace {

class FetchQuotaTest : public testing::Test {
 protected:
  FetchQuotaTest() { quota_.SetMost(100); }
  FetchQuota quota_{KeyedHash(1, 2), 5};
};

TEST_F(FetchQuotaTest, HoldsItsBoundAndGivesBack) {
  std::deque<FetchQuota::Slot> slots;
  for (int i = 0; i < 100; ++i) {
    slots.push_back(quota_.Take("a"));
    ASSERT_TRUE(slots.back());
  }
  EXPECT_FALSE(quota_.Take("a"));
  EXPECT_TRUE(quota_.IsFull("a"));
  EXPECT_TRUE(quota_.Take("b")) << "others have their own";
  slots.pop_front();
  EXPECT_TRUE(quota_.Take("a"));
  slots.clear();
  EXPECT_EQ(quota_.in_progress("a"), 0u);
  EXPECT_EQ(quota_.keys(), 0u) << "nothing is remembered of the healthy";
}

TEST_F(FetchQuotaTest, ShrinksUnderSilenceAndGrowsWithReplies) {
  std::deque<FetchQuota::Slot> slots;
  for (int i = 0; i < 50; ++i) slots.push_back(quota_.Take("dead"));
  for (int i = 0; i < 300; ++i) quota_.OnSilence("dead");
  EXPECT_TRUE(slots.front().Surplus());
  while (slots.size() > 5) slots.pop_front();
  EXPECT_FALSE(slots.front().Surplus());
  EXPECT_FALSE(quota_.Take("dead")) << "five are left";
  slots.clear();
  EXPECT_EQ(quota_.keys(), 1u) << "the dead are remembered";
  int taken = 0;
  while (slots.emplace_back(quota_.Take("dead"))) ++taken;
  EXPECT_EQ(taken, 5);
  for (int i = 0; i < 40; ++i) quota_.OnReply("dead");
  while (slots.emplace_back(quota_.Take("dead"))) ++taken;
  EXPECT_EQ(taken, 100);
}

TEST_F(FetchQuotaTest, ALineThatLosesThreeOfFourIsNotDead) {
  const auto slot = quota_.Take("lossy");
  for (int i = 0; i < 1000; ++i) {
    for (int lost = 0; lost < 3; ++lost) quota_.OnSilence("lossy");
    quota_.OnReply("lossy");
  }
  int taken = 1;
  std::deque<FetchQuota::Slot> slots;
  while (slots.emplace_back(quota_.Take("lossy"))) ++taken;
  EXPECT_GE(taken, 90);
}

TEST_F(FetchQuotaTest, RemembersABoundedNumber) {
  for (int i = 0; i < 30'000; ++i) {
    const std::string key = "zone" + std::to_string(i);
    const auto slot = quota_.Take(key);
    quota_.OnSilence(key);
  }
  EXPECT_LE(quota_.keys(), 10'001u);
}

TEST_F(FetchQuotaTest, ZeroIsNoBound) {
  quota_.SetMost(0);
  std::deque<FetchQuota::Slot> slots;
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(slots.emplace_back(quota_.Take("a")));
}

}  // namespace
}  // namespace sekisho::resolver
