// feedd's parts together, as the daemon has them: a file as feed, a real store, real snapshots.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>

#include "blocklist/feedd/control_service.h"
#include "tests/unit/storage/indicators/temp_folder.h"

namespace sekisho::feedd {
namespace {

using ::testing::HasSubstr;

// Keeps the one response.
class Reply final : public io::ReplyStream {
 public:
  bool Send(control::Response) override { return true; }
  bool Finish(control::Response response) override {
    answer_.set_value(std::move(response));
    return true;
  }
  bool gone() const override { return false; }
  bool behind() const override { return false; }
  // Waits for it, at most a deadline; nothing then.
  control::Response Take() {
    std::future<control::Response> future = answer_.get_future();
    if (future.wait_for(std::chrono::seconds(60)) != std::future_status::ready) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    return future.get();
  }

 private:
  std::promise<control::Response> answer_;
};

class FeeddTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_.path() + "/feeds");
    WriteList("0.0.0.0 phish.example\n0.0.0.0 other.example\n");
    config::Feed* feed = config_.mutable_blocklist()->add_feeds();
    feed->set_name("f");
    feed->set_url(ListPath());
    feed->set_category("phishing");
    feed->set_subtree(true);
    Start();
  }
  void TearDown() override { StopAll(); }

  void Start() {
    store_ = *indicators::IndicatorStore::Open(folder_.path() + "/indicators");
    publisher_ = *PolicyPublisher::Open(folder_.path() + "/snapshots", 5, *store_);
    sync_ = std::make_unique<SyncService>(*store_, *publisher_, folder_.path() + "/feeds",
                                          [](bool, const std::string&) {});
    sync_->Configure(*PolicyInputs::Load(config_));
    control_ = std::make_unique<ControlService>(*store_, *publisher_, *sync_, folder_.path() + "/snapshots");
    sync_->Start();
  }
  void StopAll() {
    sync_->Stop();
    control_.reset();
    sync_.reset();
    publisher_.reset();
    store_.reset();
  }

  std::string ListPath() const { return folder_.path() + "/list"; }
  void WriteList(const std::string& text) {
    // A new file by rename, so that its inode tells it from the one before.
    std::ofstream(ListPath() + ".new") << text;
    std::filesystem::rename(ListPath() + ".new", ListPath());
  }
  control::Response Ask(const control::Request& request) {
    auto reply = std::make_shared<Reply>();
    control_->Handle(request, reply);
    return reply->Take();
  }
  control::FeedState Sync() {
    control::Request request;
    request.mutable_feed_sync();
    const control::Response response = Ask(request);
    EXPECT_EQ(response.error(), "");
    EXPECT_EQ(response.feed_synced().feeds_size(), 1);
    return response.feed_synced().feeds_size() == 1 ? response.feed_synced().feeds(0) : control::FeedState();
  }
  control::Response Change(control::BlockChange::Kind kind, const std::string& name, bool exact = false) {
    control::Request request;
    request.mutable_block_change()->set_kind(kind);
    request.mutable_block_change()->set_name(name);
    request.mutable_block_change()->set_exact(exact);
    request.mutable_block_change()->set_reason("why");
    request.mutable_block_change()->set_who("who");
    return Ask(request);
  }
  control::Explained Explain(const std::string& name) {
    control::Request request;
    request.mutable_explain()->set_name(name);
    return Ask(request).explained();
  }
  std::string Verdict(const std::string& name) { return Explain(name).verdict(); }

  TempFolder folder_;
  config::Config config_;
  std::unique_ptr<indicators::IndicatorStore> store_;
  std::unique_ptr<PolicyPublisher> publisher_;
  std::unique_ptr<SyncService> sync_;
  std::unique_ptr<ControlService> control_;
};

TEST_F(FeeddTest, AListIsEnforcedWhenTheSyncIsAnswered) {
  const control::FeedState feed = Sync();
  EXPECT_EQ(feed.indicators(), 2u);
  EXPECT_EQ(feed.format(), "hosts");
  const control::Explained explained = Explain("www.PHISH.example.");
  EXPECT_EQ(explained.verdict(), "blocked");
  ASSERT_EQ(explained.claims_size(), 1);
  EXPECT_EQ(explained.claims(0).feed(), "f");
  EXPECT_TRUE(explained.claims(0).decides());
  EXPECT_EQ(Verdict("clean.example"), "not listed");
}

TEST_F(FeeddTest, WhatAListDropsIsOpenAgainAndItsPastIsTold) {
  Sync();
  WriteList("0.0.0.0 other.example\n0.0.0.0 new.example\n");
  EXPECT_EQ(Sync().version(), 2u);
  EXPECT_EQ(Verdict("new.example"), "blocked");
  const control::Explained explained = Explain("phish.example");
  EXPECT_EQ(explained.verdict(), "not listed");
  ASSERT_EQ(explained.claims_size(), 1);
  EXPECT_THAT(explained.claims(0).not_enforced(), HasSubstr("any more"));
}

