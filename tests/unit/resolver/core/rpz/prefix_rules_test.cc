#include "resolver/core/rpz/prefix_rules.h"

#include <gtest/gtest.h>

namespace sekisho::resolver::rpz {
namespace {

TEST(PrefixRules, TheLongestPrefixIsTheRule) {
  const PrefixRules rules({{*IpPrefix::Parse("192.0.2.0/24"), 1},
                           {*IpPrefix::Parse("192.0.2.128/25"), 2},
                           {*IpPrefix::Parse("192.0.2.129/32"), 3},
                           {*IpPrefix::Parse("2001:db8::/32"), 4}});
  const auto value = [&](const char* a) {
    const auto match = rules.Find(*IpAddress::Parse(a));
    return match ? static_cast<int>(match->value) : -1;
  };
  EXPECT_EQ(value("192.0.2.1"), 1);
  EXPECT_EQ(value("192.0.2.128"), 2);
  EXPECT_EQ(value("192.0.2.129"), 3);
  EXPECT_EQ(value("192.0.3.0"), -1);
  EXPECT_EQ(value("192.0.1.255"), -1);
  EXPECT_EQ(value("2001:db8:ffff::1"), 4);
  EXPECT_EQ(value("2001:db9::"), -1);
  EXPECT_EQ(rules.size(), 4u);
  EXPECT_EQ(rules.Find(*IpAddress::Parse("192.0.2.200"))->prefix.ToString(), "192.0.2.128/25");
}

TEST(PrefixRules, FamiliesStayApart) {
  const PrefixRules rules({{*IpPrefix::Parse("::/0"), 1}, {*IpPrefix::Parse("0.0.0.0/0"), 2}});
  EXPECT_EQ(rules.Find(*IpAddress::Parse("192.0.2.1"))->value, 2u);
  EXPECT_EQ(rules.Find(*IpAddress::Parse("2001:db8::1"))->value, 1u);
}

}  // namespace
}  // namespace sekisho::resolver::rpz
