#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include "proto/dns/name_key.h"
#include "proto/record/lookup_spooler.h"
#include "proto/record/spool.h"
#include "storage/lookups/ingest.h"
#include "storage/lookups/lookup_store.h"
#include "storage/query/executor.h"
#include "tests/unit/proto/record/random_lookups.h"

namespace sekisho::lookups {
namespace {

namespace fs = std::filesystem;
using query::Executor;
using query::LookupFilter;
using record::LookupRecord;

constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
constexpr int64_t kMidnight = 20'000 * kDayUs;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "sekisho-store-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    fs::create_directory(Spool());
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::string Spool() const { return dir_ + "/spool"; }
  StoreOptions Options() const {
    return {.dir = dir_ + "/lookups", .block_rows = 500, .chunk_rows = 4096, .seed = 3};
  }
  std::unique_ptr<LookupStore> OpenStore() {
    std::string error;
    auto store = LookupStore::Open(Options(), &error);
    EXPECT_NE(store, nullptr) << error;
    return store;
  }

  // Appends blocks of `per_block` random lookups around midnight to the spool and returns what they say.
  std::vector<LookupRecord> Fill(uint64_t boot, int blocks, int per_block) {
    std::vector<LookupRecord> all;
    record::SpoolWriter writer({.dir = Spool(), .node = 1, .boot = boot, .segment_bytes = 20'000});
    record::BlockBuilder builder({.seed = 1});
    record::BlockChain chain;
    for (int b = 0; b < blocks; ++b) {
      for (int i = 0; i < per_block; ++i) {
        LookupRecord r = random_.Next(kMidnight - 20'000'000 + b * 2'000'000, false);
        r.boot += boot * 10;
        all.push_back(r);
        builder.AddRecord(r);
      }
      const auto block = builder.Finish(chain, true);
      EXPECT_EQ(writer.Append(block.bytes, MonoTime()), record::SpoolWriter::Outcome::kWritten);
      chain.Advance(block.header, block.digest);
    }
    return all;
  }
  static std::vector<std::string> Lines(const std::vector<LookupRecord>& records) {
    std::vector<std::string> out;
    for (const LookupRecord& r : records) out.push_back(Describe(r));
    std::sort(out.begin(), out.end());
    return out;
  }
  static std::vector<std::string> Everything(const LookupStore& store) {
    std::vector<std::string> out;
    LookupFilter all;
    all.limit = 1'000'000;
    const auto answer = Executor(store).Run(all, {}, [&](const LookupRecord& r) {
      out.push_back(Describe(r));
      return true;
    });
    EXPECT_EQ(answer.partial, "");
    std::sort(out.begin(), out.end());
    return out;
  }

  std::string dir_;
  record::RandomLookups random_{42};
};

TEST_F(StoreTest, EachLookupIsThereOnceWhileItMoves) {
  const auto all = Fill(1, 20, 100);
  auto store = OpenStore();
  Ingest ingest(Spool(), store.get(), 1'000'000);
  Now now{};
  std::string error;
  while (ingest.Tick(now)) EXPECT_EQ(ingest.counters().rows, Everything(*store).size());
  EXPECT_EQ(Everything(*store), Lines(all));
  EXPECT_TRUE(ingest.ImportAll(&error)) << error;
  EXPECT_EQ(store->tail_rows(), 0u);
  EXPECT_EQ(Everything(*store), Lines(all));
  EXPECT_EQ(store->Status().partitions, 2u);  // both sides of midnight
  EXPECT_TRUE(ingest.Settle(&error)) << error;
  store->CompactAll();
  EXPECT_EQ(Everything(*store), Lines(all));
  EXPECT_TRUE(fs::is_empty(Spool()));
}

TEST_F(StoreTest, WhatWasNotMadeDurableIsImportedAgainFromTheSpool) {
  const auto all = Fill(1, 10, 100);
  {
    auto store = OpenStore();
    Ingest ingest(Spool(), store.get(), 1'000'000);
    while (ingest.Tick(Now{})) {
    }
  }
  auto more = Fill(2, 7, 100);
  more.insert(more.end(), all.begin(), all.end());
  auto store = OpenStore();
  Ingest ingest(Spool(), store.get(), 1'000'000);
  while (ingest.Tick(Now{})) {
  }
  EXPECT_EQ(Everything(*store), Lines(more));
}

// A child imports, flushes and removes segments as fast as it can and is killed at a random instant, again
// and again.
TEST_F(StoreTest, KilledAnywhereNothingIsLostOrDoubled) {
  std::vector<LookupRecord> all;
  std::mt19937_64 random(7);
  for (uint64_t round = 1; round <= 25; ++round) {
    const auto more = Fill(round, 6, 60);
    all.insert(all.end(), more.begin(), more.end());
    const pid_t child = fork();
    if (child == 0) {
      std::string error;
      auto store = LookupStore::Open(Options(), &error);
      if (!store) _exit(3);
      Ingest ingest(Spool(), store.get(), 1'000'000);
      for (;;) {
        ingest.Tick(Now{});
        ingest.ImportAll(&error);
        ingest.Settle(&error);
      }
    }
    usleep(static_cast<useconds_t>(random() % 120'000));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child gave up with " << WEXITSTATUS(status);
    auto store = OpenStore();
    Ingest ingest(Spool(), store.get(), 1'000'000);
    while (ingest.Tick(Now{})) {
    }
    ASSERT_EQ(Everything(*store), Lines(all)) << "round " << round;
    // Whatever the crash left had been signed before.
    const VerifyReport report = store->Verify([] { return false; });
    ASSERT_EQ(report.troubles, std::vector<std::string>{}) << "round " << round;
    for (const Finding& f : report.findings)
      ADD_FAILURE() << "round " << round << " " << f.block << " " << f.what;
  }
}

TEST_F(StoreTest, ADamagedPartitionIsFencedAndTheOthersAnswer) {
  const auto all = Fill(1, 20, 100);
  {
    auto store = OpenStore();
    Ingest ingest(Spool(), store.get(), 1'000'000);
    std::string error;
    while (ingest.Tick(Now{})) {
    }
    ASSERT_TRUE(ingest.ImportAll(&error) && ingest.Settle(&error)) << error;
  }
  const std::string day = dir_ + "/lookups/" + PartitionId{DayOf(kMidnight), 0}.FolderName();
  for (const auto& entry : fs::directory_iterator(day)) {
    if (entry.path().filename().string().starts_with("MANIFEST")) fs::resize_file(entry.path(), 10);
  }
  fs::remove(day + "/CURRENT");
  auto store = OpenStore();
  ASSERT_EQ(store->Status().damaged.size(), 1u);
  LookupFilter filter;
  filter.limit = 100'000;
  uint64_t rows = 0;
  auto answer = Executor(*store).Run(filter, {}, [&](const LookupRecord& r) {
    EXPECT_LT(UnixMicros(r.time), kMidnight);
    ++rows;
    return true;
  });
  EXPECT_EQ(rows, std::count_if(all.begin(), all.end(),
                                [](const auto& r) { return UnixMicros(r.time) < kMidnight; }));
  EXPECT_NE(answer.partial.find("damaged"), std::string::npos);
  filter.end_us = kMidnight;
  EXPECT_EQ(Executor(*store).Count(filter, {}).partial, "");
  // New lookups of that day go on beside it.
  const auto more = Fill(2, 20, 50);
  Ingest ingest(Spool(), store.get(), 1'000'000);
  while (ingest.Tick(Now{})) {
  }
  std::string error;
  EXPECT_TRUE(ingest.ImportAll(&error)) << error;
  filter.end_us = INT64_MAX;
  filter.from_us = kMidnight;
  EXPECT_EQ(Executor(*store).Count(filter, {}).rows,
            static_cast<uint64_t>(std::count_if(
                more.begin(), more.end(), [](const auto& r) { return UnixMicros(r.time) >= kMidnight; })));
}

TEST_F(StoreTest, ABitFlippedInATableIsNeverServed) {
  const auto all = Fill(1, 10, 100);
  const std::string lookups = dir_ + "/lookups";
  {
    auto store = OpenStore();
    Ingest ingest(Spool(), store.get(), 1'000'000);
    std::string error;
    while (ingest.Tick(Now{})) {
    }
    ASSERT_TRUE(ingest.ImportAll(&error) && ingest.Settle(&error)) << error;
  }
  const auto good = Lines(all);
  std::mt19937_64 random(9);
  const std::string copy = dir_ + "/copy";
  fs::copy(lookups, copy, fs::copy_options::recursive);
  for (int round = 0; round < 30; ++round) {
    fs::remove_all(lookups);
    fs::copy(copy, lookups, fs::copy_options::recursive);
    std::vector<fs::path> tables;
    for (const auto& entry : fs::recursive_directory_iterator(lookups)) {
      if (entry.path().extension() == ".sst") tables.push_back(entry.path());
    }
    std::sort(tables.begin(), tables.end());
    const fs::path table = tables[random() % tables.size()];
    std::fstream file(table, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(random() % fs::file_size(table));
    file.seekg(at);
    const char byte = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(byte ^ (1 << random() % 8)));
    file.close();
    auto store = OpenStore();
    std::vector<std::string> lines;
    LookupFilter filter;
    filter.limit = 100'000;
    const auto answer = Executor(*store).Run(filter, {}, [&](const LookupRecord& r) {
      lines.push_back(Describe(r));
      return true;
    });
    for (const std::string& line : lines) EXPECT_TRUE(std::binary_search(good.begin(), good.end(), line));
    EXPECT_EQ(lines.size() < all.size(), !answer.partial.empty()) << table;
  }
}

TEST_F(StoreTest, AFolderThatIsNotOursIsLeftAlone) {
  fs::create_directory(dir_ + "/lookups");
  std::ofstream(dir_ + "/lookups/precious") << "data";
  std::string error;
  EXPECT_EQ(LookupStore::Open(Options(), &error), nullptr);
  EXPECT_NE(error.find("marker"), std::string::npos);
  fs::remove_all(dir_ + "/lookups");
  {
    OpenStore();
  }
  std::ofstream(dir_ + "/lookups/SEKISHO-LOOKUPS") << "sekisho lookups, format 9\n";
  EXPECT_EQ(LookupStore::Open(Options(), &error), nullptr);
  EXPECT_NE(error.find("format 9"), std::string::npos);
}

TEST_F(StoreTest, RetentionDropsOldDaysButNeverManyAtOnce) {
  auto store = OpenStore();
  record::BlockBuilder builder({.seed = 1});
  record::SpoolWriter writer({.dir = Spool(), .node = 1, .boot = 1});
  for (int day = 0; day < 6; ++day) {
    LookupRecord r;
    r.sequence = static_cast<uint64_t>(day) + 1;
    r.time = WallFromMicros(kMidnight + day * kDayUs);
    builder.AddRecord(r);
  }
  writer.Append(builder.Finish({}, true).bytes, MonoTime());
  Ingest ingest(Spool(), store.get(), 1000);
  while (ingest.Tick(Now{})) {
  }
  std::string error;
  ASSERT_TRUE(ingest.ImportAll(&error)) << error;
  ASSERT_EQ(store->Status().partitions, 6u);
  const auto at = [](int day) { return WallFromMicros(kMidnight + day * kDayUs + 1); };
  EXPECT_EQ(store->ApplyRetention(at(5), 5).size(), 0u);
  EXPECT_EQ(store->ApplyRetention(at(6), 5).size(), 1u);
  EXPECT_EQ(store->ApplyRetention(at(5000), 5).size(), 2u);  // the clock jumped
  EXPECT_EQ(store->ApplyRetention(at(5000), 5).size(), 0u);
  EXPECT_EQ(store->Status().partitions, 3u);
  store.reset();
  store = OpenStore();
  EXPECT_EQ(store->Status().partitions, 3u);
}

// Every filter, alone and joined, over partitions and tail, against a scan of all records in memory.
class QueryTest : public StoreTest {
 protected:
  static bool Fits(const LookupRecord& r, const LookupFilter& f) {
    const int64_t t = UnixMicros(r.time);
    if (t < f.from_us || t >= f.end_us) return false;
    const std::string key = dns::NameKey(r.qname);
    if (f.name_key && key != *f.name_key) return false;
    if (f.under_key && !key.starts_with(*f.under_key)) return false;
    if (f.client && !f.client->Contains(r.client.address)) return false;
    if (f.agency && r.agency != *f.agency) return false;
    if (f.rcode && r.rcode != *f.rcode) return false;
    if (f.type && r.qtype != *f.type) return false;
    if (!f.actions.empty() && std::find(f.actions.begin(), f.actions.end(), r.action) == f.actions.end())
      return false;
    if (f.feed && (", " + r.feeds + ", ").find(", " + *f.feed + ", ") == std::string::npos) return false;
    if (!f.address) return true;
    return std::any_of(r.answers.begin(), r.answers.end(), [&](const record::AnswerItem& a) {
      const bool is = (a.type == dns::RRType::kA && a.rdata.size() == 4) ||
                      (a.type == dns::RRType::kAAAA && a.rdata.size() == 16);
      return is && f.address->Contains(*IpAddress::FromRdata(AsBytes(a.rdata)));
    });
  }

  LookupFilter SomeFilter(const std::vector<LookupRecord>& all) {
    const LookupRecord& like = all[random_.Below(all.size())];
    LookupFilter f;
    if (random_.OneIn(4)) f.name_key = dns::NameKey(like.qname);
    if (random_.OneIn(4))
      f.under_key = dns::NameKey(like.qname.view().Suffix(static_cast<int>(random_.Below(3))));
    const bool v4 = random_.OneIn(2);
    if (random_.OneIn(5))
      f.address = IpPrefix::Make(random_.SomeAddress(v4),
                                 static_cast<int>(v4 ? 24 + random_.Below(9) : 100 + random_.Below(29)));
    if (random_.OneIn(5))
      f.client = IpPrefix::Make(like.client.address, static_cast<int>(8 + random_.Below(25)));
    if (random_.OneIn(6)) f.agency = like.agency;
    if (random_.OneIn(6)) f.rcode = like.rcode;
    if (random_.OneIn(6)) f.type = like.qtype;
    if (random_.OneIn(6)) f.actions = {like.action, record::Action::kDrop};
    if (random_.OneIn(8)) f.feed = "feed-a";
    if (random_.OneIn(3)) f.from_us = UnixMicros(all[random_.Below(all.size())].time);
    if (random_.OneIn(3)) f.end_us = UnixMicros(like.time) + 1;
    f.oldest_first = random_.OneIn(2);
    f.limit = 1 + random_.Below(random_.OneIn(2) ? 10 : 400);
    return f;
  }
};

TEST_F(QueryTest, AnswersAreExactlyThoseOfANaiveScan) {
  auto all = Fill(1, 30, 100);
  auto store = OpenStore();
  Ingest ingest(Spool(), store.get(), 1'000'000);
  while (ingest.Tick(Now{})) {
  }
  std::string error;
  ASSERT_TRUE(ingest.ImportAll(&error)) << error;
  const auto more = Fill(2, 4, 100);  // stays in the tail
  while (ingest.Tick(Now{})) {
  }
  ASSERT_GT(store->tail_rows(), 0u);
  all.insert(all.end(), more.begin(), more.end());
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return query::KeyOf(a) < query::KeyOf(b); });
  uint64_t hits = 0;
  for (int round = 0; round < 200; ++round) {
    LookupFilter f = SomeFilter(all);
    std::vector<std::string> expected;
    for (const LookupRecord& r : all) {
      if (Fits(r, f)) expected.push_back(Describe(r));
    }
    if (!f.oldest_first) std::reverse(expected.begin(), expected.end());
    EXPECT_EQ(Executor(*store).Count(f, {}).rows, expected.size());
    std::vector<std::string> got;
    for (;;) {  // page by page
      const auto answer = Executor(*store).Run(f, {}, [&](const LookupRecord& r) {
        got.push_back(Describe(r));
        return true;
      });
      EXPECT_EQ(answer.partial, "");
      if (!answer.more) break;
      EXPECT_EQ(answer.rows, f.limit);
      f.after = query::DecodeCursor(query::EncodeCursor(answer.last));
      ASSERT_TRUE(f.after);
    }
    ASSERT_EQ(got, expected) << "round " << round;
    hits += got.size();
  }
  EXPECT_GT(hits, 500u);
}

TEST_F(QueryTest, ADeadlineGivesAPartialAnswer) {
  Fill(1, 10, 100);
  auto store = OpenStore();
  Ingest ingest(Spool(), store.get(), 1'000'000);
  while (ingest.Tick(Now{})) {
  }
  LookupFilter f;
  f.limit = 10;
  const auto answer =
      Executor(*store).Run(f, {.stop = [] { return true; }}, [](const LookupRecord&) { return true; });
  EXPECT_EQ(answer.rows, 0u);
  EXPECT_NE(answer.partial, "");
}

TEST(PartitionId, FoldersRoundTrip) {
  const PartitionId id{DayOf(kMidnight), 3};
  EXPECT_EQ(id.FolderName(), "20241004-3");
  EXPECT_EQ(PartitionId::Parse("20241004-3"), id);
  for (const char* bad :
       {"", "20241004", "20241304-0", "20241004-", "20241004-03", "19691231-0", "x0241004-0"}) {
    EXPECT_FALSE(PartitionId::Parse(bad)) << bad;
  }
  EXPECT_EQ(DayOf(-5), 0);
  EXPECT_EQ(DayOf(INT64_MAX), DayOf(INT64_MAX - kDayUs));
}

}  // namespace
}  // namespace sekisho::lookups
