#include "resolver/core/validator/key_cache.h"

#include <gtest/gtest.h>

#include <chrono>

namespace sekisho::resolver::dnssec {
namespace {

using std::chrono::seconds;

const MonoTime kStart{seconds(1000)};

ZoneStatusPtr Make(seconds life, size_t key_bytes = 0) {
  ZoneStatus status;
  status.kind = ZoneStatus::Kind::kSecure;
  status.expires = kStart + life;
  if (key_bytes > 0) status.keys.keys.push_back({1, 13, std::string(key_bytes, 'k')});
  return std::make_shared<const ZoneStatus>(std::move(status));
}

TEST(KeyCacheTest, EntriesEndWithTheirTime) {
  KeyCache cache;
  cache.Insert("a", Make(seconds(10)));
  EXPECT_NE(cache.Find("a", kStart + seconds(9)), nullptr);
  EXPECT_EQ(cache.Find("a", kStart + seconds(10)), nullptr);
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(KeyCacheTest, LeastRecentlyUsedLeaves) {
  KeyCache cache(2);
  cache.Insert("a", Make(seconds(10)));
  cache.Insert("b", Make(seconds(10)));
  cache.Find("a", kStart);
  cache.Insert("c", Make(seconds(10)));
  EXPECT_NE(cache.Find("a", kStart), nullptr);
  EXPECT_EQ(cache.Find("b", kStart), nullptr);
  EXPECT_NE(cache.Find("c", kStart), nullptr);
}

TEST(KeyCacheTest, BytesAreBounded) {
  KeyCache cache(1000, 10'000);
  for (int i = 0; i < 100; ++i) cache.Insert(std::to_string(i), Make(seconds(10), 1000));
  EXPECT_LE(cache.bytes(), 10'000u);
  EXPECT_GT(cache.size(), 3u);
}

TEST(KeyCacheTest, AnotherVerdictReplacesTheFirst) {
  KeyCache cache;
  cache.Insert("a", Make(seconds(10), 100));
  const size_t bytes = cache.bytes();
  cache.Insert("a", Make(seconds(20), 100));
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(cache.bytes(), bytes);
  EXPECT_NE(cache.Find("a", kStart + seconds(15)), nullptr);
}

}  // namespace
}  // namespace sekisho::resolver::dnssec
