// pipeline_bench: a client's packet through the core to its reply, from the cache, without sockets; one JSON
// object a line (best of seven rounds, thread CPU time per question).
//
//   pipeline_bench [--rules=1000000] [--questions=131072] [--rounds=7] [--case=NAME]
//
// Cached: 10,000 names, asked by Zipf's law from 1000 client ports, filled in through the core itself by an
// authority that knows every name. Blocked: names on the list, most of them once. Miss: new names, each asked
// for once; the authority's part of the work is counted, too. Records go to a ring that is emptied outside
// the measured time. instructions.py counts the processor's instructions instead, which no other work on the
// machine changes.
#include <time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
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

// What is asked, with which of policy and record on.
struct Case {
  const char* name;
  enum class Names : uint8_t { kCached, kBlocked, kNew } names;
  bool policy;
  bool record;
};

constexpr Case kCases[] = {
    {"hit", Case::Names::kCached, false, false},
    {"hit+policy", Case::Names::kCached, true, false},
    {"hit+record", Case::Names::kCached, false, true},
    {"hit+policy+record", Case::Names::kCached, true, true},
    {"blocked+record", Case::Names::kBlocked, true, true},
    {"miss+policy+record", Case::Names::kNew, true, true},
};

class Bench {
 public:
  Bench(size_t rules, size_t questions)
      : cache_(256 << 20, 64, rng_), policy_bytes_(MakePolicy(rules)), rules_(rules), questions_(questions) {
    Settings settings;
    const AgencyTable::Id agency = settings.agencies.Add("bench");
    settings.agencies.AddNetwork(agency, *IpPrefix::Parse("10.0.0.0/8"));
    settings.root_hints.push_back({*dns::Name::Parse("ns.root."), *IpAddress::Parse("198.51.100.1")});
    settings.query_private_addresses = true;  // the authority's is a documentation address
    settings.validate = false;
    settings.qname_minimisation = false;
    settings.mix_case = false;
    settings_.Publish(std::make_shared<const Settings>(std::move(settings)));
    for (int i = 0; i < kNames; ++i) {
      names_.push_back(*dns::Name::Parse("www.site" + std::to_string(i) + ".example"));
    }
  }

  // Nanoseconds of CPU a question, the best round.
  double Run(const Case& c, int rounds) {
    Published<const blocklist::PolicySnapshot> published;
    if (c.policy) published.Publish(policy_bytes_);
    RingSink ring(0, 64 << 20);
    NoSink none;
    Core core({.settings = &settings_,
               .policy = &published,
               .cache = &cache_,
               .rng = &rng_,
               .sink = c.record ? static_cast<RecordSink*>(&ring) : &none,
               .worker = 0});
    if (c.names == Case::Names::kCached) Fill(core);
    const int answers = c.names == Case::Names::kBlocked ? 0 : 1;
    const auto packets = Packets(c.names);
    double best = 1e18;
    for (int round = 0; round < rounds; ++round) {
      while (!ring.ring().Front().empty()) ring.ring().Pop();
      // New names are new only once.
      best = std::min(best, Round(core, c.names == Case::Names::kNew ? Packets(c.names) : packets, answers));
    }
    if (core.counters().records_lost.value() != 0) std::abort();
    return best;
  }

 private:
  std::vector<std::vector<uint8_t>> Packets(Case::Names kind) {
    std::mt19937_64 random(7);
    std::vector<double> weights;
    for (int i = 0; i < kNames; ++i) weights.push_back(1.0 / (i + 1));
    std::discrete_distribution<int> zipf(weights.begin(), weights.end());
    bench::NameModel listed(1);
    std::vector<std::vector<uint8_t>> packets;
    for (size_t i = 0; packets.size() < questions_; ++i) {
      std::optional<dns::Name> name;
      if (kind == Case::Names::kCached) {
        name = names_[static_cast<size_t>(zipf(random))];
      } else if (kind == Case::Names::kNew) {
        name = dns::Name::Parse("www.new" + std::to_string(++last_new_) + ".example");
      } else {
        name = dns::Name::Parse(listed.Next());
        if (i % rules_ == rules_ - 1) listed = bench::NameModel(1);
      }
      if (name) packets.push_back(QuestionFor(*name, static_cast<uint16_t>(i)));
    }
    return packets;
  }

