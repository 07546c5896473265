#include "resolver/config/live_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "blocklist/trie/policy_snapshot.h"
#include "proto/config/config.h"
#include "resolver/config/record_file.h"
#include "resolver/config/static_config.h"

namespace sekisho::resolver {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

config::Config Parsed(const std::string& yaml) {
  auto config = config::ParseConfig(yaml, "test");
  EXPECT_TRUE(config.ok()) << config.status();
  return *config;
}

class LiveConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/sekisho-config-XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    dir_ = dir;
  }
  void TearDown() override {
    for (const auto& file : files_) ::unlink(file.c_str());
    ::rmdir(dir_.c_str());
  }
  std::string File(const std::string& name, const std::string& text) {
    files_.push_back(dir_ + "/" + name);
    std::ofstream(files_.back()) << text;
    return files_.back();
  }
  // A machine without dns-root-data.
  SystemFiles None() const { return {dir_ + "/none", dir_ + "/none", dir_ + "/none"}; }
  std::string ErrorOf(const std::string& yaml) {
    auto live = MakeLiveConfig(Parsed(yaml), None());
    return live.ok() ? "" : std::string(live.status().message());
  }

  std::string dir_;
  std::vector<std::string> files_;
};

TEST_F(LiveConfigTest, AnAnchorThatCanMatchNothingIsLeftOutBesideOthersAndElseFailsClosed) {
  const std::string digest = "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";
  const std::string good = "example. IN DS 1 8 2 " + digest;
  const std::string bad = "example. IN DS 2 8 1 " + digest;
  const auto anchors = [](const std::string& list) {
    return "resolver: {dnssec: {trust_anchors: [" + list + "]}}";
  };
  auto both = MakeLiveConfig(Parsed(anchors("\"" + good + "\", \"" + bad + "\"")), None());
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_EQ(both->settings->trust_anchors.size(), 1u);
  EXPECT_THAT(both->anchor_warnings, ElementsAre(HasSubstr("left out")));
  auto alone = MakeLiveConfig(Parsed(anchors("\"" + bad + "\"")), None());
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_EQ(alone->settings->trust_anchors.size(), 1u);
  EXPECT_THAT(alone->anchor_warnings, ElementsAre(HasSubstr("nothing below it can be validated")));
  EXPECT_THAT(ErrorOf(anchors("\"example. IN DS 2 8\"")), HasSubstr("trust_anchors[0]"));
}

TEST_F(LiveConfigTest, BuiltInRootIsWholeAndValid) {
  auto live = MakeLiveConfig(Parsed(""), None());
  ASSERT_TRUE(live.ok()) << live.status();
  EXPECT_EQ(live->settings->root_hints.size(), 26u);  // 13 servers, each with both families
  EXPECT_EQ(live->settings->trust_anchors.size(), 2u);
  EXPECT_EQ(live->root_hints_origin, "built in");
  EXPECT_EQ(live->trust_anchors_origin, "built in");
}

TEST_F(LiveConfigTest, SystemFilesAreUsedWhenThere) {
  SystemFiles files = None();
  files.root_hints = File("hints",
                          "; a comment\n. 3600000 NS A.root.\n\nA.ROOT. 3600000 A 192.0.2.1 ; one\n"
                          "b.root. 3600000 A 192.0.2.2\n");
  files.root_ds = File("ds", ". IN DS 1 8 2 " + std::string(64, 'A') + "\n");
  auto live = MakeLiveConfig(Parsed(""), files);
  ASSERT_TRUE(live.ok()) << live.status();
  ASSERT_EQ(live->settings->root_hints.size(), 1u);  // b.root is no server of the root
  EXPECT_EQ(live->settings->root_hints[0].address.ToString(), "192.0.2.1");
  EXPECT_EQ(live->settings->trust_anchors.size(), 1u);
  EXPECT_EQ(live->root_hints_origin, files.root_hints);
  auto given = MakeLiveConfig(
      Parsed("resolver: {root_servers: [{name: a.root., addresses: [192.0.2.7, \"2001:db8::7\"]}]}"), files);
  ASSERT_TRUE(given.ok()) << given.status();
  ASSERT_EQ(given->settings->root_hints.size(), 2u);
  EXPECT_EQ(given->settings->root_hints[1].address.ToString(), "2001:db8::7");
  EXPECT_EQ(given->settings->root_hints[1].name.ToString(), "a.root.");
  EXPECT_EQ(given->root_hints_origin, "configuration");
}

