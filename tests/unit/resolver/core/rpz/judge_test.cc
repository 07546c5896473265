#include "resolver/core/rpz/judge.h"

#include <gtest/gtest.h>

#include "resolver/core/rpz/zone_builder.h"

namespace sekisho::resolver::rpz {
namespace {

using record::Trigger;

class JudgeTest : public ::testing::Test {
 protected:
  ZoneConfig& Add(const std::string& name, const std::string& text) {
    auto read = ReadZone(text, *dns::Name::Parse(name));
    EXPECT_NE(read.zone, nullptr) << read.error;
    auto config = std::make_shared<ZoneConfig>();
    config->name = name;
    list_.push_back({read.zone, config});
    return *config;
  }
  Judgement Ask(const std::string& name, const Facts* facts = nullptr) {
    name_ = *dns::Name::Parse(name);
    return Judge(list_, {.client = &client_, .name = name_, .alias = false, .answer = facts});
  }
  std::string Decided(const Judgement& j) { return j.rule ? j.rule->zone->config->name : ""; }

  IpAddress client_ = *IpAddress::Parse("192.0.2.1");
  dns::Name name_;
  ZoneList list_;
};

TEST_F(JudgeTest, NothingToSay) {
  const Judgement j = Ask("a.test");
  EXPECT_FALSE(j.rule || j.noted || j.waits);
}

TEST_F(JudgeTest, TheFirstZoneDecidesWhateverTheTrigger) {
  Add("one.", "a.test CNAME .\n");
  Add("two.", "32.1.2.0.192.rpz-client-ip CNAME .\nb.test CNAME .\n");
  EXPECT_EQ(Decided(Ask("a.test")), "one.");
  const Judgement j = Ask("b.test");
  EXPECT_EQ(Decided(j), "two.");
  EXPECT_EQ(j.rule->trigger, Trigger::kClient) << "before the name, within a zone";
}

TEST_F(JudgeTest, WhatNeedsTheAnswerHoldsBackTheZonesBehind) {
  Add("one.", "a.test CNAME *.\n32.9.2.0.192.rpz-ip CNAME rpz-passthru.\n");
  Add("two.", "b.test CNAME .\n");
  EXPECT_EQ(Decided(Ask("a.test")), "one.") << "the zone's own name does not wait";
  EXPECT_TRUE(Ask("b.test").waits);
  Facts facts;
  EXPECT_EQ(Decided(Ask("b.test", &facts)), "two.");
  facts.addresses = {*IpAddress::Parse("192.0.2.9")};
  EXPECT_EQ(Decided(Ask("b.test", &facts)), "one.");
}

TEST_F(JudgeTest, ZonesThatAreOnlyNotedDecideNothingAndHoldNothingBack) {
  Add("noted.", "b.test CNAME .\n32.9.2.0.192.rpz-ip CNAME .\n").log_only = true;
  Add("off.", "b.test CNAME .\n").action = Override::kDisabled;
  Add("two.", "a.test CNAME .\n");
  EXPECT_EQ(Decided(Ask("a.test")), "two.");
  const Judgement j = Ask("b.test");
  EXPECT_FALSE(j.rule || j.waits);
  EXPECT_EQ(j.noted->zone->config->name, "noted.");
}

TEST_F(JudgeTest, AddressesThenServerNamesThenTheirAddressesAndTheLongestPrefix) {
  Add("one.",
      "24.0.2.0.192.rpz-ip CNAME .\n32.9.2.0.192.rpz-ip CNAME *.\n"
      "ns.test.rpz-nsdname CNAME .\n8.0.0.0.10.rpz-nsip CNAME .\n32.5.0.0.10.rpz-nsip CNAME *.\n");
  int asked = 0;
  Facts facts;
  facts.servers = [&] {
    ++asked;
    return std::vector<KnownServer>{
        {*dns::Name::Parse("x.test"), {*IpAddress::Parse("10.1.1.1"), *IpAddress::Parse("10.0.0.5")}},
        {*dns::Name::Parse("ns.test"), {}}};
  };
  facts.addresses = {*IpAddress::Parse("192.0.2.1"), *IpAddress::Parse("192.0.2.9")};
  Judgement j = Ask("a.test", &facts);
  EXPECT_EQ(j.rule->trigger, Trigger::kAnswerAddress);
  EXPECT_EQ(j.rule->prefix->ToString(), "192.0.2.9/32");
  facts.addresses.clear();
  j = Ask("a.test", &facts);
  EXPECT_EQ(j.rule->trigger, Trigger::kNsName);
  EXPECT_EQ(j.rule->matched.ToString(), "ns.test.");
  facts.servers = [] {
    return std::vector<KnownServer>{
        {*dns::Name::Parse("x.test"), {*IpAddress::Parse("10.1.1.1"), *IpAddress::Parse("10.0.0.5")}}};
  };
  j = Ask("a.test", &facts);
  EXPECT_EQ(j.rule->trigger, Trigger::kNsAddress);
  EXPECT_EQ(j.rule->prefix->ToString(), "10.0.0.5/32");
  EXPECT_EQ(asked, 2);
}

TEST_F(JudgeTest, ServersAreNotAskedForWithoutRulesAboutThem) {
  Add("one.", "32.9.2.0.192.rpz-ip CNAME .\n");
  Facts facts;
  facts.servers = [] {
    ADD_FAILURE() << "asked for";
    return std::vector<KnownServer>{};
  };
  EXPECT_FALSE(Ask("a.test", &facts).rule);
}

TEST_F(JudgeTest, ClientsThatARuleKnows) {
  Add("one.", "24.0.2.0.192.rpz-client-ip CNAME rpz-passthru.\n");
  EXPECT_TRUE(HasClientRule(list_, client_));
  EXPECT_FALSE(HasClientRule(list_, *IpAddress::Parse("192.0.3.1")));
}

}  // namespace
}  // namespace sekisho::resolver::rpz
