#include "proto/dns/name.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proto/dns/name_key.h"
#include "tests/unit/proto/dns/packet.h"

namespace sekisho::dns {
namespace {

Name N(std::string_view text) {
  auto name = Name::Parse(text);
  EXPECT_TRUE(name) << text;
  return name.value_or(Name());
}

TEST(NameTest, ParsesAndPrintsEscapes) {
  EXPECT_EQ(N(".").ToString(), ".");
  EXPECT_EQ(N("a.b").ToString(), "a.b.");
  EXPECT_EQ(N("a\\.b.c.").ToString(), "a\\.b.c.");
  EXPECT_EQ(N("a\\.b.c.").view().LabelCount(), 2);
  EXPECT_EQ(N("\\000\\255x").ToString(), "\\000\\255x.");
  EXPECT_EQ(N("a b\\\"\\;\\@\\$\\(\\)\\\\").ToString(), "a\\032b\\\"\\;\\@\\$\\(\\)\\\\.");
}

TEST(NameTest, RefusesWhatIsNotAName) {
  for (const char* bad : {"", "..", ".a", "a..b", "a\\", "a\\25", "a\\256", "a\\1x2"})
    EXPECT_FALSE(Name::Parse(bad)) << bad;
  EXPECT_TRUE(Name::Parse(std::string(63, 'a')));
  EXPECT_FALSE(Name::Parse(std::string(64, 'a')));
}

TEST(NameTest, HoldsTheLimitsOf255BytesAnd127Labels) {
  std::string labels127;
  for (int i = 0; i < 127; ++i) labels127 += "a.";
  EXPECT_EQ(N(labels127).size(), 255u);
  EXPECT_EQ(N(labels127).view().LabelCount(), 127);
  EXPECT_TRUE(Name::Parse(labels127.substr(0, labels127.size() - 1)));
  EXPECT_FALSE(Name::Parse(labels127 + "a"));
  EXPECT_FALSE(Name::Parse(labels127 + "a."));
  const std::string label63 = std::string(63, 'x') + ".";
  EXPECT_EQ(N(label63 + label63 + label63 + std::string(61, 'y')).size(), 255u);
  EXPECT_FALSE(Name::Parse(label63 + label63 + label63 + std::string(62, 'y')));
  EXPECT_FALSE(Name::Prepend("a", N(labels127)));
  EXPECT_FALSE(Name::Prepend("", N("a")));
}

TEST(NameTest, FromWireTakesExactlyOneName) {
  EXPECT_TRUE(NameView::FromWire(Wire{0}));
  EXPECT_TRUE(NameView::FromWire(Wire{1, 'a', 0}));
  for (const Wire& bad : {Wire{}, Wire{1}, Wire{1, 'a'}, Wire{1, 'a', 0, 0}, Wire{0x40, 0}, Wire{0x80, 0},
                          Wire{0xc0, 0x0c}, Wire{2, 'a', 0}, Wire{64, 0}}) {
    EXPECT_FALSE(NameView::FromWire(bad));
  }
}

TEST(NameTest, ComparesWithoutCaseOnlyInAscii) {
  EXPECT_EQ(N("WWW.Example.TEST"), N("www.example.test"));
  EXPECT_FALSE(N("WWW.test").view().EqualsWithCase(N("www.test")));
  EXPECT_FALSE(N("\\192.test") == N("\\224.test"));
  EXPECT_FALSE(N("@aaaaaaaa") == N("`aaaaaaaa"));
  EXPECT_FALSE(N("[aaaaaaaa") == N("{aaaaaaaa"));
  for (int c = 0; c < 256; ++c) {  // in the eight-byte path and in the tail
    for (int d = 0; d < 256; ++d) {
      Wire a{9, 'q', 'q', static_cast<uint8_t>(c), 'q', 'q', 'q', 'q', 'q', static_cast<uint8_t>(c), 0};
      Wire b{9, 'q', 'q', static_cast<uint8_t>(d), 'q', 'q', 'q', 'q', 'q', static_cast<uint8_t>(d), 0};
      const bool same = LowercaseByte(static_cast<uint8_t>(c)) == LowercaseByte(static_cast<uint8_t>(d));
      ASSERT_EQ(*NameView::FromWire(a) == *NameView::FromWire(b), same) << c << " " << d;
    }
  }
}

TEST(NameTest, KnowsWhatIsBelow) {
  const Name zone = N("example.test");
  EXPECT_TRUE(N("a.EXAMPLE.test").view().IsBelow(zone));
  EXPECT_TRUE(zone.view().IsAtOrBelow(zone));
  EXPECT_FALSE(zone.view().IsBelow(zone));
  EXPECT_FALSE(N("anexample.test").view().IsAtOrBelow(zone));
  EXPECT_TRUE(zone.view().IsAtOrBelow(Name()));
  // A suffix of bytes that does not start at a label.
  EXPECT_FALSE(N("x\\007example.test").view().IsAtOrBelow(N("example.test")));
  EXPECT_EQ(N("a.b.c").view().CommonLabels(N("x.B.c")), 2);
  EXPECT_EQ(N("a.b.c").view().Suffix(2), N("b.c"));
  EXPECT_EQ(N("a.b.c").view().Suffix(9), N("a.b.c"));
  EXPECT_EQ(N("a.b.c").view().Suffix(0), Name());
  EXPECT_EQ(Name().view().Parent(), Name());
  EXPECT_TRUE(N("*.a").view().IsWildcard());
  EXPECT_FALSE(N("*a.a").view().IsWildcard());
}

TEST(NameTest, ReplacesASuffix) {
  EXPECT_EQ(*Name::ReplaceSuffix(N("a.b.old"), N("OLD"), N("new.test")), N("a.b.new.test"));
  EXPECT_FALSE(Name::ReplaceSuffix(N("a.b"), N("old"), N("new")));
  std::string big;
  for (int i = 0; i < 126; ++i) big += "a.";
  EXPECT_FALSE(Name::ReplaceSuffix(N("x.y.old"), N("old"), N(big)));
}

// The example of RFC 4034 section 6.1.
TEST(NameTest, OrderIsCanonical) {
  const std::vector<std::string> sorted = {"example",         "a.example",      "yljkjljk.a.example",
                                           "Z.a.example",     "zABC.a.EXAMPLE", "z.example",
                                           "\\001.z.example", "*.z.example",    "\\200.z.example"};
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      const int d = N(sorted[i]).view().CompareCanonical(N(sorted[j]));
      EXPECT_EQ(d < 0, i < j) << sorted[i] << " " << sorted[j];
      EXPECT_EQ(d == 0, i == j);
    }
  }
}

