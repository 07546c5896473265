#include "blocklist/trie/trie_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/blocklist/trie/rule_model.h"

namespace sekisho::blocklist {
namespace {

using ::testing::HasSubstr;

std::string Key(const char* name) { return dns::NameKey(*dns::Name::Parse(name)); }

TEST(TrieBuilder, RefusesRulesOutOfOrderAndSaysWhich) {
  TrieBuilder builder;
  const uint32_t source = builder.AddSource({"feed", "", ""});
  ASSERT_TRUE(builder.Add(Key("b.example"), RuleScope::kSubtree, RuleAction::kBlock, source).ok());
  const auto before = builder.Add(Key("a.example"), RuleScope::kExact, RuleAction::kBlock, source);
  EXPECT_THAT(std::string(before.message()), HasSubstr("a.example. comes after b.example."));
  const auto twice = builder.Add(Key("b.example"), RuleScope::kSubtree, RuleAction::kAllow, source);
  EXPECT_THAT(std::string(twice.message()), HasSubstr("twice"));
  EXPECT_FALSE(builder.Add(Key("b.example"), RuleScope::kExact, RuleAction::kBlock, source).ok());
  EXPECT_TRUE(builder.Add(Key("x.b.example"), RuleScope::kExact, RuleAction::kBlock, source).ok());
  EXPECT_EQ(builder.rule_count(), 2u);
}

TEST(TrieBuilder, RefusesUnknownSourcesAndBytesThatAreNoKey) {
  TrieBuilder builder;
  EXPECT_FALSE(builder.Add(Key("a.example"), RuleScope::kExact, RuleAction::kBlock, 0).ok());
  const uint32_t source = builder.AddSource({"feed", "", ""});
  for (std::string bad : {std::string("a"), std::string("\0", 1), std::string("A\0", 2),
                          std::string("a\1\0", 3), std::string(64, 'x') + '\0'}) {
    EXPECT_FALSE(builder.Add(bad, RuleScope::kExact, RuleAction::kBlock, source).ok());
  }
  EXPECT_EQ(builder.rule_count(), 0u);
}

TEST(TrieBuilder, KeepsSourcesOnceAndGivesThemBack) {
  TrieBuilder builder;
  const uint32_t a = builder.AddSource({"feed-a, feed-b", "phishing", "https://reference.example/1"});
  const uint32_t b = builder.AddSource({"feed-b", "", ""});
  EXPECT_EQ(builder.AddSource({"feed-a, feed-b", "phishing", "https://reference.example/1"}), a);
  EXPECT_NE(builder.AddSource({"feed-", "b", ""}), b);
  auto bytes = builder.Finish();
  ASSERT_TRUE(bytes.ok());
  auto view = TrieView::Open(AsBytes(*bytes));
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(view->rule_count(), 0u);
  EXPECT_EQ(view->source_count(), 3u);
  EXPECT_EQ(view->source(a).feeds, "feed-a, feed-b");
  EXPECT_EQ(view->source(a).category, "phishing");
  EXPECT_EQ(view->source(a).reference, "https://reference.example/1");
  EXPECT_EQ(view->source(b).feeds, "feed-b");
  EXPECT_EQ(view->source(3).feeds, "");
}

TEST(TrieBuilder, GivesTheSameBytesForTheSameRules) {
  NameMaker maker(3);
  RuleModel model;
  for (int i = 0; i < 5000; ++i) {
    model.Set(maker.Make(), RuleScope::kSubtree, RuleAction::kBlock, static_cast<uint32_t>(maker.Below(5)));
  }
  const std::string bytes = model.Compile(5);
  EXPECT_FALSE(bytes.empty());
  EXPECT_EQ(bytes, model.Compile(5));
}

TEST(TrieBuilder, HandsOnTheWritersError) {
  TrieBuilder builder;
  builder.AddSource({"feed", "", ""});
  const auto status =
      builder.Finish([](std::span<const uint8_t>) { return absl::DataLossError("disk full"); });
  EXPECT_EQ(status, absl::DataLossError("disk full"));
}

}  // namespace
}  // namespace sekisho::blocklist
