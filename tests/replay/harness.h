// CoreHarness: one real Core between clients and a Network, with a clock that jumps from event to event.
//
//   CoreHarness h(seed, &network);
//   h.Publish(settings);
//   const size_t q = h.Ask(packet, client, Transport::kUdp);
//   h.RunUntilAnswered(q, std::chrono::seconds(10));
//   h.asked(q).reply …
//
// Events at the same instant happen in the order in which they were made, so a run is a function of its seed.
//
// Threads: one. Limits: RunUntil gives up after kMaxEvents events (runaway() then says so).
#ifndef SEKISHO_TESTS_REPLAY_HARNESS_H_
#define SEKISHO_TESTS_REPLAY_HARNESS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "blocklist/trie/policy_snapshot.h"
#include "proto/base/now.h"
#include "proto/base/published.h"
#include "proto/base/rng.h"
#include "proto/record/lookup_record.h"
#include "resolver/core/cache/rrset_cache.h"
#include "resolver/core/core.h"
#include "resolver/core/settings.h"
#include "tests/replay/network.h"

namespace sekisho::replay {

// xorshift64*: predictable, which is what a replay needs.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d) {}
  void Fill(std::span<uint8_t> out) override;

 private:
  uint64_t state_;
};

class RecordLog final : public resolver::RecordSink {
 public:
  bool Write(const record::LookupEvent& event) override;
  const std::vector<record::LookupRecord>& records() const { return records_; }

 private:
  std::vector<record::LookupRecord> records_;
};

class NotifyLog final : public resolver::NotifySink {
 public:
  void Notified(dns::NameView zone) override { zones_.push_back(zone.ToString()); }
  const std::vector<std::string>& zones() const { return zones_; }

 private:
  std::vector<std::string> zones_;
};

struct Asked {
  Endpoint client;
  MonoTime at{};
  std::optional<MonoTime> ended;
  bool dropped = false;
  int ends = 0;  // must become exactly 1
  std::vector<uint8_t> reply;
};

struct UpstreamQuery {
  MonoTime at{};
  Endpoint server;
  bool tcp = false;
  std::vector<uint8_t> packet;
  dns::Name qname;
  dns::RRType qtype = dns::RRType::kNone;
};

// One line for a trace: "id 4711 qr aa NOERROR www.example.test. A | www.example.test. 300 IN A 192.0.2.1".
std::string Describe(std::span<const uint8_t> packet);

class CoreHarness {
 public:
  CoreHarness(uint64_t seed, Network* network, bool trace = true, size_t cache_bytes = 16 << 20,
              resolver::dnssec::AnchorRollover* rollover = nullptr);
  CoreHarness(const CoreHarness&) = delete;
  CoreHarness& operator=(const CoreHarness&) = delete;

  void Publish(std::shared_ptr<const resolver::Settings> settings) { settings_.Publish(std::move(settings)); }
  void Publish(std::shared_ptr<const blocklist::PolicySnapshot> policy) {
    policy_.Publish(std::move(policy));
  }

  void Publish(std::shared_ptr<const resolver::rpz::Zones> zones) { zones_.Publish(std::move(zones)); }

  // Returns the question's number.
  size_t Ask(std::span<const uint8_t> packet, Endpoint client, record::Transport transport);
  void Leave(size_t question);
  void RunFor(Duration d) { RunUntil(now_ + d); }
  void RunUntil(MonoTime end);
  bool RunUntilAnswered(size_t question, Duration limit);
  // Until nothing is left to happen; false when that takes longer than `limit`.
  bool RunUntilIdle(Duration limit);

  MonoTime now() const { return now_; }
  bool runaway() const { return runaway_; }
  const std::vector<Asked>& asked() const { return asked_; }
  const Asked& asked(size_t i) const { return asked_[i]; }
  const std::vector<UpstreamQuery>& upstream() const { return upstream_; }
  const RecordLog& log() const { return log_; }
  const NotifyLog& notified() const { return notified_; }
  const resolver::Counters& counters() const { return core_->counters(); }
  resolver::RrsetCache& cache() { return cache_; }
  const std::vector<std::string>& trace() const { return trace_; }

 private:
  static constexpr size_t kMaxEvents = 20'000'000;

  struct Event {
    uint64_t ticket;
    Delivery delivery;
  };

  Now Clock() const;
  std::optional<MonoTime> NextEvent() const;
  void Step();
  void Drain();
  void Note(const std::string& line);
  void End(size_t question, bool dropped, std::vector<uint8_t> reply);

  Network* network_;
  bool tracing_;
  MonoTime now_{std::chrono::seconds(1000)};
  SeededRng rng_;
  Published<const resolver::Settings> settings_;
  Published<const blocklist::PolicySnapshot> policy_;
  Published<const resolver::rpz::Zones> zones_;
  resolver::RrsetCache cache_;
  RecordLog log_;
  NotifyLog notified_;
  std::unique_ptr<resolver::Core> core_;
  std::map<std::pair<MonoTime, uint64_t>, Event> events_;
  uint64_t event_number_ = 0;
  std::set<uint64_t> open_;  // tickets sent and neither answered nor cancelled
  std::vector<Asked> asked_;
  std::vector<UpstreamQuery> upstream_;
  std::vector<std::string> trace_;
  size_t steps_ = 0;
  bool runaway_ = false;
};

}  // namespace sekisho::replay

#endif  // SEKISHO_TESTS_REPLAY_HARNESS_H_
