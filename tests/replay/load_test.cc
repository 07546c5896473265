// Attacks that last, at full rate, in injected time: what others notice of them (rows D22, S24).
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proto/dns/builder.h"
#include "resolver/core/limits.h"
#include "tests/replay/harness.h"

namespace sekisho::replay {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

IpAddress Address(const std::string& text) { return *IpAddress::Parse(text); }

// A root whose zones n0 … n99 answer after ten milliseconds, and dead, whose server is silent until told.
class LoadTest : public testing::Test {
 protected:
  LoadTest() : harness_(1, &network_, false, 4 << 20) {
    auto root = std::make_shared<Zone>(dns::Name());
    std::string error;
    const auto add = [&](Zone& zone, const std::string& line) {
      EXPECT_TRUE(zone.Add(line, &error)) << error;
    };
    for (int i = 0; i < 100; ++i) {
      const std::string n = "n" + std::to_string(i) + ".";
      add(*root, n + " 86400 NS ns." + n);
      add(*root, "ns." + n + " 86400 A 10.0.1." + std::to_string(i));
      auto zone = std::make_shared<Zone>(*dns::Name::Parse(n));
      add(*zone, n + " NS ns." + n);
      add(*zone, "*." + n + " 3600 A 192.0.2.7");
      zone->Finish();
      network_.ServeZone(zone, {Address("10.0.1." + std::to_string(i))});
    }
    add(*root, "dead. 86400 NS ns.dead.");
    add(*root, "ns.dead. 86400 A 10.0.0.9");
    root->Finish();
    network_.ServeZone(root, {Address("10.0.0.1")});
    auto dead = std::make_shared<Zone>(*dns::Name::Parse("dead."));
    add(*dead, "dead. NS ns.dead.");
    dead->Finish();
    network_.ServeZone(dead, {Address("10.0.0.9")});
    network_.Habits(Address("10.0.0.9")).down = true;

    resolver::Settings s;
    s.agencies.AddNetwork(s.agencies.Add("a"), *IpPrefix::Parse("192.0.2.0/24"));
    s.agencies.AddNetwork(s.agencies.Add("b"), *IpPrefix::Parse("198.51.100.0/24"));
    s.root_hints.push_back({*dns::Name::Parse("ns.root."), Address("10.0.0.1")});
    s.query_private_addresses = true;
    s.validate = false;
    harness_.Publish(std::make_shared<const resolver::Settings>(s));
  }

  size_t Ask(const std::string& name, const std::string& from) {
    std::vector<uint8_t> packet(512);
    dns::MessageBuilder b(packet, packet.size());
    dns::Header header;
    header.id = static_cast<uint16_t>(++asked_);
    header.rd = true;
    b.Begin(header);
    b.AddQuestion(*dns::Name::Parse(name), dns::RRType::kA, dns::RRClass::kIN);
    const dns::EdnsOut opt;
    packet.resize(b.Finish(dns::Rcode::kNoError, &opt).size());
    return harness_.Ask(packet, {Address(from), static_cast<uint16_t>(1024 + asked_ % 60000)},
                        record::Transport::kUdp);
  }

  dns::Rcode RcodeOf(size_t question) const {
    dns::ParsedMessage m;
    const Asked& a = harness_.asked(question);
    if (!a.ended || a.dropped || m.Parse(a.reply) != dns::ParseError::kNone) return dns::Rcode::kNotAuth;
    return m.rcode();
  }

  size_t Answered(const std::vector<size_t>& questions) const {
    return static_cast<size_t>(std::count_if(questions.begin(), questions.end(),
                                             [&](size_t q) { return RcodeOf(q) == dns::Rcode::kNoError; }));
  }

  Duration Slowest(const std::vector<size_t>& questions) const {
    Duration slowest{};
    for (const size_t q : questions) {
      const Asked& a = harness_.asked(q);
      if (a.ended) slowest = std::max(slowest, *a.ended - a.at);
    }
    return slowest;
  }

  size_t SentTo(const std::string& server, MonoTime since) const {
    const auto& all = harness_.upstream();
    return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const UpstreamQuery& q) {
      return q.at >= since && q.server.address == Address(server);
    }));
  }

  ScriptedNetwork network_;
  CoreHarness harness_;
  uint32_t asked_ = 0;
};