TEST_F(LiveConfigTest, KeyFileServesWhereThereIsNoDsFile) {
  SystemFiles files = None();
  files.root_key =
      File("key",
           ". IN DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxIL"
           "fDLUT0rAK9iUzy1L53eKGQ== ; keytag 2371\n");
  auto live = MakeLiveConfig(Parsed(""), files);
  ASSERT_TRUE(live.ok()) << live.status();
  EXPECT_EQ(live->settings->trust_anchors[0].type, dns::RRType::kDNSKEY);
}

TEST_F(LiveConfigTest, AnchorsOfTheConfigurationReplaceTheRoots) {
  auto live = MakeLiveConfig(Parsed("resolver: {dnssec: {trust_anchors: [\"example. IN DS 1 8 2 " +
                                    std::string(64, 'B') + "\"], negative_trust_anchors: [bad.example]}}"));
  ASSERT_TRUE(live.ok()) << live.status();
  ASSERT_EQ(live->settings->trust_anchors.size(), 1u);
  EXPECT_EQ(live->settings->trust_anchors[0].owner.ToString(), "example.");
  EXPECT_EQ(live->settings->negative_trust_anchors.size(), 1u);
  auto ending = MakeLiveConfig(
      Parsed("resolver: {dnssec: {negative_trust_anchors: [\"bad.example until 2026-12-01T00:00:00Z\"]}}"),
      None());
  ASSERT_TRUE(ending.ok()) << ending.status();
  EXPECT_EQ(ending->settings->negative_trust_anchors[0].name.ToString(), "bad.example.");
  EXPECT_EQ(UnixSeconds(ending->settings->negative_trust_anchors[0].until), 1796083200);
  EXPECT_THAT(ErrorOf("resolver: {dnssec: {negative_trust_anchors: [\"a.example until noon\"]}}"),
              HasSubstr("negative_trust_anchors[0]: 'a.example until noon'"));
  EXPECT_EQ(live->trust_anchors_origin, "configuration");
}

TEST_F(LiveConfigTest, AgenciesAreFoundByTheirNetworks) {
  auto live =
      MakeLiveConfig(Parsed("agencies:\n  - {name: a, networks: [192.0.2.0/24]}\n"
                            "  - {name: b, networks: [192.0.2.128/25, \"2001:db8::/32\"]}\n"));
  ASSERT_TRUE(live.ok()) << live.status();
  const AgencyTable& table = live->settings->agencies;
  const auto name = [&](const char* address) {
    const auto id = table.Find(*IpAddress::Parse(address));
    return id ? table.name(*id) : "";
  };
  EXPECT_EQ(name("192.0.2.1"), "a");
  EXPECT_EQ(name("192.0.2.200"), "b");
  EXPECT_EQ(name("2001:db8::1"), "b");
  EXPECT_EQ(name("127.0.0.1"), "");
}

TEST_F(LiveConfigTest, BadFilesAreNamedWithTheirLine) {
  const std::string hints = File("bad-hints", ". NS a.root.\nnot a record\n");
  EXPECT_THAT(ErrorOf("resolver: {root_hints: " + hints + "}"), HasSubstr("bad-hints:2: 'not a record': "));
  EXPECT_THAT(ErrorOf("resolver: {root_hints: /nonexistent/x}"), HasSubstr("/nonexistent/x: cannot open"));
  const std::string empty = File("empty", "; nothing\n");
  EXPECT_THAT(ErrorOf("resolver: {root_hints: " + empty + "}"), HasSubstr("holds no address"));
  EXPECT_THAT(ErrorOf("resolver: {dnssec: {trust_anchor_file: " + empty + "}}"),
              HasSubstr("holds no trust anchor"));
  const std::string wrong = File("wrong", ". IN NS a.root.\n");
  EXPECT_THAT(ErrorOf("resolver: {dnssec: {trust_anchor_file: " + wrong + "}}"),
              HasSubstr("DS or DNSKEY record, not NS"));
}

