// Seeded simulation: a random network, random questions, and what must hold whatever happens.
//
//   sim_test                               the seeds of the plain run
//   sim_test --first=1000 --seeds=100000   a long run
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "proto/base/bytes.h"
#include "proto/dns/builder.h"
#include "proto/dns/presentation.h"
#include "resolver/core/limits.h"
#include "tests/sim/random_network.h"

namespace sekisho::sim {
namespace {

uint64_t first_seed = 1;
uint64_t seed_count = 300;

using replay::Asked;
using replay::CoreHarness;

struct SentQuestion {
  uint16_t id = 0;
  dns::Name qname;
  dns::RRType qtype = dns::RRType::kNone;
  size_t limit = 0;  // of the reply, in bytes
  bool left = false;
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed)
      : dice_(seed + 1'000'003), network_(seed), harness_(seed, &network_, false) {
    resolver::Settings s;
    const auto agency = s.agencies.Add("agency");
    s.agencies.AddNetwork(agency, *IpPrefix::Parse("192.0.2.0/24"));
    s.root_hints.push_back({*dns::Name::Parse("ns.root-servers.test."), network_.root()});
    s.query_private_addresses = true;
    s.ipv6 = dice_.Percent(50);
    s.qname_minimisation = dice_.Percent(70);
    s.mix_case = dice_.Percent(80);
    s.prefetch = dice_.Percent(30);
    s.stale.enabled = dice_.Percent(50);
    s.validate = dice_.Percent(50);
    if (s.validate && dice_.Percent(20)) {
      std::string error;
      s.trust_anchors.push_back(*dns::ParseRecord(
          "t0. 3600 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
          &error));
    }
    prefetch_ = s.prefetch;
    harness_.Publish(std::make_shared<const resolver::Settings>(s));
  }

  void Run() {
    ASSERT_TRUE(network_.errors().empty()) << network_.errors().front();
    const uint32_t questions = 20 + dice_.Below(40);
    for (uint32_t i = 0; i < questions; ++i) {
      if (dice_.Percent(30)) {
        AskAlone();
      } else {
        AskOne();
        if (dice_.Percent(5)) Leave();
      }
      if (dice_.Percent(60)) harness_.RunFor(std::chrono::milliseconds(dice_.Below(800)));
      if (dice_.Percent(5)) harness_.RunFor(std::chrono::seconds(dice_.Below(120)));
    }
    EXPECT_TRUE(harness_.RunUntilIdle(std::chrono::seconds(60))) << "does not come to rest";
    EXPECT_FALSE(harness_.runaway());
    CheckCounts();
    for (size_t i = 0; i < sent_.size(); ++i) CheckReply(i);
    CheckRecords();
  }

  // What happened, as one number.
  uint64_t Digest() const {
    uint64_t h = 14695981039346656037u;
    const auto mix = [&](std::span<const uint8_t> bytes) {
      for (uint8_t b : bytes) h = (h ^ b) * 1099511628211u;
    };
    for (const auto& a : harness_.asked()) mix(a.reply);
    for (const auto& q : harness_.upstream()) mix(q.packet);
    return h;
  }

 private:
  void AskOne() {
    SentQuestion q;
    q.id = static_cast<uint16_t>(dice_.Below(65536));
    q.qname = network_.SomeName(dice_);
    static const std::vector<dns::RRType> kTypes = {
        dns::RRType::kA,  dns::RRType::kA,  dns::RRType::kA,     dns::RRType::kAAAA, dns::RRType::kMX,
        dns::RRType::kNS, dns::RRType::kDS, dns::RRType::kCNAME, dns::RRType::kANY};
    q.qtype = dice_.Of(kTypes);
    const bool tcp = dice_.Percent(20);
    const bool edns = dice_.Percent(80);
    dns::EdnsOut opt;
    opt.udp_size = static_cast<uint16_t>(dice_.Below(5000));
    opt.dnssec_ok = dice_.Percent(30);
    q.limit = tcp ? dns::kMaxMessageSize : edns ? std::clamp<size_t>(opt.udp_size, 512, 1232) : 512;
    dns::Header header;
    header.id = q.id;
    header.rd = dice_.Percent(95);
    header.cd = dice_.Percent(10);
    header.ad = dice_.Percent(20);
    std::vector<uint8_t> packet(1024);
    dns::MessageBuilder b(packet, packet.size());
    b.Begin(header);
    b.AddQuestion(q.qname, q.qtype, dns::RRClass::kIN);
    packet.resize(b.Finish(dns::Rcode::kNoError, edns ? &opt : nullptr).size());
    const auto client = *IpAddress::Parse("192.0.2." + std::to_string(dice_.Below(250)));
    sent_.push_back(q);
    harness_.Ask(packet, Endpoint{client, static_cast<uint16_t>(1024 + sent_.size())},
                 tcp ? record::Transport::kTcp : record::Transport::kUdp);
  }

