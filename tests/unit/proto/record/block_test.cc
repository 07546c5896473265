#include <gtest/gtest.h>

#include "proto/record/block_builder.h"
#include "proto/record/block_reader.h"
#include "proto/record/raw_record.h"
#include "tests/unit/proto/record/random_lookups.h"

namespace sekisho::record {
namespace {

constexpr int64_t kBase = 1'790'000'000'000'000;

std::vector<std::string> Sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> RowsOf(BlockReader& block) {
  std::vector<std::string> out;
  int64_t before = INT64_MIN;
  for (uint32_t i = 0; i < block.header().rows; ++i) {
    LookupRecord r;
    EXPECT_TRUE(block.Row(i, &r)) << block.error();
    EXPECT_LE(before, UnixMicros(r.time));
    before = UnixMicros(r.time);
    out.push_back(Describe(r));
  }
  return Sorted(out);
}

TEST(Block, GivesBackWhatWasPutIn) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    RandomLookups random(seed);
    BlockBuilder builder({.seed = seed, .rows = 20000, .chunk_rows = 4096});
    std::vector<std::string> expected;
    const uint64_t rows = 1 + random.Below(seed % 5 == 0 ? 10000 : 600);
    for (uint64_t i = 0; i < rows; ++i) {
      const LookupRecord r = random.Next(kBase, true);
      expected.push_back(Describe(r));
      builder.AddRecord(r);
    }
    ASSERT_EQ(builder.count(), rows);
    const FinishedBlock block = builder.Finish(BlockChain(), false);
    EXPECT_EQ(builder.count(), 0u);
    std::string error;
    const auto reader = BlockReader::Open(AsBytes(block.bytes), &error);
    ASSERT_NE(reader, nullptr) << error;
    EXPECT_TRUE(reader->Verify()) << reader->error();
    EXPECT_EQ(reader->header(), block.header);
    EXPECT_EQ(RowsOf(*reader), Sorted(expected));
  }
}

TEST(Block, MergingBlocksGivesTheSameRows) {
  RandomLookups random(7);
  std::vector<std::string> expected;
  BlockBuilder big({.seed = 1, .rows = 60000, .chunk_rows = 4096, .zstd_level = 3});
  uint64_t lost = 0;
  for (int part = 0; part < 6; ++part) {
    BlockBuilder small({.seed = 2});
    for (int i = 0; i < 1000; ++i) {
      const LookupRecord r = random.Next(kBase + part * 1'000'000, false);
      if (UnixMicros(r.time) >= kBase + 2'000'000 && UnixMicros(r.time) < kBase + 7'000'000) {
        expected.push_back(Describe(r));
      }
      small.AddRecord(r);
    }
    FinishedBlock block = small.Finish(BlockChain(), false);
    std::string error;
    const auto reader = BlockReader::Open(AsBytes(block.bytes), &error);
    ASSERT_TRUE(big.AddBlock(*reader, kBase + 2'000'000, kBase + 7'000'000, true));
    lost += block.header.lost();
  }
  const FinishedBlock merged = big.Finish(BlockChain(), false);
  EXPECT_EQ(merged.header.lost(), lost);
  std::string error;
  const auto reader = BlockReader::Open(AsBytes(merged.bytes), &error);
  ASSERT_NE(reader, nullptr) << error;
  EXPECT_TRUE(reader->Verify()) << reader->error();
  EXPECT_EQ(RowsOf(*reader), Sorted(expected));
}

TEST(Block, ADamagedByteAnywhereIsRefused) {
  RandomLookups random(3);
  BlockBuilder builder({.seed = 1});
  for (int i = 0; i < 60; ++i) builder.AddRecord(random.Next(kBase, true));
  const FinishedBlock block = builder.Finish(BlockChain(), false);
  for (size_t at = 0; at < block.bytes.size(); ++at) {
    for (const int flip : {1, 0x80, 0xff}) {
      std::string bytes = block.bytes;
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      std::string error;
      const auto reader = BlockReader::Open(AsBytes(bytes), &error);
      EXPECT_FALSE(reader != nullptr && reader->Verify()) << "byte " << at;
    }
  }
  for (size_t size = 0; size < block.bytes.size(); ++size) {
    std::string error;
    EXPECT_EQ(BlockReader::Open(AsBytes(block.bytes).first(size), &error), nullptr) << size;
  }
}

// Sections that an attacker wrote, with digests that fit: anything may come out but a crash or a hang.
TEST(Block, ForgedSectionsAreSurvived) {
  RandomLookups random(5);
  BlockBuilder builder({.seed = 1});
  for (int i = 0; i < 40; ++i) builder.AddRecord(random.Next(kBase, true));
  const FinishedBlock block = builder.Finish(BlockChain(), false);
  FramedHeader framed;
  ASSERT_EQ(ReadFrame(AsBytes(block.bytes), &framed), FrameState::kGood);
  for (int round = 0; round < 3000; ++round) {
    size_t at = kFrameSize + framed.header_size;
    BlockHeader header = framed.header;
    std::vector<std::string> sections;
    for (SectionInfo& s : header.sections) {
      std::string bytes = block.bytes.substr(at, s.size);
      at += s.size;
      if (random.OneIn(4) && !bytes.empty())
        bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
      if (random.OneIn(20)) bytes.resize(random.Below(bytes.size() + 1));
      s.size = bytes.size();
      s.digest = ShortSha256(AsBytes(bytes));
      sections.push_back(std::move(bytes));
    }
    Digest digest;
    const std::string forged = WriteFrame(header, sections, &digest);
    std::string error;
    const auto reader = BlockReader::Open(AsBytes(forged), &error);
    ASSERT_NE(reader, nullptr);
    LookupRecord r;
    for (uint32_t i = 0; i < header.rows && reader->Row(i, &r); ++i) {
    }
    const bool verified = reader->Verify();
    EXPECT_EQ(verified, reader->error().empty());
  }
}

