#include "resolver/core/respond/respond.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/base/bytes.h"
#include "proto/dns/message.h"
#include "tests/replay/zone.h"

namespace sekisho::resolver {
namespace {

using dns::Name;
using dns::Rcode;
using dns::RRType;
using dns::Section;

dns::RRsetPtr Set(const std::string& owner, RRType type, uint32_t ttl,
                  const std::vector<std::string>& rdatas) {
  dns::RRset set{.owner = *Name::Parse(owner), .type = type, .ttl = ttl};
  for (const auto& text : rdatas) {
    replay::ReplyRecord r;
    std::string error;
    EXPECT_TRUE(replay::ParseReplyRecord(owner + " 1 " + ToString(type) + " " + text, Name(), &r, &error))
        << error;
    set.rdata.Add(AsBytes(r.rdata));
  }
  return std::make_shared<const dns::RRset>(std::move(set));
}

class RespondTest : public testing::Test {
 protected:
  RespondTest() {
    q_.id = 4711;
    q_.rd = true;
    q_.has_question = true;
    q_.qname = *Name::Parse("wWw.Example.test.");
    q_.qtype = RRType::kA;
    q_.edns = true;
    q_.udp_size = 1232;
  }

  // The DNS said this.
  std::shared_ptr<Response> Link(ResponseKind kind, Rcode rcode = Rcode::kNoError) {
    auto link = std::make_shared<Response>();
    link->kind = kind;
    link->rcode = rcode;
    return link;
  }
  void Say(std::vector<ResponsePtr> chain, Rcode rcode, Security security) {
    auto a = std::make_shared<Answer>();
    a->chain = std::move(chain);
    a->rcode = rcode;
    a->security = security;
    q_.answer = std::move(a);
  }
  const dns::ParsedMessage& Build() {
    BuildReply(q_, settings_, &packet_);
    EXPECT_EQ(m_.Parse(packet_), dns::ParseError::kNone);
    return m_;
  }

