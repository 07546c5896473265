#include "blocklist/merge/merger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "blocklist/merge/gate.h"
#include "blocklist/merge/guard_sources.h"
#include "blocklist/trie/policy_snapshot.h"
#include "blocklist/trie/trie_view.h"
#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"

namespace sekisho::blocklist {
namespace {

class MergerTest : public ::testing::Test {
 protected:
  MergerTest() : guard_(Lists()) {}

  static GuardLists Lists() {
    GuardLists lists;
    std::string error;
    EXPECT_TRUE(lists.shared_hosts.AddText("docs.shared.test\n", &error));
    return lists;
  }
  void Add(const std::string& name, MergeClaim claim) {
    const absl::Status status = merger_.Add(KeyFromNameText(name), claim);
    ASSERT_TRUE(status.ok()) << status;
  }
  // "block feed-a/category/reference" or "none".
  std::string Decide(const std::string& name) {
    if (snapshot_ == nullptr) {
      EXPECT_TRUE(merger_.Finish().ok());
      bytes_ = *builder_.Finish();
      auto view = TrieView::Open(AsBytes(bytes_));
      EXPECT_TRUE(view.ok()) << view.status();
      snapshot_ = std::make_unique<PolicySnapshot>(1, *view, std::nullopt, nullptr);
    }
    const auto match = snapshot_->MatchName(*dns::Name::Parse(name));
    if (!match) return "none";
    const RuleSource source = snapshot_->source(*match);
    std::string out = match->action == RuleAction::kBlock ? "block " : "log ";
    return out.append(source.feeds).append("/").append(source.category).append("/").append(source.reference);
  }

