#include "storage/indicators/feed_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "storage/indicators/indicator_store.h"
#include "tests/unit/storage/indicators/temp_folder.h"

namespace sekisho::indicators {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "a.test" → "test\0a\0"
std::string Key(const std::string& name) {
  const size_t dot = name.rfind('.');
  std::string key = name.substr(dot + 1) + std::string(1, '\0');
  return dot == std::string::npos ? key : key + Key(name.substr(0, dot));
}

class FeedImportTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    store_.reset();
    auto store = IndicatorStore::Open(folder_.path() + "/store");
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = std::move(*store);
  }
  FeedRecord Feed(const std::string& name = "f") {
    auto feed = store_->FeedNamed(name);
    EXPECT_TRUE(feed.ok());
    return *feed;
  }
  absl::StatusOr<VersionChange> Import(const std::set<std::string>& names, int64_t at_us = 1000,
                                       FeedImport::Options options = {}) {
    FeedRecord feed = Feed();
    options.sort_folder = folder_.path();
    FeedImport import(*store_, feed, options);
    for (const std::string& name : names) {
      EXPECT_TRUE(
          import.Add({.name_key = Key(name), .kind = EntryKind::kSubtree, .reference = {}, .evidence = {}})
              .ok());
    }
    return import.Commit(&feed, WallFromMicros(at_us));
  }
  std::set<std::string> Standing(const std::string& name = "f") {
    std::set<std::string> out;
    const StoreView view(*store_);
    auto claims = view.Claims(Feed(name));
    for (; claims->Valid(); claims->Next()) out.emplace(claims->parts().name_key);
    EXPECT_TRUE(claims->status().ok()) << claims->status();
    return out;
  }
  static std::set<std::string> Keys(const std::set<std::string>& names) {
    std::set<std::string> out;
    for (const std::string& name : names) out.insert(Key(name));
    return out;
  }

  TempFolder folder_;
  std::unique_ptr<IndicatorStore> store_;
};

TEST_F(FeedImportTest, AVersionReplacesTheOneBefore) {
  ASSERT_TRUE(Import({"a.test", "b.test", "c.test"}).ok());
  auto change = Import({"b.test", "c.test", "d.test", "e.test"});
  ASSERT_TRUE(change.ok()) << change.status();
  EXPECT_EQ(change->before, 3u);
  EXPECT_EQ(change->indicators, 4u);
  EXPECT_EQ(change->added, 2u);
  EXPECT_EQ(change->removed, 1u);
  EXPECT_EQ(Standing(), Keys({"b.test", "c.test", "d.test", "e.test"}));
}

TEST_F(FeedImportTest, ClaimsOutliveTheProcessAndKeepTheirHistory) {
  ASSERT_TRUE(Import({"a.test", "b.test"}, 1000).ok());
  ASSERT_TRUE(Import({"b.test"}, 2000).ok());
  ASSERT_TRUE(Import({"a.test", "b.test"}, 3000).ok());
  Reopen();
  EXPECT_EQ(Standing(), Keys({"a.test", "b.test"}));
  const StoreView view(*store_);
  const FeedRecord feed = Feed();
  auto claim = view.Find(feed, Key("a.test"), EntryKind::kSubtree);
  ASSERT_TRUE(claim.ok() && claim->has_value());
  ASSERT_EQ((*claim)->spans_size(), 2);
  EXPECT_TRUE(StandsIn(**claim, 1));
  EXPECT_FALSE(StandsIn(**claim, 2));
  EXPECT_TRUE(StandsIn(**claim, 3));
  auto version = store_->Version(feed.id(), 2);
  ASSERT_TRUE(version.ok() && version->has_value());
  EXPECT_EQ((*version)->accepted_us(), 2000);
  EXPECT_EQ((*version)->before_us(), 1000);
  EXPECT_EQ((*version)->removed(), 1u);
}

