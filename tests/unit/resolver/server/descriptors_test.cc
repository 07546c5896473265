#include "resolver/server/descriptors.h"

#include <gtest/gtest.h>

namespace sekisho::resolver {
namespace {

TEST(DescriptorsTest, ManyAreEnoughForEverybody) {
  const DescriptorShares shares = ShareDescriptors(65536, 4, 2, 4096);
  EXPECT_EQ(shares.clients, 4096u);
  EXPECT_GT(shares.upstream_per_worker, 10000u);
}

TEST(DescriptorsTest, D40FewAreSharedAndSomeAreKept) {
  for (const uint32_t limit : {128, 256, 1024, 4096}) {
    for (const uint32_t workers : {1, 2, 4}) {
      const DescriptorShares shares = ShareDescriptors(limit, workers, 1, 4096);
      EXPECT_GE(shares.clients, 8u);
      EXPECT_GE(shares.upstream_per_worker, 1u);
      EXPECT_LE(shares.clients + workers * shares.upstream_per_worker + 48, limit) << limit << " " << workers;
    }
  }
}

TEST(DescriptorsTest, NoLimitIsNoOverflow) {
  EXPECT_EQ(ShareDescriptors(UINT64_MAX, 1, 1, 4096).clients, 4096u);
  EXPECT_GE(ShareDescriptors(0, 64, 16, 4096).upstream_per_worker, 1u);
}

}  // namespace
}  // namespace sekisho::resolver
