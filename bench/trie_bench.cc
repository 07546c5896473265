// trie_bench: size, speed and compile time of the trie beside a hash set, a sorted array and marisa-trie.
//
//   trie_bench [--rules=N] [--names=FILE] [--peers=0]
//
// Prints one JSON object a line. Match times are the median over batches of 32 names, in random order over
// all rules.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "bench/name_model.h"
#include "blocklist/snapshot/mapped_trie.h"
#include "blocklist/trie/policy_snapshot.h"
#include "blocklist/trie/trie_builder.h"
#include "proto/dns/name.h"
#include "proto/dns/name_key.h"

#ifdef SEKISHO_HAVE_MARISA
#include <marisa.h>
#endif

namespace sekisho::bench {
namespace {

using blocklist::MappedTrie;
using blocklist::PolicySnapshot;
using blocklist::RuleAction;
using blocklist::RuleScope;
using blocklist::TrieBuilder;
using blocklist::TrieResidence;
using Clock = std::chrono::steady_clock;

constexpr size_t kQueries = 400'000;
constexpr size_t kBatch = 32;

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

class Report {
 public:
  explicit Report(size_t n) : n_(n) {}
  void Line(const char* name, double value, const char* unit) const {
    std::printf("{\"bench\":\"trie\",\"case\":\"%s\",\"n\":%zu,\"value\":%.3f,\"unit\":\"%s\"}\n", name, n_,
                value, unit);
    std::fflush(stdout);
  }

 private:
  size_t n_;
};

double PeakMib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// Names in wire form, one behind the other, as packets bring them.
class Queries {
 public:
  void Add(dns::NameView name) {
    starts_.push_back(wire_.size());
    wire_.insert(wire_.end(), name.data(), name.data() + name.size());
  }
  size_t size() const { return starts_.size(); }
  dns::NameView operator[](size_t i) const {
    const size_t end = i + 1 < starts_.size() ? starts_[i + 1] : wire_.size();
    return dns::NameView::Trusted(wire_.data() + starts_[i], end - starts_[i]);
  }