TEST(BlockChain, CountsMissingSequenceNumbers) {
  BlockChain chain;
  std::vector<SourceRange> first = {{1, 9, 0, 3, 10, 6, 0}};  // 1 and 2 before, 2 within
  chain.CountLosses(&first);
  EXPECT_EQ(first[0].lost, 4u);
  BlockHeader header;
  header.number = 1;
  header.sources = first;
  chain.Advance(header, Digest{});
  std::vector<SourceRange> next = {{1, 9, 0, 11, 12, 2, 0}, {1, 9, 1, 1, 1, 1, 0}, {1, 10, 0, 2, 2, 1, 0}};
  chain.CountLosses(&next);
  EXPECT_EQ(next[0].lost, 0u);
  EXPECT_EQ(next[1].lost, 0u);
  EXPECT_EQ(next[2].lost, 1u);
}

TEST(BlockChain, EachBlockNamesTheOneBefore) {
  RandomLookups random(4);
  BlockChain chain;
  Digest before{};
  BlockBuilder builder({.seed = 1});
  for (uint64_t n = 1; n <= 3; ++n) {
    builder.AddRecord(random.Next(kBase, false));
    const FinishedBlock block = builder.Finish(chain, true);
    EXPECT_EQ(block.header.number, n);
    EXPECT_EQ(block.header.previous, before);
    chain.Advance(block.header, block.digest);
    before = block.digest;
  }
}

TEST(RawRecord, SurvivesTheRing) {
  RandomLookups random(11);
  BoundedRing ring(1 << 16);
  for (int i = 0; i < 3000; ++i) {
    LookupRecord r = random.Next(kBase, false);
    r.node = 0;
    r.boot = 0;
    std::vector<AnswerView> views;
    for (const AnswerItem& a : r.answers) views.push_back({a.type, AsBytes(a.rdata)});
    LookupEvent e;
    e.worker = r.worker;
    e.sequence = r.sequence;
    e.time = r.time;
    e.latency_us = r.latency_us;
    e.agency = r.agency;
    e.client = r.client;
    e.transport = r.transport;
    e.qname = r.qname;
    e.qtype = r.qtype;
    e.qclass = r.qclass;
    e.flags = r.flags;
    e.rcode = r.rcode;
    e.ede = r.ede;
    e.response_size = r.response_size;
    e.origin = r.origin;
    e.security = r.security;
    e.answers = views;
    e.answers_cut = r.answers_cut;
    e.action = r.action;
    e.trigger = r.trigger;
    e.trigger_name = r.trigger_name;
    e.rule_labels = r.rule_labels;
    e.rule_subtree = r.rule_subtree;
    e.feeds = r.feeds;
    e.category = r.category;
    e.generation = r.generation;
    ASSERT_TRUE(EncodeRaw(e, ring));
    const std::string raw(AsText(ring.Front()));
    for (size_t size = 0; i < 20 && size < raw.size(); ++size) {
      AnswerScratch scratch;
      EXPECT_FALSE(DecodeRaw(AsBytes(raw).first(size), &scratch)) << size;
    }
    BlockBuilder builder({.seed = 1});
    ASSERT_TRUE(builder.AddRaw(ring.Front()));
    ring.Pop();
    const FinishedBlock block = builder.Finish(BlockChain(), false);
    std::string error;
    const auto reader = BlockReader::Open(AsBytes(block.bytes), &error);
    LookupRecord out;
    ASSERT_TRUE(reader->Row(0, &out));
    EXPECT_EQ(Describe(out), Describe(r));
  }
}

TEST(RawRecord, AFullRingSaysSo) {
  BoundedRing ring(4096);
  LookupEvent e;
  int taken = 0;
  while (EncodeRaw(e, ring)) ++taken;
  EXPECT_GT(taken, 10);
  ring.Pop();
  EXPECT_TRUE(EncodeRaw(e, ring));
}

TEST(RawRecord, TooManyAnswersAreCutAndCounted) {
  BoundedRing ring(1 << 16);
  const std::string rdata(500, 'x');
  std::vector<AnswerView> views(40, AnswerView{dns::RRType::kTXT, AsBytes(rdata)});
  LookupEvent e;
  e.answers = views;
  e.answers_cut = 2;
  ASSERT_TRUE(EncodeRaw(e, ring));
  AnswerScratch scratch;
  const auto out = DecodeRaw(ring.Front(), &scratch);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->answers.size(), kMaxRawRdata / 500);
  EXPECT_EQ(out->answers.size() + out->answers_cut, 42u);
}

}  // namespace
}  // namespace sekisho::record
