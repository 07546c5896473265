#include "resolver/transfer/transfer_reader.h"

#include <gtest/gtest.h>

#include "tests/unit/resolver/transfer/messages.h"

namespace sekisho::resolver {
namespace {

const dns::Name kOrigin = *dns::Name::Parse("rpz.test.");
const std::string kA = "a.rpz.test. 60 IN CNAME .";
const std::string kB = "b.rpz.test. 60 IN CNAME .";
const std::string kC = "c.rpz.test. 60 IN A 192.0.2.1";

class TransferReaderTest : public ::testing::Test {
 protected:
  TransferState Read(std::optional<uint32_t> have, const std::vector<std::vector<std::string>>& messages) {
    reader_ = std::make_unique<TransferReader>(kOrigin, have);
    whole_ = 0;
    reader_->OnWhole([this](const dns::TextRecord&) { ++whole_; });
    TransferState state = TransferState::kMore;
    for (const auto& lines : messages) {
      const auto bytes = ReplyOf(lines, have ? dns::RRType::kIXFR : dns::RRType::kAXFR);
      dns::ParsedMessage m;
      EXPECT_EQ(m.Parse(bytes), dns::ParseError::kNone);
      state = reader_->Take(m);
      if (state == TransferState::kFailed) return state;
    }
    return state;
  }
  std::optional<bool> Change(const std::string& line) {
    const auto at = reader_->changes().find(TransferReader::KeyOf(RecordOf(line)));
    if (at == reader_->changes().end()) return std::nullopt;
    return at->second.added;
  }

  std::unique_ptr<TransferReader> reader_;
  int whole_ = 0;
};

TEST_F(TransferReaderTest, SerialsAreComparedAsRfc1982Says) {
  EXPECT_TRUE(SerialAfter(2, 1));
  EXPECT_FALSE(SerialAfter(1, 1));
  EXPECT_FALSE(SerialAfter(1, 2));
  EXPECT_TRUE(SerialAfter(0, 0xffffffff));
  EXPECT_TRUE(SerialAfter(100, 0xfffffff0));
}

TEST_F(TransferReaderTest, WholeZoneOverSeveralMessages) {
  EXPECT_EQ(Read(std::nullopt, {{Soa(5), kA}, {kB}, {kC, Soa(5)}}), TransferState::kWhole);
  EXPECT_EQ(whole_, 4) << "the SOA once";
  EXPECT_EQ(Read(std::nullopt, {{Soa(5)}, {kA}}), TransferState::kMore);
  EXPECT_EQ(Read(std::nullopt, {{Soa(5)}, {Soa(5)}}), TransferState::kWhole) << "a zone of nothing else";
}

TEST_F(TransferReaderTest, ChangesInSteps) {
  EXPECT_EQ(Read(5, {{Soa(7), Soa(5), kA, Soa(6), kB}, {Soa(6), kB, Soa(7), kA, kC, Soa(7)}}),
            TransferState::kChanges);
  EXPECT_EQ(whole_, 0);
  EXPECT_EQ(Change(kA), true) << "removed and added again";
  EXPECT_EQ(Change(kB), false);
  EXPECT_EQ(Change(kC), true);
  EXPECT_EQ(*SerialOf(*reader_->soa()), 7u);
}

TEST_F(TransferReaderTest, WhatWasAskedForInChangesMayComeWhole) {
  EXPECT_EQ(Read(5, {{Soa(7), kA, kB, Soa(7)}}), TransferState::kWhole);
  EXPECT_EQ(whole_, 3);
}

TEST_F(TransferReaderTest, NothingHasChanged) {
  EXPECT_EQ(Read(5, {{Soa(5)}}), TransferState::kCurrent);
  EXPECT_EQ(Read(5, {{Soa(4)}}), TransferState::kCurrent);
  EXPECT_EQ(Read(5, {{Soa(6)}}), TransferState::kMore);
}

TEST_F(TransferReaderTest, WhatIsRefused) {
  EXPECT_EQ(Read(std::nullopt, {{kA}}), TransferState::kFailed);
  EXPECT_EQ(Read(std::nullopt, {{}}), TransferState::kFailed);
  EXPECT_EQ(Read(std::nullopt, {{Soa(5), "www.other. 60 IN CNAME ."}}), TransferState::kFailed);
  EXPECT_EQ(Read(std::nullopt, {{Soa(5), kA, Soa(6)}}), TransferState::kFailed);
  EXPECT_EQ(Read(std::nullopt, {{Soa(5), kA, Soa(5), kB}}), TransferState::kFailed);
  EXPECT_EQ(Read(std::nullopt, {{Soa(5), kA, Soa(5)}, {kB}}), TransferState::kFailed);
  EXPECT_EQ(Read(5, {{Soa(7), Soa(5), kA, Soa(6), kB, Soa(5)}}), TransferState::kFailed);
}

}  // namespace
}  // namespace sekisho::resolver