  Guard guard_;
  TrieBuilder builder_;
  Merger merger_{{{.name = "a", .category = "phishing"},
                  {.name = "b", .category = "malware"},
                  {.name = "c", .category = "", .log_only = true}},
                 guard_,
                 &builder_};
  std::string bytes_;
  std::unique_ptr<PolicySnapshot> snapshot_;
};

TEST(NameText, GoesToKeysAndBackAsTheDnsLayerHasIt) {
  for (const std::string name : {"a.b.test", "test", "_x.y-z.example"}) {
    EXPECT_EQ(KeyFromNameText(name), dns::NameKey(*dns::Name::Parse(name)));
    EXPECT_EQ(NameTextFromKey(KeyFromNameText(name)), name);
  }
}

TEST_F(MergerTest, SourcesNameTheFeedsInRankOrder) {
  Add("both.test", {.kind = ClaimKind::kSubtree, .feed = 1, .reference = "Family"});
  Add("both.test", {.kind = ClaimKind::kSubtree, .feed = 0, .reference = ""});
  EXPECT_EQ(Decide("both.test"), "block a, b/phishing/Family");
  EXPECT_EQ(Decide("www.both.test"), "block a, b/phishing/Family");
  EXPECT_EQ(Decide("other.test"), "none");
}

TEST_F(MergerTest, AnExactClaimDoesNotReachBelowAndCountsWithTheSubtreesAtTheNameItself) {
  Add("mixed.test", {.kind = ClaimKind::kUrlHost, .feed = 0, .reference = "Bank"});
  Add("mixed.test", {.kind = ClaimKind::kSubtree, .feed = 1, .reference = ""});
  Add("only.test", {.kind = ClaimKind::kExact, .feed = 0, .reference = ""});
  EXPECT_EQ(Decide("mixed.test"), "block a, b/phishing/Bank");
  EXPECT_EQ(Decide("x.mixed.test"), "block b/malware/");
  EXPECT_EQ(Decide("only.test"), "block a/phishing/");
  EXPECT_EQ(Decide("x.only.test"), "none");
}

TEST_F(MergerTest, WhatTheGuardHoldsBackIsNoRule) {
  Add("test", {.kind = ClaimKind::kSubtree, .feed = 0, .reference = ""});
  Add("docs.shared.test", {.kind = ClaimKind::kUrlHost, .feed = 0, .reference = ""});
  EXPECT_EQ(Decide("docs.shared.test"), "none");
  EXPECT_EQ(Decide("anything.test"), "none");
  EXPECT_EQ(merger_.not_enforced(), 2u);
  EXPECT_EQ(merger_.rules(), 0u);
}

TEST_F(MergerTest, AFeedsExceptionTakesBackItsOwnBlockOnly) {
  Add("own.test", {.kind = ClaimKind::kSubtree, .feed = 0, .reference = ""});
  Add("own.test", {.kind = ClaimKind::kSubtree, .allow = true, .feed = 0, .reference = ""});
  Add("theirs.test", {.kind = ClaimKind::kSubtree, .feed = 1, .reference = ""});
  Add("theirs.test", {.kind = ClaimKind::kSubtree, .allow = true, .feed = 0, .reference = ""});
  EXPECT_EQ(Decide("own.test"), "none");
  EXPECT_EQ(Decide("theirs.test"), "block b/malware/");
}

TEST_F(MergerTest, FeedsThatOnlyLogGiveWay) {
  Add("logged.test", {.kind = ClaimKind::kSubtree, .feed = 2, .reference = ""});
  Add("told.test", {.kind = ClaimKind::kSubtree, .feed = 2, .reference = ""});
  Add("told.test", {.kind = ClaimKind::kSubtree, .feed = 1, .reference = ""});
  EXPECT_EQ(Decide("logged.test"), "log c//");
  EXPECT_EQ(Decide("told.test"), "block b/malware/");
}

TEST_F(MergerTest, ReferencesAreCutAtACharacterAndCleaned) {
  std::string reference = "line\nbreak\x1b[31m ";
  for (int i = 0; i < 40; ++i) reference += "み";
  Add("long.test", {.kind = ClaimKind::kExact, .feed = 0, .reference = reference});
  const std::string shown = Decide("long.test");
  EXPECT_EQ(shown.find('\n'), std::string::npos);
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_LE(shown.size(), std::string("block a/phishing/").size() + kMaxSourceReference);
  EXPECT_TRUE(shown.ends_with("み"));
}

TEST_F(MergerTest, AnUnknownFeedIsAnError) {
  EXPECT_FALSE(merger_.Add("test\0x\0", {.kind = ClaimKind::kExact, .feed = 9, .reference = ""}).ok());
}

TEST(Gate, TakesAGoodVersion) {
  EXPECT_EQ(JudgeVersion({.content_lines = 10, .indicators = 10}, {}).decision, GateDecision::kAccept);
  EXPECT_EQ(
      JudgeVersion(
          {.content_lines = 1000, .errors = 9, .indicators = 990, .before = 1000, .added = 50, .removed = 60},
          {})
          .decision,
      GateDecision::kAccept);
}

TEST(Gate, RefusesWhatIsNoList) {
  for (const BodyKind body : {BodyKind::kEmpty, BodyKind::kMarkup, BodyKind::kJson, BodyKind::kBinary}) {
    EXPECT_EQ(JudgeVersion({.body = body, .content_lines = 10, .indicators = 10}, {}).decision,
              GateDecision::kRefuse);
  }
  EXPECT_EQ(JudgeVersion({.content_lines = 0, .indicators = 0}, {}).decision, GateDecision::kRefuse);
  EXPECT_EQ(JudgeVersion({.content_lines = 4, .errors = 3, .first_errors = 3, .indicators = 1}, {}).decision,
            GateDecision::kRefuse);
  EXPECT_EQ(JudgeVersion({.content_lines = 10000, .errors = 101, .indicators = 9899}, {}).decision,
            GateDecision::kRefuse);
}

TEST(Gate, HoldsAVersionThatShrinksOrGrowsTooMuch) {
  const VersionFacts shrunk{
      .content_lines = 100, .indicators = 100, .before = 1000, .added = 0, .removed = 900};
  EXPECT_EQ(JudgeVersion(shrunk, {}).decision, GateDecision::kHold);
  EXPECT_NE(JudgeVersion(shrunk, {}).reason.find("900 of 1000"), std::string::npos);
  EXPECT_EQ(JudgeVersion(shrunk, {.max_shrink_percent = 0}).decision, GateDecision::kAccept);
  const VersionFacts grown{
      .content_lines = 9000, .indicators = 9000, .before = 1000, .added = 8000, .removed = 0};
  EXPECT_EQ(JudgeVersion(grown, {}).decision, GateDecision::kHold);
  EXPECT_EQ(JudgeVersion(grown, {.max_growth_percent = 0}).decision, GateDecision::kAccept);
}

TEST(Gate, HoldsAVersionFarFromWhatTheLastOnesHeld) {
  const VersionFacts crept{
      .content_lines = 850, .indicators = 850, .before = 900, .added = 0, .removed = 50, .median = 1000};
  EXPECT_EQ(JudgeVersion(crept, {}).decision, GateDecision::kHold);
  EXPECT_NE(JudgeVersion(crept, {}).reason.find("the 1000"), std::string::npos);
  EXPECT_EQ(JudgeVersion(crept, {.max_shrink_percent = 20}).decision, GateDecision::kAccept);
  const VersionFacts grown{
      .content_lines = 5000, .indicators = 5000, .before = 4000, .added = 1000, .removed = 0, .median = 1500};
  EXPECT_EQ(JudgeVersion(grown, {}).decision, GateDecision::kHold);
}

TEST(Gate, HoldsAVersionUnderItsFloorOrWithoutAnExpectedName) {
  EXPECT_EQ(JudgeVersion({.content_lines = 9, .indicators = 9}, {.min_indicators = 10}).decision,
            GateDecision::kHold);
  EXPECT_EQ(JudgeVersion({.content_lines = 9, .indicators = 9, .missing_name = "probe.example"}, {}).decision,
            GateDecision::kHold);
}

TEST(GuardSources, TheListsThatComeWithSekishoHoldBackWhatEveryoneUses) {
  auto loaded = LoadGuard({});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const Guard& guard = *loaded->guard;
  EXPECT_EQ(guard.lists().protected_names.skipped + guard.lists().shared_hosts.skipped +
                guard.lists().tenant_suffixes.skipped,
            0u);
  for (const char* host :
       {"docs.google.com", "sites.google.com", "bit.ly", "t.co", "forms.gle", "drive.google.com",
        "www.dropbox.com", "firebasestorage.googleapis.com", "ipfs.io", "x.gd", "pages.dev"}) {
    EXPECT_NE(guard.Check(host, ClaimKind::kUrlHost), GuardVerdict::kEnforce) << host;
    EXPECT_NE(guard.Check(host, ClaimKind::kSubtree), GuardVerdict::kEnforce) << host;
  }
  for (const char* host : {"foo.pages.dev", "phish.duckdns.org", "x1.weebly.com", "abcdef.example"}) {
    EXPECT_EQ(guard.Check(host, ClaimKind::kUrlHost), GuardVerdict::kEnforce) << host;
  }
}

TEST(GuardSources, AFileThatIsMissingIsAnErrorThatNamesIt) {
  GuardSources sources;
  sources.shared_hosts = {"/nonexistent/shared"};
  auto loaded = LoadGuard(sources);
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.status().message().find("/nonexistent/shared"), absl::string_view::npos);
}

}  // namespace
}  // namespace sekisho::blocklist
