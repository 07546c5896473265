// feedd's parts together, as the daemon has them: a file as feed, a real store, real snapshots.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>

#include "blocklist/feedd/control_service.h"
#include "blocklist/feedd/local_export.h"
#include "blocklist/feedd/open_store.h"
#include "blocklist/merge/merger.h"
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
    auto opened = OpenStore(folder_.path() + "/indicators", Export());
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = std::move(opened->store);
    damage_ = opened->damage;
    publisher_ = *PolicyPublisher::Open(folder_.path() + "/snapshots", 5, *store_);
    sync_ = std::make_unique<SyncService>(*store_, *publisher_, folder_.path() + "/feeds",
                                          [](bool, const std::string&) {});
    if (!damage_.empty()) sync_->Rebuild();
    sync_->Configure(*PolicyInputs::Load(config_));
    control_ = std::make_unique<ControlService>(
        *store_, *publisher_, *sync_,
        ControlService::Options{.snapshot_folder = folder_.path() + "/snapshots", .local_export = Export()});
    sync_->Start();
  }
  void StopAll() {
    sync_->Stop();
    control_.reset();
    sync_.reset();
    publisher_.reset();
    store_.reset();
  }

  std::string Export() const { return folder_.path() + "/local-rules.txt"; }
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
  std::string damage_;
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

TEST_F(FeeddTest, AddressesOfAListAreEnforcedAndExplained) {
  WriteList("198.51.100.7\n203.0.113.0/24\n127.0.0.1\n8.8.8.8\n198.51.100.9:8080\n2001:db8:bad::/48\n");
  config_.mutable_blocklist()->mutable_feeds(0)->set_format("ip-list");
  sync_->Configure(*PolicyInputs::Load(config_));
  EXPECT_EQ(Sync().addresses(), 6u);
  const control::Explained explained = Explain("203.0.113.77");
  EXPECT_EQ(explained.verdict(), "blocked");
  EXPECT_EQ(explained.name(), "203.0.113.77/32");
  ASSERT_EQ(explained.claims_size(), 1);
  EXPECT_EQ(explained.claims(0).indicator(), "203.0.113.0/24");
  EXPECT_TRUE(explained.claims(0).decides());
  EXPECT_EQ(Verdict("198.51.100.7"), "blocked");
  EXPECT_EQ(Verdict("2001:db8:bad::1"), "blocked");
  EXPECT_EQ(Verdict("198.51.100.8"), "not listed");
  for (const char* held_back : {"127.0.0.1", "8.8.8.8", "198.51.100.9"}) {
    const control::Explained why = Explain(held_back);
    EXPECT_EQ(why.verdict(), "not listed");
    ASSERT_EQ(why.claims_size(), 1) << held_back;
    EXPECT_NE(why.claims(0).not_enforced(), "") << held_back;
  }
  control::Request quarantine;
  quarantine.mutable_feed_quarantine()->set_feed("f");
  EXPECT_EQ(Ask(quarantine).feed_quarantine().total(), 3u);
}

TEST_F(FeeddTest, AddressesAreBlockedAndAllowedByHand) {
  WriteList("203.0.113.0/24\n");
  config_.mutable_blocklist()->mutable_feeds(0)->set_format("ip-list");
  sync_->Configure(*PolicyInputs::Load(config_));
  Sync();
  EXPECT_EQ(Change(control::BlockChange::BLOCK_ADD, "198.51.100.7").block_changed().name(),
            "198.51.100.7/32");
  EXPECT_EQ(Change(control::BlockChange::BLOCK_ADD, "bad.example").error(), "");
  EXPECT_EQ(Verdict("198.51.100.7"), "blocked");
  EXPECT_EQ(Change(control::BlockChange::ALLOW_ADD, "203.0.113.128/25").error(), "");
  EXPECT_EQ(Verdict("203.0.113.200"), "allowed");
  EXPECT_EQ(Verdict("203.0.113.1"), "blocked");
  EXPECT_THAT(Change(control::BlockChange::BLOCK_ADD, "0.0.0.0/0").error(), HasSubstr("force"));
  EXPECT_THAT(Change(control::BlockChange::BLOCK_ADD, "198.51.100.7/24").error(),
              HasSubstr("198.51.100.0/24 may be meant"));
  StopAll();
  // The store is lost: what people decided comes back from its export.
  std::filesystem::remove_all(folder_.path() + "/indicators");
  Start();
  ASSERT_TRUE(ImportLocals(Export(), store_.get()).ok());
  ASSERT_TRUE(publisher_->PublishLocal().ok());
  EXPECT_EQ(Verdict("198.51.100.7"), "blocked");
  const control::Response removed = Change(control::BlockChange::ALLOW_REMOVE, "203.0.113.128/25");
  EXPECT_EQ(removed.error(), "");
}

