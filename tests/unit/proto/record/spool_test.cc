#include "proto/record/spool.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "proto/record/block_builder.h"
#include "proto/record/block_reader.h"
#include "proto/record/lookup_spooler.h"
#include "proto/record/raw_record.h"
#include "tests/unit/proto/record/random_lookups.h"

namespace sekisho::record {
namespace {

namespace fs = std::filesystem;
using Outcome = SpoolReader::Outcome;

class SpoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "sekisho-spool-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { fs::remove_all(dir_); }

  SpoolOptions Options(uint64_t boot) { return {.dir = dir_, .node = 1, .boot = boot}; }
  // A block with one row whose latency is `mark`.
  std::string Block(uint32_t mark) {
    BlockBuilder builder({.node = 1, .seed = 1});
    LookupEvent e;
    e.latency_us = mark;
    builder.AddEvent(e);
    return builder.Finish(BlockChain(), false).bytes;
  }
  static uint32_t MarkOf(const SpoolReader::Block& block) {
    std::string error;
    const auto reader = BlockReader::Open(AsBytes(block.bytes), &error);
    LookupRecord r;
    return reader && reader->Row(0, &r) ? r.latency_us : UINT32_MAX;
  }
  // All that can be read now; -1 stands for damage, -2 for a torn tail.
  static std::vector<int64_t> ReadAll(SpoolReader& reader) {
    std::vector<int64_t> out;
    SpoolReader::Block block;
    SpoolReader::Damage damage;
    for (;;) {
      const Outcome outcome = reader.Next(&block, &damage);
      if (outcome == Outcome::kNothing) return out;
      out.push_back(outcome == Outcome::kBlock ? int64_t{MarkOf(block)} : damage.torn_tail ? -2 : -1);
    }
  }
  std::string OnlySegment() {
    for (const auto& entry : fs::directory_iterator(dir_)) return entry.path();
    return "";
  }
  void Put(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  static std::string Slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string dir_;
};

using Marks = std::vector<int64_t>;

TEST_F(SpoolTest, ReaderFollowsTheWriterAcrossSegments) {
  SpoolOptions options = Options(5);
  options.segment_bytes = 600;
  SpoolWriter writer(options);
  SpoolReader reader(dir_);
  EXPECT_EQ(ReadAll(reader), Marks());
  Marks expected;
  for (uint32_t i = 0; i < 20; ++i) {
    ASSERT_EQ(writer.Append(Block(i), MonoTime()), SpoolWriter::Outcome::kWritten) << writer.error();
    EXPECT_EQ(ReadAll(reader), Marks{i});
  }
  const auto finished = reader.Finished();
  EXPECT_GT(finished.size(), 3u);
  std::string error;
  for (const SegmentId& id : finished) EXPECT_TRUE(reader.Remove(id, &error)) << error;
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_), {}), 1);  // the live one stays
  EXPECT_FALSE(reader.Remove({1, 5, 99}, &error));
}

TEST_F(SpoolTest, ANewProcessBeginsItsOwnSegment) {
  {
    EXPECT_EQ(SpoolWriter(Options(5)).Append(Block(1), MonoTime()), SpoolWriter::Outcome::kWritten);
  }
  {
    EXPECT_EQ(SpoolWriter(Options(6)).Append(Block(2), MonoTime()), SpoolWriter::Outcome::kWritten);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_), {}), 2);
  SpoolReader reader(dir_);
  EXPECT_EQ(ReadAll(reader), (Marks{1, 2}));
  ReadAll(reader);
  EXPECT_EQ(reader.Finished().size(), 2u);
}

TEST_F(SpoolTest, ATornTailAtEveryByteLosesOnlyTheTornBlock) {
  {
    SpoolWriter writer(Options(5));
    for (uint32_t i = 0; i < 3; ++i) writer.Append(Block(i), MonoTime());
  }
  const std::string path = OnlySegment();
  const std::string whole = Slurp(path);
  std::vector<size_t> ends = {8};  // where a cut leaves whole blocks only
  for (uint32_t i = 0; i < 3; ++i) ends.push_back(ends.back() + Block(i).size());
  ASSERT_EQ(ends.back(), whole.size());
  for (size_t size = 0; size <= whole.size(); ++size) {
    Put(path, whole.substr(0, size));
    SpoolReader reader(dir_);
    Marks expected;
    for (size_t i = 1; i < ends.size() && ends[i] <= size; ++i)
      expected.push_back(static_cast<int64_t>(i) - 1);
    if (size > 0 && std::find(ends.begin(), ends.end(), size) == ends.end()) expected.push_back(-2);
    EXPECT_EQ(ReadAll(reader), expected) << size;
    ReadAll(reader);
    EXPECT_EQ(reader.Finished().size(), 1u) << size;
  }
}