  // Resolves every name once.
  void Fill(Core& core) {
    std::vector<uint8_t> reply;
    ClientQuestion question;
    question.client = {*IpAddress::Parse("10.0.0.1"), 5000};
    for (const dns::Name& name : names_) {
      const auto packet = QuestionFor(name, 1);
      question.packet = packet;
      core.HandleQuestion(question, ReadClocks(), &reply);
      AnswerAll(core, ReadClocks());
    }
  }

  // The authority's part; how many clients got their answer of one record.
  static size_t AnswerAll(Core& core, Now now) {
    while (auto query = core.PollSend())
      core.HandleUpstreamReply(query->ticket, AnswerTo(query->packet), now);
    while (core.PollCancel()) {
    }
    size_t answered = 0;
    while (auto reply = core.PollReply()) answered += reply->packet[7] == 1;
    return answered;
  }

  // In batches, as the worker does.
  double Round(Core& core, const std::vector<std::vector<uint8_t>>& packets, int answers) {
    constexpr size_t kBatch = 64;
    ClientQuestion question;
    question.client.address = *IpAddress::Parse("10.1.2.3");
    std::vector<uint8_t> reply;
    reply.reserve(4096);
    size_t answered = 0;
    const double start = CpuNanos();
    for (size_t begin = 0; begin < packets.size(); begin += kBatch) {
      const Now now = ReadClocks();
      const size_t end = std::min(packets.size(), begin + kBatch);
      std::array<std::span<const uint8_t>, kBatch> batch;
      std::copy(packets.begin() + static_cast<std::ptrdiff_t>(begin),
                packets.begin() + static_cast<std::ptrdiff_t>(end), batch.begin());
      core.Expect({batch.data(), end - begin});
      for (size_t i = begin; i < end; ++i) {
        question.packet = packets[i];
        question.client.port = static_cast<uint16_t>(5000 + i % 1000);
        question.token = i;
        const Handled handled = core.HandleQuestion(question, now, &reply);
        answered += handled == Handled::kReplied && reply[7] == answers;
      }
      answered += AnswerAll(core, now);
    }
    const double each = (CpuNanos() - start) / static_cast<double>(packets.size());
    if (answered != packets.size()) std::abort();
    return each;
  }

  KernelRng rng_;
  RrsetCache cache_;
  Published<const Settings> settings_;
  std::shared_ptr<const blocklist::PolicySnapshot> policy_bytes_;
  size_t rules_;
  size_t questions_;
  std::vector<dns::Name> names_;
  uint64_t last_new_ = 0;
};

int Main(int argc, char** argv) {
  size_t rules = 1'000'000;
  size_t questions = kQuestions;
  int rounds = kRounds;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&](const char* key) -> const char* {
      return word.starts_with(key) ? word.c_str() + std::string_view(key).size() : nullptr;
    };
    if (const char* v = value("--rules=")) {
      rules = std::strtoull(v, nullptr, 10);
    } else if (const char* n = value("--questions=")) {
      questions = std::strtoull(n, nullptr, 10);
    } else if (const char* r = value("--rounds=")) {
      rounds = std::atoi(r);
    } else if (const char* c = value("--case=")) {
      only = c;
    } else {
      std::fprintf(stderr, "usage: pipeline_bench [--rules=N] [--questions=N] [--rounds=N] [--case=NAME]\n");
      return 2;
    }
  }
  Bench bench(std::max<size_t>(1, rules), questions);
  for (const Case& c : kCases) {
    if (!only.empty() && only != c.name) continue;
    const double ns = bench.Run(c, rounds);
    std::printf("{\"bench\":\"pipeline\",\"case\":\"%s\",\"n\":%zu,\"value\":%.1f,\"unit\":\"ns\"}\n", c.name,
                rules, ns);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace sekisho::resolver

int main(int argc, char** argv) { return sekisho::resolver::Main(argc, argv); }
