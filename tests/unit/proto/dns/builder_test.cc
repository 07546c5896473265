#include "proto/dns/builder.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/unit/proto/dns/packet.h"

namespace sekisho::dns {
namespace {

Name N(const std::string& text) { return *Name::Parse(text); }

RRset Addresses(const std::string& owner, int n) {
  RRset set;
  set.owner = N(owner);
  set.type = RRType::kA;
  for (int i = 0; i < n; ++i) set.rdata.Add(Wire{192, 0, 2, static_cast<uint8_t>(i)});
  return set;
}

struct Built {
  std::array<uint8_t, 65535> buffer;
  MessageBuilder builder;
  explicit Built(size_t limit) : builder(buffer, limit) {
    Header h;
    h.id = 0xbeef;
    h.qr = h.rd = h.ra = h.cd = true;
    builder.Begin(h);
  }
};

TEST(BuilderTest, RoundTrip) {
  auto b = std::make_unique<Built>(1232);
  EXPECT_TRUE(b->builder.AddQuestion(N("www.Example.test"), RRType::kMX, RRClass::kIN));
  RRset mx;
  mx.owner = N("www.Example.test");
  mx.type = RRType::kMX;
  mx.rdata.Add(U16(10) + NameWire("mail.Example.test"));
  mx.rdata.Add(U16(20) + NameWire("."));
  mx.signatures.Add(U16(15) + Wire{8, 3} + U32(300) + U32(2) + U32(1) + U16(7) + NameWire("Example.test") +
                    Wire(64, 9));
  EXPECT_TRUE(b->builder.AddRRset(Section::kAnswer, mx, 77, true));
  EXPECT_TRUE(b->builder.AddRRset(Section::kAdditional, Addresses("mail.Example.test", 3), 5, true));
  EdnsOut edns;
  edns.dnssec_ok = true;
  edns.cookie = Wire(16, 4);
  edns.errors.push_back({EdeCode::kBlocked, "listed by a feed"});
  const auto wire = b->builder.Finish(Rcode::kBadVers, &edns);
  ParsedMessage m;
  ASSERT_EQ(m.Parse(wire), ParseError::kNone);
  EXPECT_EQ(m.header().id, 0xbeef);
  EXPECT_TRUE(m.header().qr && m.header().rd && m.header().ra && m.header().cd);
  EXPECT_FALSE(m.header().tc || m.header().aa || m.header().ad);
  EXPECT_EQ(m.rcode(), Rcode::kBadVers);
  const auto sets = CollectRRsets(m, Section::kAnswer, RRClass::kIN);
  ASSERT_EQ(sets.size(), 1u);
  EXPECT_EQ(sets[0].rdata, mx.rdata);
  EXPECT_EQ(sets[0].signatures, mx.signatures);
  EXPECT_EQ(sets[0].ttl, 77u);
  ASSERT_TRUE(m.edns());
  EXPECT_TRUE(m.edns()->dnssec_ok);
  ASSERT_NE(m.edns()->Find(OptionCode::kCookie), nullptr);
  EXPECT_EQ(ExtendedErrors(*m.edns()), edns.errors);
}

TEST(BuilderTest, NeverCompressesNewerTypes) {
  auto b = std::make_unique<Built>(1232);
  b->builder.AddQuestion(N("a.test"), RRType::kSRV, RRClass::kIN);
  const Wire srv = U16(1) + U16(2) + U16(3) + NameWire("a.test");
  EXPECT_TRUE(b->builder.AddRecord(Section::kAnswer, N("a.test"), RRType::kSRV, RRClass::kIN, 1, srv));
  EXPECT_TRUE(b->builder.AddRecord(Section::kAnswer, N("a.test"), RRType::kDNAME, RRClass::kIN, 1,
                                   NameWire("a.test")));
  const auto wire = b->builder.Finish(Rcode::kNoError, nullptr);
  ParsedMessage m;
  ASSERT_EQ(m.Parse(wire), ParseError::kNone);
  EXPECT_EQ(m.records(Section::kAnswer)[0].rdata_size, srv.size());
  EXPECT_EQ(m.records(Section::kAnswer)[1].rdata_size, 8u);
}

TEST(BuilderTest, LeavesWholeSetsOutAndSetsTc) {
  auto b = std::make_unique<Built>(512);
  EdnsOut edns;
  b->builder.AddQuestion(N("www.example.test"), RRType::kA, RRClass::kIN);
  b->builder.ReserveForOpt(edns);
  EXPECT_TRUE(b->builder.AddRRset(Section::kAnswer, Addresses("www.example.test", 20), 1, true));
  EXPECT_FALSE(b->builder.AddRRset(Section::kAnswer, Addresses("other.example.test", 20), 1, true));
  EXPECT_TRUE(b->builder.truncated());
  EXPECT_TRUE(b->builder.AddRRset(Section::kAnswer, Addresses("small.example.test", 1), 1, true))
      << "compression undone";
  const auto wire = b->builder.Finish(Rcode::kNoError, &edns);
  EXPECT_LE(wire.size(), 512u);
  ParsedMessage m;
  ASSERT_EQ(m.Parse(wire), ParseError::kNone);
  EXPECT_TRUE(m.header().tc);
  EXPECT_TRUE(m.edns());
  EXPECT_EQ(m.records(Section::kAnswer).size(), 21u);
  EXPECT_EQ(m.Owner(m.records(Section::kAnswer)[20]), N("small.example.test"));
}

TEST(BuilderTest, AdditionalDoesNotSetTc) {
  auto b = std::make_unique<Built>(512);
  b->builder.AddQuestion(N("a.test"), RRType::kA, RRClass::kIN);
  EXPECT_FALSE(b->builder.AddRRset(Section::kAdditional, Addresses("b.test", 60), 1, true));
  const auto wire = b->builder.Finish(Rcode::kNoError, nullptr);
  EXPECT_TRUE(b->builder.truncated());
  ParsedMessage m;
  ASSERT_EQ(m.Parse(wire), ParseError::kNone);
  EXPECT_FALSE(m.header().tc);
}

TEST(BuilderTest, DropsTextsThenErrorsThenOptions) {
  for (size_t limit = 24; limit < 400; ++limit) {
    auto b = std::make_unique<Built>(limit);
    b->builder.AddQuestion(N("a.test"), RRType::kA, RRClass::kIN);
    EdnsOut edns;
    edns.cookie = Wire(16, 1);
    edns.errors.push_back({EdeCode::kBlocked, std::string(300, 'x')});
    edns.pad_to_multiple_of = 128;
    const auto wire = b->builder.Finish(Rcode::kNoError, &edns);
    ASSERT_LE(wire.size(), limit);
    ParsedMessage m;
    ASSERT_EQ(m.Parse(wire), ParseError::kNone) << limit;
    ASSERT_EQ(m.edns().has_value(), wire.size() >= 24 + 11) << limit;
    if (!m.edns()) continue;
    EXPECT_EQ(m.edns()->Find(OptionCode::kCookie) != nullptr, limit >= 24 + 11 + 20) << limit;
    EXPECT_EQ(m.edns()->Find(OptionCode::kEde) != nullptr, limit >= 24 + 11 + 20 + 6) << limit;
  }
}

TEST(BuilderTest, PadsToTheBlock) {
  auto b = std::make_unique<Built>(4096);
  b->builder.AddQuestion(N("a.test"), RRType::kA, RRClass::kIN);
  EdnsOut edns;
  edns.pad_to_multiple_of = 468;
  EXPECT_EQ(b->builder.Finish(Rcode::kNoError, &edns).size(), 468u);
}

// Rows D14 and M02: random names, compressed or not, come back the same.
TEST(BuilderTest, RandomNamesComeBack) {
  SeededRng rng(3);
  for (int round = 0; round < 300; ++round) {
    auto b = std::make_unique<Built>(65535);
    std::vector<Name> names;
    for (int i = 0; i < 200; ++i) {
      names.push_back(RandomName(rng));
      ASSERT_TRUE(b->builder.AddRecord(Section::kAnswer, names.back(), RRType::kNS, RRClass::kIN, 1,
                                       names[rng.Below(static_cast<uint32_t>(names.size()))].bytes()));
    }
    const auto wire = b->builder.Finish(Rcode::kNoError, nullptr);
    ParsedMessage m;
    ASSERT_EQ(m.Parse(wire), ParseError::kNone);
    for (size_t i = 0; i < names.size(); ++i) ASSERT_EQ(m.Owner(m.records(Section::kAnswer)[i]), names[i]);
  }
}

}  // namespace
}  // namespace sekisho::dns
