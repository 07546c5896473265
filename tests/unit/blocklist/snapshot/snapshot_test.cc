// Publishing, reading, watching and rolling back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "blocklist/snapshot/snapshot_reader.h"
#include "blocklist/snapshot/snapshot_watcher.h"
#include "blocklist/snapshot/snapshot_writer.h"
#include "tests/unit/blocklist/snapshot/snapshot_folder.h"

namespace sekisho::blocklist {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Snapshot, NothingPublishedIsNotFoundAndNoErrorToAWatcher) {
  SnapshotFolder folder;
  EXPECT_TRUE(absl::IsNotFound(SnapshotReader(folder.path()).Open().status()));
  SnapshotWatcher watcher(folder.path());
  auto fresh = watcher.Poll();
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  EXPECT_EQ(*fresh, nullptr);
}

TEST(Snapshot, GenerationsGrowByOneAlsoAcrossRestarts) {
  SnapshotFolder folder;
  for (uint64_t generation = 1; generation <= 6; ++generation) {
    auto writer = SnapshotWriter::Open(folder.path(), {.keep = 2});
    ASSERT_TRUE(writer.ok()) << writer.status();
    auto published = generation % 2 == 1 ? writer->Publish(OneRule("a.example"), nullptr)
                                         : writer->Publish(nullptr, OneRule("b.example"));
    ASSERT_TRUE(published.ok()) << published.status();
    EXPECT_EQ(*published, generation);
    auto snapshot = SnapshotReader(folder.path()).Open();
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_EQ((*snapshot)->generation(), generation);
    EXPECT_TRUE((*snapshot)->MatchName(N("x.a.example")));
    EXPECT_EQ((*snapshot)->MatchName(N("x.b.example")).has_value(), generation % 2 == 0);
  }
}

