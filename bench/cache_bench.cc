// cache_bench: the record cache at three sizes, alone and shared by threads; one JSON object a line.
//
//   cache_bench [--entries=1000000] [--threads=2]
//
// Entries are A RRsets of one address under names of the seeded model. find_hit and find_miss are nanoseconds
// of a look in random order, bytes_in_memory what the process grew by for each entry and bytes_accounted what
// the cache says it takes: the bound on the cache is kept in the latter. contended_find is a look's time when
// several threads look without a pause, in wall-clock nanoseconds of one thread.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/name_model.h"
#include "resolver/core/cache/rrset_cache.h"

namespace sekisho::resolver {
namespace {

constexpr size_t kLooks = 1'000'000;

double MiBInMemory() {
  std::ifstream statm("/proc/self/statm");
  size_t all = 0;
  size_t resident = 0;
  statm >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double NowNanos(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

void Print(const char* what, size_t n, double value, const char* unit) {
  std::printf("{\"bench\":\"cache\",\"case\":\"%s\",\"n\":%zu,\"value\":%.1f,\"unit\":\"%s\"}\n", what, n,
              value, unit);
  std::fflush(stdout);
}

// In another order than they were stored in.
double FindAll(RrsetCache& cache, const std::vector<dns::Name>& names, bool there, clockid_t clock) {
  size_t found = 0;
  size_t at = 0;
  const double start = NowNanos(clock);
  for (size_t i = 0; i < kLooks; ++i) {
    at = (at + 7'368'787) % names.size();
    found += cache.Find(names[at], dns::RRType::kA) != nullptr;
  }
  const double each = (NowNanos(clock) - start) / kLooks;
  if (found != (there ? kLooks : 0)) std::abort();
  return each;
}

std::vector<dns::Name> MakeNames(size_t count, uint64_t seed, const char* suffix) {
  bench::NameModel model(seed);
  std::vector<dns::Name> names;
  while (names.size() < count) {
    // Numbered, so that none comes twice.
    if (auto name = dns::Name::Parse("n" + std::to_string(names.size()) + suffix + model.Next())) {
      names.push_back(std::move(*name));
    }
  }
  return names;
}

void Run(size_t entries, size_t threads) {
  KernelRng rng;
  const auto names = MakeNames(entries, 1, ".");
  const auto others = MakeNames(std::min<size_t>(entries, 1'000'000), 2, "-not.");
  RrsetCache cache(size_t{8} << 30, 64, rng);
  const Now now = ReadClocks();
  const double before = MiBInMemory();
  for (const dns::Name& name : names) {
    dns::RRset rrset{.owner = name, .type = dns::RRType::kA, .ttl = 3600};
    static constexpr uint8_t kAddress[] = {192, 0, 2, 1};
    rrset.rdata.Add(kAddress);
    CacheEntry entry;
    entry.rank = Rank::kAnswer;
    entry.rrset = std::make_shared<const dns::RRset>(std::move(rrset));
    entry.zone = dns::Name(name.view().Parent());
    entry.expires = now.mono + std::chrono::hours(1);
    if (!cache.Store(name, dns::RRType::kA, Slot::kData, std::move(entry), now)) std::abort();
  }
  const auto count = static_cast<double>(entries);
  Print("bytes_in_memory", entries, (MiBInMemory() - before) * (1 << 20) / count, "B");
  Print("bytes_accounted", entries, static_cast<double>(cache.stats().bytes) / count, "B");
  Print("find_hit", entries, FindAll(cache, names, true, CLOCK_THREAD_CPUTIME_ID), "ns");
  Print("find_miss", entries, FindAll(cache, others, false, CLOCK_THREAD_CPUTIME_ID), "ns");
  std::vector<double> each(threads);
  std::vector<std::thread> running;
  for (size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] { each[i] = FindAll(cache, names, true, CLOCK_MONOTONIC); });
  }
  for (auto& thread : running) thread.join();
  Print("contended_find", entries, *std::max_element(each.begin(), each.end()), "ns");
}

int Main(int argc, char** argv) {
  size_t entries = 1'000'000;
  size_t threads = 2;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("--entries=")) {
      entries = std::strtoull(argv[i] + 10, nullptr, 10);
    } else if (word.starts_with("--threads=")) {
      threads = std::strtoull(argv[i] + 10, nullptr, 10);
    } else {
      std::fprintf(stderr, "usage: cache_bench [--entries=N] [--threads=N]\n");
      return 2;
    }
  }
  for (const size_t n : {entries / 100, entries / 10, entries}) Run(std::max<size_t>(1, n), threads);
  return 0;
}

}  // namespace
}  // namespace sekisho::resolver

int main(int argc, char** argv) { return sekisho::resolver::Main(argc, argv); }