TEST_F(FeeddTest, EntriesMayBeForOneAgencyAndMayEnd) {
  for (const char* name : {"ministry-a", "ministry-b"}) {
    config::Agency* agency = config_.add_agencies();
    agency->set_name(name);
    agency->add_networks(name == std::string("ministry-a") ? "192.0.2.0/24" : "198.51.100.0/24");
  }
  sync_->Configure(*PolicyInputs::Load(config_));
  Sync();
  control::Request request;
  control::BlockChange* change = request.mutable_block_change();
  change->set_kind(control::BlockChange::ALLOW_ADD);
  change->set_name("phish.example");
  change->set_reason("needed");
  change->set_agency("nobody");
  EXPECT_THAT(Ask(request).error(), HasSubstr("no agency is named 'nobody'"));
  change->set_agency("ministry-a");
  EXPECT_EQ(Ask(request).error(), "");
  control::Request explain;
  explain.mutable_explain()->set_name("phish.example");
  EXPECT_EQ(Ask(explain).explained().verdict(), "blocked");
  explain.mutable_explain()->set_agency("ministry-a");
  EXPECT_EQ(Ask(explain).explained().verdict(), "allowed");
  explain.mutable_explain()->set_agency("ministry-b");
  EXPECT_EQ(Ask(explain).explained().verdict(), "blocked");
  // A block for all and an exception for one share a rule.
  EXPECT_EQ(Change(control::BlockChange::BLOCK_ADD, "phish.example").error(), "");
  EXPECT_EQ(Ask(explain).explained().verdict(), "blocked");
  explain.mutable_explain()->set_agency("ministry-a");
  EXPECT_EQ(Ask(explain).explained().verdict(), "allowed");
  control::Request list;
  list.mutable_local_list();
  EXPECT_EQ(Ask(list).local_list().entries_size(), 2);
  // What has ended is not enforced; nothing can be added that has.
  change->set_until_us(1);
  EXPECT_THAT(Ask(request).error(), HasSubstr("ended"));
  indicators::LocalEntry ended;
  ended.name_key = blocklist::KeyFromNameText("phish.example");
  ended.record.set_allow(true);
  ended.record.set_agency("ministry-a");
  ended.record.set_until_us(1);
  ASSERT_TRUE(store_->PutLocal(ended).ok());
  ASSERT_TRUE(publisher_->PublishLocal().ok());
  EXPECT_EQ(Ask(explain).explained().verdict(), "blocked");
  // What is exported is what is read back.
  ASSERT_TRUE(ExportLocals(*store_, Export()).ok());
  StopAll();
  std::filesystem::remove_all(folder_.path() + "/indicators");
  Start();
  const auto read = ImportLocals(Export(), store_.get());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, 2u);
  const auto locals = store_->Locals();
  ASSERT_TRUE(locals.ok());
  ASSERT_EQ(locals->size(), 2u);
  EXPECT_EQ((*locals)[1].record.agency(), "ministry-a");
  EXPECT_EQ((*locals)[1].record.until_us(), 1);
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

