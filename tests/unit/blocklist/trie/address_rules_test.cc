// Address rules: against a walk over all prefixes, in base and delta, damaged, and in the order they must
// come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "blocklist/trie/policy_snapshot.h"
#include "tests/unit/blocklist/trie/rule_model.h"

namespace sekisho::blocklist {
namespace {

using ::testing::HasSubstr;

IpPrefix P(const char* text) { return *IpPrefix::Parse(text); }
IpAddress A(const char* text) { return *IpAddress::Parse(text); }

struct Order {
  bool operator()(const IpPrefix& a, const IpPrefix& b) const {
    const auto order = a.address() <=> b.address();
    return order != 0 ? order < 0 : a.mapped_length() < b.mapped_length();
  }
};

// The plainest truth about address rules.
class Model {
 public:
  struct Verdict {
    RuleAction action;
    uint32_t source;
  };
  void Set(const IpPrefix& prefix, RuleAction action, uint32_t source) { rules_[prefix] = {action, source}; }

  std::string Compile() const {
    TrieBuilder builder;
    for (int i = 0; i < 10; ++i) builder.AddSource({"feed-" + std::to_string(i), "c2", ""});
    for (const auto& [prefix, verdict] : rules_) {
      if (!builder.AddAddress(prefix, verdict.action, verdict.source).ok()) return "";
    }
    auto bytes = builder.Finish();
    return bytes.ok() ? *std::move(bytes) : "";
  }
  // Longest first: length, source.
  std::vector<std::pair<int, uint32_t>> Find(const IpAddress& address) const {
    std::vector<std::pair<int, uint32_t>> hits;
    for (const auto& [prefix, verdict] : rules_) {
      if (prefix.Contains(address))
        hits.emplace_back(prefix.mapped_length() - (address.is_v4() ? 96 : 0), verdict.source);
    }
    std::sort(hits.rbegin(), hits.rend());
    return hits;
  }
  const auto& rules() const { return rules_; }

 private:
  std::map<IpPrefix, Verdict, Order> rules_;
};

class Addresses {
 public:
  explicit Addresses(uint32_t seed) : random_(seed) {}
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  // Near each other, so that prefixes nest and addresses meet them.
  IpAddress Make(bool v4) {
    std::array<uint8_t, 16> bytes{};
    for (uint8_t& b : bytes) b = static_cast<uint8_t>(Below(3) * 127 + Below(4) / 3 * Below(256) / 2);
    return v4 ? IpAddress::V4(std::span<const uint8_t>(bytes).first<4>()) : IpAddress::V6(bytes);
  }

 private:
  std::mt19937 random_;
};

TEST(AddressRules, FindsWhatAWalkOverAllPrefixesFinds) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Addresses make(seed);
    Model model;
    const uint32_t rules = seed < 20 ? seed : make.Below(seed < 50 ? 300 : 5000);
    for (uint32_t i = 0; i < rules; ++i) {
      const bool v4 = make.Below(2) == 0;
      const auto prefix = IpPrefix::Make(
          make.Make(v4),
          static_cast<int>(make.Below(4) == 0 ? make.Below(v4 ? 33 : 129) : (v4 ? 32 : 128) - make.Below(9)));
      model.Set(*prefix, static_cast<RuleAction>(make.Below(4)), make.Below(10));
    }
    const std::string bytes = model.Compile();
    EXPECT_EQ(bytes, model.Compile());
    const auto view = TrieView::Open(AsBytes(bytes));
    ASSERT_TRUE(view.ok()) << view.status();
    EXPECT_EQ(view->address_count(), model.rules().size());
    EXPECT_EQ(view->rule_count(), 0u);
    const auto check = [&](const IpAddress& address) {
      AddressHits room;
      std::vector<std::pair<int, uint32_t>> hits;
      for (const AddressHit& hit : view->FindAddress(address, room))
        hits.emplace_back(hit.length, hit.source);
      EXPECT_EQ(hits, model.Find(address)) << address.ToString();
    };
    for (const auto& [prefix, verdict] : model.rules()) check(prefix.address());
    for (int i = 0; i < 300; ++i) check(make.Make(i % 2 == 0));
    if (HasFailure()) return;
  }
}

