// What no feed may block by address, and how claims about addresses become rules.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "blocklist/merge/guard_sources.h"
#include "blocklist/merge/merger.h"
#include "blocklist/trie/policy_snapshot.h"
#include "proto/base/bytes.h"

namespace sekisho::blocklist {
namespace {

IpPrefix P(const std::string& text) { return *IpPrefix::Parse(text); }

AddressGuard MakeGuard(bool block_private = false) {
  AddressGuardLists lists;
  std::string error;
  EXPECT_TRUE(lists.protected_addresses.AddText("203.0.113.53 # ours\n2001:db8:53::/48\n", &error));
  EXPECT_TRUE(lists.shared_addresses.AddText(
      R"({"name": "cdn", "type": "cidr", "list": ["198.51.100.0/24", "198.51.100.128/25"]})", &error));
  lists.own_networks.Add(P("192.0.2.0/25"));
  lists.block_private = block_private;
  return AddressGuard(std::move(lists));
}

TEST(AddressGuard, SpecialAndPrivateAddressesAreNoAttackers) {
  const AddressGuard guard = MakeGuard();
  for (const char* text : {"0.0.0.0", "127.0.0.1", "127.255.0.0/16", "169.254.1.1", "224.0.0.251",
                           "255.255.255.255", "::", "::1", "fe80::1", "ff02::1", "::/0", "0.0.0.0/0"}) {
    EXPECT_EQ(guard.Check(P(text)), GuardVerdict::kSpecialAddress) << text;
  }
  for (const char* text : {"10.1.2.3", "100.64.0.1", "172.31.0.0/16", "192.168.1.1", "fd00::1"}) {
    EXPECT_EQ(guard.Check(P(text)), GuardVerdict::kPrivateAddress) << text;
    EXPECT_EQ(MakeGuard(true).Check(P(text)), GuardVerdict::kEnforce) << text;
  }
  EXPECT_EQ(guard.Check(P("172.32.0.1")), GuardVerdict::kEnforce);
}

// Every block of the two registries, and one address just outside of those that were easy to cut wrong.
TEST(AddressGuard, TheSpecialPurposeRegistriesAreCovered) {
  const AddressGuard guard = MakeGuard();
  for (const char* text :
       {"0.0.0.0/8",       "0.0.0.0/32",      "127.0.0.0/8",     "169.254.0.0/16",     "192.0.0.0/24",
        "192.0.0.0/29",    "192.0.0.8/32",    "192.0.0.9/32",    "192.0.0.10/32",      "192.0.0.170/32",
        "192.0.0.171/32",  "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",     "192.88.99.2/32",
        "192.175.48.0/24", "198.18.0.0/15",   "198.19.255.255",  "240.0.0.0/4",        "255.255.255.255/32",
        "::1/128",         "::/128",          "64:ff9b::/96",    "64:ff9b::c633:6401", "64:ff9b:1::/48",
        "100::/64",        "100:0:0:1::/64",  "2001::/23",       "2001::/32",          "2001:1::1/128",
        "2001:1::2/128",   "2001:1::3/128",   "2001:2::/48",     "2001:3::/32",        "2001:4:112::/48",
        "2001:10::/28",    "2001:20::/28",    "2001:30::/28",    "2620:4f:8000::/48",  "5f00::/16",
        "fe80::/10"}) {
    EXPECT_EQ(guard.Check(P(text)), GuardVerdict::kSpecialAddress) << text;
  }
  for (const char* text : {"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"})
    EXPECT_EQ(guard.Check(P(text)), GuardVerdict::kPrivateAddress) << text;
  for (const char* text : {"198.17.255.255", "198.20.0.0", "192.31.195.1", "192.31.197.1", "192.88.98.1",
                           "192.88.100.1", "192.175.49.1", "2001:200::1", "2620:4f:8001::1", "3fff::1",
                           "2002:c633:6401::/48", "64:ff9b:2::1", "5eff::1"}) {
    EXPECT_EQ(guard.Check(P(text)), GuardVerdict::kEnforce) << text;
  }
}

TEST(AddressGuard, WideNetworksAreHeldBack) {
  const AddressGuard guard = MakeGuard();
  EXPECT_EQ(guard.Check(P("42.128.0.0/12")), GuardVerdict::kWidePrefix);
  EXPECT_EQ(guard.Check(P("42.128.0.0/15")), GuardVerdict::kWidePrefix);
  EXPECT_EQ(guard.Check(P("42.128.0.0/16")), GuardVerdict::kEnforce);
  EXPECT_EQ(guard.Check(P("2a00::/27")), GuardVerdict::kWidePrefix);
  EXPECT_EQ(guard.Check(P("2a00::/28")), GuardVerdict::kEnforce);
}

TEST(AddressGuard, APrefixThatHoldsAGuardedAddressIsHeldBackAsOneWithinIs) {
  const AddressGuard guard = MakeGuard();
  EXPECT_EQ(guard.Check(P("203.0.113.53")), GuardVerdict::kProtected);
  EXPECT_EQ(guard.Check(P("203.0.113.0/24")), GuardVerdict::kProtected);
  EXPECT_EQ(guard.Check(P("203.0.113.54")), GuardVerdict::kEnforce);
  EXPECT_EQ(guard.Check(P("2001:db8:53::1")), GuardVerdict::kProtected);
  EXPECT_EQ(guard.Check(P("2001:db8:54::1")), GuardVerdict::kEnforce);
  EXPECT_EQ(guard.Check(P("198.51.100.7")), GuardVerdict::kSharedAddress);
  EXPECT_EQ(guard.Check(P("198.51.101.7")), GuardVerdict::kEnforce);
  EXPECT_EQ(guard.Check(P("192.0.2.0/24")), GuardVerdict::kOwnNetwork);
  EXPECT_EQ(guard.Check(P("192.0.2.200")), GuardVerdict::kEnforce);
}

TEST(AddressGuard, TheListsThatComeWithSekishoHoldOnlyAddresses) {
  GuardSources sources;
  sources.own_networks = {P("203.0.113.0/24"), P("0.0.0.0/0")};
  const auto loaded = LoadGuard(sources);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const Guard& guard = *loaded->guard;
  EXPECT_EQ(guard.lists().addresses.protected_addresses.skipped(), 0u);
  for (const char* text : {"8.8.8.8", "1.1.1.1", "9.9.9.9", "198.41.0.4", "2001:dc3::35", "104.16.1.1",
                           "151.101.1.1", "2606:4700::1111", "203.0.113.9"}) {
    EXPECT_NE(guard.CheckAddress(P(text), ClaimKind::kAddress), GuardVerdict::kEnforce) << text;
  }
  EXPECT_EQ(guard.CheckAddress(P("198.51.100.1"), ClaimKind::kAddress), GuardVerdict::kEnforce);
  EXPECT_EQ(guard.CheckAddress(P("198.51.100.1"), ClaimKind::kUrlAddress), GuardVerdict::kUrlOnAddress);
}

TEST(Merger, ClaimsAboutOneAddressBecomeOneRuleBesideTheNames) {
  const Guard guard{GuardLists()};
  TrieBuilder builder;
  Merger merger({{.name = "a", .category = "c2"}, {.name = "b"}, {.name = "c", .log_only = true}}, guard,
                &builder);
  const auto add = [&](const char* prefix, MergeClaim claim) {
    claim.kind = claim.kind == ClaimKind::kExact ? ClaimKind::kAddress : claim.kind;
    ASSERT_TRUE(merger.AddAddress(P(prefix), claim).ok());
  };
  add("127.0.0.1", {.feed = 0});
  add("198.51.100.1", {.feed = 1, .reference = "case 7"});
  add("198.51.100.1", {.feed = 0});
  add("198.51.100.1", {.feed = 2});
  add("198.51.100.2", {.feed = 2});
  add("198.51.100.3", {.kind = ClaimKind::kUrlAddress, .feed = 0});
  add("198.51.100.4", {.feed = 0});
  add("198.51.100.4", {.allow = true, .feed = 0});
  ASSERT_TRUE(merger.Add(KeyFromNameText("bad.example.test"), {.feed = 1}).ok());
  ASSERT_TRUE(merger.Finish().ok());
  EXPECT_EQ(merger.rules(), 3u);
  EXPECT_EQ(merger.not_enforced(), 2u);
  const std::string bytes = *builder.Finish();
  const PolicySnapshot snapshot(1, *TrieView::Open(AsBytes(bytes)), std::nullopt, nullptr);
  const auto match = snapshot.MatchAddress(*IpAddress::Parse("198.51.100.1"));
  ASSERT_TRUE(match);
  EXPECT_EQ(match->action, RuleAction::kBlock);
  EXPECT_EQ(match->length, 32);
  EXPECT_EQ(snapshot.source(*match).feeds, "a, b");
  EXPECT_EQ(snapshot.source(*match).category, "c2");
  EXPECT_EQ(snapshot.source(*match).reference, "case 7");
  EXPECT_EQ(snapshot.MatchAddress(*IpAddress::Parse("198.51.100.2"))->action, RuleAction::kLogOnly);
  for (const char* text : {"127.0.0.1", "198.51.100.3", "198.51.100.4"})
    EXPECT_FALSE(snapshot.MatchAddress(*IpAddress::Parse(text))) << text;
  EXPECT_TRUE(snapshot.MatchName(*dns::Name::Parse("bad.example.test")));
}

}  // namespace
}  // namespace sekisho::blocklist