TEST(StaticConfig, DefaultsAndAddresses) {
  const StaticConfig fixed(Parsed("resolver: {listen: [127.0.0.1, \"[::1]:5353\"], workers: 0}"));
  EXPECT_GE(fixed.workers, 1u);
  ASSERT_EQ(fixed.listen.size(), 2u);
  EXPECT_EQ(fixed.listen[0].ToString(), "127.0.0.1:53");
  EXPECT_EQ(fixed.listen[1].ToString(), "[::1]:5353");
}

TEST(StaticConfig, TellsWhatNeedsARestart) {
  const StaticConfig running(Parsed(""));
  EXPECT_THAT(NeedsRestart(running, StaticConfig(Parsed("resolver: {max_ttl: 10}"))), IsEmpty());
  EXPECT_THAT(NeedsRestart(running, StaticConfig(Parsed("resolver: {workers: 200, listen: [127.0.0.2]}"))),
              ElementsAre("resolver.listen", "resolver.workers"));
}

TEST_F(LiveConfigTest, CookieSecretsComeFromAFile) {
  const std::string secret = "e5e973e5a6b2a43f48e7dc849e37bfcf";
  const std::string good =
      File("secrets", "# active first\n" + secret + "\r\n\n" + std::string(32, '0') + "\n");
  auto live =
      MakeLiveConfig(Parsed("resolver: {cookies: {require: true, secret_file: " + good + "}}\n"), None());
  ASSERT_TRUE(live.ok()) << live.status();
  ASSERT_EQ(live->settings->cookies.secrets.size(), 2u);
  EXPECT_EQ(live->settings->cookies.secrets[0], *ParseCookieSecret(secret));
  EXPECT_TRUE(live->settings->cookies.require);
  const auto error_of = [&](const std::string& path) {
    return ErrorOf("resolver: {cookies: {secret_file: " + path + "}}\n");
  };
  EXPECT_THAT(error_of(File("bad", secret + "\n" + secret + "0\n")),
              HasSubstr("bad:2: a secret is 32 hexadecimal digits"));
  EXPECT_THAT(error_of(File("bad", secret + "\nx\n")), ::testing::Not(HasSubstr(secret))) << "not told";
  EXPECT_THAT(error_of(File("empty", "# nothing\n")), HasSubstr("holds no secret"));
  EXPECT_THAT(error_of("/nonexistent/secrets"),
              HasSubstr("resolver.cookies.secret_file: /nonexistent/secrets"));
}

TEST_F(LiveConfigTest, PolicyZonesAndWhoseTheyAre) {
  auto live = MakeLiveConfig(
      Parsed(
          "agencies:\n  - {name: a, networks: [192.0.2.0/24]}\n  - {name: b, networks: [198.51.100.0/24]}\n"
          "  - {name: c, networks: [203.0.113.0/24]}\n"
          "resolver:\n  rpz:\n    - {name: one.test, file: /z1, action: cname, cname: garden.test, ede: "
          "none}\n"
          "    - {name: two.test, file: /z2, agencies: [b], log_only: true, max_ttl: 60, ede: censored,"
          " signal_nxdomain_ra: true}\n"),
      None());
  ASSERT_TRUE(live.ok()) << live.status();
  const Settings& s = *live->settings;
  ASSERT_EQ(s.policy_zones.size(), 2u);
  EXPECT_EQ(s.policy_zones[0]->action, rpz::Override::kCname);
  EXPECT_EQ(s.policy_zones[0]->cname.ToString(), "garden.test.");
  EXPECT_FALSE(s.policy_zones[0]->error);
  EXPECT_EQ(s.policy_zones[1]->error, dns::EdeCode::kCensored);
  EXPECT_EQ(s.policy_zones[1]->max_ttl, 60u);
  EXPECT_TRUE(s.policy_zones[1]->log_only && s.policy_zones[1]->signal_nxdomain_ra);
  EXPECT_EQ(live->policy_zones[1].path, "/z2");
  // a and c are under the same rules and share replies; b is not.
  EXPECT_EQ(s.agencies.policy_group(0), s.agencies.policy_group(2));
  EXPECT_NE(s.agencies.policy_group(0), s.agencies.policy_group(1));
  EXPECT_EQ(s.group_zones[s.agencies.policy_group(0)].size(), 1u);
  EXPECT_EQ(s.group_zones[s.agencies.policy_group(1)].size(), 2u);
}

