#include "resolver/core/cache/rrset_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "proto/base/bytes.h"
#include "resolver/core/limits.h"
#include "tests/replay/harness.h"

namespace sekisho::resolver {
namespace {

using dns::Name;
using dns::RRType;
using std::chrono::seconds;

Name N(const std::string& text) { return *Name::Parse(text); }
Now At(int s) { return {MonoTime(seconds(1000 + s)), {}}; }

CacheEntry Entry(Rank rank, const std::string& data, int expires) {
  dns::RRset set{.owner = N("x.test."), .type = RRType::kTXT, .ttl = 60};
  set.rdata.Add(AsBytes(data));
  CacheEntry e;
  e.rank = rank;
  e.rrset = std::make_shared<const dns::RRset>(std::move(set));
  e.expires = At(expires).mono;
  return e;
}

std::string DataOf(const CacheEntryPtr& e) {
  return e == nullptr ? "(nothing)" : std::string(AsText(e->rrset->rdata.front()));
}

class RrsetCacheTest : public testing::Test {
 protected:
  bool Put(const std::string& name, Rank rank, const std::string& data, int expires, int now = 0) {
    return cache_.Store(N(name), RRType::kTXT, Slot::kData, Entry(rank, data, expires), At(now));
  }
  std::string Get(const std::string& name) { return DataOf(cache_.Find(N(name), RRType::kTXT)); }

  replay::SeededRng rng_{5};
  RrsetCache cache_{1 << 20, 4, rng_};
};

TEST_F(RrsetCacheTest, NamesAreFoundInAnyCase) {
  Put("Www.Example.TEST.", Rank::kAnswer, "a", 60);
  EXPECT_EQ(Get("wWW.eXAMPLE.test."), "a");
  EXPECT_EQ(Get("www.example.test.other."), "(nothing)");
  EXPECT_EQ(cache_.Find(N("www.example.test."), RRType::kA), nullptr);
}

// RFC 2181 section 5.4.1: what is fresh and worth more stays.
TEST_F(RrsetCacheTest, FreshEntryOfHigherRankIsKept) {
  EXPECT_TRUE(Put("x.test.", Rank::kAnswer, "good", 60));
  EXPECT_FALSE(Put("x.test.", Rank::kGlue, "bad", 600));
  EXPECT_EQ(Get("x.test."), "good");
  EXPECT_TRUE(Put("x.test.", Rank::kAnswer, "newer", 60));
  EXPECT_EQ(Get("x.test."), "newer");
  EXPECT_TRUE(Put("x.test.", Rank::kSecure, "proven", 60));
  EXPECT_FALSE(Put("x.test.", Rank::kAnswer, "unproven", 600));
  EXPECT_EQ(Get("x.test."), "proven");
}

TEST_F(RrsetCacheTest, ExpiredEntryGivesWayToAnyRank) {
  Put("x.test.", Rank::kSecure, "old", 10);
  EXPECT_FALSE(Put("x.test.", Rank::kGlue, "new", 600, 9));
  EXPECT_TRUE(Put("x.test.", Rank::kGlue, "new", 600, 10));
  EXPECT_EQ(Get("x.test."), "new");
}

TEST_F(RrsetCacheTest, SlotsOfOneNameAreApart) {
  const Name name = N("x.test.");
  CacheEntry failure;
  failure.kind = CacheKind::kFailure;
  failure.expires = At(5).mono;
  Put("x.test.", Rank::kAnswer, "data", 60);
  EXPECT_TRUE(cache_.Store(name, RRType::kTXT, Slot::kFailure, failure, At(0)));
  EXPECT_EQ(Get("x.test."), "data");
  EXPECT_EQ(cache_.Find(name, RRType::kTXT, Slot::kFailure)->kind, CacheKind::kFailure);
  cache_.Remove(name, RRType::kTXT, Slot::kFailure);
  EXPECT_EQ(cache_.Find(name, RRType::kTXT, Slot::kFailure), nullptr);
  EXPECT_EQ(Get("x.test."), "data");
}

TEST_F(RrsetCacheTest, RemoveUnderTakesTheSubtreeAndNothingElse) {
  for (const char* name : {"a.test.", "b.a.test.", "c.b.a.test.", "xa.test.", "test."})
    Put(name, Rank::kAnswer, "x", 60);
  EXPECT_EQ(cache_.RemoveUnder(N("A.test.")), 3u);
  EXPECT_EQ(Get("b.a.test."), "(nothing)");
  EXPECT_EQ(Get("xa.test."), "x");
  EXPECT_EQ(Get("test."), "x");
  EXPECT_EQ(cache_.stats().entries, 2u);
}

TEST_F(RrsetCacheTest, HugeEntryIsRefused) {
  CacheEntry e = Entry(Rank::kAnswer, std::string(60000, 'x'), 60);
  dns::RRset more = *e.rrset;
  more.rdata.Add(AsBytes(std::string(limits::kMaxEntryBytes - 1000, 'y')));
  e.rrset = std::make_shared<const dns::RRset>(std::move(more));
  EXPECT_FALSE(cache_.Store(N("x.test."), RRType::kTXT, Slot::kData, e, At(0)));
  EXPECT_EQ(cache_.stats().entries, 0u);
}

TEST_F(RrsetCacheTest, NeverHoldsMoreThanItsBound) {
  for (int i = 0; i < 20000; ++i) {
    Put("n" + std::to_string(i) + ".test.", Rank::kAnswer, std::string(static_cast<size_t>(i % 700), 'x'),
        600);
    const auto stats = cache_.stats();
    ASSERT_LE(stats.bytes, stats.max_bytes);
  }
  const auto stats = cache_.stats();
  EXPECT_GT(stats.evictions, 10000u);
  EXPECT_GT(stats.bytes, stats.max_bytes / 2);
  EXPECT_EQ(stats.entries + stats.evictions, 20000u);
}

// SIEVE spares what is asked for: a flood of names asked once does not push out the ones in use (row D06).
TEST_F(RrsetCacheTest, NamesInUseSurviveAFlood) {
  for (int i = 0; i < 100; ++i) Put("hot" + std::to_string(i) + ".test.", Rank::kAnswer, "x", 600);
  int hits = 0;
  for (int i = 0; i < 20000; ++i) {
    Put("cold" + std::to_string(i) + ".test.", Rank::kAnswer, std::string(300, 'x'), 600);
    if (Get("hot" + std::to_string(i % 100) + ".test.") == "x") ++hits;
  }
  EXPECT_GT(hits, 19900);
}

TEST_F(RrsetCacheTest, BytesReturnToZero) {
  for (int i = 0; i < 100; ++i) Put("n" + std::to_string(i) + ".test.", Rank::kAnswer, "x", 60);
  // Replacing counts once.
  for (int i = 0; i < 100; ++i)
    Put("n" + std::to_string(i) + ".test.", Rank::kAnswer, std::string(500, 'y'), 60);
  cache_.RemoveUnder(Name());
  EXPECT_EQ(cache_.stats().bytes, 0u);
  EXPECT_EQ(cache_.stats().entries, 0u);
}

TEST_F(RrsetCacheTest, ManyThreadsAtOnce) {
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5000; ++i) {
        const std::string name = "n" + std::to_string((i * 7 + t) % 500) + ".test.";
        if (i % 3 == 0) Put(name, Rank::kAnswer, name + std::string(400, 'x'), 600);
        const std::string found = Get(name);
        if (found != "(nothing)" && !found.starts_with(name)) ++wrong;
        if (i % 500 == 0) cache_.RemoveUnder(N(name));
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace sekisho::resolver