  // Alone, so that every upstream query until the answer is this question's.
  void AskAlone() {
    harness_.RunUntilIdle(std::chrono::seconds(60));
    const size_t before = harness_.upstream().size();
    AskOne();
    harness_.RunUntilIdle(std::chrono::seconds(60));
    const size_t bound = static_cast<size_t>(resolver::limits::kUpstreamQueries) * (prefetch_ ? 2 : 1);
    EXPECT_LE(harness_.upstream().size() - before, bound) << sent_.back().qname.ToString();
  }

  void Leave() {
    if (harness_.asked().back().ended) return;
    harness_.Leave(sent_.size() - 1);
    sent_.back().left = true;
  }

  void CheckCounts() {
    const auto& c = harness_.counters();
    EXPECT_EQ(c.in_flight_questions.value(), 0u);
    EXPECT_EQ(c.in_flight_upstream.value(), 0u);
    EXPECT_EQ(c.questions.value(), sent_.size());
    EXPECT_EQ(c.records_written.value(), sent_.size());
    EXPECT_EQ(c.records_lost.value(), 0u);
  }

  void CheckReply(size_t i) {
    const Asked& a = harness_.asked(i);
    const SentQuestion& q = sent_[i];
    SCOPED_TRACE(q.qname.ToString() + " " + ToString(q.qtype));
    EXPECT_EQ(a.ends, q.left ? 0 : 1);
    if (!a.ended || a.dropped) return;
    EXPECT_LE(*a.ended - a.at, resolver::limits::kQuestionTime + std::chrono::milliseconds(200));
    EXPECT_LE(a.reply.size(), q.limit);
    dns::ParsedMessage m;
    ASSERT_EQ(m.Parse(a.reply), dns::ParseError::kNone);
    EXPECT_EQ(m.header().id, q.id);
    EXPECT_TRUE(m.header().qr && m.header().ra);
    EXPECT_FALSE(m.header().ad) << "secure without a chain";
    ASSERT_TRUE(m.has_question());
    EXPECT_TRUE(m.qname().EqualsWithCase(q.qname));
    EXPECT_EQ(m.qtype(), q.qtype);
    const auto forged = *IpAddress::Parse(RandomNetwork::kForged);
    for (const auto& r : m.records(dns::Section::kAnswer)) {
      if (r.type != dns::RRType::kA) continue;
      const dns::Name owner = m.Owner(r);
      const auto address = IpAddress::FromRdata(m.RawRdata(r));
      if (!(address == forged)) continue;
      EXPECT_FALSE(network_.IsHonest(owner)) << owner.ToString() << " is poisoned";
    }
  }

  void CheckRecords() {
    std::map<Endpoint, int> per_client;
    for (const auto& r : harness_.log().records()) {
      ++per_client[r.client];
      EXPECT_NE(r.security, record::Security::kSecure) << "secure without a chain";
    }
    EXPECT_EQ(per_client.size(), sent_.size());
    for (const auto& [client, n] : per_client) EXPECT_EQ(n, 1) << client.ToString();
  }

  Dice dice_;
  RandomNetwork network_;
  CoreHarness harness_;
  std::vector<SentQuestion> sent_;
  bool prefetch_ = false;
};

TEST(Simulation, WhatMustHoldWhateverHappens) {
  for (uint64_t seed = first_seed; seed < first_seed + seed_count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(seed);
    simulation.Run();
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << "to see it alone: sim_test --first=" << seed << " --seeds=1";
      return;
    }
  }
}

TEST(Simulation, SameSeedSameCourse) {
  for (uint64_t seed = first_seed; seed < first_seed + 5; ++seed) {
    Simulation one(seed);
    one.Run();
    Simulation two(seed);
    two.Run();
    EXPECT_EQ(one.Digest(), two.Digest()) << "seed " << seed;
  }
}

}  // namespace

void SetSeeds(uint64_t first, uint64_t count) {
  if (first != 0) first_seed = first;
  if (count != 0) seed_count = count;
}

}  // namespace sekisho::sim

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  uint64_t first = 0;
  uint64_t count = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg.starts_with("--first=")) first = std::strtoull(arg.c_str() + 8, nullptr, 10);
    if (arg.starts_with("--seeds=")) count = std::strtoull(arg.c_str() + 8, nullptr, 10);
  }
  sekisho::sim::SetSeeds(first, count);
  return RUN_ALL_TESTS();
}