TEST_F(FeeddTest, ARejectedListIsNotTakenWhileItIsServedUnchanged) {
  std::string many;
  for (int i = 0; i < 200; ++i) many += "0.0.0.0 name" + std::to_string(i) + ".example\n";
  WriteList(many);
  Sync();
  WriteList("0.0.0.0 name0.example\n");
  EXPECT_NE(Sync().held(), "");
  control::Request diff;
  diff.mutable_feed_diff()->set_feed("f");
  diff.mutable_feed_diff()->set_held(true);
  diff.mutable_feed_diff()->set_limit(5);
  const control::FeedDiff shown = Ask(diff).feed_diff();
  EXPECT_EQ(shown.removed(), 199u);
  EXPECT_EQ(shown.entries_size(), 5);
  control::Request reject;
  reject.mutable_feed_decision()->set_feed("f");
  EXPECT_EQ(Ask(reject).error(), "");
  WriteList("0.0.0.0 name0.example\n");
  EXPECT_EQ(Sync().held(), "");
  EXPECT_EQ(Verdict("name7.example"), "blocked");
}

TEST_F(FeeddTest, AHeldListThatIsServedAgainAndAgainIsTakenWhenTheFeedSaysSo) {
  std::string many;
  for (int i = 0; i < 200; ++i) many += "0.0.0.0 name" + std::to_string(i) + ".example\n";
  WriteList(many);
  config_.mutable_blocklist()->mutable_feeds(0)->set_accept_held_after(3);
  sync_->Configure(*PolicyInputs::Load(config_));
  Sync();
  WriteList("0.0.0.0 name0.example\n");
  EXPECT_NE(Sync().held(), "");
  EXPECT_NE(Sync().held(), "");
  EXPECT_EQ(Sync().held(), "");
  EXPECT_EQ(Verdict("name7.example"), "not listed");
}

TEST_F(FeeddTest, AnExpectedNameThatIsMissingHoldsTheVersion) {
  Sync();  // the fetch at the start, which knows nothing of the expected name, is over
  config_.mutable_blocklist()->mutable_feeds(0)->add_expect_names("probe.example");
  sync_->Configure(*PolicyInputs::Load(config_));
  WriteList("0.0.0.0 phish.example\n");
  EXPECT_THAT(Sync().held(), HasSubstr("probe.example"));
  WriteList("0.0.0.0 phish.example\n0.0.0.0 probe.example\n");
  EXPECT_EQ(Sync().held(), "");
  EXPECT_EQ(Verdict("phish.example"), "blocked");
}

TEST_F(FeeddTest, ARollbackBringsBackWhatStoodInAnOlderVersion) {
  Sync();
  WriteList("0.0.0.0 phish.example\n0.0.0.0 wrong.example\n");
  Sync();
  EXPECT_EQ(Verdict("wrong.example"), "blocked");
  EXPECT_EQ(Verdict("other.example"), "not listed");
  control::Request back;
  back.mutable_feed_decision()->set_feed("f");
  back.mutable_feed_decision()->set_rollback_to(1);
  EXPECT_EQ(Ask(back).error(), "");
  EXPECT_EQ(Verdict("wrong.example"), "not listed");
  EXPECT_EQ(Verdict("other.example"), "blocked");
  // The list that was taken back is not taken again.
  WriteList("0.0.0.0 phish.example\n0.0.0.0 wrong.example\n");
  Sync();
  EXPECT_EQ(Verdict("wrong.example"), "not listed");
  control::Request versions;
  versions.mutable_feed_versions()->set_feed("f");
  const control::FeedVersions known = Ask(versions).feed_versions();
  ASSERT_EQ(known.versions_size(), 3);
  EXPECT_TRUE(known.versions(0).in_force());
  control::Request diff;
  diff.mutable_feed_diff()->set_feed("f");
  EXPECT_EQ(Ask(diff).feed_diff().entries_size(), 2);
  back.mutable_feed_decision()->set_rollback_to(77);
  EXPECT_THAT(Ask(back).error(), HasSubstr("no version 77"));
}

