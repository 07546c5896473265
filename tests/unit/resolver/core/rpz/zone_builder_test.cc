#include "resolver/core/rpz/zone_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/dns/presentation.h"

namespace sekisho::resolver::rpz {
namespace {

using ::testing::HasSubstr;

const dns::Name kOrigin = *dns::Name::Parse("rpz.test.");

std::shared_ptr<const Zone> Zone1(const std::string& text) {
  auto read = ReadZone(text, kOrigin);
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.left_out_reason, "");
  return read.zone;
}

std::optional<Rule> At(const Zone& zone, const std::string& name, TriggerKind kind = TriggerKind::kQname) {
  const auto match = zone.names(kind).Find(*dns::Name::Parse(name));
  if (!match) return std::nullopt;
  return zone.rule(match->value);
}

std::optional<Told> AtAddress(const Zone& zone, TriggerKind kind, const std::string& address) {
  const auto match = zone.prefixes(kind).Find(*IpAddress::Parse(address));
  if (!match) return std::nullopt;
  return zone.rule(match->value).told;
}

TEST(ZoneBuilder, Actions) {
  const auto zone = Zone1(
      "a CNAME .\nb CNAME *.\nc CNAME rpz-passthru.\nd CNAME RPZ-drop.\ne CNAME rpz-tcp-only.\n"
      "f A 192.0.2.1\ng CNAME garden.example.\nh.test CNAME h.test.\n");
  EXPECT_EQ(At(*zone, "a")->told, Told::kNxdomain);
  EXPECT_EQ(At(*zone, "b")->told, Told::kNodata);
  EXPECT_EQ(At(*zone, "c")->told, Told::kPassthru);
  EXPECT_EQ(At(*zone, "d")->told, Told::kDrop);
  EXPECT_EQ(At(*zone, "e")->told, Told::kTcpOnly);
  EXPECT_EQ(At(*zone, "f")->told, Told::kData);
  EXPECT_EQ(At(*zone, "g")->data->front()->type, dns::RRType::kCNAME);
  EXPECT_EQ(At(*zone, "h.test")->told, Told::kPassthru) << "the old way to say it";
  EXPECT_EQ(zone->rules(), 8u);
  EXPECT_FALSE(zone->needs_answer());
  EXPECT_EQ(zone->soa(), nullptr);
}

TEST(ZoneBuilder, AllTriggers) {
  const auto zone = Zone1(
      "@ 60 SOA ns host 7 1 1 1 1\n@ NS ns\n"
      "24.0.2.0.192.rpz-client-ip CNAME .\n32.1.0.0.10.rpz-ip CNAME *.\n"
      "48.zz.1.db8.2001.rpz-ip CNAME rpz-drop.\n128.1.zz.RPZ-ip CNAME rpz-passthru.\n"
      "128.8.7.6.5.4.3.2.1.rpz-nsip CNAME .\n0.0.0.0.0.rpz-nsip CNAME *.\n"
      "*.ns.example.rpz-nsdname CNAME .\n");
  EXPECT_EQ(AtAddress(*zone, TriggerKind::kClient, "192.0.2.77"), Told::kNxdomain);
  EXPECT_EQ(AtAddress(*zone, TriggerKind::kAddress, "192.0.2.77"), std::nullopt);
  EXPECT_EQ(AtAddress(*zone, TriggerKind::kAddress, "10.0.0.1"), Told::kNodata);
  EXPECT_EQ(AtAddress(*zone, TriggerKind::kAddress, "2001:db8:1:ffff::2"), Told::kDrop);
  EXPECT_EQ(AtAddress(*zone, TriggerKind::kAddress, "::1"), Told::kPassthru);
  EXPECT_EQ(AtAddress(*zone, TriggerKind::kNsAddress, "1:2:3:4:5:6:7:8"), Told::kNxdomain);
  EXPECT_EQ(AtAddress(*zone, TriggerKind::kNsAddress, "203.0.113.9"), Told::kNodata);
  EXPECT_EQ(At(*zone, "a.ns.example", TriggerKind::kNsName)->told, Told::kNxdomain);
  EXPECT_FALSE(At(*zone, "a.ns.example"));
  EXPECT_TRUE(zone->needs_servers());
  EXPECT_EQ(zone->soa()->ttl, 60u);
}

TEST(ZoneBuilder, TheFirstCnameCountsAndBeforeOtherData) {
  const auto zone = Zone1("a A 192.0.2.1\na CNAME *.\na CNAME .\n");
  EXPECT_EQ(At(*zone, "a")->told, Told::kNodata);
}

TEST(ZoneBuilder, LocalDataBySets) {
  const auto zone = Zone1("a 60 A 192.0.2.1\na 30 A 192.0.2.2\na 30 A 192.0.2.1\na TXT x\n");
  const Rule rule = *At(*zone, "a");
  ASSERT_EQ(rule.data->size(), 2u);
  EXPECT_EQ(rule.data->front()->rdata.size(), 2u);
  EXPECT_EQ(rule.data->front()->ttl, 30u);
}

TEST(ZoneBuilder, AnErrorNamesItsLine) {
  const auto read = ReadZone("a CNAME .\n\nb CNAME\n", kOrigin);
  EXPECT_EQ(read.zone, nullptr);
  EXPECT_EQ(read.line, 3u);
  EXPECT_NE(read.error, "");
}

TEST(ZoneBuilder, WhatMeansNothingIsLeftOutAndCounted) {
  const auto read = ReadZone(
      "a CNAME .\n33.1.2.0.192.rpz-ip CNAME .\n32.1.2.0.rpz-ip CNAME .\n24.1.2.0.256.rpz-ip CNAME .\n"
      "rpz-ip CNAME .\nb CNAME rpz-unknown.\nwww.other. CNAME .\n48.zz.zz.1.rpz-ip CNAME .\n"
      "48.xyz.zz.1.rpz-ip CNAME .\n-1.1.2.0.192.rpz-nsip CNAME .\n",
      kOrigin);
  ASSERT_NE(read.zone, nullptr);
  EXPECT_EQ(read.left_out, 9u);
  EXPECT_EQ(read.left_out_line, 2u);
  EXPECT_THAT(read.left_out_reason, HasSubstr("is not a prefix"));
  EXPECT_EQ(read.zone->rules(), 1u);
}

TEST(ZoneBuilder, RecordsOfAnyZoneAreNoRules) {
  const auto zone = Zone1("@ TXT about\na NS ns.example.\na DNAME b.example.\n");
  EXPECT_EQ(zone->rules(), 0u);
}

TEST(ZoneBuilder, SaysWhatItTakes) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "host" + std::to_string(i) + ".evil.example CNAME .\n";
  const auto zone = Zone1(text);
  EXPECT_EQ(zone->rules(), 10'000u);
  EXPECT_LT(zone->bytes(), 10'000u * 40);
}

}  // namespace
}  // namespace sekisho::resolver::rpz
