#include "proto/base/ip_address.h"

#include <gtest/gtest.h>

#include <string>

namespace sekisho {
namespace {

IpAddress A(std::string_view text) {
  const auto a = IpAddress::Parse(text);
  EXPECT_TRUE(a) << text;
  return a.value_or(IpAddress());
}

TEST(IpAddressTest, ParsesAndPrints) {
  for (const char* text : {"192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::1"}) {
    EXPECT_EQ(A(text).ToString(), text);
  }
  EXPECT_EQ(A("2001:DB8:0:0::1").ToString(), "2001:db8::1");
  EXPECT_EQ(A("::ffff:192.0.2.1"), A("192.0.2.1"));
  EXPECT_EQ(A("192.0.2.1").bytes().size(), 4u);
  EXPECT_EQ(A("::1").bytes().size(), 16u);
  using namespace std::string_literals;
  for (const std::string& bad : {""s, "1"s, "1.2.3"s, "1.2.3.256"s, "1.2.3.4 "s, "1.2.3.4\0x"s, "01.2.3.4.5"s,
                                 ":::"s, "fe80::1%eth0"s, "1.2.3.4/8"s, std::string(60, '1')}) {
    EXPECT_FALSE(IpAddress::Parse(bad)) << bad;
  }
}

TEST(IpPrefixTest, Contains) {
  const auto p = [](const char* text) { return *IpPrefix::Parse(text); };
  EXPECT_TRUE(p("192.0.2.0/24").Contains(A("192.0.2.255")));
  EXPECT_FALSE(p("192.0.2.0/24").Contains(A("192.0.3.0")));
  EXPECT_TRUE(p("192.0.2.128/25").Contains(A("192.0.2.128")));
  EXPECT_FALSE(p("192.0.2.128/25").Contains(A("192.0.2.127")));
  EXPECT_TRUE(p("192.0.2.0/24").Contains(A("::ffff:192.0.2.9"))) << "mapped clients are IPv4 clients";
  EXPECT_TRUE(p("0.0.0.0/0").Contains(A("10.0.0.1")));
  EXPECT_FALSE(p("0.0.0.0/0").Contains(A("::1")));
  EXPECT_FALSE(p("::/0").Contains(A("10.0.0.1")));
  EXPECT_TRUE(p("::/0").Contains(A("2001:db8::1")));
  EXPECT_TRUE(p("2001:db8::/33").Contains(A("2001:db8:7fff::1")));
  EXPECT_FALSE(p("2001:db8::/33").Contains(A("2001:db8:8000::1")));
  EXPECT_TRUE(p("2001:db8::1").Contains(A("2001:db8::1")));
}

TEST(IpPrefixTest, ParsesAndPrints) {
  for (const char* text : {"192.0.2.0/24", "0.0.0.0/0", "::/0", "2001:db8::/32", "192.0.2.1/32", "::1/128"}) {
    const auto p = IpPrefix::Parse(text);
    ASSERT_TRUE(p) << text;
    EXPECT_EQ(p->ToString(), text);
  }
  for (const char* bad : {"192.0.2.1/24", "192.0.2.0/33", "::/129", "::1/64", "192.0.2.0/", "192.0.2.0/-1",
                          "192.0.2.0/8x", "/8", "192.0.2.0/ 24"}) {
    EXPECT_FALSE(IpPrefix::Parse(bad)) << bad;
  }
  EXPECT_EQ(IpPrefix::Make(A("192.0.2.77"), 24)->ToString(), "192.0.2.0/24");
  EXPECT_FALSE(IpPrefix::Make(A("192.0.2.77"), 33));
  EXPECT_FALSE(IpPrefix::Make(A("::1"), -1));
}

// Contains agrees with a comparison bit by bit.
TEST(IpPrefixTest, ContainsBitByBit) {
  for (int length = 0; length <= 32; ++length) {
    const auto p = IpPrefix::Make(A("170.85.204.51"), length);
    ASSERT_TRUE(p);
    for (int flipped = 0; flipped < 32; ++flipped) {
      std::array<uint8_t, 4> b = {170, 85, 204, 51};
      b[static_cast<size_t>(flipped / 8)] =
          static_cast<uint8_t>(b[static_cast<size_t>(flipped / 8)] ^ (0x80 >> flipped % 8));
      EXPECT_EQ(p->Contains(IpAddress::V4(b)), flipped >= length);
    }
  }
}

TEST(EndpointTest, ParsesPrintsAndConverts) {
  for (const char* text : {"192.0.2.1:53", "[2001:db8::1]:853", "[::1]:0", "0.0.0.0:65535"}) {
    const auto e = Endpoint::Parse(text, std::nullopt);
    ASSERT_TRUE(e) << text;
    EXPECT_EQ(e->ToString(), text);
    sockaddr_storage sa;
    const socklen_t size = e->ToSockaddr(&sa);
    EXPECT_EQ(size, e->address.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    EXPECT_EQ(Endpoint::FromSockaddr(reinterpret_cast<const sockaddr*>(&sa)), *e);
  }
  EXPECT_EQ(Endpoint::Parse("2001:db8::1", 53)->ToString(), "[2001:db8::1]:53");
  EXPECT_EQ(Endpoint::Parse("[2001:db8::1]", 53)->ToString(), "[2001:db8::1]:53");
  EXPECT_EQ(Endpoint::Parse("192.0.2.1", 53)->port, 53);
  for (const char* bad : {"", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:5x", "[::1",
                          "[::1]", "[::1]53", "::1:53:", "x:53"}) {
    EXPECT_FALSE(Endpoint::Parse(bad, std::nullopt)) << bad;
  }
}

}  // namespace
}  // namespace sekisho
