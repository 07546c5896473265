#include "resolver/server/outlook.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "blocklist/trie/trie_builder.h"
#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"
#include "resolver/core/policy/policy_groups.h"
#include "resolver/core/rpz/zone_builder.h"

namespace sekisho::resolver {
namespace {

dns::Name N(std::string_view text) { return *dns::Name::Parse(text); }

// Three agencies: as everybody, under a policy that only notes, and under one that leaves feed-b out.
class OutlookTest : public ::testing::Test {
 protected:
  OutlookTest() {
    for (const char* name : {"plain", "noting", "choosing"}) settings_.agencies.Add(name);
    auto noting = std::make_shared<AgencyPolicy>();
    noting->name = "noting";
    noting->log_only = true;
    auto choosing = std::make_shared<AgencyPolicy>();
    choosing->name = "choosing";
    choosing->feeds["feed-a"] = {
        .counts = true, .action = record::Action::kNodata, .rank = 1, .category = ""};
    choosing->feeds["feed-b"].counts = false;
    settings_.agency_policies = {nullptr, noting, choosing};
    auto zone = std::make_shared<rpz::ZoneConfig>();
    zone->name = "central";
    zone->origin = N("rpz.test.");
    settings_.policy_zones = {zone};
    MakePolicyGroups({{}}, &settings_);
    const rpz::ReadResult read = rpz::ReadZone(
        "@ 60 SOA ns. host. 1 2 3 4 5\n*.zoned.example 60 CNAME .\nboth.example 60 CNAME *.\n", zone->origin);
    EXPECT_TRUE(read.zone) << read.error;
    rules_.zones = std::make_shared<const rpz::Zones>(rpz::Zones{{"central", read.zone}});
    blocklist::TrieBuilder builder;
    const uint32_t a = builder.AddSource({.feeds = "feed-a", .category = "phishing", .reference = ""});
    const uint32_t b = builder.AddSource({.feeds = "feed-b", .category = "", .reference = ""});
    using blocklist::RuleAction;
    using blocklist::RuleScope;
    EXPECT_TRUE(builder.AddAddress(*IpPrefix::Parse("198.51.100.0/24"), RuleAction::kBlock, a).ok());
    EXPECT_TRUE(builder.Add(dns::NameKey(N("b.example.")), RuleScope::kExact, RuleAction::kBlock, b).ok());
    EXPECT_TRUE(
        builder.Add(dns::NameKey(N("evil.example.")), RuleScope::kSubtree, RuleAction::kBlock, a).ok());
    const auto bytes = std::make_shared<const std::string>(*builder.Finish());
    rules_.lists = std::make_shared<const blocklist::PolicySnapshot>(
        7, *blocklist::TrieView::Open(AsBytes(*bytes)), std::nullopt, bytes);
    rules_.settings = &settings_;
  }

  control::Judgement Ask(const std::string& subject, const std::string& agency) {
    control::JudgeRequest request;
    request.set_subject(subject);
    request.set_agency(agency);
    const auto judged = MakeOutlook(request, rules_, WallTime{});
    EXPECT_TRUE(judged.ok()) << judged.status();
    if (!judged.ok() || judged->judgements_size() != 1) return {};
    EXPECT_EQ(judged->generation(), 7u);
    return judged->judgements(0);
  }

  Settings settings_;
  RulesInForce rules_;
};

TEST_F(OutlookTest, ListsAsEachAgencysPolicyHasThem) {
  const auto plain = Ask("www.evil.example", "plain");
  EXPECT_EQ(plain.action(), "nxdomain");
  EXPECT_EQ(plain.by(), "feed-a");
  EXPECT_EQ(plain.rule(), "evil.example. and all below");
  EXPECT_EQ(plain.category(), "phishing");
  EXPECT_EQ(plain.policy(), "");
  EXPECT_EQ(Ask("www.evil.example", "noting").action(), "log-only");
  EXPECT_EQ(Ask("www.evil.example", "choosing").action(), "nodata");
  EXPECT_EQ(Ask("b.example", "plain").rule(), "b.example. alone");
  EXPECT_EQ(Ask("b.example", "choosing").action(), "none");
  EXPECT_EQ(Ask("a.b.example", "plain").action(), "none");
}

TEST_F(OutlookTest, Addresses) {
  const auto listed = Ask("198.51.100.9", "plain");
  EXPECT_EQ(listed.action(), "nxdomain");
  EXPECT_EQ(listed.rule(), "198.51.100.0/24");
  EXPECT_EQ(Ask("198.51.100.9/32", "choosing").action(), "nodata");
  EXPECT_EQ(Ask("203.0.113.9", "plain").action(), "none");
}

TEST_F(OutlookTest, PolicyZonesSpeakAfterTheLists) {
  const auto zoned = Ask("x.zoned.example", "plain");
  EXPECT_EQ(zoned.action(), "nxdomain");
  EXPECT_EQ(zoned.by(), "policy zone central");
  EXPECT_EQ(Ask("both.example", "noting").action(), "nodata") << "the zone is not that policy's";
  EXPECT_EQ(Ask("zoned.example", "plain").action(), "none");
}

TEST_F(OutlookTest, LocalZonesSpeakBetweenThem) {
  settings_.local.AddZone(N("zoned.example."), LocalZoneKind::kStatic);
  EXPECT_EQ(Ask("x.zoned.example", "plain").action(), "local");
}

TEST_F(OutlookTest, WhatCannotBeJudgedIsRefused) {
  for (const char* subject : {"198.51.100.0/24", "a..b", "x y.\\999"}) {
    control::JudgeRequest request;
    request.set_subject(subject);
    const auto judged = MakeOutlook(request, rules_, WallTime{});
    EXPECT_FALSE(judged.ok()) << subject;
  }
  control::JudgeRequest request;
  request.set_subject("example");
  request.set_agency("nobody");
  EXPECT_EQ(MakeOutlook(request, rules_, WallTime{}).status().code(), absl::StatusCode::kNotFound);
  request.clear_agency();
  EXPECT_EQ(MakeOutlook(request, rules_, WallTime{})->judgements_size(), 3);
}

}  // namespace
}  // namespace sekisho::resolver
