// What a writer that died between two steps leaves behind, and that the next one and the readers cope with
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blocklist/snapshot/snapshot_reader.h"
#include "blocklist/snapshot/snapshot_writer.h"
#include "tests/unit/blocklist/snapshot/snapshot_folder.h"

namespace sekisho::blocklist {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class SnapshotCrash : public ::testing::Test {
 protected:
  SnapshotCrash() {
    auto writer = SnapshotWriter::Open(folder_.path(), {.keep = 1});
    EXPECT_TRUE(writer->Publish(OneRule("one.example"), nullptr).ok());
    EXPECT_TRUE(writer->Publish(OneRule("two.example"), nullptr).ok());
  }

  // The old snapshot serves, and a new writer publishes the next generation.
  void ExpectSoundAfterwards(uint64_t next) {
    auto before = SnapshotReader(folder_.path()).Open();
    ASSERT_TRUE(before.ok()) << before.status();
    EXPECT_TRUE((*before)->MatchName(N("two.example")));
    auto writer = SnapshotWriter::Open(folder_.path(), {.keep = 1});
    ASSERT_TRUE(writer.ok()) << writer.status();
    EXPECT_TRUE(writer->damage().ok());
    auto generation = writer->Publish(OneRule("three.example"), nullptr);
    ASSERT_TRUE(generation.ok()) << generation.status();
    EXPECT_EQ(*generation, next);
    EXPECT_TRUE((*SnapshotReader(folder_.path()).Open())->MatchName(N("three.example")));
    for (const std::string& name : folder_.Names()) EXPECT_THAT(name, Not(HasSubstr(".tmp")));
  }

  SnapshotFolder folder_;
};

TEST_F(SnapshotCrash, WhileTheTrieIsWritten) {
  folder_.Write("base-3.trie.tmp", folder_.Read("base-2.trie").substr(0, 30));
  ExpectSoundAfterwards(3);
}

TEST_F(SnapshotCrash, AfterTheTrieGotItsName) {
  folder_.Write("base-3.trie", folder_.Read("base-1.trie"));
  ExpectSoundAfterwards(3);
}

TEST_F(SnapshotCrash, WhileCurrentIsWritten) {
  folder_.Write("base-3.trie", folder_.Read("base-1.trie"));
  folder_.Write("CURRENT.tmp", "sekisho-snapshot 1\ngenera");
  ExpectSoundAfterwards(3);
}

TEST_F(SnapshotCrash, BeforeOldFilesWereRemoved) {
  folder_.Write("base-0.trie", "left over");
  folder_.Write("delta-1.trie", "left over");
  ExpectSoundAfterwards(3);
  EXPECT_THAT(folder_.Names(), Not(Contains("base-0.trie")));
  EXPECT_THAT(folder_.Names(), Not(Contains("delta-1.trie")));
}

TEST_F(SnapshotCrash, CurrentNamesAMissingFile) {
  std::filesystem::remove(folder_.File("base-2.trie"));
  auto snapshot = SnapshotReader(folder_.path()).Open();
  EXPECT_THAT(std::string(snapshot.status().message()), HasSubstr("base-2.trie"));
  auto writer = SnapshotWriter::Open(folder_.path(), {.keep = 1});
  ASSERT_TRUE(writer.ok());
  auto rolled = writer->Rollback(1);
  ASSERT_TRUE(rolled.ok()) << rolled.status();
  EXPECT_EQ(*rolled, 3u);
  EXPECT_TRUE((*SnapshotReader(folder_.path()).Open())->MatchName(N("one.example")));
}

TEST_F(SnapshotCrash, ADamagedCurrentIsToldAndGenerationsGoOnAbove) {
  {
    auto writer = SnapshotWriter::Open(folder_.path(), {.keep = 1});
    ASSERT_EQ(*writer->Rollback(1), 3u);  // a generation that no file's name carries
  }
  folder_.Write("CURRENT", folder_.Read("CURRENT").substr(0, 40));
  auto writer = SnapshotWriter::Open(folder_.path(), {.keep = 1});
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_THAT(std::string(writer->damage().message()), HasSubstr("CURRENT"));
  EXPECT_THAT(folder_.Names(), Contains("base-2.trie"));  // nothing is thrown away in doubt
  auto generation = writer->Publish(OneRule("three.example"), nullptr);
  ASSERT_TRUE(generation.ok()) << generation.status();
  EXPECT_EQ(*generation, 4u);
}

}  // namespace
}  // namespace sekisho::blocklist