TEST_F(FeedImportTest, AddressesStandBesideNamesInTheirOwnRange) {
  FeedRecord feed = Feed();
  FeedImport import(*store_, feed, {.sort_folder = folder_.path(), .go_on = {}});
  for (const char* text : {"192.0.2.7/32", "192.0.2.0/24", "2001:db8::/32"}) {
    ASSERT_TRUE(
        import.Add({.prefix = *IpPrefix::Parse(text), .kind = EntryKind::kAddress, .confidence = 80}).ok());
  }
  ASSERT_TRUE(import.Add({.name_key = Key("a.test"), .kind = EntryKind::kSubtree}).ok());
  ASSERT_TRUE(import.Add({.name_key = Key("ns.test"), .kind = EntryKind::kNsName}).ok());
  ASSERT_TRUE(import.Commit(&feed, WallFromMicros(5)).ok());
  const StoreView view(*store_);
  std::vector<std::string> prefixes;
  for (auto claims = view.Claims(Feed(), ClaimRange::kAddresses); claims->Valid(); claims->Next()) {
    prefixes.push_back(claims->parts().prefix.ToString());
    EXPECT_EQ(claims->claim().confidence(), 80u);
  }
  EXPECT_THAT(prefixes, ElementsAre("192.0.2.0/24", "192.0.2.7/32", "2001:db8::/32"));
  EXPECT_EQ(Standing(), Keys({"a.test"}));
  size_t all = 0;
  for (auto claims = view.Claims(Feed(), ClaimRange::kAll); claims->Valid(); claims->Next()) ++all;
  EXPECT_EQ(all, 5u);
  auto found = view.FindEntry(Feed(), AddressEntryKey(*IpPrefix::Parse("192.0.2.0/24"), EntryKind::kAddress));
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->has_value());
}

TEST_F(FeedImportTest, OfTwoSpansOfValidityTheLongerHolds) {
  FeedRecord feed = Feed();
  FeedImport import(*store_, feed, {.sort_folder = folder_.path(), .go_on = {}});
  const auto add = [&](const char* name, int64_t from, int64_t until) {
    ASSERT_TRUE(import.Add({.name_key = Key(name), .valid_from_us = from, .valid_until_us = until}).ok());
  };
  const std::string a = Key("a.test");
  add("a.test", 10, 20);
  add("a.test", 5, 15);
  add("b.test", 10, 20);
  add("b.test", 10, 0);
  ASSERT_TRUE(import.Commit(&feed, WallFromMicros(5)).ok());
  const StoreView view(*store_);
  auto limited = view.Find(feed, a, EntryKind::kExact);
  ASSERT_TRUE(limited.ok() && limited->has_value());
  EXPECT_FALSE(ValidAt(**limited, 4));
  EXPECT_TRUE(ValidAt(**limited, 5));
  EXPECT_TRUE(ValidAt(**limited, 19));
  EXPECT_FALSE(ValidAt(**limited, 20));
  auto open = view.Find(feed, Key("b.test"), EntryKind::kExact);
  ASSERT_TRUE(open.ok() && open->has_value());
  EXPECT_TRUE(ValidAt(**open, 1'000'000));
}

TEST_F(FeedImportTest, LinesAboutOneHostBecomeOneClaim) {
  FeedRecord feed = Feed();
  FeedImport import(*store_, feed, {.sort_folder = folder_.path(), .go_on = {}});
  for (int i = 9; i >= 0; --i) {
    const std::string url = "https://a.test/" + std::to_string(i);
    ASSERT_TRUE(import
                    .Add({.name_key = Key("a.test"),
                          .kind = EntryKind::kUrlHost,
                          .reference = i == 9 ? "" : "Brand",
                          .evidence = url,
                          .reported_us = 100 + i})
                    .ok());
  }
  auto change = import.Commit(&feed, WallFromMicros(5));
  ASSERT_TRUE(change.ok());
  EXPECT_EQ(change->indicators, 1u);
  const StoreView view(*store_);
  auto claim = view.Find(feed, Key("a.test"), EntryKind::kUrlHost);
  ASSERT_TRUE(claim.ok() && claim->has_value());
  EXPECT_EQ((*claim)->evidence_count(), 10u);
  EXPECT_THAT((*claim)->evidence(),
              ElementsAre("https://a.test/9", "https://a.test/8", "https://a.test/7", "https://a.test/6"));
  EXPECT_EQ((*claim)->reported_us(), 100);
  EXPECT_EQ((*claim)->reference(), "Brand");
}

TEST_F(FeedImportTest, CompareWritesNothing) {
  ASSERT_TRUE(Import({"a.test", "b.test"}).ok());
  FeedImport import(*store_, Feed(), {.sort_folder = folder_.path(), .go_on = {}});
  ASSERT_TRUE(import.Add({.name_key = Key("c.test"), .reference = {}, .evidence = {}}).ok());
  auto change = import.Compare();
  ASSERT_TRUE(change.ok());
  EXPECT_EQ(change->added, 1u);
  EXPECT_EQ(change->removed, 2u);
  EXPECT_EQ(Standing(), Keys({"a.test", "b.test"}));
}

