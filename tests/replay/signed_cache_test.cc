// A signed zone behind a real core: which answers come without asking, out of what was proven (RFC 8198).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "proto/base/bytes.h"
#include "proto/dns/builder.h"
#include "proto/dns/message.h"
#include "tests/replay/harness.h"
#include "tests/signed/signed_zone.h"

namespace sekisho::replay {
namespace {

using dns::RRType;
using signed_test::DenialKind;
using signed_test::N;
using signed_test::SignedZone;
using signed_test::ZoneOptions;
using std::chrono::seconds;

constexpr int64_t kStart = 1767225600;  // the harness's wall clock at its monotonic 1000 s

// One server for one zone, the root.
class SignedNetwork final : public Network {
 public:
  std::vector<Delivery> OnQuery(const resolver::OutboundQuery& query) override {
    dns::ParsedMessage m;
    if (m.Parse(query.packet) != dns::ParseError::kNone) return {};
    resolver::Response r = *zone->Query(dns::Name(m.qname()), m.qtype());
    if (denies_all && r.kind == resolver::ResponseKind::kNodata) r.rcode = dns::Rcode::kNXDomain;
    std::vector<uint8_t> packet(8192);
    dns::MessageBuilder b(packet, packet.size());
    dns::Header header = m.header();
    header.qr = header.aa = true;
    b.Begin(header);
    b.AddQuestion(m.qname(), m.qtype(), dns::RRClass::kIN);
    for (const auto& s : r.answer) b.AddRRset(dns::Section::kAnswer, *s, s->ttl, true);
    for (const auto& s : r.authority) b.AddRRset(dns::Section::kAuthority, *s, s->ttl, true);
    const dns::EdnsOut opt{};
    packet.resize(b.Finish(r.rcode, &opt).size());
    return {{std::chrono::milliseconds(10), std::nullopt, std::move(packet)}};
  }

  std::unique_ptr<SignedZone> zone;
  bool denies_all = false;  // NXDOMAIN even for names that have other types, or others below them
};

class SignedCacheTest : public testing::TestWithParam<DenialKind> {
 protected:
  SignedCacheTest() : harness_(1, &network_) {
    Serve(GetParam());
    settings_.agencies.AddNetwork(settings_.agencies.Add("a"), *IpPrefix::Parse("192.0.2.0/24"));
    settings_.root_hints.push_back({N("ns.root."), *IpAddress::Parse("10.0.0.1")});
    settings_.query_private_addresses = true;
    settings_.rebinding_guard = false;
    settings_.qname_minimisation = false;
    Publish();
  }

  void Serve(DenialKind kind, bool opt_out = false) {
    ZoneOptions options{.algorithm = 13, .denial = kind, .opt_out = opt_out};
    options.times = {.inception = kStart - 86400, .expiration = kStart + 20 * 86400};
    network_.zone = std::make_unique<SignedZone>(".", options);
    SignedZone& z = *network_.zone;
    z.Add("*.wild.test. 300 IN A 192.0.2.3");
    z.Add("*.wild.test. 300 IN TXT other");
    z.Add("fixed.wild.test. 300 IN A 192.0.2.4");
    z.Add("*.away.test. 300 IN CNAME www.test.");
    z.Add("www.test. 300 IN A 192.0.2.1");
    z.Add("deep.empty.test. 300 IN A 192.0.2.5");
    z.Sign();
    settings_.trust_anchors = {
        {.owner = dns::Name(), .type = RRType::kDNSKEY, .rdata = network_.zone->key().dnskey()}};
  }
  void Publish() { harness_.Publish(std::make_shared<const resolver::Settings>(settings_)); }

