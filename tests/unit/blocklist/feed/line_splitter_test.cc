#include "blocklist/feed/line_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "blocklist/feed/sniff.h"

namespace sekisho::blocklist {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Split(std::string_view text, size_t piece) {
  std::vector<std::string> out;
  LineSplitter lines(
      [&](std::string_view line, uint64_t number) {
        out.push_back(std::to_string(number) + ":" + std::string(line));
      },
      [&](std::string_view, uint64_t number) { out.push_back(std::to_string(number) + "!"); });
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) lines.Push(text.substr(0, piece));
  lines.Finish();
  return out;
}

TEST(LineSplitter, GivesTheSameLinesWhateverThePieces) {
  for (size_t piece = 1; piece < 12; ++piece) {
    EXPECT_THAT(Split("\xEF\xBB\xBF"
                      "a\r\n\nbc\nd",
                      piece),
                ElementsAre("1:a", "2:", "3:bc", "4:d"))
        << piece;
  }
}

TEST(LineSplitter, ALineOverTheLimitIsSkippedAndTheNextOneRead) {
  const std::string longest(kMaxLine, 'x');
  for (const size_t piece : {size_t{1000}, size_t{1} << 20}) {
    EXPECT_THAT(Split(longest + "x\nnext\n", piece), ElementsAre("1!", "2:next"));
    EXPECT_THAT(Split(longest + "\r\nnext\n", piece), ElementsAre("1:" + longest, "2:next"));
    EXPECT_THAT(Split(std::string(size_t{3} << 20, 'y') + "\nnext", piece), ElementsAre("1!", "2:next"));
  }
}

TEST(Sniff, TellsListsFromWhatIsServedInTheirPlace) {
  EXPECT_EQ(Sniff("# list\na.example\n"), BodyKind::kText);
  EXPECT_EQ(Sniff("[Adblock Plus]\n||a.example^\n"), BodyKind::kText);
  EXPECT_EQ(Sniff(""), BodyKind::kEmpty);
  EXPECT_EQ(Sniff(" \r\n\t"), BodyKind::kEmpty);
  EXPECT_EQ(Sniff("\n<!DOCTYPE html><html>"), BodyKind::kMarkup);
  EXPECT_EQ(Sniff("\xEF\xBB\xBF<html>"), BodyKind::kMarkup);
  EXPECT_EQ(Sniff("{\"error\": \"forbidden\"}"), BodyKind::kJson);
  EXPECT_EQ(Sniff("[]"), BodyKind::kJson);
  EXPECT_EQ(Sniff("\x1f\x8b\x08\x01\x02\x03\x04"), BodyKind::kBinary);
  EXPECT_EQ(Sniff(std::string_view("a.example\n\0b", 12)), BodyKind::kBinary);
}

}  // namespace
}  // namespace sekisho::blocklist
