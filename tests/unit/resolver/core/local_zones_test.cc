#include "resolver/core/local_zones.h"

#include <gtest/gtest.h>

#include <string>

namespace sekisho::resolver {
namespace {

using dns::Rcode;
using dns::RRType;

dns::Name N(std::string_view text) { return *dns::Name::Parse(text); }

class LocalZonesTest : public ::testing::Test {
 protected:
  void Add(std::string_view line) {
    std::string error;
    const auto record = dns::ParseRecord(line, &error);
    ASSERT_TRUE(record) << error;
    zones_.AddRecord(*record);
  }
  std::optional<LocalAnswer> Find(std::string_view name, RRType type) { return zones_.Find(N(name), type); }

  LocalZones zones_;
};

TEST_F(LocalZonesTest, SpecialUseNamesAreNotAskedFor) {
  zones_.AddSpecialUse();
  for (const char* name : {"x.onion.", "invalid.", "a.b.home.arpa.", "1.2.3.10.in-addr.arpa.", "x.local."}) {
    const auto answer = Find(name, RRType::kA);
    ASSERT_TRUE(answer) << name;
    EXPECT_TRUE(answer->answer.empty()) << name;
    EXPECT_EQ(answer->authority.size(), 1u) << name;
    EXPECT_TRUE(answer->authoritative) << name;
  }
  EXPECT_EQ(Find("www.localhost.", RRType::kA)->answer.size(), 1u);
  EXPECT_FALSE(Find("www.example.", RRType::kA));
  zones_.RemoveZone(N("onion."));
  EXPECT_FALSE(Find("x.onion.", RRType::kA));
}

// RFC 4035 section 3.1.4.1: DS is the parent's, and says why nothing below is signed.
TEST_F(LocalZonesTest, DsOfAReverseZoneIsItsParents) {
  zones_.AddSpecialUse();
  EXPECT_FALSE(Find("10.in-addr.arpa.", RRType::kDS));
  EXPECT_TRUE(Find("10.in-addr.arpa.", RRType::kSOA));
  EXPECT_TRUE(Find("1.10.in-addr.arpa.", RRType::kDS)) << "below the apex there is nothing";
  EXPECT_TRUE(Find("onion.", RRType::kDS)) << "never asked for";
  zones_.AddZone(N("10.in-addr.arpa."), LocalZoneKind::kStatic);
  EXPECT_TRUE(Find("10.in-addr.arpa.", RRType::kDS)) << "the operator's own";
}

// RFC 8880 section 7.
TEST_F(LocalZonesTest, Ipv4OnlyIsAnsweredHere) {
  zones_.AddSpecialUse();
  const auto a = Find("ipv4only.arpa.", RRType::kA);
  ASSERT_EQ(a->answer.size(), 1u);
  EXPECT_EQ(a->answer[0]->rdata.size(), 2u);
  EXPECT_TRUE(Find("ipv4only.arpa.", RRType::kAAAA)->answer.empty());
  EXPECT_EQ(Find("171.0.0.192.in-addr.arpa.", RRType::kPTR)->answer.size(), 1u);
  EXPECT_FALSE(Find("ipv4only.arpa.", RRType::kDS));
}

TEST_F(LocalZonesTest, CanariesSayThatThereIsNothing) {
  zones_.AddSpecialUse();
  EXPECT_FALSE(Find("use-application-dns.net.", RRType::kA)) << "a setting of its own";
  zones_.AddCanaries();
  for (const char* name : {"use-application-dns.net.", "Mask.iCloud.com.", "mask-h2.icloud.com."}) {
    for (const RRType type : {RRType::kA, RRType::kAAAA, RRType::kHTTPS}) {
      const auto answer = Find(name, type);
      ASSERT_TRUE(answer) << name;
      EXPECT_EQ(answer->rcode, Rcode::kNoError);
      EXPECT_TRUE(answer->answer.empty());
    }
  }
  EXPECT_FALSE(Find("www.icloud.com.", RRType::kA));
  zones_.RemoveZone(N("mask.icloud.com."));
  EXPECT_FALSE(Find("mask.icloud.com.", RRType::kA));
}

TEST_F(LocalZonesTest, AZoneIsAuthoritativeARecordBesideTheDnsIsNot) {
  zones_.AddZone(N("corp.test."), LocalZoneKind::kTransparent);
  Add("mail.corp.test. 300 IN A 192.0.2.1");
  Add("printer.example. 300 IN A 192.0.2.2");
  EXPECT_TRUE(Find("mail.corp.test.", RRType::kA)->authoritative);
  EXPECT_TRUE(Find("mail.corp.test.", RRType::kAAAA)->authoritative);
  EXPECT_FALSE(Find("printer.example.", RRType::kA)->authoritative);
  EXPECT_FALSE(Find("www.corp.test.", RRType::kA)) << "transparent";
}

TEST_F(LocalZonesTest, KindsOfZones) {
  zones_.AddZone(N("static.test."), LocalZoneKind::kStatic);
  zones_.AddZone(N("refuse.test."), LocalZoneKind::kRefuse);
  Add("a.b.static.test. 300 IN TXT \"x\"");
  EXPECT_EQ(Find("none.static.test.", RRType::kA)->rcode, Rcode::kNXDomain);
  EXPECT_EQ(Find("static.test.", RRType::kA)->rcode, Rcode::kNoError);
  EXPECT_EQ(Find("b.static.test.", RRType::kA)->rcode, Rcode::kNoError) << "an empty non-terminal";
  EXPECT_EQ(Find("A.b.Static.test.", RRType::kTXT)->answer.size(), 1u);
  EXPECT_EQ(Find("any.refuse.test.", RRType::kA)->rcode, Rcode::kRefused);
}

}  // namespace
}  // namespace sekisho::resolver