TEST_F(LoadTest, D22WaterTortureOfADeadZone) {
  const size_t warm = Ask("cached.n0.", "198.51.100.1");
  harness_.RunFor(seconds(1));
  ASSERT_EQ(RcodeOf(warm), dns::Rcode::kNoError);

  constexpr int kSeconds = 20;
  const MonoTime start = harness_.now();
  std::vector<size_t> cached, cold;
  for (int i = 0; i < kSeconds * 5000; ++i) {
    Ask("r" + std::to_string(i) + ".dead.", "192.0.2." + std::to_string(i % 20 + 1));
    if (i % 5 == 0) cached.push_back(Ask("cached.n0.", "198.51.100.1"));
    if (i % 25 == 0)
      cold.push_back(
          Ask("c" + std::to_string(i) + ".n" + std::to_string(i / 25 % 100) + ".", "198.51.100.2"));
    harness_.RunFor(microseconds(200));
  }
  EXPECT_EQ(Answered(cached), cached.size());
  EXPECT_EQ(Slowest(cached), Duration(0));
  harness_.RunFor(milliseconds(500));
  EXPECT_GE(Answered(cold) * 100, cold.size() * 99);
  const size_t sent = SentTo("10.0.0.9", start);
  RecordProperty("queries_to_dead_zone_per_second", static_cast<int>(sent / kSeconds));
  EXPECT_LE(sent / kSeconds, 200u) << "over all, the first burst included";
  EXPECT_LE(SentTo("10.0.0.9", start + seconds(5)) / (kSeconds - 5), 100u) << "once it is known to be dead";

  // The servers come back: within five seconds names of the zone resolve.
  network_.Habits(Address("10.0.0.9")).down = false;
  for (int i = 0; i < 5 * 1000; ++i) {
    Ask("s" + std::to_string(i) + ".dead.", "192.0.2." + std::to_string(i % 20 + 1));
    harness_.RunFor(milliseconds(1));
  }
  std::vector<size_t> back;
  for (int i = 0; i < 1000; ++i) {
    back.push_back(Ask("t" + std::to_string(i) + ".dead.", "192.0.2." + std::to_string(i % 20 + 1)));
    harness_.RunFor(milliseconds(1));
  }
  harness_.RunFor(milliseconds(100));
  const auto denied =
      std::count_if(back.begin(), back.end(), [&](size_t q) { return RcodeOf(q) == dns::Rcode::kNXDomain; });
  EXPECT_GE(denied, 990);
  EXPECT_TRUE(harness_.RunUntilIdle(seconds(60)));
  EXPECT_EQ(harness_.counters().in_flight_questions.value(), 0u);
  EXPECT_EQ(harness_.counters().in_flight_upstream.value(), 0u);
}

TEST_F(LoadTest, S24OneAgencyFloodsWithSlowNames) {
  const size_t warm = Ask("cached.n0.", "198.51.100.1");
  harness_.RunFor(seconds(1));
  ASSERT_EQ(RcodeOf(warm), dns::Rcode::kNoError);
  // Every server the attacker picks takes two seconds.
  for (int i = 50; i < 100; ++i) network_.Habits(Address("10.0.1." + std::to_string(i))).delay = seconds(2);
  std::vector<size_t> cached, cold;
  for (int i = 0; i < 2 * 50'000; ++i) {
    Ask("r" + std::to_string(i) + ".n" + std::to_string(50 + i % 50) + ".",
        "192.0.2." + std::to_string(i % 250 + 1));
    if (i % 50 == 0) cached.push_back(Ask("cached.n0.", "198.51.100.1"));
    if (i % 250 == 0)
      cold.push_back(
          Ask("c" + std::to_string(i) + ".n" + std::to_string(i / 250 % 50) + ".", "198.51.100.2"));
    harness_.RunFor(microseconds(20));
  }
  harness_.RunFor(milliseconds(500));
  EXPECT_EQ(Answered(cached), cached.size());
  EXPECT_EQ(Answered(cold), cold.size());
  EXPECT_LE(Slowest(cold), milliseconds(50));
  EXPECT_LE(harness_.counters().in_flight_questions.value(), resolver::limits::kPendingQuestions);
  EXPECT_TRUE(harness_.RunUntilIdle(seconds(60)));
  EXPECT_EQ(harness_.counters().in_flight_questions.value(), 0u);
  EXPECT_EQ(harness_.counters().in_flight_upstream.value(), 0u);
}

// CacheFlush: junk as large as anybody can make it does not push out what is in use.
TEST_F(LoadTest, D06CacheFlush) {
  Override junk;
  junk.name = *dns::Name::Parse("dead.");
  junk.subtree = true;
  ReplyPlan plan;
  plan.aa = false;
  plan.records.emplace_back(dns::Section::kAuthority, "$Q 86400 NS n[1-1500].a-long-name-of-a-server.junk.");
  junk.replies.push_back(plan);
  network_.AddOverride(Address("10.0.0.9"), junk);
  network_.Habits(Address("10.0.0.9")).down = false;
  std::vector<size_t> benign;
  const auto use = [&](int i) {
    benign.push_back(Ask("w" + std::to_string(i) + ".n" + std::to_string(i % 100) + ".", "198.51.100.1"));
  };
  for (int i = 0; i < 500; ++i) use(i);
  harness_.RunFor(seconds(2));
  const size_t before = harness_.upstream().size();
  size_t junk_queries = 0;
  benign.clear();
  for (int i = 0; i < 400; ++i) {
    const size_t at = harness_.upstream().size();
    Ask("j" + std::to_string(i) + ".dead.", "192.0.2.1");
    harness_.RunFor(milliseconds(50));
    junk_queries += harness_.upstream().size() - at;
    for (int k = 0; k < 5; ++k) use((i * 5 + k) % 500);
    harness_.RunFor(milliseconds(5));
  }
  const size_t misses = harness_.upstream().size() - before - junk_queries;
  EXPECT_EQ(Answered(benign), benign.size());
  EXPECT_LE(misses * 100, benign.size() * 5) << "hits among the benign: at least 95 %";
  const auto stats = harness_.cache().stats();
  EXPECT_LE(stats.bytes, stats.max_bytes);
  EXPECT_TRUE(harness_.RunUntilIdle(seconds(60)));
}

}  // namespace
}  // namespace sekisho::replay
