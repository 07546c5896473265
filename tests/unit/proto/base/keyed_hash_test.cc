#include "proto/base/keyed_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "proto/base/bytes.h"

namespace sekisho {
namespace {

std::vector<uint8_t> Counting(size_t n) {
  std::vector<uint8_t> v(n);
  for (size_t i = 0; i < n; ++i) v[i] = static_cast<uint8_t>(i);
  return v;
}

// Key 00 01 … 0f, message 00 01 … (n-1): the reference implementation's vectors.
const KeyedHash kReference(0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL);

TEST(KeyedHashTest, StrongIsSipHash24) {
  EXPECT_EQ(kReference.Strong(Counting(0)), 0x726fdb47dd0e0e31ULL);
  EXPECT_EQ(kReference.Strong(Counting(1)), 0x74f839c593dc67fdULL);
  EXPECT_EQ(kReference.Strong(Counting(7)), 0xab0200f58b01d137ULL);
  EXPECT_EQ(kReference.Strong(Counting(8)), 0x93f5f5799a932462ULL);
  EXPECT_EQ(kReference.Strong(Counting(15)), 0xa129ca6149be45e5ULL);
  EXPECT_EQ(kReference.Strong(Counting(63)), 0x958a324ceb064572ULL);
}

TEST(KeyedHashTest, FastIsSipHash13) {
  EXPECT_EQ(kReference(Counting(0)), 0xabac0158050fc4dcULL);
  EXPECT_EQ(kReference(Counting(1)), 0xc9f49bf37d57ca93ULL);
  EXPECT_EQ(kReference(Counting(2)), 0x82cb9b024dc7d44dULL);
}

// Keys that all fall on one place of a table fall apart under another key of the hash (row D35).
TEST(KeyedHashTest, D35CollisionsAreWorthNothingElsewhere) {
  constexpr size_t kPlaces = 512;
  const KeyedHash known(1, 2);
  const KeyedHash other(3, 4);
  std::vector<int> places(kPlaces);
  int found = 0;
  for (uint32_t i = 0; found < 2048; ++i) {
    const std::array<uint8_t, 4> key = {static_cast<uint8_t>(i >> 24), static_cast<uint8_t>(i >> 16),
                                        static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)};
    if (known(key) % kPlaces != 0) continue;
    ++found;
    ++places[other(key) % kPlaces];
  }
  // Four on average.
  EXPECT_LE(*std::max_element(places.begin(), places.end()), 16);
}

TEST(RngTest, BelowStaysBelowAndReachesAll) {
  KernelRng rng;
  std::set<uint32_t> seen;
  for (int i = 0; i < 2000; ++i) {
    const uint32_t v = rng.Below(7);
    ASSERT_LT(v, 7u);
    seen.insert(v);
  }
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(rng.Below(1), 0u);
  EXPECT_NE(rng.Uint64(), rng.Uint64());
}

TEST(BytesTest, ReaderStaysBad) {
  const uint8_t bytes[] = {1, 2, 3};
  ByteReader r(bytes);
  EXPECT_EQ(r.U16(), 0x0102);
  EXPECT_EQ(r.U16(), 0);
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.U8(), 0) << "once bad, always bad";
  EXPECT_EQ(r.left(), 0u);
}

TEST(BytesTest, WriterStopsAtTheEndAndRewinds) {
  uint8_t bytes[4] = {};
  ByteWriter w(bytes);
  w.U16(0x0102);
  w.U32(7);
  EXPECT_FALSE(w.ok());
  w.U8(9);
  EXPECT_EQ(w.size(), 2u);
  w.Rewind(2);
  EXPECT_TRUE(w.ok());
  w.U16(0x0304);
  w.PatchU16(3, 0xffff);  // not all written: left alone
  w.PatchU16(0, 0xaabb);
  EXPECT_EQ(w.written()[0], 0xaa);
  EXPECT_EQ(w.written()[3], 0x04);
}

}  // namespace
}  // namespace sekisho
