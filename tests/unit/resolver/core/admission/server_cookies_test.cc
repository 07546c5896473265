#include "resolver/core/admission/server_cookies.h"

#include <gtest/gtest.h>

#include <string>

namespace sekisho::resolver {
namespace {

std::vector<uint8_t> Hex(const std::string& text) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return out;
}

WallTime At(int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

std::vector<uint8_t> Bytes(const WholeCookie& c) { return {c.begin(), c.end()}; }

const CookieSecret kOwn{1, 2, 3};

// RFC 9018 appendix A.
class Rfc9018 : public testing::Test {
 protected:
  static ServerCookies With(const std::string& secret) {
    return ServerCookies({*ParseCookieSecret(secret)}, kOwn);
  }
  ServerCookies cookies_ = With("e5e973e5a6b2a43f48e7dc849e37bfcf");
};

TEST_F(Rfc9018, A1LearningANewServerCookie) {
  const auto client = *IpAddress::Parse("198.51.100.100");
  const auto made = cookies_.Answer(Hex("2464c4abcf10c957"), false, client, At(1559731985));
  EXPECT_EQ(Bytes(made), Hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480"));
  EXPECT_TRUE(cookies_.IsValid(made, client, At(1559731985)));
}

TEST_F(Rfc9018, A2TheSameClientLater) {
  const auto client = *IpAddress::Parse("198.51.100.100");
  const auto old = Hex("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
  EXPECT_TRUE(cookies_.IsValid(old, client, At(1559734385)));
  EXPECT_EQ(Bytes(cookies_.Answer(old, true, client, At(1559734385))),
            Hex("2464c4abcf10c957010000005cf7a871d4a564a1442aca77"));
}

TEST_F(Rfc9018, A3ReservedBitsAreNotZero) {
  const auto client = *IpAddress::Parse("203.0.113.203");
  const auto old = Hex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5");
  EXPECT_TRUE(cookies_.IsValid(old, client, At(1559728000)));
  EXPECT_EQ(Bytes(cookies_.Answer(old, false, client, At(1559734700))),
            Hex("fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"));
}

TEST_F(Rfc9018, A4RolloverOfTheSecretOverIpv6) {
  const auto client = *IpAddress::Parse("2001:db8:220:1:59de:d0f4:8769:82b8");
  const auto old = Hex("22681ab97d52c298010000005cf7c57926556bd0934c72f8");
  const auto fresh = *ParseCookieSecret("445536bcd2513298075a5d379663c962");
  const ServerCookies rolled({fresh, *ParseCookieSecret("dd3bdf9344b678b185a6f5cb60fca715")}, kOwn);
  EXPECT_TRUE(rolled.IsValid(old, client, At(1559741961)));
  EXPECT_EQ(Bytes(rolled.Answer(old, false, client, At(1559741961))),
            Hex("22681ab97d52c298010000005cf7c609a6bb79d16625507a"));
  EXPECT_FALSE(ServerCookies({fresh}, kOwn).IsValid(old, client, At(1559741961)));
}

TEST(ServerCookies, GoodForAnHourAndForOneAddress) {
  const ServerCookies cookies({}, kOwn);
  const auto client = *IpAddress::Parse("192.0.2.1");
  const int64_t made = 1767225600;
  const auto cookie = cookies.Answer(Hex("0102030405060708"), false, client, At(made));
  EXPECT_TRUE(cookies.IsValid(cookie, client, At(made + 3600)));
  EXPECT_FALSE(cookies.IsValid(cookie, client, At(made + 3601)));
  EXPECT_TRUE(cookies.IsValid(cookie, client, At(made - 300)));
  EXPECT_FALSE(cookies.IsValid(cookie, client, At(made - 301)));
  EXPECT_FALSE(cookies.IsValid(cookie, *IpAddress::Parse("192.0.2.2"), At(made)));
  EXPECT_EQ(cookies.Answer(cookie, true, client, At(made + 1799)), cookie) << "young ones stay";
  EXPECT_NE(cookies.Answer(cookie, true, client, At(made + 1800)), cookie);
}

TEST(ServerCookies, EveryBitCounts) {
  const ServerCookies cookies({}, kOwn);
  const auto client = *IpAddress::Parse("192.0.2.1");
  const auto cookie = cookies.Answer(Hex("0102030405060708"), false, client, At(1767225600));
  for (size_t bit = 0; bit < 8 * cookie.size(); ++bit) {
    auto changed = cookie;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(cookies.IsValid(changed, client, At(1767225600))) << "bit " << bit;
  }
  EXPECT_FALSE(cookies.IsValid(std::span(cookie).first(16), client, At(1767225600)));
}

TEST(ServerCookies, DaysHaveKeysOfTheirOwnAndMidnightForgetsNothing) {
  const ServerCookies cookies({}, kOwn);
  const auto client = *IpAddress::Parse("192.0.2.1");
  const int64_t midnight = 1767225600;
  const auto before = cookies.Answer(Hex("0102030405060708"), false, client, At(midnight - 60));
  EXPECT_TRUE(cookies.IsValid(before, client, At(midnight + 60)));
}

TEST(ServerCookies, TimeWrapsIn2106) {
  const ServerCookies cookies({}, kOwn);
  const auto client = *IpAddress::Parse("192.0.2.1");
  const int64_t wrap = int64_t{1} << 32;
  const auto before = cookies.Answer(Hex("0102030405060708"), false, client, At(wrap - 10));
  EXPECT_TRUE(cookies.IsValid(before, client, At(wrap + 10)));
}

TEST(ServerCookies, Secrets) {
  EXPECT_FALSE(ParseCookieSecret(""));
  EXPECT_FALSE(ParseCookieSecret("e5e973e5a6b2a43f48e7dc849e37bfc"));
  EXPECT_FALSE(ParseCookieSecret("e5e973e5a6b2a43f48e7dc849e37bfcg"));
  EXPECT_EQ((*ParseCookieSecret("E5e973e5a6b2a43f48e7dc849e37bfcf"))[0], 0xe5);
}

}  // namespace
}  // namespace sekisho::resolver