TEST_F(FeeddTest, LocalChangesAreInForceWhenAnswered) {
  Sync();
  const control::Response added = Change(control::BlockChange::BLOCK_ADD, "bad.example");
  EXPECT_EQ(added.error(), "");
  EXPECT_GT(added.block_changed().generation(), 0u);
  EXPECT_EQ(Verdict("x.bad.example"), "blocked");
  EXPECT_EQ(Change(control::BlockChange::BLOCK_REMOVE, "bad.example").error(), "");
  EXPECT_EQ(Verdict("x.bad.example"), "not listed");
  EXPECT_THAT(Change(control::BlockChange::BLOCK_REMOVE, "bad.example").error(), HasSubstr("no local block"));
}

TEST_F(FeeddTest, AnAllowWinsOverAFeed) {
  Sync();
  EXPECT_EQ(Change(control::BlockChange::ALLOW_ADD, "phish.example").error(), "");
  EXPECT_EQ(Verdict("phish.example"), "allowed");
  const control::Response removed = Change(control::BlockChange::ALLOW_REMOVE, "phish.example");
  EXPECT_THAT(removed.block_changed().note(), HasSubstr("still blocked"));
}

TEST_F(FeeddTest, LocalEntriesOutliveARestartAndANewBase) {
  Sync();
  Change(control::BlockChange::BLOCK_ADD, "bad.example", /*exact=*/true);
  StopAll();
  Start();
  Sync();
  EXPECT_EQ(Verdict("bad.example"), "blocked");
  EXPECT_EQ(Verdict("x.bad.example"), "not listed");
  EXPECT_EQ(Verdict("phish.example"), "blocked");
}

TEST_F(FeeddTest, BodiesThatAreNoListAreRefusedAndTheOldOneStays) {
  Sync();
  for (const std::string& body :
       {std::string("<html><body>log in</body></html>"), std::string("{\"error\": 1}"), std::string(),
        std::string("# nothing but comments\n"), std::string("\x1f\x8b\x08\x00\x01", 5),
        std::string("please log in\nto see this list\n")}) {
    WriteList(body);
    const control::FeedState feed = Sync();
    EXPECT_THAT(feed.last_error(), HasSubstr("refused")) << body;
    EXPECT_EQ(feed.version(), 1u);
    EXPECT_EQ(Verdict("phish.example"), "blocked");
  }
}

TEST_F(FeeddTest, AMissingListIsAnErrorAndTheOldOneStays) {
  Sync();
  std::filesystem::remove(ListPath());
  EXPECT_THAT(Sync().last_error(), HasSubstr("No such file"));
  EXPECT_EQ(Verdict("phish.example"), "blocked");
}

TEST_F(FeeddTest, AListThatShrinksIsHeldUntilSomebodyDecides) {
  std::string many;
  for (int i = 0; i < 200; ++i) many += "0.0.0.0 name" + std::to_string(i) + ".example\n";
  WriteList(many);
  Sync();
  WriteList("0.0.0.0 name0.example\n0.0.0.0 new.example\n");
  EXPECT_THAT(Sync().held(), HasSubstr("199 of 200"));
  EXPECT_THAT(Sync().held(), HasSubstr("199 of 200"));  // unchanged since: still held
  EXPECT_EQ(Verdict("name7.example"), "blocked");
  EXPECT_EQ(Verdict("new.example"), "not listed");
  control::Request approve;
  approve.mutable_feed_decision()->set_feed("f");
  approve.mutable_feed_decision()->set_approve(true);
  EXPECT_EQ(Ask(approve).error(), "");
  EXPECT_EQ(Verdict("name7.example"), "not listed");
  EXPECT_EQ(Verdict("new.example"), "blocked");
  EXPECT_THAT(Ask(approve).error(), HasSubstr("held"));
}

TEST_F(FeeddTest, NamesThatNobodyMayBlockAreKeptAsEvidence) {
  WriteList("https://docs.google.com/forms/d/x\nhttps://phish.example/x\ncom\nbit.ly\n");
  const control::FeedState feed = Sync();
  EXPECT_EQ(feed.evidence_only(), 3u);
  EXPECT_EQ(Verdict("docs.google.com"), "not listed");
  EXPECT_EQ(Verdict("anything.com"), "not listed");
  EXPECT_EQ(Verdict("bit.ly"), "not listed");
  EXPECT_EQ(Verdict("phish.example"), "blocked");
  EXPECT_THAT(Explain("docs.google.com").claims(0).evidence(0), HasSubstr("forms"));
}

TEST_F(FeeddTest, ATopLevelDomainIsBlockedByForceOnly) {
  EXPECT_THAT(Change(control::BlockChange::BLOCK_ADD, "com").error(), HasSubstr("force"));
  EXPECT_THAT(Change(control::BlockChange::BLOCK_ADD, "192.0.2.1").error(), HasSubstr("address"));
}

TEST_F(FeeddTest, AFeedTakenOutOfTheConfigurationBlocksNoMore) {
  Sync();
  config::Config none;
  sync_->Configure(*PolicyInputs::Load(none));
  control::Request sync;
  sync.mutable_feed_sync();
  EXPECT_EQ(Ask(sync).error(), "");
  const MonoTime deadline = ReadClocks().mono + std::chrono::seconds(30);
  while (Verdict("phish.example") != "not listed" && ReadClocks().mono < deadline) std::this_thread::yield();
  EXPECT_EQ(Verdict("phish.example"), "not listed");
}

}  // namespace
}  // namespace sekisho::feedd