TEST(AddressRules, FindsTheFirstAndTheLastAddress) {
  Model model;
  model.Set(P("0.0.0.0/0"), RuleAction::kBlock, 1);
  model.Set(P("255.255.255.255"), RuleAction::kBlock, 2);
  model.Set(P("::/0"), RuleAction::kBlock, 3);
  model.Set(P("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), RuleAction::kBlock, 4);
  const std::string bytes = model.Compile();
  const auto view = TrieView::Open(AsBytes(bytes));
  ASSERT_TRUE(view.ok());
  for (const char* text : {"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    AddressHits room;
    EXPECT_EQ(view->FindAddress(A(text), room).size(), model.Find(A(text)).size()) << text;
  }
}

TEST(AddressRules, RefusesEveryFlippedBit) {
  Model model;
  Addresses make(3);
  for (int i = 0; i < 40; ++i) {
    const bool v4 = i % 2 == 0;
    model.Set(*IpPrefix::Make(make.Make(v4), v4 ? 24 : 64), RuleAction::kBlock, 0);
  }
  std::string bytes = model.Compile();
  ASSERT_TRUE(TrieView::Open(AsBytes(bytes)).ok());
  for (size_t i = sizeof(TrieHeader); i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(bytes[i] ^ 1 << i % 8);
    ASSERT_FALSE(TrieView::Open(AsBytes(bytes)).ok()) << i;
    bytes[i] = static_cast<char>(bytes[i] ^ 1 << i % 8);
  }
}

TEST(AddressRules, DemandsTheirOrder) {
  TrieBuilder builder;
  builder.AddSource({"feed", "", ""});
  ASSERT_TRUE(builder.AddAddress(P("192.0.2.0/24"), RuleAction::kBlock, 0).ok());
  EXPECT_THAT(std::string(builder.AddAddress(P("192.0.2.0/24"), RuleAction::kBlock, 0).message()),
              HasSubstr("twice"));
  EXPECT_THAT(std::string(builder.AddAddress(P("192.0.2.0/23"), RuleAction::kBlock, 0).message()),
              HasSubstr("not in order"));
  EXPECT_TRUE(builder.AddAddress(P("192.0.2.0/25"), RuleAction::kBlock, 0).ok());
  EXPECT_THAT(std::string(builder.AddAddress(P("203.0.113.1"), RuleAction::kBlock, 1).message()),
              HasSubstr("no source"));
}

TEST(AddressRules, DeltaOverridesAndAllowWins) {
  Model base;
  base.Set(P("203.0.113.0/24"), RuleAction::kBlock, 1);
  base.Set(P("203.0.113.7"), RuleAction::kBlock, 2);
  base.Set(P("2001:db8::/32"), RuleAction::kBlock, 3);
  Model delta;
  delta.Set(P("203.0.113.7"), RuleAction::kRemoved, 4);
  delta.Set(P("203.0.113.64/26"), RuleAction::kAllow, 5);
  delta.Set(P("198.51.100.1"), RuleAction::kBlock, 6);
  auto bytes = std::make_shared<std::pair<std::string, std::string>>(base.Compile(), delta.Compile());
  const PolicySnapshot snapshot(9, *TrieView::Open(AsBytes(bytes->first)),
                                *TrieView::Open(AsBytes(bytes->second)), bytes);
  EXPECT_EQ(snapshot.rule_count(), 6u);
  EXPECT_EQ(snapshot.MatchAddress(A("203.0.113.7"))->source, 1u);
  EXPECT_EQ(snapshot.MatchAddress(A("203.0.113.7"))->length, 24);
  EXPECT_EQ(snapshot.MatchAddress(A("203.0.113.100"))->action, RuleAction::kAllow);
  EXPECT_EQ(snapshot.source(*snapshot.MatchAddress(A("198.51.100.1"))).feeds, "feed-6");
  EXPECT_FALSE(snapshot.MatchAddress(A("198.51.100.2")));
  EXPECT_EQ(snapshot.MatchAddress(A("2001:db8::1"))->source, 3u);
  EXPECT_FALSE(snapshot.MatchAddress(A("2001:db9::1")));
}

TEST(AddressRules, ARuleForOneAgencyLeavesTheBaseToTheOthers) {
  const auto compile = [](const char* feeds, RuleAction action) {
    TrieBuilder builder;
    const uint32_t source = builder.AddSource({feeds, "", ""});
    EXPECT_TRUE(builder.AddAddress(P("203.0.113.7"), action, source).ok());
    EXPECT_TRUE(
        builder.Add(dns::NameKey(*dns::Name::Parse("a.example")), RuleScope::kSubtree, action, source).ok());
    return *builder.Finish();
  };
  const auto count = [&](const char* delta_feeds) {
    const auto bytes = std::make_shared<std::pair<std::string, std::string>>(
        compile("feed", RuleAction::kBlock), compile(delta_feeds, RuleAction::kAllow));
    const PolicySnapshot snapshot(1, *TrieView::Open(AsBytes(bytes->first)),
                                  *TrieView::Open(AsBytes(bytes->second)), bytes);
    int matches = 0;
    snapshot.ForEachMatch(A("203.0.113.7"), [&](const AddressMatch&) { ++matches; });
    snapshot.ForEachMatch(*dns::Name::Parse("x.a.example"), [&](const NameMatch&) { ++matches; });
    return matches;
  };
  EXPECT_EQ(count("local"), 2);
  EXPECT_EQ(count("local@a, allow local@b"), 4);
  EXPECT_EQ(count("local@a, local"), 2);
}

}  // namespace
}  // namespace sekisho::blocklist