  Settings settings_;
  Question q_;
  std::vector<uint8_t> packet_;
  dns::ParsedMessage m_;
};

TEST_F(RespondTest, HeaderAndQuestionAreThoseOfTheClient) {
  q_.cd = true;
  const auto& m = Build();
  EXPECT_EQ(m.header().id, 4711);
  EXPECT_TRUE(m.header().qr && m.header().rd && m.header().ra && m.header().cd);
  EXPECT_FALSE(m.header().aa || m.header().tc || m.header().ad);
  EXPECT_TRUE(m.qname().EqualsWithCase(q_.qname));
}

TEST_F(RespondTest, TtlIsCutByTheLink) {
  auto link = Link(ResponseKind::kAnswer);
  link->answer.push_back(Set("www.example.test.", RRType::kA, 300, {"192.0.2.1"}));
  link->ttl_cap = 17;
  Say({link}, Rcode::kNoError, Security::kInsecure);
  EXPECT_EQ(Build().records(Section::kAnswer)[0].ttl, 17u);
}

// AD only for proven data, to those who asked for it or understand it, and not under CD (RFC 6840
// section 5.7).
TEST_F(RespondTest, AuthenticData) {
  auto link = Link(ResponseKind::kAnswer);
  link->answer.push_back(Set("www.example.test.", RRType::kA, 300, {"192.0.2.1"}));
  for (const Security security :
       {Security::kSecure, Security::kInsecure, Security::kUnchecked, Security::kBogus}) {
    for (const int bits : {0, 1, 2, 3, 4, 5, 6, 7}) {
      Say({link}, Rcode::kNoError, security);
      q_.ad = (bits & 1) != 0;
      q_.dnssec_ok = (bits & 2) != 0;
      q_.cd = (bits & 4) != 0;
      const bool wanted = security == Security::kSecure && !q_.cd && (q_.ad || q_.dnssec_ok);
      EXPECT_EQ(Build().header().ad, wanted) << static_cast<int>(security) << " " << bits;
      EXPECT_EQ(q_.authenticated, wanted);
    }
  }
}

TEST_F(RespondTest, SignaturesOnlyWithDo) {
  auto set = *Set("www.example.test.", RRType::kA, 300, {"192.0.2.1"});
  set.signatures.Add(AsBytes(std::string("\0\1\x0d\3\0\0\0\1\0\0\0\1\0\0\0\1\0\1\0sig", 22)));
  auto link = Link(ResponseKind::kAnswer);
  link->answer.push_back(std::make_shared<const dns::RRset>(set));
  Say({link}, Rcode::kNoError, Security::kInsecure);
  EXPECT_EQ(Build().records(Section::kAnswer).size(), 1u);
  q_.dnssec_ok = true;
  EXPECT_EQ(Build().records(Section::kAnswer).size(), 2u);
}

TEST_F(RespondTest, NegativeAnswerCarriesTheSoaOfItsEnd) {
  auto alias = Link(ResponseKind::kCname);
  alias->answer.push_back(Set("www.example.test.", RRType::kCNAME, 300, {"gone.else.test."}));
  alias->authority.push_back(Set("example.test.", RRType::kSOA, 300, {"a. b. 1 2 3 4 5"}));
  auto end = Link(ResponseKind::kNxdomain, Rcode::kNXDomain);
  end->authority.push_back(Set("else.test.", RRType::kSOA, 300, {"a. b. 1 2 3 4 5"}));
  Say({alias, end}, Rcode::kNXDomain, Security::kInsecure);
  const auto& m = Build();
  EXPECT_EQ(m.rcode(), Rcode::kNXDomain);
  ASSERT_EQ(m.records(Section::kAuthority).size(), 1u);
  EXPECT_EQ(m.Owner(m.records(Section::kAuthority)[0]), *Name::Parse("else.test."));
}

TEST_F(RespondTest, TruncatedToWhatTheClientTakes) {
  std::vector<std::string> many;
  for (int i = 1; i <= 200; ++i) many.push_back("192.0.2." + std::to_string(i));
  auto link = Link(ResponseKind::kAnswer);
  link->answer.push_back(Set("www.example.test.", RRType::kA, 300, many));
  const auto size_for = [&](bool edns, uint16_t udp_size, record::Transport transport) {
    Say({link}, Rcode::kNoError, Security::kInsecure);
    q_.edns = edns;
    q_.udp_size = udp_size;
    q_.transport = transport;
    Build();
    EXPECT_EQ(m_.header().tc, q_.truncated);
    EXPECT_EQ(m_.records(Section::kAnswer).size(), q_.truncated ? 0u : 200u);
    return packet_.size();
  };
  EXPECT_LE(size_for(false, 512, record::Transport::kUdp), 512u);
  EXPECT_LE(size_for(true, 0, record::Transport::kUdp), 512u);
  EXPECT_LE(size_for(true, 4096, record::Transport::kUdp), 1232u);
  EXPECT_GT(size_for(true, 512, record::Transport::kTcp), 3000u);
  EXPECT_FALSE(q_.truncated);
}

TEST_F(RespondTest, ErrorsAreToldOnceAndNotTooMany) {
  for (int i = 0; i < 10; ++i) q_.own_errors.push_back({dns::EdeCode::kBlocked, "a"});
  for (int i = 0; i < 10; ++i) q_.own_errors.push_back({dns::EdeCode::kOther, std::to_string(i)});
  Build();
  const auto errors = dns::ExtendedErrors(*m_.edns());
  EXPECT_LE(errors.size(), 4u);
  EXPECT_EQ(errors.front().code, dns::EdeCode::kBlocked);
  EXPECT_EQ(q_.first_ede, 15);
}

TEST_F(RespondTest, WithoutOptThereIsNoneAndHighRcodesDoNotFit) {
  q_.edns = false;
  q_.own_rcode = Rcode::kBadVers;
  const auto& m = Build();
  EXPECT_FALSE(m.edns());
  EXPECT_EQ(m.rcode(), Rcode::kServFail);
  EXPECT_EQ(q_.rcode, Rcode::kServFail);
}

}  // namespace
}  // namespace sekisho::resolver
