#include "proto/base/bounded_ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace sekisho {
namespace {

TEST(BoundedRingTest, KeepsRecordsWholeAndInOrder) {
  BoundedRing ring(4096);
  EXPECT_EQ(ring.capacity(), 4096u);
  EXPECT_TRUE(ring.Front().empty());
  const std::vector<uint8_t> a = {1, 2, 3};
  const std::vector<uint8_t> b(100, 7);
  ASSERT_TRUE(ring.Push(a));
  ASSERT_TRUE(ring.Push(b));
  EXPECT_EQ(std::vector<uint8_t>(ring.Front().begin(), ring.Front().end()), a);
  ring.Pop();
  EXPECT_EQ(std::vector<uint8_t>(ring.Front().begin(), ring.Front().end()), b);
  ring.Pop();
  EXPECT_TRUE(ring.Front().empty());
  EXPECT_EQ(ring.used(), 0u);
}

TEST(BoundedRingTest, SaysWhenItIsFull) {
  BoundedRing ring(4096);
  const std::vector<uint8_t> record(1000, 1);
  int held = 0;
  while (ring.Push(record)) ++held;
  EXPECT_EQ(held, 4);
  EXPECT_EQ(ring.Reserve(3000), nullptr) << "more than half of the buffer";
  ring.Pop();
  EXPECT_TRUE(ring.Push(record));
  EXPECT_FALSE(ring.Push(record));
}

TEST(BoundedRingTest, EmptyRecordsAreGivenUp) {
  BoundedRing ring(4096);
  ASSERT_NE(ring.Reserve(500), nullptr);
  ring.Commit(0);
  EXPECT_TRUE(ring.Push({}));
  EXPECT_TRUE(ring.Front().empty());
  ASSERT_TRUE(ring.Push(std::vector<uint8_t>{9}));
  ASSERT_EQ(ring.Front().size(), 1u);
  EXPECT_EQ(ring.Front()[0], 9);
}

// Each record carries its number and a pattern made from it; losses are what the producer counted and nothing
// else.
TEST(BoundedRingTest, TwoThreads) {
  BoundedRing ring(8192);
  constexpr uint32_t kRecords = 200000;
  uint64_t lost = 0;
  std::thread producer([&] {
    for (uint32_t i = 0; i < kRecords; ++i) {
      const size_t size = 4 + (i * 2654435761u >> 23) % 300;
      uint8_t* to = ring.Reserve(size + 5);
      if (to == nullptr) {
        ++lost;
        if (i % 16 == 0) std::this_thread::yield();
        continue;
      }
      std::memcpy(to, &i, 4);
      std::memset(to + 4, static_cast<int>(i & 0xff), size - 4);
      ring.Commit(size);
    }
    uint8_t end[4];
    const uint32_t mark = kRecords;
    std::memcpy(end, &mark, 4);
    while (!ring.Push(end)) std::this_thread::yield();
  });
  uint64_t seen = 0;
  int64_t last = -1;
  bool good = true;
  for (;;) {
    const auto record = ring.Front();
    if (record.empty()) {
      std::this_thread::yield();
      continue;
    }
    uint32_t i = 0;
    std::memcpy(&i, record.data(), 4);
    if (i == kRecords) break;
    good = good && int64_t{i} > last && record.size() == 4 + (i * 2654435761u >> 23) % 300;
    for (size_t k = 4; k < record.size(); ++k) good = good && record[k] == (i & 0xff);
    last = i;
    ++seen;
    ring.Pop();
  }
  producer.join();
  EXPECT_TRUE(good);
  EXPECT_EQ(seen + lost, kRecords);
  EXPECT_GT(seen, 0u);
}

}  // namespace
}  // namespace sekisho
