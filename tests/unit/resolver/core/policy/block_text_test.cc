// Which form a block's explanation has, and with which numbers.
#include "resolver/core/policy/block_text.h"

#include <gtest/gtest.h>

#include "resolver/core/policy/agency_policy.h"

namespace sekisho::resolver {
namespace {

using dns::EdeCode;

class BlockTextTest : public ::testing::Test {
 protected:
  BlockTextTest() {
    text_.structured = BlockText::Structured::kWhenAsked;
    text_.contacts = {"mailto:soc@agency.test"};
    verdict_.action = Action::kNxdomain;
    verdict_.trigger = Trigger::kQname;
    verdict_.feeds = "f";
    verdict_.text = &text_;
  }
  std::string Text(bool asked) { return ExplainBlock(verdict_, asked)->text; }
  std::string WithCategory(std::string_view category) {
    verdict_.category = category;
    return Text(true);
  }

  BlockText text_;
  Verdict verdict_;
};

TEST_F(BlockTextTest, WhoDoesNotAskGetsPlainText) {
  EXPECT_EQ(Text(false), "listed by f");
  EXPECT_EQ(Text(true), R"({"c":["mailto:soc@agency.test"],"j":"listed by f","l":"en"})");
}

TEST_F(BlockTextTest, WithoutAContactTheTextIsPlain) {
  text_.contacts.clear();
  EXPECT_EQ(Text(true), "listed by f");
  text_.structured = BlockText::Structured::kAlways;
  EXPECT_EQ(Text(false), "listed by f");
}

TEST_F(BlockTextTest, TheFormIsWholeHoweverLongItsPartsAre) {
  const std::string feeds(300, 'f');
  verdict_.feeds = feeds;
  const auto is_whole = [&] {
    const std::string json = Text(true);
    EXPECT_LE(json.size(), dns::kMaxEdeText) << json;
    EXPECT_TRUE(json.starts_with("{") && json.ends_with("\"l\":\"en\"}")) << json;
  };
  is_whole();
  text_.organization = std::string(60, 'o');
  is_whole();
  EXPECT_NE(Text(true).find("\"o\""), std::string::npos);
  text_.organization = std::string(300, 'o');
  is_whole();
  EXPECT_EQ(Text(true).find("\"o\""), std::string::npos);
  text_.pattern = std::string(120, '"') + "\xe9\x81\xae";  // escapes are twice as long
  is_whole();
  text_.contacts = {std::string(300, 'c')};
  EXPECT_EQ(Text(true).find('{'), std::string::npos);
}

TEST_F(BlockTextTest, SubErrorsAreThoseOfTheRegistry) {
  const auto has = [&](std::string_view category, const char* number) {
    return WithCategory(category).find(",\"s\":" + std::string(number) + ",") != std::string::npos;
  };
  EXPECT_TRUE(has("malware", "1"));
  EXPECT_TRUE(has("phishing", "2"));
  EXPECT_TRUE(has("spam", "3"));
  EXPECT_TRUE(has("spyware", "4"));
  EXPECT_TRUE(has("agency", "5"));
  EXPECT_TRUE(has("local", "6"));
  // 5 was adware in old revisions; now it would say that the network's operator decided.
  EXPECT_EQ(WithCategory("adware").find("\"s\""), std::string::npos);
}

TEST_F(BlockTextTest, WhoAsksForTheFormIsNotToldOfAForgedAnswer) {
  verdict_.answer.error = EdeCode::kForgedAnswer;
  EXPECT_EQ(ExplainBlock(verdict_, true)->code, EdeCode::kBlocked);
  EXPECT_EQ(Text(true).front(), '{');
  EXPECT_EQ(ExplainBlock(verdict_, false)->code, EdeCode::kForgedAnswer);
  EXPECT_EQ(Text(false), "listed by f");
  text_.structured = BlockText::Structured::kNever;
  EXPECT_EQ(ExplainBlock(verdict_, true)->code, EdeCode::kForgedAnswer);
}

TEST_F(BlockTextTest, TheFormIsForFilteringAlone) {
  verdict_.answer.error = EdeCode::kCensored;
  EXPECT_EQ(Text(true), "listed by f");
  verdict_.answer.error = EdeCode::kFiltered;
  EXPECT_EQ(Text(true).front(), '{');
  verdict_.answer.error = std::nullopt;
  EXPECT_FALSE(ExplainBlock(verdict_, true));
}

}  // namespace
}  // namespace sekisho::resolver
