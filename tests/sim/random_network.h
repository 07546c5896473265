// RandomNetwork: an internet made from a seed: a tree of zones on servers that lose, delay, repeat, mangle
// and lie.
//
// The servers of the root and of the TLDs tell the truth (slowly, or not at all); those of other zones may
// lie, about anybody. A name is honest when no liar is needed to resolve it; for such names the network never
// gives the forged address but in replies that a resolver must not believe: for another question, with a
// wrong ID, or from a zone that cannot speak for the name.
//
// Threads: one. Limits: for tests; the same seed makes the same network and the same course of events.
#ifndef SEKISHO_TESTS_SIM_RANDOM_NETWORK_H_
#define SEKISHO_TESTS_SIM_RANDOM_NETWORK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/replay/harness.h"
#include "tests/replay/network.h"

namespace sekisho::sim {

// Draws for building and for events.
class Dice {
 public:
  explicit Dice(uint64_t seed) : rng_(seed) {}
  uint32_t Below(uint32_t bound) { return rng_.Below(bound); }
  bool Percent(uint32_t p) { return Below(100) < p; }
  template <typename T>
  const T& Of(const std::vector<T>& all) {
    return all[Below(static_cast<uint32_t>(all.size()))];
  }

 private:
  replay::SeededRng rng_;
};

class RandomNetwork final : public replay::Network {
 public:
  static constexpr const char* kForged = "6.6.6.6";

  explicit RandomNetwork(uint64_t seed);

  std::vector<replay::Delivery> OnQuery(const resolver::OutboundQuery& query) override;

  const IpAddress& root() const { return root_; }
  // Names worth asking: some exist, some do not.
  dns::Name SomeName(Dice& dice) const;
  bool IsHonest(dns::NameView name) const;
  // What went wrong in building; empty in a sound simulation.
  const std::vector<std::string>& errors() const { return errors_; }

 private:
  struct Traits {
    uint32_t loss = 0;     // percent
    uint32_t repeats = 0;  // percent
    uint32_t mangles = 0;  // percent
    uint32_t jitter_ms = 0;
    bool lies = false;
  };
  struct ZonePlan {
    dns::Name origin;
    std::vector<IpAddress> servers;
    std::vector<size_t> needs;  // zones in which the names of its servers live
    size_t parent = 0;
    bool honest = true;
    std::vector<std::string> records;
  };

  size_t AddZone(size_t parent, const std::string& name);
  IpAddress NewServer(bool may_lie);
  void Delegate(size_t zone);
  void Fill(size_t zone);
  void Judge();
  void Serve();
  replay::Delivery Forge(const resolver::OutboundQuery& query, bool right_id);
  void AddLies(const resolver::OutboundQuery& query, replay::Delivery* delivery);
  void Mangle(std::vector<uint8_t>* packet);

  Dice dice_;
  replay::ScriptedNetwork honest_;
  IpAddress root_;
  std::vector<ZonePlan> zones_;
  std::map<IpAddress, Traits> traits_;
  std::vector<dns::Name> names_;
  std::vector<std::string> errors_;
  uint32_t next_address_ = 1;
};

}  // namespace sekisho::sim

#endif  // SEKISHO_TESTS_SIM_RANDOM_NETWORK_H_
