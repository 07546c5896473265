// pipeline_bench: a client's packet through the core to its reply, from the cache, without sockets; one JSON
// object a line (best of seven rounds, thread CPU time per question).
//
//   pipeline_bench [RULES]      rules of the policy (default 1000000)
//
// 10,000 names, asked by Zipf's law from 1000 client ports; the cache is filled through the core itself by an
// authority that knows every name. Records go to a ring that is emptied outside the measured time.
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/name_model.h"
#include "blocklist/trie/policy_snapshot.h"
#include "blocklist/trie/trie_builder.h"
#include "proto/dns/name_key.h"
#include "resolver/core/cache/rrset_cache.h"
#include "resolver/core/core.h"
#include "resolver/server/record_writer.h"

namespace sekisho::resolver {
namespace {

constexpr int kNames = 10'000;
constexpr int kQuestions = 1 << 17;
constexpr int kRounds = 7;

double CpuNanos() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

// A question for A with EDNS, as dig and stub resolvers send it.
std::vector<uint8_t> QuestionFor(const dns::Name& name, uint16_t id) {
  std::vector<uint8_t> packet = {
      static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id), 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
  packet.insert(packet.end(), name.bytes().begin(), name.bytes().end());
  const uint8_t rest[] = {0, 1, 0, 1, /* OPT */ 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0};
  packet.insert(packet.end(), std::begin(rest), std::end(rest));
  return packet;
}

// What an authority for everything says: one A record for a day.
std::vector<uint8_t> AnswerTo(const std::vector<uint8_t>& query) {
  size_t end = 12;
  while (query[end] != 0) end += query[end] + size_t{1};
  end += 5;
  std::vector<uint8_t> reply(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(end));
  const uint8_t header[] = {0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0};
  std::copy(std::begin(header), std::end(header), reply.begin() + 2);
  const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 1, 0x51, 0x80, 0, 4, 192, 0, 2, query[13]};
  reply.insert(reply.end(), std::begin(record), std::end(record));
  return reply;
}

std::shared_ptr<const blocklist::PolicySnapshot> MakePolicy(size_t rules) {
  blocklist::TrieBuilder builder;
  const uint32_t source = builder.AddSource({.feeds = "bench", .category = "malware", .reference = ""});
  bench::NameModel model(1);
  std::vector<std::string> keys;
  for (size_t i = 0; i < rules; ++i) {
    if (const auto name = dns::Name::Parse(model.Next())) keys.push_back(dns::NameKey(*name));
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const std::string& key : keys) {
    if (!builder.Add(key, blocklist::RuleScope::kSubtree, blocklist::RuleAction::kBlock, source).ok())
      std::abort();
  }
  auto bytes = builder.Finish();
  if (!bytes.ok()) std::abort();
  auto kept = std::make_shared<const std::string>(*std::move(bytes));
  auto view = blocklist::TrieView::Open(AsBytes(*kept));
  if (!view.ok()) std::abort();
  return std::make_shared<const blocklist::PolicySnapshot>(1, *view, std::nullopt, kept);
}

class NoSink final : public RecordSink {
 public:
  bool Write(const record::LookupEvent&) override { return true; }
};

class Bench {
 public:
  explicit Bench(size_t rules) : cache_(256 << 20, 64, rng_), policy_bytes_(MakePolicy(rules)) {
    Settings settings;
    const AgencyTable::Id agency = settings.agencies.Add("bench");
    settings.agencies.AddNetwork(agency, *IpPrefix::Parse("10.0.0.0/8"));
    settings.root_hints.push_back({*dns::Name::Parse("ns.root."), *IpAddress::Parse("198.51.100.1")});
    settings.query_private_addresses = true;  // the authority's is a documentation address
    settings.validate = false;
    settings.qname_minimisation = false;
    settings.mix_case = false;
    settings_.Publish(std::make_shared<const Settings>(std::move(settings)));
    std::mt19937_64 random(7);
    std::vector<double> weights;
    for (int i = 0; i < kNames; ++i) {
      names_.push_back(*dns::Name::Parse("www.site" + std::to_string(i) + ".example"));
      weights.push_back(1.0 / (i + 1));
    }
    std::discrete_distribution<int> zipf(weights.begin(), weights.end());
    for (int i = 0; i < kQuestions; ++i) {
      packets_.push_back(QuestionFor(names_[static_cast<size_t>(zipf(random))], static_cast<uint16_t>(i)));
    }
  }

  void Run(const char* name, bool policy, bool record) {
    Published<const blocklist::PolicySnapshot> published;
    if (policy) published.Publish(policy_bytes_);
    RingSink ring(0, 64 << 20);
    NoSink none;
    Core core({.settings = &settings_,
               .policy = &published,
               .cache = &cache_,
               .rng = &rng_,
               .sink = record ? static_cast<RecordSink*>(&ring) : &none,
               .worker = 0});
    Fill(core);
    double best = 1e18;
    for (int round = 0; round < kRounds; ++round) {
      while (!ring.ring().Front().empty()) ring.ring().Pop();
      best = std::min(best, Round(core));
    }
    if (core.counters().records_lost.value() != 0) std::abort();
    std::printf("{\"bench\":\"pipeline\",\"case\":\"%s\",\"value\":%.1f,\"unit\":\"ns\"}\n", name, best);
    std::fflush(stdout);
  }

 private:
  // Resolves every name once.
  void Fill(Core& core) {
    std::vector<uint8_t> reply;
    ClientQuestion question;
    question.client = {*IpAddress::Parse("10.0.0.1"), 5000};
    for (const dns::Name& name : names_) {
      const auto packet = QuestionFor(name, 1);
      question.packet = packet;
      core.HandleQuestion(question, ReadClocks(), &reply);
      while (auto query = core.PollSend()) {
        core.HandleUpstreamReply(query->ticket, AnswerTo(query->packet), ReadClocks());
      }
      while (core.PollCancel()) {
      }
      while (core.PollReply()) {
      }
    }
  }

  double Round(Core& core) {
    ClientQuestion question;
    question.client.address = *IpAddress::Parse("10.1.2.3");
    std::vector<uint8_t> reply;
    reply.reserve(4096);
    size_t answered = 0;
    const double start = CpuNanos();
    Now now = ReadClocks();
    for (size_t i = 0; i < packets_.size(); ++i) {
      if (i % 64 == 0) now = ReadClocks();  // once per batch, as the worker does
      question.packet = packets_[i];
      question.client.port = static_cast<uint16_t>(5000 + i % 1000);
      question.token = i;
      if (core.HandleQuestion(question, now, &reply) == Handled::kReplied && reply[7] == 1) ++answered;
    }
    const double each = (CpuNanos() - start) / static_cast<double>(packets_.size());
    if (answered != packets_.size()) std::abort();  // an answer of one record to each
    return each;
  }

  KernelRng rng_;
  RrsetCache cache_;
  Published<const Settings> settings_;
  std::shared_ptr<const blocklist::PolicySnapshot> policy_bytes_;
  std::vector<dns::Name> names_;
  std::vector<std::vector<uint8_t>> packets_;
};

}  // namespace
}  // namespace sekisho::resolver

int main(int argc, char** argv) {
  const size_t rules = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  sekisho::resolver::Bench bench(rules);
  bench.Run("hit", false, false);
  bench.Run("hit+policy", true, false);
  bench.Run("hit+record", false, true);
  bench.Run("hit+policy+record", true, true);
}