TEST(NameKeyTest, OrderOfKeysIsCanonicalOrder) {
  SeededRng rng(7);
  for (int i = 0; i < 200000; ++i) {
    const Name a = RandomName(rng);
    const Name b = RandomName(rng);
    const std::string ka = NameKey(a);
    const std::string kb = NameKey(b);
    const auto sign = [](int d) { return (d > 0) - (d < 0); };
    ASSERT_EQ(sign(ka.compare(kb)), sign(a.view().CompareCanonical(b)))
        << a.ToString() << " " << b.ToString();
    ASSERT_EQ(ka.starts_with(kb), a.view().IsAtOrBelow(b)) << a.ToString() << " " << b.ToString();
    const auto back = NameFromKey(ka);
    ASSERT_TRUE(back);
    ASSERT_EQ(*back, a);
    ASSERT_EQ(*Name::Parse(a.ToString()), a);
  }
}

TEST(NameKeyTest, RefusesWhatIsNotAKey) {
  using namespace std::string_literals;
  for (const std::string& bad : {"a"s, "\0"s, "a\0\0"s, "A\0"s, "\x01\x03\0"s, "\x01\0"s, "\x01"s,
                                 std::string(64, 'a') + "\0"s, std::string(600, 'a') + "\0"s}) {
    EXPECT_FALSE(NameFromKey(bad));
  }
  std::string wide;
  for (int i = 0; i < 127; ++i) wide += "a\0"s;
  EXPECT_TRUE(NameFromKey(wide));
  EXPECT_FALSE(NameFromKey(wide + "a\0"s));
}

TEST(NameKeyTest, LongestKeyFits) {
  Wire wire;
  for (int i = 0; i < 3; ++i) {
    wire.push_back(63);
    wire.insert(wire.end(), 63, 0);
  }
  wire.push_back(61);
  wire.insert(wire.end(), 61, 1);
  wire.push_back(0);
  const auto name = Name::FromWire(wire);
  ASSERT_TRUE(name);
  EXPECT_LE(NameKey(*name).size(), kMaxNameKeySize);
  EXPECT_EQ(*NameFromKey(NameKey(*name)), *name);
}

TEST(LowercaseCopy, IsLowercaseByteAtEveryPlace) {
  for (size_t size = 0; size <= 24; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (int value = 0; value < 256; ++value) {
        std::vector<uint8_t> from(size, 'Q');
        from[at] = static_cast<uint8_t>(value);
        std::vector<uint8_t> to(size + 1, 0xee);
        LowercaseCopy(from.data(), size, to.data());
        for (size_t i = 0; i < size; ++i) ASSERT_EQ(to[i], LowercaseByte(from[i])) << size << " " << i;
        ASSERT_EQ(to[size], 0xee);
      }
    }
  }
}

}  // namespace
}  // namespace sekisho::dns
