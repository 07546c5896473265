// RFC 5011 through a real core: when it asks, that nobody waits for it, and what becomes of the anchors.
#include <gtest/gtest.h>

#include <algorithm>

#include "proto/dns/builder.h"
#include "proto/dns/presentation.h"
#include "resolver/core/validator/anchor_rollover.h"
#include "tests/replay/harness.h"
#include "tests/signed/signing_key.h"

namespace sekisho::replay {
namespace {

using dns::RRType;
using signed_test::Bytes;
using signed_test::SigningKey;
using std::chrono::hours;
using std::chrono::seconds;

constexpr int64_t kStart = 1767225600;  // the harness's wall clock at its monotonic 1000 s

// A root whose keys and signers the test changes, on two servers.
class RolloverReplayTest : public testing::Test {
 protected:
  RolloverReplayTest() : rollover_([this] { Take(); }), harness_(1, &network_, true, 4 << 20, &rollover_) {
    settings_.agencies.AddNetwork(settings_.agencies.Add("a"), *IpPrefix::Parse("192.0.2.0/24"));
    for (const char* server : {"10.0.0.1", "10.0.0.2"}) {
      settings_.root_hints.push_back({*dns::Name::Parse("ns.root."), *IpAddress::Parse(server)});
    }
    settings_.query_private_addresses = true;
    settings_.rfc5011 = true;
    settings_.trust_anchors = {{.owner = dns::Name(), .type = RRType::kDS, .rdata = old_.Ds(dns::Name())}};
  }

  void Begin() {
    rollover_.Configure(settings_);
    Take();
    std::vector<uint8_t> packet(512);
    dns::MessageBuilder b(packet, packet.size());
    dns::Header header;
    header.rd = true;
    b.Begin(header);
    b.AddQuestion(*dns::Name::Parse("anybody.test."), RRType::kA, dns::RRClass::kIN);
    packet.resize(b.Finish(dns::Rcode::kNoError, nullptr).size());
    harness_.Ask(packet, {*IpAddress::Parse("192.0.2.1"), 1024}, record::Transport::kUdp);
  }

  // As the shell does: what is in force is published.
  void Take() {
    auto now = std::make_shared<resolver::Settings>(settings_);
    if (settings_.rfc5011) now->trust_anchors = rollover_.Anchors();
    harness_.Publish(std::shared_ptr<const resolver::Settings>(std::move(now)));
  }

  void Serve(const char* server, const std::vector<SigningKey>& keys,
             const std::vector<SigningKey>& signers) {
    dns::RRset rrset{.owner = dns::Name(), .type = RRType::kDNSKEY, .ttl = 172800};
    for (const SigningKey& key : keys) rrset.rdata.Add(Bytes(key.dnskey()));
    for (const SigningKey& key : signers) {
      rrset.signatures.Add(Bytes(
          key.Rrsig(rrset, dns::Name(), {.inception = kStart - 86400, .expiration = kStart + 365 * 86400})));
    }
    Override o;
    o.type = RRType::kDNSKEY;
    o.replies.emplace_back();
    o.replies.back().aa = true;
    std::string text = dns::RRsetToText(rrset);
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      o.replies.back().records.emplace_back(dns::Section::kAnswer, text.substr(at, end - at));
      at = end + 1;
    }
    network_.ClearOverrides(*IpAddress::Parse(server));
    network_.AddOverride(*IpAddress::Parse(server), std::move(o));
  }
  void ServeAll(const std::vector<SigningKey>& keys, const std::vector<SigningKey>& signers) {
    Serve("10.0.0.1", keys, signers);
    Serve("10.0.0.2", keys, signers);
  }

  size_t Asked() const {
    const auto& all = harness_.upstream();
    return static_cast<size_t>(
        std::count_if(all.begin(), all.end(), [](const auto& q) { return q.qtype == RRType::kDNSKEY; }));
  }
  bool Trusts(const SigningKey& key) const {
    const auto anchors = rollover_.Anchors();
    return std::any_of(anchors.begin(), anchors.end(),
                       [&](const auto& a) { return a.rdata == key.dnskey(); });
  }