 private:
  std::vector<uint8_t> wire_;
  std::vector<size_t> starts_;
};

struct Timing {
  double median_ns;
  size_t matched;
};

template <typename Match>
Timing Measure(const Queries& queries, Match match) {
  std::vector<double> times;
  size_t matched = 0;
  for (size_t at = 0; at + kBatch <= queries.size(); at += kBatch) {
    const auto start = Clock::now();
    for (size_t i = at; i < at + kBatch; ++i) matched += match(queries[i]) ? 1 : 0;
    times.push_back(Since(start) * 1e9 / kBatch);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return {times[times.size() / 2], matched};
}

struct Workload {
  std::vector<std::string> keys;  // sorted, unique
  Queries hits;
  Queries misses;
};

std::vector<std::string> MakeKeys(size_t rules, const std::vector<std::string>& real) {
  NameModel model(1, real.empty() ? nullptr : &real);
  std::vector<std::string> keys;
  keys.reserve(rules + rules / 10 + 16);
  for (const std::string& name : real) {
    if (keys.size() >= rules) break;
    if (const auto parsed = dns::Name::Parse(name)) keys.push_back(dns::NameKey(*parsed));
  }
  while (true) {
    while (keys.size() < rules + rules / 20 + 8) {
      if (const auto parsed = dns::Name::Parse(model.Next())) keys.push_back(dns::NameKey(*parsed));
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    if (keys.size() >= rules) break;
  }
  // Thins out evenly, so that the end of the order is not lost.
  std::mt19937_64 random(3);
  std::shuffle(keys.begin(), keys.end(), random);
  keys.resize(rules);
  std::sort(keys.begin(), keys.end());
  return keys;
}

Workload MakeWorkload(size_t rules, const std::vector<std::string>& real) {
  Workload work;
  work.keys = MakeKeys(rules, real);
  std::mt19937_64 random(2);
  for (size_t i = 0; i < kQueries; ++i) {
    const auto name = dns::NameFromKey(work.keys[random() % work.keys.size()]);
    const auto below = i % 2 == 0 ? dns::Name::Prepend("www", *name) : name;
    work.hits.Add(below ? *below : *name);
  }
  NameModel model(99, real.empty() ? nullptr : &real);
  while (work.misses.size() < kQueries) {
    const std::string name = (work.misses.size() % 2 == 0 ? "www." : "") + model.Next();
    if (const auto parsed = dns::Name::Parse(name)) work.misses.Add(*parsed);
  }
  return work;
}

// Leaves out the queries that `match` finds a rule for.
Queries Missing(const Queries& all, const std::function<bool(dns::NameView)>& match) {
  Queries missing;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!match(all[i])) missing.Add(all[i]);
  }
  return missing;
}

absl::Status Compile(const std::vector<std::string>& keys, const std::string& path) {
  TrieBuilder builder;
  std::vector<uint32_t> sources;
  for (int i = 0; i < 8; ++i)
    sources.push_back(builder.AddSource({"feed-" + std::to_string(i), "malware", ""}));
  std::mt19937_64 random(5);
  for (const std::string& key : keys) {
    // Half of the rules come from one feed, the others from seven; most cover what is below them.
    const uint32_t source = random() % 2 == 0 ? 0 : sources[random() % 8];
    const auto scope = random() % 100 == 0 ? RuleScope::kExact : RuleScope::kSubtree;
    const auto action = random() % 200 == 0 ? RuleAction::kAllow : RuleAction::kBlock;
    if (auto s = builder.Add(key, scope, action, source); !s.ok()) return s;
  }
  std::ofstream file(path, std::ios::binary);
  auto status = builder.Finish([&file](std::span<const uint8_t> bytes) {
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return file.good() ? absl::OkStatus() : absl::UnavailableError("cannot write the trie file");
  });
  file.close();
  return status;
}

void MeasureMatch(const Report& report, const std::string& path, TrieResidence residence, Workload& work) {
  const bool copied = residence == TrieResidence::kCopied;
  const auto start = Clock::now();
  auto trie = MappedTrie::Open(path, residence);
  if (!trie.ok()) {
    std::fprintf(stderr, "%s\n", trie.status().ToString().c_str());
    return;
  }
  report.Line(copied ? "open_copied_seconds" : "open_mapped_seconds", Since(start), "s");
  const PolicySnapshot snapshot(1, (*trie)->view(), std::nullopt, *trie);
  const auto match = [&snapshot](dns::NameView name) { return snapshot.MatchName(name).has_value(); };
  if (copied) work.misses = Missing(work.misses, match);
  const Timing miss = Measure(work.misses, match);
  const Timing hit = Measure(work.hits, match);
  report.Line(copied ? "match_miss_p50" : "match_miss_mapped_p50", miss.median_ns, "ns");
  report.Line(copied ? "match_hit_p50" : "match_hit_mapped_p50", hit.median_ns, "ns");
  if (copied)
    report.Line("hits_found", static_cast<double>(hit.matched) / static_cast<double>(work.hits.size()),
                "of 1");
}

void PeerHashSet(const Report& report, const Workload& work) {
  absl::flat_hash_set<std::string> names;
  size_t bytes = 0;
  for (const std::string& key : work.keys) {
    std::string name = dns::NameFromKey(key)->LowercaseBytes();
    bytes += sizeof(std::string) + 1 + (name.capacity() > 15 ? name.capacity() + 1 : 0);
    names.insert(std::move(name));
  }
  const auto match = [&names](dns::NameView name) {
    for (;; name = name.Parent()) {
      if (names.contains(absl::string_view(reinterpret_cast<const char*>(name.data()), name.size())))
        return true;
      if (name.IsRoot()) return false;
    }
  };
  const size_t empty = (names.capacity() - names.size()) * (sizeof(std::string) + 1);
  report.Line("peer_hash_set_bytes_per_rule",
              static_cast<double>(bytes + empty) / static_cast<double>(names.size()), "B");
  report.Line("peer_hash_set_miss_p50", Measure(work.misses, match).median_ns, "ns");
  report.Line("peer_hash_set_hit_p50", Measure(work.hits, match).median_ns, "ns");
}

void PeerSortedArray(const Report& report, const Workload& work) {
  const auto match = [&work](dns::NameView name) {
    char key[dns::kMaxNameKeySize];
    const size_t size = dns::WriteNameKey(name, key);
    auto from = work.keys.begin();
    for (size_t end = 1; end <= size; ++end) {
      if (key[end - 1] != 0) continue;
      const std::string_view prefix(key, end);
      from = std::lower_bound(from, work.keys.end(), prefix);
      if (from == work.keys.end()) return false;
      if (*from == prefix) return true;
    }
    return false;
  };
  report.Line("peer_sorted_array_miss_p50", Measure(work.misses, match).median_ns, "ns");
  report.Line("peer_sorted_array_hit_p50", Measure(work.hits, match).median_ns, "ns");
}

#ifdef SEKISHO_HAVE_MARISA
void PeerMarisa(const Report& report, const Workload& work) {
  const auto start = Clock::now();
  marisa::Keyset keyset;
  for (const std::string& key : work.keys) keyset.push_back(key.data(), key.size());
  marisa::Trie trie;
  trie.build(keyset);
  report.Line("peer_marisa_compile_seconds", Since(start), "s");
  report.Line("peer_marisa_bytes_per_rule",
              static_cast<double>(trie.io_size()) / static_cast<double>(work.keys.size()), "B");
  marisa::Agent agent;
  const auto match = [&](dns::NameView name) {
    char key[dns::kMaxNameKeySize];
    agent.set_query(key, dns::WriteNameKey(name, key));
    return trie.common_prefix_search(agent);
  };
  report.Line("peer_marisa_miss_p50", Measure(work.misses, match).median_ns, "ns");
  report.Line("peer_marisa_hit_p50", Measure(work.hits, match).median_ns, "ns");
}
#endif

int Run(size_t rules, const std::string& names, bool peers) {
  std::vector<std::string> real;
  std::ifstream in(names);
  for (std::string line; std::getline(in, line);) real.push_back(line);
  Workload work = MakeWorkload(rules, real);
  const Report report(work.keys.size());
  std::string path = "/tmp/trie_bench-XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd < 0) return 1;
  const double before = PeakMib();
  const auto start = Clock::now();
  const auto status = Compile(work.keys, path);
  const double seconds = Since(start);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  report.Line("compile_seconds", seconds, "s");
  report.Line("compile_peak_rss", PeakMib() - before, "MiB above the input");
  const auto size = static_cast<double>(::lseek(fd, 0, SEEK_END));
  ::close(fd);
  report.Line("bytes_per_rule", size / static_cast<double>(work.keys.size()), "B");
  size_t key_bytes = 0;
  for (const std::string& key : work.keys) key_bytes += key.size();
  report.Line("name_bytes_per_rule", static_cast<double>(key_bytes) / static_cast<double>(work.keys.size()),
              "B");
  MeasureMatch(report, path, TrieResidence::kCopied, work);
  MeasureMatch(report, path, TrieResidence::kMapped, work);
  ::unlink(path.c_str());
  if (!peers) return 0;
  PeerHashSet(report, work);
  PeerSortedArray(report, work);
#ifdef SEKISHO_HAVE_MARISA
  PeerMarisa(report, work);
#endif
  return 0;
}

}  // namespace
}  // namespace sekisho::bench

int main(int argc, char** argv) {
  size_t rules = 1'000'000;
  std::string names;
  bool peers = true;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--rules=")) {
      rules = std::strtoull(argv[i] + 8, nullptr, 10);
    } else if (argument.starts_with("--names=")) {
      names = argument.substr(8);
    } else if (argument == "--peers=0") {
      peers = false;
    } else {
      std::fprintf(stderr, "usage: trie_bench [--rules=N] [--names=FILE] [--peers=0]\n");
      return 2;
    }
  }
  if (rules == 0 || rules > 100'000'000) {
    std::fprintf(stderr, "trie_bench: --rules must be 1 to 100000000\n");
    return 2;
  }
  return sekisho::bench::Run(rules, names, peers);
}
