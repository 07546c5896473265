#include "proto/dns/presentation.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/base/bytes.h"
#include "tests/unit/proto/dns/packet.h"

namespace sekisho::dns {
namespace {

TEST(PresentationTest, ReadsRecords) {
  std::string error;
  const auto r = ParseRecord("Www.example.test. 300 IN A 192.0.2.1\n", &error);
  ASSERT_TRUE(r) << error;
  EXPECT_EQ(r->owner.ToString(), "Www.example.test.");
  EXPECT_EQ(r->ttl, 300u);
  EXPECT_EQ(r->rrclass, RRClass::kIN);
  EXPECT_EQ(AsText(Wire{192, 0, 2, 1}), r->rdata);
  const auto unknown = ParseRecord("a. 1 IN TYPE65400 \\# 4 c0000201", &error);
  ASSERT_TRUE(unknown) << error;
  EXPECT_EQ(RdataToText(unknown->type, AsBytes(unknown->rdata)), "\\# 4 c0000201");
}

TEST(PresentationTest, SaysWhyALineIsRefused) {
  using namespace std::string_literals;
  for (const std::string& bad :
       {""s, "\n"s, " a. 1 IN A 1.2.3.4"s, "a. 1 IN A 300.1.1.1"s, "a. 1 IN A"s, "a. 1 IN"s, "a."s,
        "a. 1 IN A 1.2.3.4\0x"s, "a. 1 IN TXT \"\xff\""s, "a. 1 IN MX 10"s, "; comment"s,
        "a. 1 IN DS 1 8 2 00"s, "a. 1 IN TYPE1 \\# 3 010203"s, std::string(200000, 'a')}) {
    std::string error;
    EXPECT_FALSE(ParseRecord(bad, &error)) << bad;
    EXPECT_FALSE(error.empty()) << bad;
  }
}

TEST(PresentationTest, WritesSetsWithTheirSignatures) {
  RRset set;
  set.owner = *Name::Parse("a.test");
  set.type = RRType::kTXT;
  set.ttl = 9;
  set.rdata.Add(Wire{3, 'a', '\n', 0xff});
  set.signatures.Add(Wire{1, 2});
  EXPECT_EQ(RRsetToText(set), "a.test. 9 IN TXT \"a\\010\\255\"\na.test. 9 IN RRSIG \\# 2 0102\n");
}

TEST(TypesTest, NamesGoBothWays) {
  for (unsigned v = 0; v < 65536; ++v) {
    const auto t = static_cast<RRType>(v);
    ASSERT_EQ(ParseRRType(ToString(t)), t);
  }
  EXPECT_EQ(ToString(static_cast<RRType>(65400)), "TYPE65400");
  EXPECT_EQ(ParseRRType("aaaa"), RRType::kAAAA);
  for (const char* bad : {"", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "AX"})
    EXPECT_FALSE(ParseRRType(bad)) << bad;
  EXPECT_EQ(ParseRcode("nxdomain"), Rcode::kNXDomain);
  EXPECT_EQ(ToString(static_cast<Rcode>(12)), "RCODE12");
  EXPECT_EQ(ParseRcode("RCODE12"), static_cast<Rcode>(12));
  EXPECT_FALSE(ParseRcode("RCODE4096"));
}

}  // namespace
}  // namespace sekisho::dns