constexpr char kPolicies[] = R"(
agencies:
  - {name: a, networks: [192.0.2.0/24], policy: strict}
  - {name: b, networks: [198.51.100.0/24]}
  - {name: c, networks: [203.0.113.0/24]}
policies:
  - name: strict
    action: sinkhole
    sinkhole: [192.0.2.53, 192.0.2.54, "2001:db8::53"]
    without_categories: [ads]
    actions: [{category: phishing, action: refused}, {feed: p2, action: drop}]
    allow: [{what: good.example, reason: "case 7", who: ops, until: 2026-12-01T00:00:00Z}]
    block: [{what: 203.0.113.0/24, reason: own}]
    message: {language: ja, structured: asked, contacts: ["mailto:soc@a.example"], organization: A}
blocklist:
  never_block: [portal.example, 192.0.2.80]
  feeds:
    - {name: late, url: /l, rank: 9, action: nodata}
    - {name: p1, url: /p1, rank: 1, category: phishing}
    - {name: p2, url: /p2, rank: 1, category: phishing}
    - {name: ads, url: /ads, rank: 5, category: ads}
)";

TEST_F(LiveConfigTest, PoliciesOfAgencies) {
  auto live = MakeLiveConfig(Parsed(kPolicies), None());
  ASSERT_TRUE(live.ok()) << live.status();
  const Settings& settings = *live->settings;
  ASSERT_EQ(settings.agency_policies.size(), 3u);
  EXPECT_EQ(settings.agencies.policy_group(1), settings.agencies.policy_group(2));
  EXPECT_NE(settings.agencies.policy_group(0), settings.agencies.policy_group(1));
  const AgencyPolicy& strict = *settings.agency_policies[0];
  EXPECT_EQ(strict.action, record::Action::kSinkhole);
  ASSERT_EQ(strict.sinkhole.size(), 2u);
  EXPECT_EQ(strict.sinkhole[0]->rdata.size(), 2u);
  EXPECT_EQ(strict.feeds.at("late").action, record::Action::kSinkhole);
  EXPECT_EQ(strict.feeds.at("p1").action, record::Action::kRefused);
  EXPECT_EQ(strict.feeds.at("p2").action, record::Action::kDrop);
  EXPECT_LT(strict.feeds.at("p1").rank, strict.feeds.at("p2").rank);
  EXPECT_LT(strict.feeds.at("p2").rank, strict.feeds.at("late").rank);
  EXPECT_FALSE(strict.feeds.at("ads").counts);
  EXPECT_EQ(strict.text.structured, BlockText::Structured::kWhenAsked);
  ASSERT_NE(strict.own, nullptr);
  EXPECT_TRUE(strict.own->MatchAddress(*IpAddress::Parse("203.0.113.9")));
  const AgencyPolicy& plain = *settings.agency_policies[1];
  EXPECT_EQ(plain.feeds.at("late").action, record::Action::kNodata);
  EXPECT_EQ(plain.feeds.at("p1").action, record::Action::kNxdomain);
  EXPECT_TRUE(plain.feeds.at("ads").counts);
  EXPECT_EQ(plain.own, nullptr);
  ASSERT_NE(settings.never_block, nullptr);
  EXPECT_TRUE(settings.never_block->MatchName(*dns::Name::Parse("www.portal.example")));
}

}  // namespace
}  // namespace sekisho::resolver