TEST_F(FeedImportTest, FeedsDoNotTouchEachOther) {
  ASSERT_TRUE(Import({"a.test"}).ok());
  FeedRecord other = Feed("other");
  FeedImport import(*store_, other, {.sort_folder = folder_.path(), .go_on = {}});
  ASSERT_TRUE(import.Add({.name_key = Key("b.test"), .reference = {}, .evidence = {}}).ok());
  ASSERT_TRUE(import.Commit(&other, WallFromMicros(1)).ok());
  EXPECT_EQ(Standing(), Keys({"a.test"}));
  EXPECT_EQ(Standing("other"), Keys({"b.test"}));
}

TEST_F(FeedImportTest, AnImportThatDiesAtAnyBatchLeavesOldOrNewWhole) {
  std::set<std::string> first;
  std::set<std::string> second;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "n" + std::to_string(i) + ".test";
    if (i % 3 != 0) first.insert(name);
    if (i % 2 != 0) second.insert(name);
  }
  ASSERT_TRUE(Import(first).ok());
  std::set<std::string> expected = Keys(first);
  bool finished = false;
  int deaths = 0;
  for (int survives = 0; !finished; ++survives) {
    ASSERT_LT(survives, 1000);
    int left = survives;
    auto change =
        Import(second, 2000, {.sort_folder = {}, .batch_bytes = 64, .go_on = [&left] { return left-- > 0; }});
    finished = change.ok();
    if (!finished) {
      ++deaths;
      EXPECT_EQ(change.status().code(), absl::StatusCode::kCancelled);
    } else {
      expected = Keys(second);
      EXPECT_EQ(change->before, first.size());
    }
    Reopen();
    ASSERT_EQ(Standing(), expected) << "after " << survives << " batches";
  }
  EXPECT_GT(deaths, 10);
  // And what the abandoned versions wrote does not come back with a later one.
  ASSERT_TRUE(Import(first, 3000).ok());
  EXPECT_EQ(Standing(), Keys(first));
}

TEST_F(FeedImportTest, AnUnchangedVersionWritesNoClaim) {
  ASSERT_TRUE(Import({"a.test", "b.test"}).ok());
  int batches = 0;
  ASSERT_TRUE(
      Import({"a.test", "b.test"}, 2000, {.sort_folder = {}, .go_on = [&batches] { return ++batches > 0; }})
          .ok());
  EXPECT_EQ(batches, 2);  // the beginning and the commit
}

TEST_F(FeedImportTest, SortingInManyRunsGivesTheSame) {
  std::set<std::string> names;
  for (int i = 0; i < 5000; ++i) names.insert("name" + std::to_string(i * 7919 % 5000) + ".test");
  auto change = Import(names, 1, {.sort_folder = {}, .sort_memory = 4096, .go_on = {}});
  ASSERT_TRUE(change.ok()) << change.status();
  EXPECT_EQ(change->indicators, names.size());
  EXPECT_EQ(Standing(), Keys(names));
}

TEST_F(FeedImportTest, LocalEntriesWithHistory) {
  LocalEntry entry;
  entry.name_key = Key("bad.test");
  entry.record.set_reason("seen in mail");
  entry.record.set_who("analyst");
  entry.record.set_added_us(7);
  ASSERT_TRUE(store_->PutLocal(entry).ok());
  Reopen();
  auto locals = store_->Locals();
  ASSERT_TRUE(locals.ok());
  ASSERT_EQ(locals->size(), 1u);
  EXPECT_EQ((*locals)[0].name_key, entry.name_key);
  EXPECT_EQ((*locals)[0].record.reason(), "seen in mail");
  LocalEntry allow = entry;
  allow.record.set_allow(true);
  EXPECT_FALSE(*store_->RemoveLocal(allow));  // it is a block
  EXPECT_TRUE(*store_->RemoveLocal(entry));
  EXPECT_FALSE(*store_->RemoveLocal(entry));
  EXPECT_THAT(*store_->Locals(), IsEmpty());
  auto history = store_->History(10);
  ASSERT_TRUE(history.ok());
  ASSERT_EQ(history->size(), 2u);
  EXPECT_EQ((*history)[0].what(), "block removed");
  EXPECT_EQ((*history)[1].what(), "block added");
}

TEST_F(FeedImportTest, ASecondProcessIsRefused) {
  auto second = IndicatorStore::Open(folder_.path() + "/store");
  EXPECT_FALSE(second.ok());
}

}  // namespace
}  // namespace sekisho::indicators
