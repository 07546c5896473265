#include "storage/lookups/pseudonym.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "proto/base/bytes.h"
#include "proto/record/spool.h"
#include "storage/lookups/ingest.h"
#include "storage/lookups/lookup_store.h"
#include "storage/query/executor.h"
#include "tests/unit/proto/record/random_lookups.h"

namespace sekisho::lookups {
namespace {

namespace fs = std::filesystem;
using record::LookupRecord;
using Rewriting = LookupStore::Rewriting;

constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
constexpr int32_t kFirstDay = 20'000;  // 2024-10-04
constexpr uint32_t kAfter = 5;

class PseudonymTest : public ::testing::Test {
 public:
  static Rewriting RunAll(LookupStore& store, const std::string& dir, int32_t days, std::string* error) {
    PseudonymKeys keys(dir + "/keys");
    const WallTime now = WallFromMicros((kFirstDay + days) * kDayUs + kDayUs / 2);
    for (;;) {
      const Rewriting outcome = store.Pseudonymise(now, kAfter, keys, error);
      if (outcome != Rewriting::kBusy && outcome != Rewriting::kDone) return outcome;
    }
  }

 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "sekisho-pseudonym-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    fs::create_directory(dir_ + "/spool");
    Fill(1, kFirstDay);
    Fill(2, kFirstDay + 1);
    Fill(3, kFirstDay + 40);  // another month
    auto store = Open();
    Import(*store);
  }
  void TearDown() override { fs::remove_all(dir_); }

  void Fill(uint64_t boot, int32_t day) {
    record::SpoolWriter writer({.dir = dir_ + "/spool", .node = 1, .boot = boot});
    record::BlockBuilder builder({.seed = 1});
    record::BlockChain chain;
    for (int b = 0; b < 5; ++b) {
      for (int i = 0; i < 100; ++i) {
        LookupRecord r = random_.Next(day * kDayUs + kDayUs / 2, false);
        r.boot += boot * 10;
        addresses_.insert(r.client.address);
        lines_.push_back(WithoutClient(r));
        builder.AddRecord(r);
      }
      const auto block = builder.Finish(chain, true);
      ASSERT_EQ(writer.Append(block.bytes, MonoTime()), record::SpoolWriter::Outcome::kWritten);
      chain.Advance(block.header, block.digest);
    }
  }
  std::unique_ptr<LookupStore> Open(std::function<void(const char*)> at_step = {}) {
    std::string error;
    auto store = LookupStore::Open({.dir = dir_ + "/lookups",
                                    .block_rows = 200,
                                    .chunk_rows = 4096,
                                    .seed = 3,
                                    .at_step = std::move(at_step)},
                                   &error);
    EXPECT_NE(store, nullptr) << error;
    return store;
  }
  void Import(LookupStore& store) {
    Ingest ingest(dir_ + "/spool", &store, 1'000'000);
    std::string error;
    while (ingest.Tick(Now{})) {
    }
    EXPECT_TRUE(ingest.ImportAll(&error)) << error;
    EXPECT_TRUE(ingest.Settle(&error)) << error;
  }
  // As if `days` days had passed since the first.
  Rewriting Pseudonymise(LookupStore& store, int32_t days, std::string* error) {
    return RunAll(store, dir_, days, error);
  }
  static std::string WithoutClient(LookupRecord r) {
    r.client = {};
    if (r.trigger == record::Trigger::kClient) {
      r.trigger_name = {};
      r.rule_labels = 0;
    }
    return Describe(r);
  }
  std::vector<LookupRecord> Rows(const LookupStore& store) {
    std::vector<LookupRecord> out;
    query::LookupFilter all;
    all.limit = 1'000'000;
    const auto answer = query::Executor(store).Run(all, {}, [&](const LookupRecord& r) {
      out.push_back(r);
      return true;
    });
    EXPECT_EQ(answer.partial, "");
    return out;
  }
  // All rows are there once, and are what they were but for who asked.
  void ExpectRows(const std::vector<LookupRecord>& rows) {
    std::vector<std::string> lines;
    for (const LookupRecord& r : rows) lines.push_back(WithoutClient(r));
    std::sort(lines.begin(), lines.end());
    std::sort(lines_.begin(), lines_.end());
    EXPECT_EQ(lines, lines_);
  }
  static void ExpectVerified(const LookupStore& store) {
    const VerifyReport report = store.Verify([] { return false; });
    for (const Finding& f : report.findings) ADD_FAILURE() << f.partition.FolderName() << " " << f.what;
    for (const std::string& t : report.troubles) ADD_FAILURE() << t;
  }
  size_t Folders() const {
    size_t n = 0;
    for (const auto& entry : fs::directory_iterator(dir_ + "/lookups")) n += entry.is_directory();
    return n;
  }

