#include "resolver/core/policy/agency_table.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace sekisho::resolver {
namespace {

IpAddress Address(const char* text) { return *IpAddress::Parse(text); }
IpPrefix Prefix(const char* text) { return *IpPrefix::Parse(text); }

TEST(AgencyTable, NobodyIsServedByAnEmptyTable) {
  AgencyTable table;
  EXPECT_FALSE(table.Find(Address("192.0.2.1")));
  EXPECT_FALSE(table.Find(Address("::")));
}

TEST(AgencyTable, LongestPrefixWinsInAnyOrder) {
  for (const bool reversed : {false, true}) {
    AgencyTable table;
    const auto wide = table.Add("wide");
    const auto narrow = table.Add("narrow");
    std::vector<std::pair<AgencyTable::Id, IpPrefix>> all = {{wide, Prefix("10.0.0.0/8")},
                                                             {narrow, Prefix("10.1.0.0/16")}};
    if (reversed) std::swap(all[0], all[1]);
    for (const auto& [id, prefix] : all) EXPECT_TRUE(table.AddNetwork(id, prefix));
    EXPECT_EQ(table.Find(Address("10.1.2.3")), narrow);
    EXPECT_EQ(table.Find(Address("10.2.2.3")), wide);
    EXPECT_FALSE(table.Find(Address("11.0.0.0")));
    EXPECT_EQ(table.name(narrow), "narrow");
  }
}

TEST(AgencyTable, TheEdgesOfANetworkBelongToIt) {
  AgencyTable table;
  const auto id = table.Add("a");
  table.AddNetwork(id, Prefix("192.0.2.64/26"));
  EXPECT_FALSE(table.Find(Address("192.0.2.63")));
  EXPECT_TRUE(table.Find(Address("192.0.2.64")));
  EXPECT_TRUE(table.Find(Address("192.0.2.127")));
  EXPECT_FALSE(table.Find(Address("192.0.2.128")));
}

// Row M14: the mapped form is the IPv4 address, and no IPv6 network of it opens IPv4.
TEST(AgencyTable, MappedAddressIsTheIpv4One) {
  AgencyTable table;
  const auto id = table.Add("a");
  table.AddNetwork(id, Prefix("192.0.2.0/24"));
  EXPECT_EQ(table.Find(Address("::ffff:192.0.2.9")), id);
  EXPECT_FALSE(table.Find(Address("2002:c000:209::")));
}

TEST(AgencyTable, OnePrefixOneAgency) {
  AgencyTable table;
  const auto a = table.Add("a");
  const auto b = table.Add("b");
  EXPECT_TRUE(table.AddNetwork(a, Prefix("192.0.2.0/24")));
  EXPECT_TRUE(table.AddNetwork(a, Prefix("192.0.2.0/24")));
  EXPECT_FALSE(table.AddNetwork(b, Prefix("192.0.2.0/24")));
  EXPECT_EQ(table.Find(Address("192.0.2.1")), a);
}

// Against the definition: the longest of all prefixes that hold the address.
TEST(AgencyTable, AgreesWithLookingAtEveryNetwork) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    AgencyTable table;
    std::vector<std::pair<IpPrefix, AgencyTable::Id>> networks;
    for (int i = 0; i < 20; ++i) {
      const auto id = table.Add("a" + std::to_string(i));
      const IpAddress at =
          Address(("10.0." + std::to_string(random() % 4) + "." + std::to_string(random() % 256)).c_str());
      const auto prefix = IpPrefix::Make(at, static_cast<int>(16 + random() % 17));
      if (table.AddNetwork(id, *prefix)) networks.emplace_back(*prefix, id);
    }
    for (int i = 0; i < 200; ++i) {
      const IpAddress client =
          Address(("10.0." + std::to_string(random() % 5) + "." + std::to_string(random() % 256)).c_str());
      std::optional<AgencyTable::Id> best;
      int best_length = -1;
      for (const auto& [prefix, id] : networks) {
        if (!prefix.Contains(client) || prefix.mapped_length() <= best_length) continue;
        best = id;
        best_length = prefix.mapped_length();
      }
      ASSERT_EQ(table.Find(client), best) << client.ToString();
    }
  }
}

}  // namespace
}  // namespace sekisho::resolver