TEST_F(FeeddTest, ThePastIsExplainedByWhatStoodThen) {
  Sync();
  Change(control::BlockChange::BLOCK_ADD, "local.example");
  const int64_t then = UnixMicros(ReadClocks().wall);
  Change(control::BlockChange::BLOCK_REMOVE, "local.example");
  WriteList("0.0.0.0 other.example\n0.0.0.0 later.example\n");
  Sync();
  control::Request request;
  const auto verdict = [&](const char* name, int64_t at_us) {
    request.mutable_explain()->set_name(name);
    request.mutable_explain()->set_at_us(at_us);
    return Ask(request).explained().verdict();
  };
  EXPECT_EQ(verdict("x.phish.example", then), "blocked");
  EXPECT_EQ(verdict("x.local.example", then), "blocked");
  EXPECT_EQ(verdict("later.example", then), "not listed");
  EXPECT_EQ(verdict("phish.example", 1000), "not listed");
  EXPECT_EQ(verdict("later.example", UnixMicros(ReadClocks().wall)), "blocked");
  EXPECT_EQ(verdict("local.example", UnixMicros(ReadClocks().wall)), "not listed");
}

TEST_F(FeeddTest, ThePastOfAnAgencyIsItsOwn) {
  config_.add_agencies()->set_name("ministry-a");
  config_.mutable_agencies(0)->add_networks("192.0.2.0/24");
  sync_->Configure(*PolicyInputs::Load(config_));
  Sync();
  control::Request request;
  control::BlockChange* change = request.mutable_block_change();
  change->set_reason("needed");
  change->set_agency("ministry-a");
  change->set_kind(control::BlockChange::ALLOW_ADD);
  change->set_name("phish.example");
  EXPECT_EQ(Ask(request).error(), "");
  change->set_kind(control::BlockChange::BLOCK_ADD);
  change->set_name("own.example");
  EXPECT_EQ(Ask(request).error(), "");
  // An exception for all comes before the block of one.
  change->set_name("both.example");
  EXPECT_EQ(Ask(request).error(), "");
  EXPECT_EQ(Change(control::BlockChange::ALLOW_ADD, "www.both.example").error(), "");
  const int64_t then = UnixMicros(ReadClocks().wall);
  change->set_kind(control::BlockChange::ALLOW_REMOVE);
  change->set_name("phish.example");
  EXPECT_EQ(Ask(request).error(), "");
  const auto verdict = [&](const char* name, const char* agency, int64_t at_us) {
    control::Request explain;
    explain.mutable_explain()->set_name(name);
    explain.mutable_explain()->set_agency(agency);
    explain.mutable_explain()->set_at_us(at_us);
    return Ask(explain).explained().verdict();
  };
  EXPECT_EQ(verdict("x.phish.example", "ministry-a", then), "allowed");
  EXPECT_EQ(verdict("x.phish.example", "ministry-b", then), "blocked");
  EXPECT_EQ(verdict("x.phish.example", "", then), "blocked");
  EXPECT_EQ(verdict("x.phish.example", "ministry-a", UnixMicros(ReadClocks().wall)), "blocked");
  EXPECT_EQ(verdict("own.example", "ministry-a", then), "blocked");
  EXPECT_EQ(verdict("own.example", "", then), "not listed");
  EXPECT_EQ(verdict("www.both.example", "ministry-a", then), "allowed");
  EXPECT_EQ(verdict("mail.both.example", "ministry-a", then), "blocked");
}

TEST_F(FeeddTest, ADamagedStoreIsMovedAsideAndComesBackFromItsSources) {
  Sync();
  Change(control::BlockChange::BLOCK_ADD, "local.example");
  Change(control::BlockChange::ALLOW_ADD, "good.example", /*exact=*/true);
  StopAll();
  const std::string list = ListPath();
  std::filesystem::rename(list, list + ".away");
  std::filesystem::remove(folder_.path() + "/indicators/CURRENT");
  Start();
  EXPECT_THAT(damage_, HasSubstr("CURRENT"));
  EXPECT_THAT(damage_, HasSubstr("2 local rules"));
  // The publisher cannot be reached: what was in force stays, and local changes go on.
  Sync();
  EXPECT_EQ(Verdict("phish.example"), "blocked");
  EXPECT_EQ(Verdict("local.example"), "blocked");
  EXPECT_EQ(Change(control::BlockChange::BLOCK_ADD, "more.example").error(), "");
  EXPECT_EQ(Verdict("more.example"), "blocked");
  EXPECT_EQ(Verdict("good.example"), "allowed");
  EXPECT_TRUE(sync_->rebuilding());
  std::filesystem::rename(list + ".away", list);
  EXPECT_EQ(Sync().indicators(), 2u);
  EXPECT_FALSE(sync_->rebuilding());
  EXPECT_EQ(Verdict("phish.example"), "blocked");
}

