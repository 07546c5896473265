#include "blocklist/trie/policy_snapshot.h"

#include <gtest/gtest.h>

#include "tests/unit/blocklist/trie/rule_model.h"

namespace sekisho::blocklist {
namespace {

constexpr auto kExact = RuleScope::kExact;
constexpr auto kSubtree = RuleScope::kSubtree;
constexpr auto kBlock = RuleAction::kBlock;
constexpr auto kAllow = RuleAction::kAllow;

dns::Name N(const char* text) { return *dns::Name::Parse(text); }

PolicySnapshot Make(const RuleModel& base, const RuleModel* delta = nullptr) {
  auto bytes = std::make_shared<std::pair<std::string, std::string>>(base.Compile(10),
                                                                     delta ? delta->Compile(10) : "");
  std::optional<TrieView> over;
  if (delta) over = *TrieView::Open(AsBytes(bytes->second));
  const TrieView under = *TrieView::Open(AsBytes(bytes->first));
  return {42, under, over, bytes};
}

TEST(PolicySnapshot, ExactCoversTheNameAloneAndSubtreeAllBelow) {
  RuleModel rules;
  rules.Set(N("exact.example"), kExact, kBlock, 1);
  rules.Set(N("tree.example"), kSubtree, kBlock, 2);
  const auto snapshot = Make(rules);
  EXPECT_TRUE(snapshot.MatchName(N("EXACT.example")));
  EXPECT_FALSE(snapshot.MatchName(N("www.exact.example")));
  EXPECT_TRUE(snapshot.MatchName(N("tree.example")));
  EXPECT_TRUE(snapshot.MatchName(N("a.b.tree.example")));
  EXPECT_FALSE(snapshot.MatchName(N("subtree.example")));
  EXPECT_FALSE(snapshot.MatchName(N("example")));
  EXPECT_FALSE(snapshot.MatchName(N(".")));
  EXPECT_EQ(snapshot.source(*snapshot.MatchName(N("a.tree.example"))).feeds, "feed-2");
  EXPECT_EQ(snapshot.generation(), 42u);
}

TEST(PolicySnapshot, AllowWinsWhereverItStands) {
  RuleModel rules;
  rules.Set(N("example"), kSubtree, kAllow, 1);
  rules.Set(N("bad.example"), kSubtree, kBlock, 2);
  rules.Set(N("bad.test"), kSubtree, kBlock, 3);
  rules.Set(N("good.bad.test"), kExact, kAllow, 4);
  const auto snapshot = Make(rules);
  EXPECT_EQ(snapshot.MatchName(N("x.bad.example"))->action, kAllow);
  EXPECT_EQ(snapshot.MatchName(N("x.bad.example"))->labels, 1);
  EXPECT_EQ(snapshot.MatchName(N("good.bad.test"))->action, kAllow);
  EXPECT_EQ(snapshot.MatchName(N("x.good.bad.test"))->action, kBlock);
}

TEST(PolicySnapshot, LongestWinsAndExactBeforeSubtree) {
  RuleModel rules;
  rules.Set(N("."), kSubtree, RuleAction::kLogOnly, 0);
  rules.Set(N("a.example"), kSubtree, kBlock, 1);
  rules.Set(N("b.a.example"), kSubtree, RuleAction::kLogOnly, 2);
  rules.Set(N("b.a.example"), kExact, kBlock, 3);
  const auto snapshot = Make(rules);
  EXPECT_EQ(snapshot.MatchName(N("x.example"))->source, 0u);
  EXPECT_EQ(snapshot.MatchName(N("c.a.example"))->source, 1u);
  EXPECT_EQ(snapshot.MatchName(N("b.a.example"))->source, 3u);
  EXPECT_EQ(snapshot.MatchName(N("c.b.a.example"))->source, 2u);
  EXPECT_EQ(snapshot.MatchName(N("c.b.a.example"))->labels, 3);
}

TEST(PolicySnapshot, DeltaOverridesAddsAndRemoves) {
  RuleModel base;
  base.Set(N("a.example"), kSubtree, kBlock, 1);
  base.Set(N("b.example"), kSubtree, kBlock, 1);
  base.Set(N("b.example"), kExact, kBlock, 2);
  base.Set(N("d.example"), kSubtree, kAllow, 1);
  RuleModel delta;
  delta.Set(N("a.example"), kSubtree, kAllow, 5);
  delta.Set(N("b.example"), kSubtree, RuleAction::kRemoved, 5);
  delta.Set(N("c.example"), kExact, kBlock, 6);
  delta.Set(N("d.example"), kSubtree, kBlock, 7);
  delta.Set(N("never.example"), kExact, RuleAction::kRemoved, 5);
  const auto snapshot = Make(base, &delta);
  EXPECT_EQ(snapshot.MatchName(N("x.a.example"))->action, kAllow);
  EXPECT_TRUE(snapshot.MatchName(N("x.a.example"))->in_delta);
  EXPECT_EQ(snapshot.MatchName(N("b.example"))->source, 2u);  // the exact rule is another rule
  EXPECT_FALSE(snapshot.MatchName(N("b.example"))->in_delta);
  EXPECT_FALSE(snapshot.MatchName(N("x.b.example")));
  EXPECT_EQ(snapshot.source(*snapshot.MatchName(N("c.example"))).feeds, "feed-6");
  EXPECT_EQ(snapshot.MatchName(N("d.example"))->action, kBlock);
  EXPECT_FALSE(snapshot.MatchName(N("never.example")));
}

TEST(PolicySnapshot, NoRulesMatchNothing) {
  const auto snapshot = Make(RuleModel());
  EXPECT_EQ(snapshot.rule_count(), 0u);
  EXPECT_FALSE(snapshot.MatchName(N(".")));
  EXPECT_FALSE(snapshot.MatchName(N("www.example.com")));
}

}  // namespace
}  // namespace sekisho::blocklist
