#include "proto/dns/reverse_name.h"

#include <gtest/gtest.h>

namespace sekisho::dns {
namespace {

TEST(ReverseName, GoesThereAndBack) {
  EXPECT_EQ(ReverseName(*IpAddress::Parse("203.0.113.7")).ToString(), "7.113.0.203.in-addr.arpa.");
  EXPECT_EQ(ReverseName(*IpAddress::Parse("2001:db8::567:89ab")).ToString(),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.");
  for (const char* text : {"0.0.0.0", "255.255.255.255", "192.0.2.1", "::", "::1", "2001:db8::1",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_EQ(AddressOfReverse(ReverseName(*IpAddress::Parse(text))), IpAddress::Parse(text)) << text;
  }
}

TEST(ReverseName, OtherNamesAreNoAddresses) {
  for (const char* text :
       {".", "in-addr.arpa.", "7.in-addr.arpa.", "256.0.0.1.in-addr.arpa.", "1.2.3.4.5.in-addr.arpa.",
        "a.2.3.4.in-addr.arpa.", "1.ip6.arpa.", "x.1.0.0.2.ip6.arpa.", "7.113.0.203.example.",
        "x.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."}) {
    EXPECT_FALSE(AddressOfReverse(*Name::Parse(text))) << text;
  }
}

}  // namespace
}  // namespace sekisho::dns