TEST_F(FeeddTest, AMispFeedIsReadWithEveryEventItsManifestNames) {
  const std::string folder = folder_.path() + "/misp";
  const std::string uuid = "5a3e2f1c-0000-4000-8000-00000000000";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/manifest.json") << "{\"" << uuid << "1\": {}, \"" << uuid << "2\": {}}";
  for (const char* number : {"1", "2"}) {
    std::ofstream(folder + "/" + uuid + number + ".json")
        << R"({"Event": {"info": "e", "Attribute": [{"type": "domain", "to_ids": true, "value": "misp)"
        << number << R"(.example"}]}})";
  }
  config::Feed* feed = config_.mutable_blocklist()->mutable_feeds(0);
  feed->set_format("misp-feed");
  feed->set_url(folder);
  sync_->Configure(*PolicyInputs::Load(config_));
  EXPECT_EQ(Sync().indicators(), 2u);
  EXPECT_EQ(Verdict("misp1.example"), "blocked");
  EXPECT_EQ(Verdict("x.misp2.example"), "blocked");
  // An event that is missing fails the whole: the version in force stays.
  std::filesystem::remove(folder + "/" + uuid + "2.json");
  std::ofstream(folder + "/manifest.json", std::ios::app) << " ";
  EXPECT_THAT(Sync().last_error(), HasSubstr("2.json"));
  EXPECT_EQ(Verdict("x.misp2.example"), "blocked");
}

TEST_F(FeeddTest, CredentialsThatOthersMayReadAreRefused) {
  const std::string path = folder_.path() + "/key";
  std::ofstream(path) << "# key\nAuth-Key: secret\r\n";
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  std::vector<std::string> headers;
  std::string error;
  EXPECT_FALSE(blocklist::ReadCredentials(path, &headers, &error));
  EXPECT_THAT(error, HasSubstr("owner alone"));
  std::filesystem::permissions(path, std::filesystem::perms(0600));
  EXPECT_TRUE(blocklist::ReadCredentials(path, &headers, &error)) << error;
  EXPECT_THAT(headers, ::testing::ElementsAre("Auth-Key: secret"));
  std::ofstream(path) << "just a secret\n";
  EXPECT_FALSE(blocklist::ReadCredentials(path, &headers, &error));
  EXPECT_EQ(error.find("secret"), std::string::npos);
}

TEST_F(FeeddTest, WhatIsNotEnforcedIsShownWithItsReason) {
  WriteList("phish.example\ncom\n");
  Sync();
  control::Request request;
  request.mutable_feed_quarantine()->set_feed("f");
  const control::FeedQuarantine quarantine = Ask(request).feed_quarantine();
  EXPECT_EQ(quarantine.total(), 1u);
  ASSERT_EQ(quarantine.entries_size(), 1);
  EXPECT_EQ(quarantine.entries(0).indicator(), "com");
  EXPECT_NE(quarantine.entries(0).reason(), "");
  request.mutable_feed_quarantine()->set_feed("nobody");
  EXPECT_THAT(Ask(request).error(), HasSubstr("nobody"));
}

