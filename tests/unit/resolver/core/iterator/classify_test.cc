#include "resolver/core/iterator/classify.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/dns/builder.h"
#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"
#include "tests/replay/network.h"

namespace sekisho::resolver {
namespace {

using dns::Name;
using dns::Rcode;
using dns::RRType;

Name N(const std::string& text) { return *Name::Parse(text); }

// A reply in a few words, classified as the answer of a server of `zone` to (qname, qtype).
struct Case {
  std::string zone = "example.test.";
  std::string qname = "www.example.test.";
  RRType qtype = RRType::kA;
  Rcode rcode = Rcode::kNoError;
  bool aa = true, tc = false, ra = false, edns = true, forward = false;
  std::vector<std::string> answer = {}, authority = {}, additional = {};

  Classified Run() const {
    std::vector<uint8_t> packet(65535);
    dns::MessageBuilder b(packet, packet.size());
    dns::Header h;
    h.qr = true;
    h.aa = aa;
    h.tc = tc;
    h.ra = ra;
    b.Begin(h);
    b.AddQuestion(N(qname), qtype, dns::RRClass::kIN);
    Put(b, dns::Section::kAnswer, answer);
    Put(b, dns::Section::kAuthority, authority);
    Put(b, dns::Section::kAdditional, additional);
    packet.resize(b.Finish(rcode, nullptr).size());
    dns::ParsedMessage m;
    EXPECT_EQ(m.Parse(packet), dns::ParseError::kNone);
    const Name z = N(zone);
    const Name q = N(qname);
    return Classify(m, Asked{.zone = z, .qname = q, .qtype = qtype, .edns = edns, .forward = forward});
  }

