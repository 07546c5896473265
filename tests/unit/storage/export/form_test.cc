#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "proto/base/bytes.h"
#include "proto/dns/message.h"
#include "proto/schema/dnstap.pb.h"
#include "storage/export/frame_stream.h"
#include "storage/export/row_form.h"
#include "storage/export/sink.h"
#include "tests/unit/proto/record/random_lookups.h"

namespace sekisho::exports {
namespace {

using record::LookupRecord;

std::string A(uint8_t last) { return {'\xc0', '\0', '\2', static_cast<char>(last)}; }

LookupRecord Answered() {
  LookupRecord r;
  r.node = 3;
  r.boot = 1'700'000'000'000'000;
  r.worker = 1;
  r.sequence = 77;
  r.time = WallFromMicros(1'800'000'000'123'456);
  r.latency_us = 2'500'000;
  r.agency = "ministry \"a\"\n";
  r.client = {*IpAddress::Parse("192.0.2.9"), 4242};
  r.qname = *dns::Name::Parse("www.example.test");
  r.qtype = dns::RRType::kA;
  r.flags = record::kFlagRd | record::kFlagEdns | record::kFlagDo | record::kFlagAnswered | record::kFlagAd;
  const auto target = *dns::Name::Parse("cdn.example.test");
  r.answers = {{dns::RRType::kCNAME, std::string(AsText(target.bytes()))}, {dns::RRType::kA, A(7)}};
  return r;
}

LookupRecord Blocked() {
  LookupRecord r = Answered();
  r.action = record::Action::kNxdomain;
  r.trigger = record::Trigger::kCname;
  r.trigger_name = *dns::Name::Parse("x.bad.test");
  r.rule_labels = 2;
  r.rule_subtree = true;
  r.feeds = "feed-a";
  r.category = "phishing";
  r.rcode = dns::Rcode::kNXDomain;
  r.ede = 15;
  return r;
}

nlohmann::json Ocsf(const LookupRecord& r) {
  std::vector<Payload> out;
  MakeOcsfForm({"host", "1.0"})->Row(r, &out);
  EXPECT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].bytes.find('\n'), std::string::npos);
  return nlohmann::json::parse(out[0].bytes);
}

std::vector<dnstap::Dnstap> Taps(const LookupRecord& r) {
  std::vector<Payload> payloads;
  MakeDnstapForm({"host", "1.0"})->Row(r, &payloads);
  std::vector<dnstap::Dnstap> out(payloads.size());
  for (size_t i = 0; i < payloads.size(); ++i) EXPECT_TRUE(out[i].ParseFromString(payloads[i].bytes));
  return out;
}

TEST(OcsfForm, SaysWhatTheClassAsksFor) {
  const auto j = Ocsf(Answered());
  EXPECT_EQ(j["class_uid"], 4003);
  EXPECT_EQ(j["category_uid"], 4);
  EXPECT_EQ(j["type_uid"], 4003 * 100 + j["activity_id"].get<int>());
  EXPECT_EQ(j["severity_id"], 1);
  EXPECT_EQ(j["time"], 1'800'000'000'123);
  EXPECT_EQ(j["response_time"], 1'800'000'002'623);
  EXPECT_EQ(j["metadata"]["version"], "1.3.0");
  EXPECT_EQ(j["metadata"]["uid"], "3-1700000000000000-1-77");
  EXPECT_EQ(j["metadata"]["tenant_uid"], "ministry \"a\"\\x0a");
  EXPECT_EQ(j["src_endpoint"]["ip"], "192.0.2.9");
  EXPECT_EQ(j["src_endpoint"]["port"], 4242);
  EXPECT_EQ(j["query"]["hostname"], "www.example.test.");
  EXPECT_EQ(j["query"]["type"], "A");
  EXPECT_EQ(j["answers"].size(), 2u);
  EXPECT_EQ(j["answers"][1]["rdata"], "192.0.2.7");
  EXPECT_EQ(j["rcode_id"], 0);
  EXPECT_EQ(j["rcode"], "NoError");
  EXPECT_EQ(j["disposition_id"], 1);
  EXPECT_EQ(j["action_id"], 1);
  EXPECT_FALSE(j.contains("firewall_rule"));
}

TEST(OcsfForm, SaysWhatWasBlockedAndWhy) {
  const auto j = Ocsf(Blocked());
  EXPECT_EQ(j["disposition_id"], 2);
  EXPECT_EQ(j["action_id"], 2);
  EXPECT_EQ(j["firewall_rule"]["name"], "*.bad.test.");
  EXPECT_EQ(j["firewall_rule"]["type"], "feed-a");
  EXPECT_EQ(j["rcode"], "NXDomain");
  EXPECT_EQ(j["unmapped"]["ede"], 15);
}

TEST(OcsfForm, IsOneLineOfJsonWhateverStrangersSend) {
  record::RandomLookups random(7);
  for (int i = 0; i < 2000; ++i) {
    LookupRecord r = random.Next(1'700'000'000'000'000, false);
    r.agency = random.SomeBytes(20);
    r.feeds = random.SomeBytes(20);
    const auto j = Ocsf(r);  // throws when it is not UTF-8 or not JSON
    EXPECT_EQ(j["metadata"]["uid"], LookupId(r));
  }
}

TEST(OcsfForm, TellsGaps) {
  std::vector<Payload> out;
  MakeOcsfForm({"host", "1.0"})->Gap(12, "the buffer was full", WallFromMicros(5'000'000), &out);
  const auto j = nlohmann::json::parse(out.at(0).bytes);
  EXPECT_EQ(j["count"], 12);
  EXPECT_EQ(j["class_uid"], 0);
}

TEST(DnstapForm, HoldsBothMessages) {
  const auto taps = Taps(Answered());
  ASSERT_EQ(taps.size(), 2u);
  const auto& query = taps[0].message();
  EXPECT_EQ(query.type(), dnstap::Message::CLIENT_QUERY);
  EXPECT_EQ(query.socket_family(), dnstap::INET);
  EXPECT_EQ(query.query_address(), std::string("\xc0\0\2\x09", 4));
  EXPECT_EQ(query.query_time_nsec(), 123'456'000u);
  dns::ParsedMessage m;
  ASSERT_EQ(m.Parse(AsBytes(query.query_message())), dns::ParseError::kNone);
  EXPECT_FALSE(m.header().qr);
  EXPECT_TRUE(m.header().rd);
  EXPECT_EQ(m.qname().ToString(), "www.example.test.");
  EXPECT_TRUE(m.edns().has_value());
  const auto& response = taps[1].message();
  EXPECT_EQ(response.type(), dnstap::Message::CLIENT_RESPONSE);
  EXPECT_FALSE(response.has_query_message());
  EXPECT_EQ(response.response_time_sec(), 1'800'000'002u);
  ASSERT_EQ(m.Parse(AsBytes(response.response_message())), dns::ParseError::kNone);
  EXPECT_TRUE(m.header().qr);
  EXPECT_TRUE(m.header().ad);
  const auto records = m.records(dns::Section::kAnswer);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(m.Owner(records[1]).ToString(), "cdn.example.test.");
  EXPECT_EQ(AsText(m.RawRdata(records[1])), A(7));
}

TEST(DnstapForm, DoesNotShowWhatWasBlockedAsSent) {
  const auto taps = Taps(Blocked());
  ASSERT_EQ(taps.size(), 2u);
  dns::ParsedMessage m;
  ASSERT_EQ(m.Parse(AsBytes(taps[1].message().response_message())), dns::ParseError::kNone);
  EXPECT_EQ(m.rcode(), dns::Rcode::kNXDomain);
  EXPECT_TRUE(m.records(dns::Section::kAnswer).empty());
  const auto& policy = taps[1].message().policy();
  EXPECT_EQ(policy.type(), "feed-a");
  EXPECT_EQ(policy.action(), dnstap::Policy::NXDOMAIN);
  EXPECT_EQ(policy.rule(), std::string(AsText(dns::Name::Parse("bad.test")->bytes())));
}

TEST(DnstapForm, HasNoResponseWhereNoneWasSent) {
  LookupRecord r = Blocked();
  r.flags = record::kFlagRd;
  EXPECT_EQ(Taps(r).size(), 1u);
}

TEST(FrameStream, ControlFramesAreReadAsWritten) {
  const std::string frame = ControlFrame(Control::kReady, kDnstapContent);
  const auto body = ReadControl(std::string_view(frame).substr(8));
  ASSERT_TRUE(body);
  EXPECT_EQ(body->type, Control::kReady);
  EXPECT_EQ(body->content, kDnstapContent);
  for (size_t cut = 9; cut < frame.size(); ++cut) {
    if (cut == 12) continue;  // a control frame without fields
    EXPECT_FALSE(ReadControl(std::string_view(frame).substr(8, cut - 8))) << cut;
  }
}

TEST(Syslog, CountsOctets) {
  std::string out;
  AppendFramed(Framing::kSyslog, "host", {"{}", WallFromMicros(1'769'850'005'123'000), true}, &out);
  AppendFramed(Framing::kSyslog, "host", {"{\"a\":1}", WallFromMicros(0), false}, &out);
  const std::string first = "<133>1 2026-01-31T09:00:05.123Z host sekisho - dns_activity - {}";
  EXPECT_TRUE(out.starts_with(std::to_string(first.size()) + " " + first)) << out;
  EXPECT_NE(out.find("<134>1 1970-01-01T00:00:00.000Z"), std::string::npos) << out;
}

}  // namespace
}  // namespace sekisho::exports
