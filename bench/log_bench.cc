// log_bench: what recording costs and what it takes on disk, through the real way: raw record → ring → block
// → spool → partitions. Prints a JSON object a line.
//
//   log_bench --lookups=1000000 [--days=1] [--names=1000000] [--dir=/tmp/x] [--keep] [--level=3]
//   [--no-passive]
//   [--rows=2097152]
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>

#include "bench/traffic.h"
#include "proto/base/bounded_ring.h"
#include "proto/record/lookup_spooler.h"
#include "proto/record/raw_record.h"
#include "storage/lookups/ingest.h"
#include "storage/lookups/lookup_store.h"

namespace {

namespace fs = std::filesystem;
using namespace sekisho;  // NOLINT(google-build-using-namespace): a program of one file

double CpuSeconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

uint64_t FolderBytes(const std::string& dir) {
  uint64_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (entry.is_regular_file()) sum += entry.file_size();
  }
  return sum;
}

struct Options {
  uint64_t lookups = 1'000'000;
  uint64_t days = 1;
  uint64_t names = 1'000'000;
  uint64_t level = 3;
  uint64_t rows = 1 << 21;
  uint64_t chunk = 8192;
  std::string dir;
  bool keep = false;
  bool passive = true;
};

bool Parse(int argc, char** argv, Options* o) {
  std::map<std::string, uint64_t*> numbers = {{"--lookups", &o->lookups}, {"--days", &o->days},
                                              {"--names", &o->names},     {"--level", &o->level},
                                              {"--rows", &o->rows},       {"--chunk", &o->chunk}};
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const size_t equals = arg.find('=');
    const std::string name = arg.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : arg.substr(equals + 1);
    if (name == "--keep") {
      o->keep = true;
    } else if (name == "--no-passive") {
      o->passive = false;
    } else if (name == "--dir") {
      o->dir = value;
    } else if (const auto it = numbers.find(name); it != numbers.end() && !value.empty()) {
      const auto r = std::from_chars(value.data(), value.data() + value.size(), *it->second);
      if (r.ptr != value.data() + value.size()) return false;
    } else {
      return false;
    }
  }
  return o->lookups > 0 && o->days > 0;
}

void Print(const char* name, uint64_t n, double value, const char* unit) {
  std::printf("{\"bench\":\"log\",\"case\":\"%s\",\"n\":%llu,\"value\":%.4g,\"unit\":\"%s\"}\n", name,
              static_cast<unsigned long long>(n), value, unit);
  std::fflush(stdout);
}

