// Vectors made with another implementation (a key "Xfr.Example.", 2026-01-01T00:00:00Z).
#include "proto/dns/tsig.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sekisho::dns {
namespace {

constexpr int64_t kTime = 1767225600;
constexpr char kSecret[] = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI=";

struct Vectors {
  const char* algorithm;
  const char* query;
  const char* first;
  const char* unsigned_one;
  const char* last;
};

constexpr char kPlain[] = "1234000000010000000000000372707a04746573740000fc0001";

constexpr Vectors k256 = {
    "hmac-sha256",
    "1234000000010000000000010372707a04746573740000fc000103586672074578616d706c650000fa00ff0000000000"
    "3d0b686d61632d7368613235360000006955b900012c0020e1a8f02cf55a2164b5a36db56d45ebed560aab15f0fb4c69"
    "99a8a5a696bd679d123400000000",
    "1234840000010001000000010372707a04746573740000fc0001026830c00c000100010000003c0004c0000200037866"
    "72076578616d706c650000fa00ff00000000003d0b686d61632d7368613235360000006955b900012c00208d9eb062e4"
    "fce2f25e95133f8415888a30f2efa89f9680c6d54b39fbf20fc917123400000000",
    "1234840000000001000000000268310372707a047465737400000100010000003c0004c0000201",
    "1234840000000001000000010268320372707a047465737400000100010000003c0004c000020203786672076578616d"
    "706c650000fa00ff00000000003d0b686d61632d7368613235360000006955b900012c0020dc0ea9fc45b48fc7bd5684"
    "4465bf7741a868c2d30d46525f5be91dbe829ae2aa123400000000"};

constexpr Vectors k512 = {
    "hmac-sha512",
    "1234000000010000000000010372707a04746573740000fc000103586672074578616d706c650000fa00ff0000000000"
    "5d0b686d61632d7368613531320000006955b900012c0040b3434dd1f23e08144b8b56c244876c3c2e489a0cf3e7d42e"
    "46b54dd8c139a55745e0eb8508baf59f4da605323ccb30734b971ca8f15e64c9129e3653dd20f545123400000000",
    "1234840000010001000000010372707a04746573740000fc0001026830c00c000100010000003c0004c0000200037866"
    "72076578616d706c650000fa00ff00000000005d0b686d61632d7368613531320000006955b900012c0040634639054f"
    "1e4019245bf47997bb1ad983d128939b7e5b814f570e9d1e02db982ab12f785ac94175d3cea44e75bfaea641444789d4"
    "06e35dc87470eaac3524ae123400000000",
    "1234840000000001000000000268310372707a047465737400000100010000003c0004c0000201",
    "1234840000000001000000010268320372707a047465737400000100010000003c0004c000020203786672076578616d"
    "706c650000fa00ff00000000005d0b686d61632d7368613531320000006955b900012c0040ff575d91a754ccff3cd72d"
    "e9cb059a9f99bbb607bb50012f0e909b06e00831ab72ba675dfd2e032b8dc3befd3e5c765390d5e5bde7e534fd243dfc"
    "40adc446d7123400000000"};

std::vector<uint8_t> Hex(const std::string& text) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return out;
}

WallTime At(int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

TsigKey KeyFor(const Vectors& v) {
  return {*Name::Parse("Xfr.Example."), *ParseTsigAlgorithm(v.algorithm), *ParseBase64(kSecret)};
}

TsigCheck Check(TsigSession& session, const std::vector<uint8_t>& message, int64_t at = kTime) {
  ParsedMessage parsed;
  EXPECT_EQ(parsed.Parse(message), ParseError::kNone);
  return session.Check(message, parsed, At(at));
}

class TsigTest : public ::testing::TestWithParam<Vectors> {
 protected:
  void SetUp() override {
    query_ = Hex(kPlain);
    session_.Sign(&query_, At(kTime));
  }
  std::vector<uint8_t> query_;
  TsigSession session_{KeyFor(GetParam())};
};

TEST_P(TsigTest, SignsAsOthersDo) { EXPECT_EQ(query_, Hex(GetParam().query)); }

TEST_P(TsigTest, ChecksAReplyOfSeveralMessages) {
  EXPECT_FALSE(session_.settled());
  EXPECT_EQ(Check(session_, Hex(GetParam().first)), TsigCheck::kSigned) << session_.error();
  EXPECT_TRUE(session_.settled());
  EXPECT_EQ(Check(session_, Hex(GetParam().unsigned_one)), TsigCheck::kUnsigned);
  EXPECT_FALSE(session_.settled());
  EXPECT_EQ(Check(session_, Hex(GetParam().last)), TsigCheck::kSigned) << session_.error();
  EXPECT_TRUE(session_.settled());
}

TEST_P(TsigTest, AnyFlippedByteOfTheMessageIsSeen) {
  const auto good = Hex(GetParam().first);
  // The ID is another's business: it travels in the signature, too.
  for (size_t i = 2; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= 0x01;
    ParsedMessage parsed;
    if (parsed.Parse(bad) != ParseError::kNone) continue;
    TsigSession session(KeyFor(GetParam()));
    auto query = Hex(kPlain);
    session.Sign(&query, At(kTime));
    EXPECT_NE(session.Check(bad, parsed, At(kTime)), TsigCheck::kSigned) << i;
  }
}

TEST_P(TsigTest, AMessageLeftOutIsSeen) {
  EXPECT_EQ(Check(session_, Hex(GetParam().first)), TsigCheck::kSigned);
  EXPECT_EQ(Check(session_, Hex(GetParam().last)), TsigCheck::kBad);
}

TEST_P(TsigTest, TheFirstMustBeSigned) {
  EXPECT_EQ(Check(session_, Hex(GetParam().unsigned_one)), TsigCheck::kBad);
  EXPECT_EQ(session_.error(), "the reply is not signed");
}

TEST_P(TsigTest, AnotherTimeIsRefused) {
  EXPECT_EQ(Check(session_, Hex(GetParam().first), kTime + 301), TsigCheck::kBad);
  EXPECT_NE(session_.error().find("301 s off"), std::string::npos);
}

TEST_P(TsigTest, AnotherKeyIsRefused) {
  TsigKey key = KeyFor(GetParam());
  key.secret += "x";
  TsigSession other(key);
  auto query = Hex(kPlain);
  other.Sign(&query, At(kTime));
  EXPECT_EQ(Check(other, Hex(GetParam().first)), TsigCheck::kBad);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, TsigTest, ::testing::Values(k256, k512));

TEST(Tsig, NoMoreThanNinetyNineUnsignedMessages) {
  TsigSession session(KeyFor(k256));
  auto query = Hex(kPlain);
  session.Sign(&query, At(kTime));
  ASSERT_EQ(Check(session, Hex(k256.first)), TsigCheck::kSigned);
  for (int i = 0; i < TsigSession::kMaxUnsigned; ++i)
    ASSERT_EQ(Check(session, Hex(k256.unsigned_one)), TsigCheck::kUnsigned);
  EXPECT_EQ(Check(session, Hex(k256.unsigned_one)), TsigCheck::kBad);
}

TEST(Tsig, Base64) {
  EXPECT_EQ(ParseBase64("YWI="), "ab");
  EXPECT_EQ(ParseBase64(" YWJj\n"), "abc");
  for (const char* bad : {"", "\n", "YWI", "YW I=", "!!!!", "YWJj\nYWJj"})
    EXPECT_FALSE(ParseBase64(bad)) << bad;
}

}  // namespace
}  // namespace sekisho::dns
