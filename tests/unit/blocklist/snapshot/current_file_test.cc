#include "blocklist/snapshot/current_file.h"

#include <gtest/gtest.h>

namespace sekisho::blocklist {
namespace {

TEST(CurrentFile, ReadsWhatItWrites) {
  CurrentFile file{{42, 40, 42}, {{41, 40, 0}, {40, 40, 0}}};
  const auto read = CurrentFile::Parse(file.Write());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->now, file.now);
  EXPECT_EQ(read->kept, file.kept);
}

TEST(CurrentFile, HoldsTheMostItMay) {
  CurrentFile file{{UINT64_MAX, UINT64_MAX, UINT64_MAX}, {}};
  file.kept.assign(CurrentFile::kMaxKept, file.now);
  const auto read = CurrentFile::Parse(file.Write());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->kept.size(), CurrentFile::kMaxKept);
}

TEST(CurrentFile, RefusesEveryFlippedBitAndEveryCut) {
  const std::string good = CurrentFile{{7, 6, 7}, {{6, 6, 0}}}.Write();
  for (size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      EXPECT_FALSE(CurrentFile::Parse(bad).ok()) << "byte " << i << " bit " << bit;
    }
    EXPECT_FALSE(CurrentFile::Parse(good.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(CurrentFile::Parse(good + "\n").ok());
}

}  // namespace
}  // namespace sekisho::blocklist