// A worker's part alone: the event was just made, so its bytes are at hand.
void EncodeHot() {
  bench::Traffic traffic({.names = 10'000});
  BoundedRing ring(8 << 20);
  std::vector<record::LookupEvent> events;
  std::vector<std::vector<record::AnswerView>> answers(256);
  for (auto& a : answers) {
    events.push_back(traffic.Next());
    a.assign(events.back().answers.begin(), events.back().answers.end());
    events.back().answers = a;
  }
  std::chrono::steady_clock::duration best = std::chrono::hours(1);
  constexpr int kRepeats = 20;
  for (int round = 0; round < 200; ++round) {
    const auto at = std::chrono::steady_clock::now();
    for (int i = 0; i < kRepeats; ++i) {
      for (const record::LookupEvent& e : events) {
        if (!record::EncodeRaw(e, ring)) std::abort();
      }
    }
    best = std::min(best, std::chrono::steady_clock::now() - at);
    while (!ring.Front().empty()) ring.Pop();
  }
  const double ns = std::chrono::duration<double, std::nano>(best).count();
  Print("encode_raw", kRepeats * 256, ns / (kRepeats * 256), "ns");
}

// Writes the traffic to the spool; times the worker's part and the writer's part by themselves.
void Spool(const Options& o, const std::string& dir) {
  bench::TrafficOptions options{.names = static_cast<uint32_t>(o.names)};
  options.per_second = static_cast<double>(o.lookups) / (static_cast<double>(o.days) * 86400) * 1.0;
  if (o.days == 1) options.per_second = 10'000;
  bench::Traffic traffic(options);
  record::LookupSpooler spooler(
      {.spool = {.dir = dir, .node = 1, .boot = 1, .quota_bytes = uint64_t{1} << 40}, .seed = 1});
  BoundedRing ring(8 << 20);
  BoundedRing* rings[] = {&ring};
  double encode = 0;
  double write = 0;
  Now now;
  constexpr uint64_t kBatch = 4096;
  for (uint64_t done = 0; done < o.lookups;) {
    std::vector<record::LookupEvent> events;
    std::vector<std::vector<record::AnswerView>> answers;
    const uint64_t batch = std::min(kBatch, o.lookups - done);
    events.reserve(batch);
    answers.reserve(batch);
    for (uint64_t i = 0; i < batch; ++i) {
      events.push_back(traffic.Next());
      answers.emplace_back(events.back().answers.begin(), events.back().answers.end());
      events.back().answers = answers.back();
    }
    double at = CpuSeconds();
    for (const record::LookupEvent& e : events) {
      if (!record::EncodeRaw(e, ring)) std::abort();
    }
    encode += CpuSeconds() - at;
    at = CpuSeconds();
    spooler.Drain(rings, now);
    write += CpuSeconds() - at;
    done += batch;
  }
  const double at = CpuSeconds();
  spooler.Flush(now);
  write += CpuSeconds() - at;
  const auto n = static_cast<double>(o.lookups);
  Print("encode_raw_cold", o.lookups, encode / n * 1e9, "ns");
  Print("spool_writer", o.lookups, write / n * 1e9, "ns");
  Print("spool_bytes_per_lookup", o.lookups, static_cast<double>(FolderBytes(dir)) / n, "B");
}

// Where the bytes of the blocks go.
void PrintSections(const lookups::LookupStore& store, uint64_t n) {
  using Kind = record::SectionKind;
  const std::map<Kind, const char*> names = {
      {Kind::kNames, "names"},         {Kind::kTexts, "texts"},
      {Kind::kAskers, "askers"},       {Kind::kManners, "manners"},
      {Kind::kAnswers, "answers"},     {Kind::kExchanges, "exchanges"},
      {Kind::kDirectory, "directory"}, {Kind::kTerms, "terms"},
      {Kind::kAddresses, "addresses"}, {Kind::kRowExchanges, "row_exchange"},
      {Kind::kRowAskers, "row_asker"}, {Kind::kRowRest, "row_rest"}};
  std::map<Kind, double> bytes;
  for (const auto& day : store.TakeView(INT64_MIN, INT64_MAX).days) {
    for (const auto& b : *day.blocks) {
      const auto block = day.partition->OpenBlock(b.block);
      for (const auto& s : block->header().sections)
        bytes[record::KindOf(s.id)] += static_cast<double>(s.size);
    }
  }
  for (const auto& [kind, name] : names) {
    Print((std::string("section_") + name).c_str(), n, bytes[kind] / static_cast<double>(n), "B");
  }
}

int Import(const Options& o, const std::string& spool, const std::string& dir) {
  std::string error;
  std::string note;
  const std::unique_ptr<passive::PassiveStore> passive =
      o.passive ? passive::PassiveStore::Open(dir + "-passive", &note, &error) : nullptr;
  auto store = lookups::LookupStore::Open({.dir = dir,
                                           .block_rows = static_cast<uint32_t>(o.rows),
                                           .chunk_rows = static_cast<uint32_t>(o.chunk),
                                           .zstd_level = static_cast<int>(o.level),
                                           .seed = 1,
                                           .passive = passive.get()},
                                          &error);
  if (!store) {
    std::cerr << error << "\n";
    return 1;
  }
  lookups::Ingest ingest(spool, store.get(), 4 * o.rows);
  const double cpu = CpuSeconds();
  const auto wall = std::chrono::steady_clock::now();
  while (ingest.Tick(ReadClocks())) {
  }
  if (!ingest.ImportAll(&error) || !ingest.Settle(&error)) {
    std::cerr << error << "\n";
    return 1;
  }
  const double spent = CpuSeconds() - cpu;
  const double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count();
  const auto n = static_cast<double>(store->Status().rows);
  if (store->Status().rows != o.lookups) {
    std::cerr << "imported " << store->Status().rows << " of " << o.lookups << "\n";
    return 1;
  }
  Print("ingest_per_second", o.lookups, n / spent, "1/s of CPU");
  Print("ingest_per_second_wall", o.lookups, n / passed, "1/s");
  const double before = CpuSeconds();
  store->CompactAll();
  Print("compaction", o.lookups, (CpuSeconds() - before) / n * 1e9, "ns of CPU");
  PrintSections(*store, o.lookups);
  store.reset();
  if (passive) {
    Print("passive_records", o.lookups, static_cast<double>(passive->GetStatus().records), "");
    Print("passive_bytes_per_lookup", o.lookups, static_cast<double>(FolderBytes(dir + "-passive")) / n, "B");
    const double start = CpuSeconds();
    passive->Compact();
    Print("passive_compaction", o.lookups, (CpuSeconds() - start) / n * 1e9, "ns of CPU");
    const passive::Status s = passive->GetStatus();
    Print("passive_records_compacted", o.lookups, static_cast<double>(s.records), "");
    Print("passive_bytes_per_record", o.lookups,
          static_cast<double>(s.disk_bytes) / static_cast<double>(s.records), "B");
  }
  Print("bytes_per_lookup", o.lookups, static_cast<double>(FolderBytes(dir)) / n, "B");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  if (!Parse(argc, argv, &o)) {
    std::cerr << "usage: log_bench [--lookups=N] [--days=N] [--names=N] [--rows=N] [--chunk=N] [--level=N] "
                 "[--dir=DIR] "
                 "[--keep] [--no-passive]\n";
    return 2;
  }
  std::string dir = o.dir;
  if (dir.empty()) {
    dir = fs::temp_directory_path() / "log_bench-XXXXXX";
    if (mkdtemp(dir.data()) == nullptr) return 1;
  }
  fs::create_directories(dir + "/spool");
  EncodeHot();
  Spool(o, dir + "/spool");
  const int code = Import(o, dir + "/spool", dir + "/lookups");
  if (!o.keep) fs::remove_all(dir);
  return code;
}
