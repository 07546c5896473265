// An attacker with the rights to change the files of the log, and the key: what they do must be named.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>

#include "proto/record/block_builder.h"
#include "storage/lookups/ingest.h"
#include "storage/lookups/lookup_store.h"
#include "tests/unit/proto/record/random_lookups.h"

namespace sekisho::lookups {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
constexpr int64_t kNoon = 20'000 * kDayUs + kDayUs / 2;
constexpr char kFolder[] = "20241004-0";
constexpr uint32_t kBlocks = 5;

std::string Key(char kind, uint32_t block) {
  return {kind, static_cast<char>(block >> 24), static_cast<char>(block >> 16), static_cast<char>(block >> 8),
          static_cast<char>(block)};
}

class IntegrityTest : public ::testing::Test {
 protected:
  struct Db {
    std::unique_ptr<rocksdb::DB> db;
    std::vector<rocksdb::ColumnFamilyHandle*> families;
    ~Db() {
      for (auto* f : families) db->DestroyColumnFamilyHandle(f);
    }
    rocksdb::ColumnFamilyHandle* meta() const { return families[0]; }
    rocksdb::ColumnFamilyHandle* blocks() const { return families[1]; }
    std::string Get(rocksdb::ColumnFamilyHandle* family, const std::string& key) const {
      std::string value;
      EXPECT_TRUE(db->Get({}, family, key, &value).ok());
      return value;
    }
  };

  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "sekisho-integrity-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
    fs::create_directory(dir_ + "/spool");
    record::RandomLookups random(5);
    record::SpoolWriter writer({.dir = dir_ + "/spool", .node = 1, .boot = 1});
    record::BlockBuilder builder({.seed = 1});
    record::BlockChain chain;
    auto store = Open();
    auto ingest = std::make_unique<Ingest>(dir_ + "/spool", store.get(), 1'000'000);
    std::string error;
    for (uint32_t b = 0; b < kBlocks; ++b) {
      for (int i = 0; i < 300; ++i) builder.AddRecord(random.Next(kNoon + b * 10'000'000, false));
      const auto block = builder.Finish(chain, true);
      ASSERT_EQ(writer.Append(block.bytes, MonoTime()), record::SpoolWriter::Outcome::kWritten);
      chain.Advance(block.header, block.digest);
      while (ingest->Tick(Now{})) {
      }
      ASSERT_TRUE(ingest->ImportAll(&error)) << error;
      if (b == 2) {  // an old state, as an attacker may have kept it
        ASSERT_TRUE(ingest->Settle(&error)) << error;
        store.reset();
        fs::copy(dir_ + "/lookups", dir_ + "/old", fs::copy_options::recursive);
        store = Open();
        ingest = std::make_unique<Ingest>(dir_ + "/spool", store.get(), 1'000'000);
      }
    }
    ASSERT_TRUE(ingest->Settle(&error)) << error;
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::unique_ptr<LookupStore> Open() {
    std::string error;
    auto store = LookupStore::Open(
        {.dir = dir_ + "/lookups", .block_rows = 400, .chunk_rows = 4096, .seed = 3}, &error);
    EXPECT_NE(store, nullptr) << error;
    return store;
  }
  void Edit(const std::function<void(const Db&)>& edit) {
    Db db;
    rocksdb::DB* raw = nullptr;
    const auto status = rocksdb::DB::Open({}, dir_ + "/lookups/" + kFolder, {{"default", {}}, {"blocks", {}}},
                                          &db.families, &raw);
    ASSERT_TRUE(status.ok()) << status.ToString();
    db.db.reset(raw);
    edit(db);
    ASSERT_TRUE(db.db->Flush({}, db.families).ok());
  }
  // The findings, a line each.
  std::string Findings() {
    const VerifyReport report = Open()->Verify([] { return false; });
    EXPECT_TRUE(report.complete);
    std::ostringstream out;
    for (const Finding& f : report.findings) out << f.block << " " << f.what << "\n";
    for (const std::string& t : report.troubles) out << t << "\n";
    return out.str();
  }

  std::string dir_;
};

TEST_F(IntegrityTest, WhatIsAsItWasWrittenIsFound) {
  auto store = Open();
  const VerifyReport report = store->Verify([] { return false; });
  EXPECT_EQ(report.findings.size(), 0u);
  EXPECT_EQ(report.troubles.size(), 0u);
  EXPECT_EQ(report.blocks, kBlocks);
  EXPECT_EQ(report.rows, kBlocks * 300u);
  EXPECT_GT(report.counter, 0u);
  uint64_t rows = 0;
  for (const auto& [source, sum] : report.sources) rows += sum.rows;
  EXPECT_EQ(rows, report.rows);
}

TEST_F(IntegrityTest, AFlippedBitIsNamed) {
  Edit([](const Db& db) {
    const std::unique_ptr<rocksdb::Iterator> it(db.db->NewIterator({}, db.blocks()));
    it->Seek(Key('\0', 3).substr(1));
    std::string value = it->value().ToString();
    value[value.size() / 2] ^= 1;
    ASSERT_TRUE(db.db->Put({}, db.blocks(), it->key(), value).ok());
  });
  const std::string found = Findings();
  EXPECT_EQ(found.find("3 section 1.0 does not match its digest\n"), 0u) << found;
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 1) << found;
}

