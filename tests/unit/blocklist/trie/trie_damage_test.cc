// A trie file with any bit flipped or any part missing is refused, with a text that says why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/blocklist/trie/rule_model.h"

namespace sekisho::blocklist {
namespace {

using ::testing::HasSubstr;

std::string Sample(int rules) {
  NameMaker maker(5);
  RuleModel model;
  for (int i = 0; i < rules; ++i) {
    model.Set(maker.Make(), static_cast<RuleScope>(maker.Below(2)), RuleAction::kBlock,
              static_cast<uint32_t>(maker.Below(7)));
  }
  return model.Compile(7);
}

TEST(TrieDamage, RefusesEveryFlippedBitOfASmallFile) {
  const std::string good = Sample(40);
  ASSERT_TRUE(TrieView::Open(AsBytes(good)).ok());
  for (size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      ASSERT_FALSE(TrieView::Open(AsBytes(bad)).ok()) << "byte " << i << " bit " << bit;
    }
  }
}

TEST(TrieDamage, RefusesFlippedBitsOfALargerFile) {
  std::string bytes = Sample(30000);
  for (size_t i = 0; i < bytes.size(); i += 997) {
    bytes[i] = static_cast<char>(bytes[i] ^ 0x10);
    ASSERT_FALSE(TrieView::Open(AsBytes(bytes)).ok()) << "byte " << i;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x10);
  }
  EXPECT_TRUE(TrieView::Open(AsBytes(bytes)).ok());
}

TEST(TrieDamage, RefusesEveryCutAndEveryTail) {
  const std::string good = Sample(40);
  for (size_t size = 0; size < good.size(); ++size) {
    ASSERT_FALSE(TrieView::Open(AsBytes(good.substr(0, size))).ok()) << size;
  }
  EXPECT_FALSE(TrieView::Open(AsBytes(good + '\0')).ok());
}

TEST(TrieDamage, SaysWhatIsWrong) {
  const std::string good = Sample(10);
  std::string other = good;
  other[0] = 'X';
  EXPECT_THAT(std::string(TrieView::Open(AsBytes(other)).status().message()), HasSubstr("magic"));
  other = good;
  other[8] = 99;
  EXPECT_THAT(std::string(TrieView::Open(AsBytes(other)).status().message()), HasSubstr("version 99"));
  other = good;
  other.back() = static_cast<char>(other.back() ^ 1);
  EXPECT_THAT(std::string(TrieView::Open(AsBytes(other)).status().message()), HasSubstr("checksum"));
  EXPECT_THAT(std::string(TrieView::Open(AsBytes(good.substr(0, good.size() - 1))).status().message()),
              HasSubstr(std::to_string(good.size() - 1)));
}

}  // namespace
}  // namespace sekisho::blocklist
