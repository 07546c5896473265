#include "resolver/core/iterator/zone_cut.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "proto/base/bytes.h"
#include "resolver/core/limits.h"
#include "tests/replay/harness.h"

namespace sekisho::resolver {
namespace {

using dns::Name;
using dns::RRType;
using std::chrono::seconds;

Name N(const std::string& text) { return *Name::Parse(text); }
Now At(int s) { return {MonoTime(seconds(1000 + s)), {}}; }

class ZoneCutTest : public testing::Test {
 protected:
  ZoneCutTest() {
    settings_.query_private_addresses = true;
    settings_.root_hints.push_back({N("a.root."), *IpAddress::Parse("10.0.0.1")});
    settings_.root_hints.push_back({N("a.root."), *IpAddress::Parse("fd00::1")});
    settings_.root_hints.push_back({N("b.root."), *IpAddress::Parse("10.0.0.2")});
  }

  static Referral Refer(const std::string& zone, uint32_t ttl, const std::vector<std::string>& servers,
                        const std::string& glue) {
    Referral r;
    r.zone = N(zone);
    dns::RRset ns{.owner = N(zone), .type = RRType::kNS, .ttl = ttl};
    for (const auto& s : servers) ns.rdata.Add(N(s).bytes());
    r.ns = std::make_shared<const dns::RRset>(ns);
    if (glue.empty()) return r;
    dns::RRset a{.owner = N(servers.front()), .type = RRType::kA, .ttl = ttl};
    a.rdata.Add(IpAddress::Parse(glue)->bytes());
    r.glue.push_back(std::make_shared<const dns::RRset>(a));
    return r;
  }

  replay::SeededRng rng_{3};
  RrsetCache cache_{1 << 20, 1, rng_};
  Settings settings_;
};

TEST_F(ZoneCutTest, TheRootFromTheHints) {
  const ZoneCut cut = FindZoneCut(N("www.example.test."), cache_, settings_, At(0).mono);
  EXPECT_TRUE(cut.zone.IsRoot());
  ASSERT_EQ(cut.servers.size(), 2u);
  EXPECT_EQ(cut.servers[0].addresses.size(), 2u);
  settings_.ipv6 = false;
  EXPECT_EQ(FindZoneCut(N("x."), cache_, settings_, At(0).mono).servers[0].addresses.size(), 1u);
}

TEST_F(ZoneCutTest, TheDeepestFreshDelegationAboveTheName) {
  StoreReferral(Refer("test.", 100, {"ns.test."}, "10.1.0.1"), Name(), cache_, settings_, At(0));
  StoreReferral(Refer("example.test.", 10, {"ns.example.test."}, "10.1.0.2"), N("test."), cache_, settings_,
                At(0));
  EXPECT_EQ(FindZoneCut(N("www.EXAMPLE.test."), cache_, settings_, At(1).mono).zone, N("example.test."));
  EXPECT_EQ(FindZoneCut(N("notexample.test."), cache_, settings_, At(1).mono).zone, N("test."));
  EXPECT_EQ(FindZoneCut(N("www.example.test."), cache_, settings_, At(10).mono).zone, N("test."));
  EXPECT_TRUE(FindZoneCut(N("www.example.test."), cache_, settings_, At(100).mono).zone.IsRoot());
}

// A delegation whose servers can only be found through itself is no place to start from.
TEST_F(ZoneCutTest, UnreachableDelegationIsPassedOver) {
  StoreReferral(Refer("example.test.", 100, {"ns.example.test."}, ""), N("test."), cache_, settings_, At(0));
  EXPECT_TRUE(FindZoneCut(N("www.example.test."), cache_, settings_, At(1).mono).zone.IsRoot());
  StoreReferral(Refer("example.test.", 100, {"ns.elsewhere."}, ""), N("test."), cache_, settings_, At(0));
  EXPECT_EQ(FindZoneCut(N("www.example.test."), cache_, settings_, At(1).mono).zone, N("example.test."));
}

TEST_F(ZoneCutTest, DelegationsLiveNoLongerThanTheCap) {
  settings_.max_ttl = 50;
  StoreReferral(Refer("test.", 1'000'000, {"ns.test."}, "10.1.0.1"), Name(), cache_, settings_, At(0));
  EXPECT_EQ(FindZoneCut(N("x.test."), cache_, settings_, At(49).mono).zone, N("test."));
  EXPECT_TRUE(FindZoneCut(N("x.test."), cache_, settings_, At(50).mono).zone.IsRoot());
}

TEST_F(ZoneCutTest, ServersAndAddressesAreBounded) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("n" + std::to_string(i) + ".example.test.");
  Referral r = Refer("example.test.", 100, names, "");
  dns::RRset a{.owner = N(names[0]), .type = RRType::kA, .ttl = 100};
  for (int i = 1; i < 100; ++i) a.rdata.Add(IpAddress::Parse("10.2.0." + std::to_string(i))->bytes());
  r.glue.push_back(std::make_shared<const dns::RRset>(a));
  const ZoneCut cut = CutFromReferral(r, cache_, settings_, At(0).mono);
  EXPECT_EQ(cut.servers.size(), limits::kNsNames);
  EXPECT_EQ(cut.servers[0].addresses.size(), limits::kAddressesPerNs);
}

TEST_F(ZoneCutTest, AddressesThatAreNeverAsked) {
  for (const char* text : {"0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "ff02::1"}) {
    EXPECT_FALSE(MayAsk(*IpAddress::Parse(text), settings_)) << text;
  }
  EXPECT_TRUE(MayAsk(*IpAddress::Parse("127.0.0.1"), settings_));
  settings_.query_private_addresses = false;
  for (const char* text :
       {"127.0.0.1", "10.0.0.1", "172.16.5.5", "192.168.0.1", "169.254.169.254", "100.64.0.1", "198.18.0.1",
        "::1", "fe80::1", "fd00::1", "64:ff9b::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(MayAsk(*IpAddress::Parse(text), settings_)) << text;
  }
  EXPECT_TRUE(MayAsk(*IpAddress::Parse("198.41.0.4"), settings_));
  EXPECT_TRUE(MayAsk(*IpAddress::Parse("2001:503:ba3e::2:30"), settings_));
  EXPECT_TRUE(MayAsk(*IpAddress::Parse("172.32.0.1"), settings_));
}

TEST_F(ZoneCutTest, ConfiguredZoneCountsWhenItIsAsDeep) {
  settings_.zones.push_back(
      {.zone = N("corp.test."), .forward = true, .servers = {{*IpAddress::Parse("10.9.0.1"), 53}}});
  const auto inside = FindConfiguredZone(N("www.corp.test."), N("test."), settings_);
  ASSERT_TRUE(inside);
  EXPECT_TRUE(inside->forward);
  EXPECT_FALSE(FindConfiguredZone(N("www.notcorp.test."), N("test."), settings_));
}

}  // namespace
}  // namespace sekisho::resolver