TEST_F(IntegrityTest, AnEditedHeaderIsNamed) {
  Edit([](const Db& db) {
    auto header = record::DecodeHeader(AsBytes(db.Get(db.meta(), Key('H', 2))));
    ASSERT_TRUE(header);
    header->sources[0].lost += 7;
    ASSERT_TRUE(db.db->Put({}, db.meta(), Key('H', 2), record::EncodeHeader(*header)).ok());
  });
  const std::string found = Findings();
  EXPECT_NE(found.find("2 is not the block that was written"), std::string::npos) << found;
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 1) << found;
}

TEST_F(IntegrityTest, ADeletedBlockIsNamed) {
  Edit([](const Db& db) { ASSERT_TRUE(db.db->Delete({}, db.meta(), Key('H', 4)).ok()); });
  EXPECT_NE(Findings().find("4 is missing"), std::string::npos) << Findings();
}

TEST_F(IntegrityTest, ACutOffEndIsNamed) {
  Edit([](const Db& db) { ASSERT_TRUE(db.db->Delete({}, db.meta(), Key('H', kBlocks)).ok()); });
  const std::string found = Findings();
  EXPECT_NE(found.find("ends with block 4, but block 5 was signed"), std::string::npos) << found;
  EXPECT_NE(found.find("does not end where it was signed"), std::string::npos) << found;
}

TEST_F(IntegrityTest, AnInsertedBlockIsNamed) {
  Edit([](const Db& db) {
    auto header = record::DecodeHeader(AsBytes(db.Get(db.meta(), Key('H', kBlocks))));
    header->number = kBlocks + 1;
    header->previous = record::Sha256(AsBytes(db.Get(db.meta(), Key('H', kBlocks))));
    ASSERT_TRUE(db.db->Put({}, db.meta(), Key('H', kBlocks + 1), record::EncodeHeader(*header)).ok());
  });
  EXPECT_NE(Findings().find("6 was put in"), std::string::npos) << Findings();
}

TEST_F(IntegrityTest, SwappedBlocksAreNamed) {
  Edit([](const Db& db) {
    const std::string two = db.Get(db.meta(), Key('H', 2));
    const std::string four = db.Get(db.meta(), Key('H', 4));
    ASSERT_TRUE(db.db->Put({}, db.meta(), Key('H', 2), four).ok());
    ASSERT_TRUE(db.db->Put({}, db.meta(), Key('H', 4), two).ok());
  });
  const std::string found = Findings();
  EXPECT_NE(found.find("2 holds what was block 4"), std::string::npos) << found;
  EXPECT_NE(found.find("4 holds what was block 2"), std::string::npos) << found;
}

TEST_F(IntegrityTest, AnOldCopyOfADayIsNamed) {
  fs::remove_all(dir_ + "/lookups/" + kFolder);
  fs::copy(dir_ + "/old/" + kFolder, dir_ + "/lookups/" + kFolder, fs::copy_options::recursive);
  EXPECT_NE(Findings().find("ends with block 3, but block 5 was signed"), std::string::npos) << Findings();
}

TEST_F(IntegrityTest, AnOldCopyOfEverythingIsNamed) {
  fs::remove_all(dir_ + "/lookups");
  fs::copy(dir_ + "/old", dir_ + "/lookups", fs::copy_options::recursive);
  EXPECT_NE(Findings().find("the heads are an old copy"), std::string::npos) << Findings();
}

TEST_F(IntegrityTest, ADayTakenAwayIsNamed) {
  fs::remove_all(dir_ + "/lookups/" + kFolder);
  EXPECT_NE(Findings().find("is missing, and no tombstone tells why"), std::string::npos) << Findings();
}

TEST_F(IntegrityTest, EditedHeadsAreNamedAndNotForgotten) {
  const std::string path = dir_ + "/lookups/HEADS";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  std::string edited = text.str();
  edited[edited.find(" 1500 ") + 1] = '2';
  std::ofstream(path) << edited;
  EXPECT_NE(Findings().find("the signature of the heads does not hold"), std::string::npos);
  fs::remove(path);
  EXPECT_NE(Findings().find("the signature of the heads does not hold"), std::string::npos);
}

TEST_F(IntegrityTest, RetentionLeavesATombstoneAndHoldsKeep) {
  auto store = Open();
  std::string error;
  const WallTime later = WallFromMicros(kNoon + 40 * kDayUs);
  EXPECT_FALSE(store->AddHold({"two words", {0, 1}}, &error));
  EXPECT_FALSE(store->AddHold({"backwards", {1, 1}}, &error));
  ASSERT_TRUE(store->AddHold({"case-7", {kNoon, kNoon + 1}}, &error)) << error;
  EXPECT_FALSE(store->AddHold({"case-7", {kNoon, kNoon + 1}}, &error));
  EXPECT_TRUE(store->ApplyRetention(later, 30).empty());
  store.reset();
  store = Open();
  EXPECT_EQ(store->Holds().size(), 1u);
  EXPECT_TRUE(store->ApplyRetention(later, 30).empty());
  ASSERT_TRUE(store->RemoveHold("case-7", &error)) << error;
  EXPECT_EQ(store->ApplyRetention(later, 30), std::vector<std::string>{kFolder});
  store.reset();
  EXPECT_EQ(Findings(), "");
  const VerifyReport report = Open()->Verify([] { return false; });
  ASSERT_EQ(report.gone.size(), 1u);
  EXPECT_EQ(report.gone.begin()->first.FolderName(), kFolder);
  EXPECT_EQ(report.gone.begin()->second.why, "retention");
  EXPECT_EQ(report.gone.begin()->second.end.rows, kBlocks * 300u);
}

}  // namespace
}  // namespace sekisho::lookups