TEST_F(FeeddTest, AScoreTellsWhatAFeedIsWorthBesideTheOthers) {
  const std::string second = folder_.path() + "/second";
  const auto write_second = [&](const std::string& text) {
    std::ofstream(second + ".new") << text;
    std::filesystem::rename(second + ".new", second);
  };
  write_second("old.example\n");
  WriteList("old.example\n");
  config::Feed* feed = config_.mutable_blocklist()->add_feeds();
  feed->set_name("g");
  feed->set_url(second);
  sync_->Configure(*PolicyInputs::Load(config_));
  control::Request sync;
  sync.mutable_feed_sync();
  const auto sync_all = [&] { EXPECT_EQ(Ask(sync).error(), ""); };
  sync_all();
  WriteList("old.example\nfirst.example\nalone.example\ncom\n");
  sync_all();
  write_second("old.example\nfirst.example\nlast.example\n");
  sync_all();
  WriteList("old.example\nfirst.example\nalone.example\ncom\nlast.example\n");
  sync_all();
  EXPECT_EQ(Change(control::BlockChange::ALLOW_ADD, "www.alone.example").error(), "");
  EXPECT_EQ(Change(control::BlockChange::ALLOW_ADD, "nobodys.example").error(), "");
  const auto score = [&](const char* name) {
    control::Request request;
    request.mutable_feed_score()->set_feed(name);
    return Ask(request);
  };
  const control::FeedScore f = score("f").feed_score();
  EXPECT_EQ(f.indicators(), 5u);
  EXPECT_EQ(f.unique(), 2u);  // alone.example and com
  EXPECT_EQ(f.quarantined(), 1u);
  EXPECT_EQ(f.exceptions(), 1u);
  ASSERT_EQ(f.shown_exceptions_size(), 1);
  EXPECT_EQ(f.shown_exceptions(0), "www.alone.example");
  ASSERT_EQ(f.overlaps_size(), 1);
  EXPECT_EQ(f.overlaps(0).feed(), "g");
  EXPECT_EQ(f.overlaps(0).shared(), 3u);
  // old.example came with the first versions: nobody knows since when.
  EXPECT_EQ(f.overlaps(0).timed(), 2u);
  EXPECT_EQ(f.overlaps(0).earlier(), 1u);
  EXPECT_EQ(f.overlaps(0).later(), 1u);
  const control::FeedScore g = score("g").feed_score();
  EXPECT_EQ(g.unique(), 0u);
  EXPECT_EQ(g.exceptions(), 0u);
  EXPECT_EQ(g.overlaps(0).earlier(), 1u);
  EXPECT_THAT(score("nobody").error(), HasSubstr("no feed is named 'nobody'"));
}

TEST_F(FeeddTest, APreviewTellsWhatAVersionWouldDecide) {
  Sync();
  control::Request request;
  request.mutable_feed_preview()->set_feed("f");
  for (const char* name : {"a.phish.example.", "good.example", "other.example"}) {
    request.mutable_feed_preview()->add_names(name);
  }
  const control::FeedPreview preview = Ask(request).feed_preview();
  ASSERT_EQ(preview.hits_size(), 2);
  EXPECT_EQ(preview.hits(0).name(), 0u);
  EXPECT_EQ(preview.hits(0).indicator(), "phish.example");
  EXPECT_EQ(preview.hits(0).now(), "f");
  EXPECT_EQ(preview.hits(1).name(), 2u);
}

TEST_F(FeeddTest, ExpiredAndDoubtfulClaimsAreKeptAndNotEnforced) {
  config::Feed* feed = config_.mutable_blocklist()->mutable_feeds(0);
  feed->set_format("jsonl");
  feed->set_min_confidence(50);
  sync_->Configure(*PolicyInputs::Load(config_));
  WriteList(
      "{\"domain\": \"old.example\", \"valid_until\": \"2020-01-01T00:00:00Z\"}\n"
      "{\"domain\": \"doubtful.example\", \"confidence\": 10}\n"
      "{\"domain\": \"sure.example\", \"confidence\": 90, \"valid_until\": \"2099-01-01T00:00:00Z\"}\n");
  Sync();
  EXPECT_EQ(Verdict("old.example"), "not listed");
  EXPECT_EQ(Explain("old.example").claims(0).not_enforced(), "expired");
  EXPECT_EQ(Verdict("doubtful.example"), "not listed");
  EXPECT_EQ(Verdict("sure.example"), "blocked");
  EXPECT_EQ(publisher_->state().next_change_us, Explain("sure.example").claims(0).valid_until_us());
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
  EXPECT_THAT(Change(control::BlockChange::BLOCK_ADD, "192.0.2.1:80").error(), HasSubstr("address"));
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
