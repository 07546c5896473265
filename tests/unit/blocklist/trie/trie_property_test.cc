// The trie against the plainest map, over seeded random rules and names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blocklist/trie/trie_cursor.h"
#include "tests/unit/blocklist/trie/rule_model.h"

namespace sekisho::blocklist {
namespace {

using ::testing::ElementsAreArray;

void ExpectSame(const RuleModel& model, const TrieView& view, dns::NameView name) {
  TrieHits room;
  const auto hits = view.Find(NameQuery(name), room);
  EXPECT_THAT(hits, ElementsAreArray(model.Find(name))) << name.ToString();
}

// What Find sees of this model must be what the walk over ancestors sees.
void CheckAll(const RuleModel& model, NameMaker& maker, size_t misses) {
  const std::string bytes = model.Compile(300);
  auto view = TrieView::Open(AsBytes(bytes));
  ASSERT_TRUE(view.ok()) << view.status();
  ASSERT_EQ(view->rule_count(), model.rules().size());
  TrieCursor cursor(*view);
  for (const auto& [key, verdict] : model.rules()) {
    ASSERT_TRUE(cursor.Next());
    EXPECT_EQ(cursor.rule().name_key, key.first);
    EXPECT_EQ(cursor.rule().scope, key.second);
    EXPECT_EQ(cursor.rule().action, verdict.action);
    EXPECT_EQ(cursor.rule().source, verdict.source);
    const auto name = dns::NameFromKey(key.first);
    ASSERT_TRUE(name);
    ExpectSame(model, *view, maker.Respell(*name));
    if (auto below = dns::Name::Prepend(maker.Label(), *name)) ExpectSame(model, *view, *below);
    ExpectSame(model, *view, name->view().Parent());
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_FALSE(cursor.Next());
  for (size_t i = 0; i < misses; ++i) ExpectSame(model, *view, maker.Make());
}

TEST(TrieProperty, FindsWhatTheMapFindsInRandomSets) {
  for (uint32_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    NameMaker maker(seed);
    RuleModel model;
    const size_t rules = seed < 20 ? seed : maker.Below(seed < 140 ? 400 : 6000);
    const size_t sources = seed % 3 == 0 ? 1 : seed % 3 == 1 ? 4 : 300;
    for (size_t i = 0; i < rules; ++i) {
      model.Set(maker.Make(), static_cast<RuleScope>(maker.Below(2)), static_cast<RuleAction>(maker.Below(4)),
                static_cast<uint32_t>(maker.Below(sources)));
    }
    CheckAll(model, maker, 300);
    if (HasFailure()) return;
  }
}

TEST(TrieProperty, FindsManyRulesUnderOneParent) {
  NameMaker maker(7);
  RuleModel model;
  const char* parents[] = {"com.", "co.jp.", "a.b.dyn.example.", "."};
  for (int i = 0; i < 20000; ++i) {
    const auto parent = dns::Name::Parse(parents[maker.Below(4)]);
    const auto name = dns::Name::Prepend(maker.Label() + std::to_string(maker.Below(3000)), *parent);
    if (name) model.Set(*name, static_cast<RuleScope>(maker.Below(2)), RuleAction::kBlock, 0);
  }
  for (const char* parent : parents)
    model.Set(*dns::Name::Parse(parent), RuleScope::kSubtree, RuleAction::kAllow, 1);
  CheckAll(model, maker, 2000);
}

TEST(TrieProperty, FindsLongestNames) {
  NameMaker maker(11);
  RuleModel model;
  for (int i = 0; i < 300; ++i) {
    dns::Name name;
    const bool short_labels = maker.Below(2) == 0;
    while (true) {
      const std::string label = short_labels ? std::string(1, static_cast<char>(maker.Below(3)))
                                             : std::string(63, static_cast<char>(maker.Below(2)));
      auto longer = dns::Name::Prepend(label, name);
      if (!longer)
        longer = dns::Name::Prepend(label.substr(0, 254 - std::min<size_t>(254, name.size())), name);
      if (!longer) break;
      name = *longer;
      if (maker.Below(30) == 0) model.Set(name, RuleScope::kSubtree, RuleAction::kBlock, 2);
    }
    EXPECT_GE(name.size(), 254u);
    model.Set(name, RuleScope::kExact, RuleAction::kLogOnly, 3);
    model.Set(name, RuleScope::kSubtree, RuleAction::kBlock, 4);
  }
  CheckAll(model, maker, 100);
}

}  // namespace
}  // namespace sekisho::blocklist