  static void Put(dns::MessageBuilder& b, dns::Section section, const std::vector<std::string>& lines) {
    for (const auto& text : lines) {
      for (const auto& line : replay::ExpandRange(text)) {
        replay::ReplyRecord r;
        std::string error;
        ASSERT_TRUE(replay::ParseReplyRecord(line, Name(), &r, &error)) << line << ": " << error;
        b.AddRecord(section, r.owner, r.type, r.rrclass, r.ttl,
                    {reinterpret_cast<const uint8_t*>(r.rdata.data()), r.rdata.size()});
      }
    }
  }
};

const char kSoa[] = "example.test. 300 SOA ns. h. 1 2 3 4 5";

TEST(Classify, Answer) {
  const Classified c = Case{.answer = {"www.example.test. A 192.0.2.1"}}.Run();
  EXPECT_EQ(c.kind, ReplyKind::kResponse);
  EXPECT_EQ(c.response.kind, ResponseKind::kAnswer);
  EXPECT_TRUE(c.authoritative);
}

TEST(Classify, ASignatureInAnotherSectionIsFound) {
  const std::string signature = " RRSIG A 8 3 300 20300101000000 20200101000000 1 example.test. AAAA";
  const Classified c =
      Case{.answer = {"www.example.test. A 192.0.2.1", "ns.example.test." + signature},
           .additional = {"www.example.test." + signature, "other.example.test." + signature}}
          .Run();
  ASSERT_EQ(c.response.answer.size(), 1u);
  EXPECT_EQ(c.response.answer[0]->signatures.size(), 1u);
  EXPECT_EQ(c.response.answer[0]->rdata.size(), 1u);
}

TEST(Classify, ACnameThatTheDnameDoesNotMakeIsSeen) {
  Case reply{.qname = "www.old.example.test.",
             .answer = {"old.example.test. DNAME new.example.test.",
                        "www.old.example.test. CNAME WWW.new.example.test."}};
  EXPECT_FALSE(reply.Run().response.altered);
  reply.answer.pop_back();
  EXPECT_FALSE(reply.Run().response.altered) << "it may be left to us";
  reply.answer.push_back("www.old.example.test. CNAME evil.example.test.");
  const Classified c = reply.Run();
  EXPECT_TRUE(c.response.altered);
  EXPECT_EQ(*dns::ReadTarget(c.response.answer.back()->rdata.front()), N("www.new.example.test."));
}

TEST(Classify, StraySignaturesAreBounded) {
  const std::string signature = " RRSIG A 8 3 300 20300101000000 20200101000000 1 example.test. AAAA";
  Case reply{.answer = {"www.example.test. A 192.0.2.1"}};
  for (int i = 0; i < limits::kStraySignatures; ++i)
    reply.additional.push_back("n" + std::to_string(i) + ".example.test." + signature);
  reply.additional.push_back("www.example.test." + signature);
  EXPECT_EQ(reply.Run().response.answer[0]->signatures.size(), 0u);
  reply.additional.erase(reply.additional.begin());
  EXPECT_EQ(reply.Run().response.answer[0]->signatures.size(), 1u);
}

TEST(Classify, DsThatComesWithItsDelegation) {
  const std::string ds = " DS 1 8 2 " + std::string(64, 'a');
  const std::vector<std::string> ns = {"sub.example.test. NS ns.sub.example.test."};
  Case referral{.qname = "sub.example.test.", .qtype = RRType::kDS, .aa = false, .authority = ns};
  EXPECT_NE(referral.Run().kind, ReplyKind::kResponse) << "the child is not asked for its DS";
  referral.authority.push_back("other.example.test." + ds);
  EXPECT_NE(referral.Run().kind, ReplyKind::kResponse);
  referral.authority.push_back("sub.example.test." + ds);
  const Classified c = referral.Run();
  EXPECT_EQ(c.kind, ReplyKind::kResponse);
  EXPECT_EQ(c.response.kind, ResponseKind::kAnswer);
  ASSERT_EQ(c.response.answer.size(), 1u);
  EXPECT_EQ(c.response.answer[0]->type, RRType::kDS);
}

TEST(Classify, OnlyTheFirstLinkOfAChainIsTaken) {
  const Classified c =
      Case{.answer = {"www.example.test. CNAME a.example.test.", "a.example.test. A 192.0.2.1"}}.Run();
  EXPECT_EQ(c.response.kind, ResponseKind::kCname);
  EXPECT_EQ(c.response.answer.size(), 1u);
}

TEST(Classify, TwoAliasesAreNone) {
  const Classified c =
      Case{.answer = {"www.example.test. CNAME a.example.test.", "www.example.test. CNAME b.example.test."}}
          .Run();
  EXPECT_NE(c.response.kind, ResponseKind::kCname);
}

TEST(Classify, AnswerFromOutsideTheZoneIsNone) {
  const Classified c =
      Case{.zone = "other.test.", .answer = {"www.example.test. A 192.0.2.1"}, .authority = {}}.Run();
  EXPECT_TRUE(c.response.answer.empty());
}

TEST(Classify, AliasIsMadeFromTheDnameAndNotBelieved) {
  const Classified c =
      Case{.answer = {"example.test. DNAME else.test.", "www.example.test. CNAME evil.test."}}.Run();
  EXPECT_EQ(c.response.kind, ResponseKind::kCname);
  ASSERT_EQ(c.response.answer.size(), 2u);
  EXPECT_EQ(c.response.answer[1]->rdata.front().size(), N("www.else.test.").size());
}

TEST(Classify, DnameAboveTheZoneIsNotTaken) {
  const Classified c =
      Case{.answer = {"test. DNAME else.test.", "www.example.test. CNAME www.example.else.test."}}.Run();
  for (const auto& s : c.response.answer) EXPECT_NE(s->type, RRType::kDNAME);
}

TEST(Classify, Referral) {
  const Classified c =
      Case{.zone = "test.",
           .aa = false,
           .authority = {"example.test. NS ns.example.test.", "example.test. NS ns.else."},
           .additional = {"ns.example.test. A 10.0.0.1", "ns.else. A 10.0.0.2", "x.test. A 10.0.0.3"}}
          .Run();
  EXPECT_EQ(c.kind, ReplyKind::kReferral);
  EXPECT_EQ(c.referral.zone, N("example.test."));
  EXPECT_EQ(c.referral.ns->rdata.size(), 2u);
  // Glue: of the referral's own servers, from inside the referring zone (row P18).
  ASSERT_EQ(c.referral.glue.size(), 1u);
  EXPECT_EQ(c.referral.glue[0]->owner, N("ns.example.test."));
}

TEST(Classify, ReferralsThatLeadNowhere) {
  for (const char* ns : {"test. NS ns.x.", ". NS ns.x.", "example.test. NS ns.x."}) {
    const Classified up = Case{.aa = false, .authority = {ns}}.Run();
    EXPECT_EQ(up.kind, ReplyKind::kLame) << ns;
  }
  const Classified aside = Case{.aa = false, .authority = {"mail.example.test. NS ns.x."}}.Run();
  EXPECT_EQ(aside.kind, ReplyKind::kUseless);
}

TEST(Classify, ReferralForDsStaysWithTheParent) {
  const Classified c = Case{.zone = "test.",
                            .qname = "example.test.",
                            .qtype = RRType::kDS,
                            .aa = false,
                            .authority = {"example.test. NS ns.example.test."}}
                           .Run();
  EXPECT_NE(c.kind, ReplyKind::kReferral);
}

TEST(Classify, ServersAreCut) {
  const Classified c =
      Case{.zone = "test.", .aa = false, .authority = {"example.test. NS n[1-200].example.test."}}.Run();
  EXPECT_EQ(c.kind, ReplyKind::kReferral);
  EXPECT_EQ(c.referral.ns->rdata.size(), limits::kNsNames);
}

TEST(Classify, Denials) {
  const Classified nx = Case{.rcode = Rcode::kNXDomain, .authority = {kSoa}}.Run();
  EXPECT_EQ(nx.response.kind, ResponseKind::kNxdomain);
  EXPECT_EQ(nx.response.authority.size(), 1u);
  const Classified nodata = Case{.authority = {kSoa}}.Run();
  EXPECT_EQ(nodata.response.kind, ResponseKind::kNodata);
  EXPECT_EQ(nodata.kind, ReplyKind::kResponse);
}

TEST(Classify, NothingBesideSoaAndDenialsIsKeptOfTheAuthoritySection) {
  const Classified c = Case{.answer = {"www.example.test. A 192.0.2.1"},
                            .authority = {"example.test. NS ns.evil.", "example.test. MX 1 a.", kSoa},
                            .additional = {"ns.evil. A 6.6.6.6"}}
                           .Run();
  for (const auto& s : c.response.authority) EXPECT_EQ(s->type, RRType::kSOA);
}

// What exists is not denied because it is too much (row D12).
TEST(Classify, OversizedSetIsNoDenial) {
  const Classified c =
      Case{.answer = {"www.example.test. A 10.1.0.[1-250]", "www.example.test. A 10.2.0.[1-250]"}}.Run();
  EXPECT_NE(c.kind, ReplyKind::kResponse);
}

TEST(Classify, Errors) {
  EXPECT_EQ(Case{.rcode = Rcode::kRefused}.Run().kind, ReplyKind::kLame);
  EXPECT_EQ(Case{.rcode = Rcode::kServFail}.Run().kind, ReplyKind::kServerError);
  EXPECT_EQ(Case{.rcode = Rcode::kFormErr}.Run().kind, ReplyKind::kNoEdns);
  EXPECT_EQ((Case{.rcode = Rcode::kFormErr, .edns = false}.Run().kind), ReplyKind::kServerError);
  EXPECT_EQ(Case{.tc = true}.Run().kind, ReplyKind::kTruncated);
}

TEST(Classify, SomebodysCacheIsLame) {
  EXPECT_EQ((Case{.aa = false, .ra = true, .answer = {"www.example.test. A 192.0.2.1"}}.Run().kind),
            ReplyKind::kLame);
  // A forwarder is asked for exactly that.
  EXPECT_EQ(
      (Case{
          .zone = ".", .aa = false, .ra = true, .forward = true, .answer = {"www.example.test. A 192.0.2.1"}}
           .Run()
           .kind),
      ReplyKind::kResponse);
}

TEST(Classify, KeysAreNotFoundByAlias) {
  for (const RRType type : {RRType::kDS, RRType::kDNSKEY}) {
    const Classified c = Case{.qtype = type, .answer = {"www.example.test. CNAME a.example.test."}}.Run();
    EXPECT_NE(c.response.kind, ResponseKind::kCname);
  }
}

}  // namespace
}  // namespace sekisho::resolver