TEST(Snapshot, KeepsNOlderPublishesAndNoOtherFiles) {
  SnapshotFolder folder;
  auto writer = SnapshotWriter::Open(folder.path(), {.keep = 2});
  ASSERT_TRUE(writer.ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(writer->Publish(OneRule("a.example"), nullptr).ok());
  ASSERT_TRUE(writer->Publish(nullptr, OneRule("b.example")).ok());
  EXPECT_THAT(folder.Names(),
              ::testing::ElementsAre("CURRENT", "LOCK", "base-4.trie", "base-5.trie", "delta-6.trie"));
  EXPECT_EQ(writer->kept().size(), 2u);
}

TEST(Snapshot, RollsBackToAKeptPublishWithANewGeneration) {
  SnapshotFolder folder;
  auto writer = SnapshotWriter::Open(folder.path(), {.keep = 2});
  ASSERT_TRUE(writer->Publish(OneRule("old.example"), OneRule("over.example")).ok());
  ASSERT_TRUE(writer->Publish(OneRule("new.example"), nullptr).ok());
  auto rolled = writer->Rollback(1);
  ASSERT_TRUE(rolled.ok()) << rolled.status();
  EXPECT_EQ(*rolled, 3u);
  auto snapshot = SnapshotReader(folder.path()).Open();
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ((*snapshot)->generation(), 3u);
  EXPECT_TRUE((*snapshot)->MatchName(N("old.example")));
  EXPECT_TRUE((*snapshot)->MatchName(N("over.example")));
  EXPECT_FALSE((*snapshot)->MatchName(N("new.example")));
  EXPECT_TRUE(absl::IsNotFound(writer->Rollback(99).status()));
  EXPECT_TRUE(writer->DropDelta().ok());
  EXPECT_FALSE((*SnapshotReader(folder.path()).Open())->MatchName(N("over.example")));
}

TEST(Snapshot, OneWriterAtATime) {
  SnapshotFolder folder;
  auto first = SnapshotWriter::Open(folder.path(), {});
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(std::string(SnapshotWriter::Open(folder.path(), {}).status().message()),
              HasSubstr("another writer"));
}

TEST(Snapshot, ADeltaNeedsABaseAndAFailingCompileChangesNothing) {
  SnapshotFolder folder;
  auto writer = SnapshotWriter::Open(folder.path(), {});
  EXPECT_FALSE(writer->Publish(nullptr, OneRule("a.example")).ok());
  EXPECT_FALSE(writer->Publish(nullptr, nullptr).ok());
  ASSERT_TRUE(writer->Publish(OneRule("a.example"), nullptr).ok());
  const auto before = folder.Names();
  const auto failing = [](const TrieBuilder::Writer&) { return absl::InternalError("no memory"); };
  EXPECT_EQ(writer->Publish(failing, nullptr).status(), absl::InternalError("no memory"));
  const auto nonsense = [](const TrieBuilder::Writer& write) {
    const std::string text = "these bytes are no trie";
    return write({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  };
  EXPECT_FALSE(writer->Publish(nonsense, nullptr).ok());
  EXPECT_EQ(folder.Names(), before);
  EXPECT_EQ(writer->now().generation, 1u);
}

TEST(Snapshot, WatcherGivesEachNewSnapshotOnceAndReusesTheBase) {
  SnapshotFolder folder;
  auto writer = SnapshotWriter::Open(folder.path(), {});
  SnapshotWatcher watcher(folder.path());
  ASSERT_TRUE(writer->Publish(OneRule("a.example"), nullptr).ok());
  auto first = watcher.Poll();
  ASSERT_TRUE(first.ok() && *first);
  EXPECT_EQ((*first)->generation(), 1u);
  EXPECT_EQ(*watcher.Poll(), nullptr);
  // The base is not read again for a delta: it may even be damaged on disk by now.
  folder.Write("base-1.trie", "damaged");
  ASSERT_TRUE(writer->Publish(nullptr, OneRule("b.example")).ok());
  auto second = watcher.Poll();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE((*second)->MatchName(N("a.example")));
  EXPECT_TRUE((*second)->MatchName(N("b.example")));
  EXPECT_FALSE((*first)->MatchName(N("b.example")));
}

TEST(Snapshot, ADamagedNewSnapshotNeverReplacesAGoodOne) {
  SnapshotFolder folder;
  auto writer = SnapshotWriter::Open(folder.path(), {});
  SnapshotWatcher watcher(folder.path());
  ASSERT_TRUE(writer->Publish(OneRule("a.example"), nullptr).ok());
  ASSERT_TRUE(*watcher.Poll());
  ASSERT_TRUE(writer->Publish(OneRule("b.example"), nullptr).ok());
  const std::string good = folder.Read("base-2.trie");
  std::string bad = good;
  bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 4);
  folder.Write("base-2.trie", bad);
  auto fresh = watcher.Poll();
  ASSERT_FALSE(fresh.ok());
  EXPECT_THAT(std::string(fresh.status().message()),
              HasSubstr("base-2.trie: trie file with a wrong checksum"));
  EXPECT_EQ(watcher.last()->generation(), 1u);
  // Said once; tried again by itself, and taken when it has become good.
  folder.Write("base-2.trie", good);
  std::shared_ptr<const PolicySnapshot> healed;
  for (int i = 0; i < SnapshotWatcher::kRetryPolls && !healed; ++i) {
    auto poll = watcher.Poll();
    ASSERT_TRUE(poll.ok());
    healed = *poll;
  }
  ASSERT_TRUE(healed);
  EXPECT_EQ(healed->generation(), 2u);
}

TEST(Snapshot, ErrorsNameTheFileAndTheFault) {
  SnapshotFolder folder;
  auto writer = SnapshotWriter::Open(folder.path(), {});
  ASSERT_TRUE(writer->Publish(OneRule("a.example"), OneRule("b.example")).ok());
  const std::string base = folder.Read("base-1.trie");
  const auto error = [&folder] {
    return std::string(SnapshotReader(folder.path()).Open().status().message());
  };
  folder.Write("base-1.trie", base.substr(0, 10));
  EXPECT_THAT(error(), HasSubstr("base-1.trie: trie file of 10 bytes"));
  folder.Write("base-1.trie", "");
  EXPECT_THAT(error(), HasSubstr("base-1.trie: 0 bytes"));
  std::string other = base;
  other[8] = 77;
  folder.Write("base-1.trie", other);
  EXPECT_THAT(error(), HasSubstr("base-1.trie: trie file of version 77"));
  folder.Write("base-1.trie", base);
  std::filesystem::remove(folder.File("delta-1.trie"));
  EXPECT_THAT(error(), HasSubstr("delta-1.trie: cannot open: No such file"));
  folder.Write("CURRENT", "nonsense");
  EXPECT_THAT(error(), HasSubstr("CURRENT"));
}

TEST(Snapshot, BothResidencesReadTheSame) {
  SnapshotFolder folder;
  auto writer = SnapshotWriter::Open(folder.path(), {});
  ASSERT_TRUE(writer->Publish(OneRule("a.example"), nullptr).ok());
  for (TrieResidence residence : {TrieResidence::kMapped, TrieResidence::kCopied}) {
    auto snapshot = SnapshotReader(folder.path(), residence).Open();
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    EXPECT_TRUE((*snapshot)->MatchName(N("x.a.example")));
  }
}

TEST(Snapshot, AReaderBesideABusyWriterAlwaysSeesAWholeSnapshot) {
  SnapshotFolder folder;
  auto writer = SnapshotWriter::Open(folder.path(), {.keep = 0});
  ASSERT_TRUE(writer->Publish(OneRule("g1.example"), nullptr).ok());
  std::atomic<bool> done{false};
  std::atomic<int> failures{0};
  std::thread reader([&] {
    SnapshotWatcher watcher(folder.path());
    uint64_t last = 0;
    while (!done.load()) {
      auto fresh = watcher.Poll();
      if (!fresh.ok()) {
        ++failures;
        continue;
      }
      if (!*fresh) continue;
      const uint64_t generation = (*fresh)->generation();
      if (generation <= last) ++failures;
      if (!(*fresh)->MatchName(N("g" + std::to_string(generation) + ".example"))) ++failures;
      last = generation;
    }
  });
  for (uint64_t generation = 2; generation <= 60; ++generation) {
    const std::string name = "g" + std::to_string(generation) + ".example";
    const auto published = generation % 3 == 0 ? writer->Publish(nullptr, OneRule(name))
                                               : writer->Publish(OneRule(name), nullptr);
    EXPECT_TRUE(published.ok()) << published.status();
  }
  done = true;
  reader.join();
  EXPECT_EQ(failures.load(), 0);
}

}  // namespace
}  // namespace sekisho::blocklist