  SigningKey old_{13};
  SigningKey new_{13};
  resolver::Settings settings_;
  ScriptedNetwork network_;
  resolver::dnssec::AnchorRollover rollover_;
  CoreHarness harness_;
};

TEST_F(RolloverReplayTest, Rfc5011WholeRollover) {
  ServeAll({old_}, {old_});
  Begin();
  harness_.RunFor(seconds(10));
  EXPECT_EQ(Asked(), 1u);
  EXPECT_TRUE(Trusts(old_));
  // Half of the keys' TTL: once a day.
  harness_.RunFor(hours(24 * 10));
  EXPECT_EQ(Asked(), 11u);
  ServeAll({old_, new_}, {old_});
  harness_.RunFor(hours(24 * 29));
  EXPECT_FALSE(Trusts(new_));
  harness_.RunFor(hours(24 * 3));
  EXPECT_TRUE(Trusts(new_));
  ServeAll({old_.Revoked(), new_}, {old_.Revoked(), new_});
  harness_.RunFor(hours(25));
  EXPECT_FALSE(Trusts(old_));
  EXPECT_TRUE(Trusts(new_));
  EXPECT_EQ(harness_.log().records().size(), 1u);  // nobody's questions: no records
}

TEST_F(RolloverReplayTest, Rfc5011AnotherServerIsAskedWhenOneDoesNotVerify) {
  Serve("10.0.0.1", {new_}, {new_});
  Serve("10.0.0.2", {old_}, {old_});
  Begin();
  harness_.RunFor(seconds(30));
  EXPECT_TRUE(Trusts(old_));
  EXPECT_FALSE(rollover_.Points().front().bogus);
  EXPECT_LE(Asked(), 2u);
}

TEST_F(RolloverReplayTest, Rfc5011NothingVerifies) {
  ServeAll({new_}, {new_});
  Begin();
  harness_.RunFor(seconds(30));
  EXPECT_EQ(Asked(), 2u);
  EXPECT_TRUE(rollover_.Points().front().bogus);
  EXPECT_FALSE(rollover_.Points().front().problem.empty());
  EXPECT_FALSE(Trusts(new_));
  // Not before an hour.
  harness_.RunFor(seconds(3500));
  EXPECT_EQ(Asked(), 2u);
  harness_.RunFor(seconds(200));
  EXPECT_EQ(Asked(), 4u);
}

TEST_F(RolloverReplayTest, Rfc5011DeadServersAreAskedAgainHourly) {
  network_.Habits(*IpAddress::Parse("10.0.0.1")).down = true;
  network_.Habits(*IpAddress::Parse("10.0.0.2")).down = true;
  Begin();
  harness_.RunFor(seconds(60));
  const size_t at_first = Asked();
  EXPECT_LE(at_first, 12u);
  EXPECT_FALSE(rollover_.Points().front().problem.empty());
  EXPECT_FALSE(rollover_.Points().front().bogus);
  harness_.RunFor(seconds(3000));
  EXPECT_EQ(Asked(), at_first);
  harness_.RunFor(seconds(700));
  EXPECT_GT(Asked(), at_first);
}

TEST_F(RolloverReplayTest, Rfc5011SwitchedOffNothingIsAsked) {
  settings_.rfc5011 = false;
  ServeAll({old_}, {old_});
  Begin();
  harness_.RunFor(hours(24 * 40));
  EXPECT_EQ(Asked(), 0u);
  // Switched on by a reload, it begins.
  settings_.rfc5011 = true;
  Begin();
  harness_.RunFor(hours(1));
  EXPECT_EQ(Asked(), 1u);
}

}  // namespace
}  // namespace sekisho::replay