  struct Said {
    dns::Rcode rcode = dns::Rcode::kServFail;
    bool ad = false;
    std::multiset<std::string> answer{};     // "A 192.0.2.3 300", "RRSIG"
    std::multiset<std::string> authority{};  // types
    size_t asked = 0;                        // questions to the server
  };
  Said Ask(const std::string& name, RRType type = RRType::kA, bool dnssec = true) {
    std::vector<uint8_t> packet(512);
    dns::MessageBuilder b(packet, packet.size());
    dns::Header header;
    header.rd = true;
    b.Begin(header);
    b.AddQuestion(N(name), type, dns::RRClass::kIN);
    dns::EdnsOut opt;
    opt.udp_size = 4096;
    opt.dnssec_ok = dnssec;
    packet.resize(b.Finish(dns::Rcode::kNoError, &opt).size());
    const size_t before = harness_.upstream().size();
    const size_t q = harness_.Ask(packet, {*IpAddress::Parse("192.0.2.1"), 1024}, record::Transport::kTcp);
    EXPECT_TRUE(harness_.RunUntilAnswered(q, seconds(10)));
    dns::ParsedMessage m;
    EXPECT_EQ(m.Parse(harness_.asked(q).reply), dns::ParseError::kNone);
    Said said{.rcode = m.rcode(), .ad = m.header().ad, .asked = harness_.upstream().size() - before};
    for (const auto& r : m.records(dns::Section::kAnswer)) {
      std::string rdata;
      m.AppendRdata(r, &rdata);
      said.answer.insert(r.type == RRType::kRRSIG ? "RRSIG"
                                                  : m.Owner(r).ToString() + " " + dns::ToString(r.type) +
                                                        " " + dns::RdataToText(r.type, AsBytes(rdata)));
      ttl_ = r.ttl;
    }
    for (const auto& r : m.records(dns::Section::kAuthority)) said.authority.insert(dns::ToString(r.type));
    return said;
  }
  std::string Denial() const { return GetParam() == DenialKind::kNsec ? "NSEC" : "NSEC3"; }