  std::string dir_;
  std::set<IpAddress> addresses_;
  std::vector<std::string> lines_;
  record::RandomLookups random_{9};
};

TEST_F(PseudonymTest, OldDaysLoseTheirAddressesAndNothingElse) {
  std::string error;
  {
    auto store = Open();
    EXPECT_EQ(Pseudonymise(*store, 7, &error), Rewriting::kNothing) << error;
    ExpectVerified(*store);
  }
  auto store = Open();
  ExpectVerified(*store);
  EXPECT_EQ(Folders(), 3u);
  const auto rows = Rows(*store);
  ExpectRows(rows);
  size_t replaced = 0;
  for (const LookupRecord& r : rows) {
    const bool old = DayOf(UnixMicros(r.time)) <= kFirstDay + 1;
    EXPECT_EQ(IsPseudonym(r.client.address), old);
    if (!old) continue;
    ++replaced;
    EXPECT_FALSE(addresses_.contains(r.client.address));
    EXPECT_EQ(r.client.port, 0);
    EXPECT_TRUE(r.trigger != record::Trigger::kClient || r.trigger_name.IsRoot());
  }
  EXPECT_EQ(replaced, 1000u);
  const VerifyReport report = store->Verify([] { return false; });
  ASSERT_EQ(report.gone.size(), 2u);
  EXPECT_EQ(report.gone.begin()->second.why, "pseudonymised as 20241004-1");
  EXPECT_EQ(report.gone.begin()->second.end.rows, 500u);
  // A second time there is nothing to do.
  EXPECT_EQ(Pseudonymise(*store, 7, &error), Rewriting::kNothing);
  EXPECT_EQ(store->Status().heads_counter, report.counter);
}

TEST_F(PseudonymTest, AMonthHasOneKeyAndTheNextAnother) {
  PseudonymKeys keys(dir_ + "/keys");
  std::string error;
  const auto october = keys.KeyFor(kFirstDay, &error);
  const auto november = keys.KeyFor(kFirstDay + 40, &error);
  ASSERT_TRUE(october && november) << error;
  EXPECT_EQ(*keys.KeyFor(kFirstDay + 1, &error), *october);
  const IpAddress client = *IpAddress::Parse("192.0.2.7");
  EXPECT_EQ(PseudonymOf(*october, client), PseudonymOf(*october, client));
  EXPECT_NE(PseudonymOf(*october, client), PseudonymOf(*november, client));
  EXPECT_NE(PseudonymOf(*october, client), PseudonymOf(*october, *IpAddress::Parse("192.0.2.8")));
  EXPECT_EQ(PseudonymOf(*november, PseudonymOf(*october, client)), PseudonymOf(*october, client));
  const auto mode = fs::status(dir_ + "/keys/2024-10.key").permissions();
  EXPECT_EQ(mode & fs::perms::all, fs::perms::owner_read | fs::perms::owner_write);
  // 2024-10-31 is day 20027.
  EXPECT_TRUE(keys.Expire(20'028 + 10, 10).empty());
  EXPECT_EQ(keys.Expire(20'028 + 11, 10), std::vector<std::string>{"2024-10.key"});
  EXPECT_NE(*keys.KeyFor(kFirstDay, &error), *october);
}

TEST_F(PseudonymTest, ADamagedKeyStopsItWithAWord) {
  fs::create_directory(dir_ + "/keys");
  std::ofstream(dir_ + "/keys/2024-10.key") << "not a key\n";
  auto store = Open();
  std::string error;
  EXPECT_EQ(Pseudonymise(*store, 6, &error), Rewriting::kFailed);
  EXPECT_NE(error.find("2024-10.key"), std::string::npos) << error;
  ExpectRows(Rows(*store));
}

TEST_F(PseudonymTest, WhatIsHeldStaysAsItIs) {
  auto store = Open();
  std::string error;
  ASSERT_TRUE(store->AddHold({"case-1", {kFirstDay * kDayUs, kFirstDay * kDayUs + 1}}, &error)) << error;
  EXPECT_EQ(Pseudonymise(*store, 7, &error), Rewriting::kNothing) << error;
  for (const LookupRecord& r : Rows(*store))
    EXPECT_EQ(IsPseudonym(r.client.address), DayOf(UnixMicros(r.time)) == kFirstDay + 1);
}

TEST_F(PseudonymTest, AClockGoneWrongDoesNotTakeAllAtOnce) {
  for (int32_t day = 2; day < 8; ++day) Fill(10 + static_cast<uint64_t>(day), kFirstDay + day);
  auto store = Open();
  Import(*store);
  std::string error;
  EXPECT_EQ(Pseudonymise(*store, 5000, &error), Rewriting::kNothing) << error;
  std::set<int32_t> days;
  for (const LookupRecord& r : Rows(*store))
    if (IsPseudonym(r.client.address)) days.insert(DayOf(UnixMicros(r.time)));
  EXPECT_EQ(days.size(), 4u);
}

TEST_F(PseudonymTest, LateRowsOfADayGetPseudonymsToo) {
  auto store = Open();
  std::string error;
  EXPECT_EQ(Pseudonymise(*store, 6, &error), Rewriting::kNothing) << error;
  Fill(20, kFirstDay);
  Import(*store);
  ExpectRows(Rows(*store));
  EXPECT_EQ(Pseudonymise(*store, 6, &error), Rewriting::kNothing) << error;
  const auto rows = Rows(*store);
  ExpectRows(rows);
  for (const LookupRecord& r : rows)
    EXPECT_EQ(IsPseudonym(r.client.address), DayOf(UnixMicros(r.time)) == kFirstDay);
  ExpectVerified(*store);
}

// The process dies at each step in turn: whatever it left, the next start finds every row once and a log that
// verifies, and the work ends.
TEST_F(PseudonymTest, ADeathAtAnyStepLosesNothing) {
  bool died = true;
  for (int step = 1; died; ++step) {
    ASSERT_LT(step, 100);
    // A program of its own: a forked child has no threads of the database.
    const std::string number = std::to_string(step);
    const pid_t child = fork();
    if (child == 0) {
      setenv("SEKISHO_DYING_DIR", dir_.c_str(), 1);
      setenv("SEKISHO_DYING_STEP", number.c_str(), 1);
      execl("/proc/self/exe", "lookups_test", "--gtest_filter=Dying.*", nullptr);
      _exit(2);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    died = WEXITSTATUS(status) == 9;
    EXPECT_TRUE(died || WEXITSTATUS(status) == 0);
    fs::remove(dir_ + "/lookups/PSEUDONYMS");  // the bound of a day is another test's
    auto store = Open();
    ExpectVerified(*store);
    ExpectRows(Rows(*store));
    EXPECT_EQ(Folders(), 3u) << "step " << step;
  }
  auto store = Open();
  for (const LookupRecord& r : Rows(*store))
    EXPECT_EQ(IsPseudonym(r.client.address), DayOf(UnixMicros(r.time)) <= kFirstDay + 1);
}

// The program that dies at a step; without being asked to it does nothing.
TEST(Dying, AtAStep) {
  const char* dir = std::getenv("SEKISHO_DYING_DIR");
  const char* step = std::getenv("SEKISHO_DYING_STEP");
  if (dir == nullptr || step == nullptr) return;
  int left = std::atoi(step);
  std::string error;
  auto store = LookupStore::Open({.dir = std::string(dir) + "/lookups",
                                  .block_rows = 200,
                                  .chunk_rows = 4096,
                                  .seed = 3,
                                  .at_step =
                                      [&left](const char*) {
                                        if (--left == 0) _exit(9);
                                      }},
                                 &error);
  ASSERT_NE(store, nullptr) << error;
  EXPECT_EQ(PseudonymTest::RunAll(*store, dir, 7, &error), Rewriting::kNothing) << error;
}

}  // namespace
}  // namespace sekisho::lookups
