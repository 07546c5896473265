// query_bench: how long an analyst waits for the first page and for an exact count, on a log that log_bench
// has kept. Prints a JSON object a line: the middle and the slowest of several questions, each asked of a
// store just opened.
//
//   log_bench --lookups=10000000 --days=30 --dir=/tmp/x --keep
//   query_bench --dir=/tmp/x          (or --lookups=N: makes a log of its own through log_bench beside it)
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "bench/name_model.h"
#include "bench/traffic.h"
#include "proto/base/bytes.h"
#include "proto/dns/name_key.h"
#include "storage/hunt/hunt.h"
#include "storage/lookups/lookup_store.h"
#include "storage/query/executor.h"

namespace {

using namespace sekisho;  // NOLINT(google-build-using-namespace): a program of one file

void Print(const std::string& name, uint64_t n, std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  std::printf("{\"bench\":\"query\",\"case\":\"%s\",\"n\":%llu,\"value\":%.4g,\"unit\":\"ms\"}\n",
              name.c_str(), static_cast<unsigned long long>(n), ms[ms.size() / 2]);
  std::printf("{\"bench\":\"query\",\"case\":\"%s_max\",\"n\":%llu,\"value\":%.4g,\"unit\":\"ms\"}\n",
              name.c_str(), static_cast<unsigned long long>(n), ms.back());
  std::fflush(stdout);
}

double Timed(const std::function<void()>& work) {
  const auto at = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - at).count();
}

struct Times {
  std::vector<double> page, count;
};

void Ask(const query::Executor& executor, query::LookupFilter filter, Times* times) {
  filter.limit = 100;
  uint64_t rows = 0;
  times->page.push_back(
      Timed([&] { executor.Run(filter, {}, [&rows](const record::LookupRecord&) { return ++rows > 0; }); }));
  times->count.push_back(Timed([&] { executor.Count(filter, {}); }));
}

// Ten thousand rules new today, as a day brings them: most were never asked for, one in ten was, of these
// most by few. Half are for all below, too; one in five is an address.
std::vector<hunt::HuntRule> NewRules(const bench::Traffic& traffic) {
  constexpr size_t kRules = 10'000;
  bench::NameModel model(7);
  std::vector<hunt::HuntRule> rules;
  for (size_t i = 0; rules.size() < kRules; ++i) {
    if (i % 5 == 4) {  // an address
      const std::array<uint8_t, 4> address = {198, static_cast<uint8_t>(18 + i / 65536),
                                              static_cast<uint8_t>(i / 256), static_cast<uint8_t>(i)};
      rules.push_back({.name_key = "", .prefix = IpPrefix::Make(IpAddress::V4(address), 32)});
      continue;
    }
    const bool met = i % 10 == 0;
    const auto name =
        dns::Name::Parse(met ? traffic.NameText(static_cast<uint32_t>(1000 + i * 80)) : model.Next());
    if (name) rules.push_back({.name_key = dns::NameKey(*name), .subtree = i % 2 == 0, .feeds = "bench"});
  }
  std::sort(rules.begin(), rules.end(), [](const auto& a, const auto& b) { return a.name_key < b.name_key; });
  return rules;
}

void Hunt(const lookups::LookupStore& store, const bench::Traffic& traffic, uint64_t n) {
  const std::vector<hunt::HuntRule> rules = NewRules(traffic);
  std::string partial;
  std::optional<hunt::Findings> found;
  const double ms =
      Timed([&] { found = hunt::HuntLookups(store, rules, UINT64_MAX, [] { return false; }, &partial); });
  std::printf(
      "{\"bench\":\"query\",\"case\":\"retro_hunt_seconds\",\"n\":%llu,\"value\":%.4g,\"unit\":\"s\"}\n",
      static_cast<unsigned long long>(n), ms / 1000);
  uint64_t lookups = 0;
  for (const auto& [rule, finding] : *found) {
    for (const auto& [agency, told] : finding) lookups += told.sum.lookups;
  }
  std::printf(
      "{\"bench\":\"query\",\"case\":\"retro_hunt_met\",\"n\":%zu,\"value\":%zu,\"unit\":\"rules of %zu\"}\n",
      rules.size(), found->size(), rules.size());
  std::printf(
      "{\"bench\":\"query\",\"case\":\"retro_hunt_lookups\",\"n\":%zu,\"value\":%llu,\"unit\":\"\"}\n",
      rules.size(), static_cast<unsigned long long>(lookups));
}

}  // namespace

int main(int argc, char** argv) {
  std::string dir;
  std::string lookups;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg.starts_with("--dir=")) dir = arg.substr(6);
    if (arg.starts_with("--lookups=")) lookups = arg.substr(10);
  }
  const bool own = dir.empty();
  if (own) {
    if (lookups.empty() || lookups.find_first_not_of("0123456789") != std::string::npos) {
      std::cerr << "usage: query_bench --dir=DIR | --lookups=N\n";
      return 2;
    }
    dir = std::filesystem::temp_directory_path() / "query_bench-XXXXXX";
    if (mkdtemp(dir.data()) == nullptr) return 1;
    const std::string maker = std::filesystem::path(argv[0]).parent_path() / "log_bench";
    if (std::system((maker + " --days=30 --keep --lookups=" + lookups + " --dir=" + dir + " >&2").c_str()) !=
        0)
      return 1;
  }
  std::string error;
  const auto store = lookups::LookupStore::Open({.dir = dir + "/lookups", .seed = 1}, &error);
  if (!store) {
    std::cerr << error << "\n";
    return 1;
  }
  const uint64_t n = store->Status().rows;
  const query::Executor executor(*store);
  const bench::Traffic traffic(bench::TrafficOptions{});
  Times names, zones, clients, addresses;
  record::LookupRecord some;
  for (uint32_t rank = 3; rank < 900'000; rank = rank * 2 + 1) {
    query::LookupFilter f;
    const auto name = dns::Name::Parse(traffic.NameText(rank));
    f.name_key = dns::NameKey(*name);
    Ask(executor, f, &names);
    query::LookupFilter same = f;
    same.limit = 1;
    executor.Run(same, {}, [&some](const record::LookupRecord& r) {
      some = r;
      return false;
    });
    f.name_key.reset();
    f.under_key = dns::NameKey(name->view().Parent());
    Ask(executor, f, &zones);
    f.under_key.reset();
    f.client = IpPrefix::Make(some.client.address, 32);
    Ask(executor, f, &clients);
    f.client.reset();
    for (const auto& a : some.answers) {
      if (a.type == dns::RRType::kA) f.address = IpPrefix::Make(*IpAddress::FromRdata(AsBytes(a.rdata)), 32);
    }
    if (f.address) Ask(executor, f, &addresses);
  }
  Hunt(*store, traffic, n);
  Print("first_page_ms", n, names.page);
  Print("count_ms", n, names.count);
  Print("first_page_under_ms", n, zones.page);
  Print("first_page_client_ms", n, clients.page);
  Print("count_client_ms", n, clients.count);
  Print("first_page_address_ms", n, addresses.page);
  if (own) std::filesystem::remove_all(dir);
  return 0;
}