TEST_F(SpoolTest, ADamagedBlockIsToldAndTheNextIsRead) {
  {
    SpoolWriter writer(Options(5));
    for (uint32_t i = 0; i < 3; ++i) writer.Append(Block(i), MonoTime());
  }
  const std::string path = OnlySegment();
  const std::string whole = Slurp(path);
  const size_t first = 8 + Block(0).size();
  const size_t second = first + Block(1).size();
  for (size_t at = first; at < second; ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    Put(path, bytes);
    SpoolReader reader(dir_);
    EXPECT_EQ(ReadAll(reader), (Marks{0, -1, 2})) << at;
  }
}

TEST_F(SpoolTest, AWriteInProgressIsWaitedFor) {
  SpoolWriter writer(Options(5));
  writer.Append(Block(0), MonoTime());
  const std::string path = OnlySegment();
  SpoolReader reader(dir_);
  EXPECT_EQ(ReadAll(reader), Marks{0});
  // Half of a block, as a reader may see it between two steps of the writer; the writer still holds its lock.
  const std::string next = Block(1);
  std::ofstream(path, std::ios::binary | std::ios::app) << next.substr(0, 50);
  EXPECT_EQ(ReadAll(reader), Marks());
  std::ofstream(path, std::ios::binary | std::ios::app) << next.substr(50);
  EXPECT_EQ(ReadAll(reader), Marks{1});
}

TEST_F(SpoolTest, TheQuotaDropsTheNewestAndRoomLetsItGoOn) {
  SpoolOptions options = Options(5);
  options.segment_bytes = 1000;
  options.quota_bytes = 3000;
  SpoolWriter writer(options);
  MonoTime now{};
  uint32_t written = 0;
  while (writer.Append(Block(written), now) == SpoolWriter::Outcome::kWritten) ++written;
  EXPECT_GT(written, 3u);
  EXPECT_EQ(writer.Append(Block(written), now), SpoolWriter::Outcome::kOverQuota);
  SpoolReader reader(dir_);
  EXPECT_EQ(ReadAll(reader).size(), written);
  std::string error;
  for (const SegmentId& id : reader.Finished()) reader.Remove(id, &error);
  now += std::chrono::seconds(2);
  EXPECT_EQ(writer.Append(Block(written), now), SpoolWriter::Outcome::kWritten);
}

TEST_F(SpoolTest, AMissingFolderIsAFailureThatHeals) {
  SpoolOptions options = Options(5);
  options.dir = dir_ + "/none";
  SpoolWriter writer(options);
  EXPECT_EQ(writer.Append(Block(1), MonoTime()), SpoolWriter::Outcome::kFailed);
  EXPECT_NE(writer.error().find("No such file"), std::string::npos);
  fs::create_directory(options.dir);
  EXPECT_EQ(writer.Append(Block(1), MonoTime()), SpoolWriter::Outcome::kWritten);
}

TEST_F(SpoolTest, DroppedBlocksShowAsLossInTheNext) {
  SpoolerOptions options;
  options.spool = Options(5);
  options.spool.dir = dir_ + "/later";
  options.seed = 1;
  LookupSpooler spooler(options);
  BoundedRing ring(1 << 16);
  BoundedRing* rings[] = {&ring};
  LookupEvent e;
  Now now;
  for (e.sequence = 1; e.sequence <= 10; ++e.sequence) EncodeRaw(e, ring);
  spooler.Drain(rings, now);
  spooler.Flush(now);  // the folder is not there: ten rows are dropped
  EXPECT_EQ(spooler.counters().records_dropped.load(), 10u);
  EXPECT_FALSE(spooler.LastError().empty());
  fs::create_directory(options.spool.dir);
  EncodeRaw(e, ring);
  spooler.Drain(rings, now);
  now.mono += std::chrono::seconds(1);
  spooler.Drain(rings, now);
  EXPECT_EQ(spooler.counters().records_spooled.load(), 1u);
  EXPECT_EQ(spooler.LastError(), "");
  SpoolReader reader(options.spool.dir);
  SpoolReader::Block block;
  SpoolReader::Damage damage;
  ASSERT_EQ(reader.Next(&block, &damage), Outcome::kBlock);
  EXPECT_EQ(block.framed.header.lost(), 10u);
}

TEST(SegmentId, NamesRoundTripAndOthersAreIgnored) {
  const SegmentId id{7, 0x0123456789abcdef, 42};
  EXPECT_EQ(id.FileName(), "00000007-0123456789abcdef-00000042.spool");
  EXPECT_EQ(SegmentId::Parse(id.FileName()), id);
  for (const char* bad :
       {"", "x", "00000007-0123456789abcdef-00000042.spool.new", "00000007-0123456789ABCDEF-00000042.spool",
        "00000007-0123456789abcdef-0000004x.spool"}) {
    EXPECT_FALSE(SegmentId::Parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace sekisho::record
