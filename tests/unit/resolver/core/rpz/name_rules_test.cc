#include "resolver/core/rpz/name_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "proto/dns/name_key.h"

namespace sekisho::resolver::rpz {
namespace {

NameRules Make(const std::vector<std::string>& names) {
  std::vector<std::pair<std::string, uint32_t>> sorted;
  for (size_t i = 0; i < names.size(); ++i)
    sorted.emplace_back(dns::NameKey(*dns::Name::Parse(names[i])), static_cast<uint32_t>(i));
  std::sort(sorted.begin(), sorted.end());
  return NameRules(sorted);
}

int Value(const NameRules& rules, const std::string& name) {
  const auto match = rules.Find(*dns::Name::Parse(name));
  return match ? static_cast<int>(match->value) : -1;
}

TEST(NameRules, EmptyHasNothing) { EXPECT_EQ(Value(NameRules(), "a.test"), -1); }

TEST(NameRules, ExactNamesInAnyCase) {
  const NameRules rules = Make({"www.evil.test", "evil.test"});
  EXPECT_EQ(Value(rules, "WWW.Evil.test"), 0);
  EXPECT_EQ(Value(rules, "evil.test"), 1);
  EXPECT_EQ(Value(rules, "x.www.evil.test"), -1);
  EXPECT_EQ(Value(rules, "test"), -1);
  EXPECT_EQ(rules.Find(*dns::Name::Parse("www.evil.test"))->labels, 3);
}

TEST(NameRules, Rfc4592OnlyTheWildcardAtTheClosestEncloser) {
  const NameRules rules = Make({"*.evil.test", "there.evil.test", "a.b.evil.test", "*"});
  EXPECT_EQ(Value(rules, "www.evil.test"), 0);
  EXPECT_EQ(Value(rules, "x.y.evil.test"), 0);
  EXPECT_EQ(Value(rules, "evil.test"), -1) << "an empty non-terminal";
  EXPECT_EQ(Value(rules, "x.there.evil.test"), -1);
  EXPECT_EQ(Value(rules, "b.evil.test"), -1) << "an empty non-terminal";
  EXPECT_EQ(Value(rules, "x.b.evil.test"), -1);
  EXPECT_EQ(Value(rules, "good.test"), -1) << "test. is an empty non-terminal and has no wildcard";
  EXPECT_EQ(Value(rules, "good.example"), 3);
  const auto match = rules.Find(*dns::Name::Parse("x.y.evil.test"));
  EXPECT_EQ(match->labels, 2);
  EXPECT_TRUE(match->wildcard);
}

TEST(NameRules, LabelsAreNotMixedUpWithTheirBeginnings) {
  const NameRules rules = Make({"*.a.test", "ab.test", "*.a\\000b.test"});
  EXPECT_EQ(Value(rules, "x.ab.test"), -1);
  EXPECT_EQ(Value(rules, "x.a.test"), 0);
  EXPECT_EQ(Value(rules, "x.a\\000b.test"), 2);
}

// The same as walking up the tree with a set of all names and their ancestors.
TEST(NameRules, AgreesWithTheDefinitionOnAllSmallNames) {
  const std::vector<std::string> labels = {"a", "b", "*"};
  std::vector<std::string> all;
  for (const auto& x : labels) {
    all.push_back(x);
    for (const auto& y : labels) {
      all.push_back(x + "." + y);
      for (const auto& z : labels) all.push_back(x + "." + y + "." + z);
    }
  }
  for (unsigned seed = 1; seed < 400; ++seed) {
    std::vector<std::string> chosen;
    for (size_t i = 0; i < all.size(); ++i) {
      if ((seed * 2654435761u >> (i % 29)) % 7 == 0) chosen.push_back(all[i]);
    }
    std::map<std::string, int> exact;
    std::map<std::string, bool> exists = {{"", true}};
    for (size_t i = 0; i < chosen.size(); ++i) {
      exact[chosen[i]] = static_cast<int>(i);
      for (size_t at = 0; at != std::string::npos; at = chosen[i].find('.', at + 1))
        exists[chosen[i].substr(at == 0 ? 0 : at + 1)] = true;
    }
    const NameRules rules = Make(chosen);
    for (const auto& name : all) {
      int expected = -1;
      if (exact.contains(name)) {
        expected = exact[name];
      } else if (!exists.contains(name)) {
        std::string at = name;
        while (!exists.contains(at)) {
          const size_t dot = at.find('.');
          at = dot == std::string::npos ? "" : at.substr(dot + 1);
        }
        const auto star = exact.find(at.empty() ? "*" : "*." + at);
        if (star != exact.end()) expected = star->second;
      }
      ASSERT_EQ(Value(rules, name), expected) << name << " seed " << seed;
    }
  }
}

}  // namespace
}  // namespace sekisho::resolver::rpz
