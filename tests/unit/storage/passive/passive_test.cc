#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <random>

#include "proto/dns/name_key.h"
#include "proto/record/spool.h"
#include "storage/lookups/ingest.h"
#include "storage/lookups/lookup_store.h"
#include "storage/passive/passive_store.h"
#include "tests/unit/proto/record/random_lookups.h"

namespace sekisho::passive {
namespace {

namespace fs = std::filesystem;
using lookups::Ingest;
using lookups::LookupStore;
using record::LookupRecord;

constexpr int64_t kMidnight = int64_t{20'000} * 86'400 * 1'000'000;
using Table = std::map<PassiveKey, Sum>;

void AddTo(Table* table, const PassiveKey& key, const Sum& sum) {
  const auto [it, fresh] = table->emplace(key, sum);
  if (!fresh) it->second.Join(sum);
}

bool Blocked(record::Action a) { return a >= record::Action::kNxdomain && a <= record::Action::kDrop; }

std::string DataOf(const record::AnswerItem& item) {
  if (const auto address = IpAddress::FromRdata(AsBytes(item.rdata));
      address && (item.type == dns::RRType::kA ? item.rdata.size() == 4
                                               : item.type == dns::RRType::kAAAA && item.rdata.size() == 16))
    return "a" + std::string(AsText(address->mapped()));
  using enum dns::RRType;
  if (item.type == kCNAME || item.type == kNS || item.type == kPTR) {
    if (const auto name = dns::NameView::FromWire(AsBytes(item.rdata))) return "n" + dns::NameKey(*name);
  }
  return "o" + item.rdata;
}

// What passive DNS should know, lookup by lookup.
Table Expected(const std::vector<LookupRecord>& records) {
  Table table;
  for (const LookupRecord& r : records) {
    if (r.qclass != dns::RRClass::kIN) continue;
    const auto second = static_cast<uint64_t>(UnixMicros(r.time) / 1'000'000);
    const bool blocked = Blocked(r.action);
    const Sum sum{second, second, blocked ? 0u : 1u, blocked ? 1u : 0u, 0};
    std::string owner = dns::NameKey(r.qname);
    if (r.answers.empty() && blocked) AddTo(&table, {owner, static_cast<uint16_t>(r.qtype), "-"}, sum);
    for (const record::AnswerItem& item : r.answers) {
      if (item.type == dns::RRType::kDNAME || item.rdata.size() > kMaxData) continue;
      AddTo(&table, {owner, static_cast<uint16_t>(item.type), DataOf(item)}, sum);
      if (item.type == dns::RRType::kCNAME && DataOf(item)[0] == 'n') owner = DataOf(item).substr(1);
    }
  }
  return table;
}

Table All(const PassiveStore& store, Question question) {
  Table table;
  question.limit = 7;  // many pages
  for (;;) {
    const Answer answer = store.Read(
        question, [] { return false; },
        [&](const PassiveKey& key, const Sum& s) {
          EXPECT_TRUE(table.emplace(key, s).second);
          return true;
        });
    EXPECT_EQ(answer.partial, "");
    if (!answer.more) return table;
    question.after = answer.last;
  }
}

template <typename Keep>
Table Part(const Table& table, Keep keep) {
  Table out;
  for (const auto& [key, sum] : table) {
    if (keep(key, sum)) out.emplace(key, sum);
  }
  return out;
}

class PassiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "sekisho-passive-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    fs::create_directory(dir_ + "/spool");
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::unique_ptr<PassiveStore> OpenPassive() const {
    std::string note;
    std::string error;
    auto store = PassiveStore::Open(dir_ + "/passive", &note, &error);
    EXPECT_NE(store, nullptr) << error;
    EXPECT_EQ(note, "");
    return store;
  }
  std::unique_ptr<LookupStore> OpenLookups(PassiveStore* passive) const {
    std::string error;
    auto store = LookupStore::Open(
        {.dir = dir_ + "/lookups", .block_rows = 500, .chunk_rows = 4096, .seed = 3, .passive = passive},
        &error);
    EXPECT_NE(store, nullptr) << error;
    return store;
  }
  // Appends blocks of random lookups around midnight to the spool.
  void Fill(uint64_t boot, int blocks, int per_block) {
    record::SpoolWriter writer({.dir = dir_ + "/spool", .node = 1, .boot = boot, .segment_bytes = 20'000});
    record::BlockBuilder builder({.seed = 1});
    record::BlockChain chain;
    for (int b = 0; b < blocks; ++b) {
      for (int i = 0; i < per_block; ++i) {
        LookupRecord r = random_.Next(kMidnight - 20'000'000 + b * 2'000'000, false);
        r.boot += boot * 10;
        all_.push_back(r);
        builder.AddRecord(r);
      }
      const auto block = builder.Finish(chain, true);
      ASSERT_EQ(writer.Append(block.bytes, MonoTime()), record::SpoolWriter::Outcome::kWritten);
      chain.Advance(block.header, block.digest);
    }
  }
  // Takes in what the spool has, as logd does it.
  void TakeIn(PassiveStore* passive) const {
    auto store = OpenLookups(passive);
    Ingest ingest(dir_ + "/spool", store.get(), 1'000'000);
    std::string error;
    while (ingest.Tick(Now{})) {
    }
    ASSERT_TRUE(ingest.ImportAll(&error)) << error;
    ASSERT_TRUE(ingest.Settle(&error)) << error;
  }

  std::string dir_;
  record::RandomLookups random_{42};
  std::vector<LookupRecord> all_;
};

TEST_F(PassiveTest, KnowsWhatTheLookupsSay) {
  Fill(1, 30, 100);
  const auto passive = OpenPassive();
  TakeIn(passive.get());
  const Table expected = Expected(all_);
  ASSERT_GT(expected.size(), 500u);
  EXPECT_EQ(All(*passive, {}), expected);
  passive->Compact();
  EXPECT_EQ(All(*passive, {}), expected);
}

TEST_F(PassiveTest, IsFoundByNameAndByDataAndByTime) {
  Fill(1, 30, 100);
  const auto passive = OpenPassive();
  TakeIn(passive.get());
  const Table all = Expected(all_);
  const std::string key = dns::NameKey(*dns::Name::Parse("example.test."));
  EXPECT_EQ(All(*passive, {.name_key = key}), Part(all, [&](auto& k, auto&) { return k.name_key == key; }));
  EXPECT_EQ(All(*passive, {.under_key = key}),
            Part(all, [&](auto& k, auto&) { return k.name_key.starts_with(key); }));
  int found = 0;
  for (const char* text : {"192.0.1.0/24", "192.0.1.7", "192.0.1.16/29", "2001::/16", "::/0", "2001::5"}) {
    const IpPrefix prefix = *IpPrefix::Parse(text);
    const Table want = Part(all, [&](const PassiveKey& k, auto&) {
      return k.data[0] == 'a' && prefix.Contains(IpAddress::V6(AsBytes(k.data).subspan(1).first<16>()));
    });
    found += want.empty() ? 0 : 1;
    EXPECT_EQ(All(*passive, {.address = prefix}), want) << text;
  }
  EXPECT_GT(found, 3);
  int targets = 0;
  for (const auto& [k, sum] : all) {
    if (k.data[0] != 'n' || ++targets > 20) continue;
    const std::string target = k.data.substr(1);
    const Table hits = All(*passive, {.target_key = target});
    for (const auto& [hit, s] : Part(all, [&](auto& o, auto&) { return o.data == k.data; }))
      EXPECT_TRUE(hits.contains(hit) && hits.at(hit) == s);
  }
  EXPECT_GT(targets, 5);
  const uint64_t middle = kMidnight / 1'000'000;
  EXPECT_EQ(All(*passive, {.since_s = middle}),
            Part(all, [&](auto&, const Sum& s) { return s.last_s >= middle; }));
  EXPECT_EQ(All(*passive, {.type = 1, .until_s = middle}),
            Part(all, [&](auto& k, const Sum& s) { return k.type == 1 && s.first_s < middle; }));
}

TEST_F(PassiveTest, ForgetsWhatWasSeenLongAgo) {
  Fill(1, 30, 100);
  const auto passive = OpenPassive();
  TakeIn(passive.get());
  const uint64_t cutoff = kMidnight / 1'000'000 + 10;
  passive->Forget(cutoff);
  const Table want = Part(Expected(all_), [&](auto&, const Sum& s) { return s.last_s >= cutoff; });
  EXPECT_EQ(All(*passive, {}), want);
  passive->Compact();
  passive->Compact();  // the first joins what the second may drop
  passive->Forget(0);
  EXPECT_EQ(All(*passive, {}), want);
}

TEST_F(PassiveTest, WhatCameBeforeItWasSwitchedOnIsCountedWhileTheSpoolHasIt) {
  Fill(1, 6, 100);
  {
    auto store = OpenLookups(nullptr);
    Ingest ingest(dir_ + "/spool", store.get(), 1'000'000);
    std::string error;
    while (ingest.Tick(Now{})) {
    }
    ASSERT_TRUE(ingest.ImportAll(&error) && store->Flush(&error)) << error;
  }
  const auto passive = OpenPassive();
  TakeIn(passive.get());
  EXPECT_EQ(All(*passive, {}), Expected(all_));
}

TEST_F(PassiveTest, TheTailIsCountedOnceBeforeItsImport) {
  Fill(1, 6, 50);
  const auto passive = OpenPassive();
  {
    auto store = OpenLookups(passive.get());
    Ingest ingest(dir_ + "/spool", store.get(), 1'000'000);
    while (ingest.Tick(Now{})) {
    }
    std::string error;
    ASSERT_TRUE(store->CountTail(1'000'000, &error)) << error;
    EXPECT_EQ(All(*passive, {}), Expected(all_));
    ASSERT_TRUE(ingest.ImportAll(&error)) << error;
    EXPECT_EQ(All(*passive, {}), Expected(all_));
  }
  Fill(2, 6, 50);
  TakeIn(passive.get());
  EXPECT_EQ(All(*passive, {}), Expected(all_));
}

// A child counts, imports, flushes and removes segments as fast as it can and is killed at a random instant.
TEST_F(PassiveTest, KilledAnywhereEachLookupIsCountedOnce) {
  std::mt19937_64 random(7);
  for (uint64_t round = 1; round <= 25; ++round) {
    Fill(round, 6, 60);
    const pid_t child = fork();
    if (child == 0) {
      std::string text;
      auto passive = PassiveStore::Open(dir_ + "/passive", &text, &text);
      if (!passive) _exit(3);
      auto store = OpenLookups(passive.get());
      Ingest ingest(dir_ + "/spool", store.get(), 1'000'000);
      for (int i = 0;; ++i) {
        ingest.Tick(Now{});
        if ((i + round) % 3 == 0) store->CountTail(1'000'000, &text);
        ingest.ImportAll(&text);
        ingest.Settle(&text);
      }
    }
    usleep(static_cast<useconds_t>(random() % 120'000));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child gave up with " << WEXITSTATUS(status);
    if (round % 5 != 0) continue;  // leaves the rest to the next child
    const auto passive = OpenPassive();
    TakeIn(passive.get());
    ASSERT_EQ(All(*passive, {}), Expected(all_)) << "round " << round;
  }
}

}  // namespace
}  // namespace sekisho::passive