  SignedNetwork network_;
  resolver::Settings settings_;
  CoreHarness harness_;
  uint32_t ttl_ = 0;
};

using Strings = std::multiset<std::string>;

TEST_P(SignedCacheTest, Rfc8198WildcardAnswersFromTheCache) {
  EXPECT_GT(Ask("a.wild.test.").asked, 0u);
  harness_.RunFor(seconds(100));
  // "az" is covered by what covers "a" in an NSEC zone; hashes fall where they fall, so one of many must be.
  size_t made = 0;
  for (int i = 0; i < 30; ++i) {
    const std::string name = "a" + std::to_string(i) + ".wild.test.";
    const Said said = Ask(name);
    EXPECT_EQ(said.rcode, dns::Rcode::kNoError);
    EXPECT_TRUE(said.ad);
    EXPECT_EQ(said.answer, (Strings{name + " A 192.0.2.3", "RRSIG"}));
    EXPECT_EQ(said.authority, (Strings{Denial(), "RRSIG"}));
    if (said.asked != 0) continue;
    ++made;
    EXPECT_LE(ttl_, 300u);
  }
  EXPECT_GT(made, 0u);
  if (GetParam() == DenialKind::kNsec) {
    EXPECT_EQ(made, 30u);
  }
}

TEST_P(SignedCacheTest, Rfc8198TtlIsThatOfTheFirstToExpire) {
  Ask("a.wild.test.");
  harness_.RunFor(seconds(100));
  bool asked = false;
  for (int i = 0; i < 60 && !asked; ++i) {
    asked = Ask("a" + std::to_string(i) + ".wild.test.").asked != 0;
    // What was asked for came with a fresh wildcard.
    EXPECT_EQ(ttl_, asked ? 300u : 200u) << i;
  }
  EXPECT_EQ(asked, GetParam() == DenialKind::kNsec3);
}

TEST_P(SignedCacheTest, Rfc8198WithoutDoOnlyTheAnswerIsTold) {
  Ask("a.wild.test.");
  for (int i = 0; i < 30; ++i) {
    const std::string name = "a" + std::to_string(i) + ".wild.test.";
    const Said said = Ask(name, RRType::kA, false);
    EXPECT_EQ(said.answer, (Strings{name + " A 192.0.2.3"}));
    EXPECT_TRUE(said.authority.empty());
  }
}

TEST_P(SignedCacheTest, Rfc8198WildcardCnameFromTheCache) {
  Ask("a.away.test.");
  size_t made = 0;
  for (int i = 0; i < 30; ++i) {
    const std::string name = "a" + std::to_string(i) + ".away.test.";
    const Said said = Ask(name);
    EXPECT_EQ(said.answer, (Strings{name + " CNAME www.test.", "RRSIG", "www.test. A 192.0.2.1", "RRSIG"}));
    made += said.asked == 0;
  }
  EXPECT_GT(made, 0u);
}

TEST_P(SignedCacheTest, Rfc8198WhatIsThereIsNeverAnsweredByTheWildcard) {
  Ask("a.wild.test.");
  Ask("x.wild.test.");
  for (int i = 0; i < 10; ++i) Ask("a" + std::to_string(i) + ".wild.test.");
  const Said said = Ask("fixed.wild.test.");
  EXPECT_EQ(said.answer, (Strings{"fixed.wild.test. A 192.0.2.4", "RRSIG"}));
  EXPECT_EQ(Ask("b.fixed.wild.test.").rcode, dns::Rcode::kNXDomain);
}

TEST_P(SignedCacheTest, Rfc8198NodataAtTheWildcardFromTheCache) {
  Ask("a.wild.test.", RRType::kMX);
  size_t made = 0;
  for (int i = 0; i < 30; ++i) {
    const Said said = Ask("a" + std::to_string(i) + ".wild.test.", RRType::kMX);
    EXPECT_EQ(said.rcode, dns::Rcode::kNoError);
    EXPECT_TRUE(said.answer.empty());
    EXPECT_TRUE(said.ad);
    made += said.asked == 0;
    // A type that is there is asked for.
    EXPECT_EQ(Ask("b" + std::to_string(i) + ".wild.test.", RRType::kTXT).answer.size(), 2u);
  }
  EXPECT_GT(made, 0u);
}

TEST_P(SignedCacheTest, Rfc8198SwitchedOffEverythingIsAsked) {
  settings_.aggressive_nsec = false;
  Publish();
  Ask("a.wild.test.");
  for (int i = 0; i < 10; ++i) EXPECT_GT(Ask("a" + std::to_string(i) + ".wild.test.").asked, 0u);
}

TEST_P(SignedCacheTest, Rfc8198TheWildcardsExpiryEndsIt) {
  Ask("a.wild.test.");
  harness_.RunFor(seconds(301));
  EXPECT_GT(Ask("a1.wild.test.").asked, 0u);
}

TEST_P(SignedCacheTest, NxdomainWithTheProofOfAnEmptyNonTerminalIsNodata) {
  network_.denies_all = true;
  const Said said = Ask("empty.test.");
  EXPECT_EQ(said.rcode, dns::Rcode::kNoError);
  EXPECT_TRUE(said.ad);
  // And below it there is still something.
  EXPECT_EQ(Ask("deep.empty.test.").answer.size(), 2u);
}

TEST_P(SignedCacheTest, OptOutCoversNoWildcard) {
  if (GetParam() != DenialKind::kNsec3) return;  // NSEC has no opt-out
  Serve(DenialKind::kNsec3, true);
  Publish();
  Ask("a.wild.test.");
  for (int i = 0; i < 10; ++i) EXPECT_GT(Ask("a" + std::to_string(i) + ".wild.test.").asked, 0u);
}

INSTANTIATE_TEST_SUITE_P(Zones, SignedCacheTest, testing::Values(DenialKind::kNsec, DenialKind::kNsec3),
                         [](const auto& p) { return p.param == DenialKind::kNsec ? "Nsec" : "Nsec3"; });

}  // namespace
}  // namespace sekisho::replay
