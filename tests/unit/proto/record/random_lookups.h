// RandomLookups: lookups of every shape from a seed, for round trips and searches that a naive scan can
// judge.
#ifndef SEKISHO_TESTS_UNIT_PROTO_RECORD_RANDOM_LOOKUPS_H_
#define SEKISHO_TESTS_UNIT_PROTO_RECORD_RANDOM_LOOKUPS_H_

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/record/lookup_event.h"
#include "proto/record/lookup_record.h"

namespace sekisho::record {

class RandomLookups {
 public:
  explicit RandomLookups(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t bound) { return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random_); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }

  // A small world of names, so that the same ones come again and again; lower case, as blocks keep them.
  dns::Name SomeName() {
    static const std::vector<std::string> kLabels = {"www",      "mail",   "a",   "cdn",
                                                     "xn--p1ai", "_dmarc", "x.y", "host\001z"};
    static const std::vector<std::string> kZones = {"example.test.", "example.jp.", "go.jp.", "test.", "."};
    auto name = *dns::Name::Parse(kZones[Below(kZones.size())]);
    for (uint64_t n = Below(4); n > 0; --n) {
      auto longer = dns::Name::Prepend(
          kLabels[Below(kLabels.size())] + (OneIn(3) ? std::to_string(Below(20)) : ""), name);
      if (longer) name = *longer;
    }
    return name;
  }

  std::string SomeBytes(size_t most) {
    std::string out(Below(most + 1), '\0');
    for (char& c : out) c = static_cast<char>(Below(256));
    return out;
  }

  IpAddress SomeAddress(bool v4) {
    std::array<uint8_t, 16> b{};
    if (v4) {
      b = {192, 0, static_cast<uint8_t>(Below(3)), static_cast<uint8_t>(Below(50))};
      return IpAddress::V4(std::span<const uint8_t>(b).first<4>());
    }
    b[0] = 0x20;
    b[1] = 0x01;
    b[15] = static_cast<uint8_t>(Below(60));
    b[7] = static_cast<uint8_t>(Below(3));
    return IpAddress::V6(b);
  }

  AnswerItem SomeAnswer() {
    switch (Below(6)) {
      case 0:
      case 1:
        return {dns::RRType::kA, std::string(AsText(SomeAddress(true).bytes()))};
      case 2:
        return {dns::RRType::kAAAA, std::string(AsText(SomeAddress(false).bytes()))};
      case 3:
        return {dns::RRType::kCNAME, std::string(AsText(SomeName().bytes()))};
      case 4:
        return {dns::RRType::kTXT, SomeBytes(40)};
      default:
        return {static_cast<dns::RRType>(Below(65536)), SomeBytes(300)};
    }
  }

  // Times go on around `base`, with an occasional jump; sequences have holes when `holes`.
  LookupRecord Next(int64_t base_us, bool holes) {
    LookupRecord r;
    r.node = static_cast<uint32_t>(1 + Below(2));
    r.boot = 1'700'000'000'000'000 + Below(2);
    r.worker = static_cast<uint16_t>(Below(3));
    uint64_t& next = sequences_[{r.node, r.boot, r.worker}];
    next += 1 + (holes && OneIn(50) ? Below(9) : 0);
    r.sequence = next;
    r.time = WallFromMicros(base_us + static_cast<int64_t>(Below(5'000'000)));
    r.latency_us = static_cast<uint32_t>(OneIn(10) ? Below(8'000'000) : Below(300));
    r.agency = OneIn(4) ? "" : "agency " + std::to_string(Below(5));
    r.client = {SomeAddress(!OneIn(3)), static_cast<uint16_t>(Below(65536))};
    r.transport = static_cast<Transport>(Below(5));
    r.qname = SomeName();
    r.qtype = OneIn(5) ? static_cast<dns::RRType>(Below(65536)) : dns::RRType::kA;
    r.qclass = OneIn(20) ? dns::RRClass::kCH : dns::RRClass::kIN;
    r.flags = static_cast<uint16_t>(Below(256));
    r.rcode = static_cast<dns::Rcode>(Below(6));
    r.ede = OneIn(4) ? static_cast<uint16_t>(Below(30)) : 0xffff;
    r.response_size = static_cast<uint16_t>(Below(65536));
    r.origin = static_cast<Origin>(Below(5));
    r.security = static_cast<Security>(Below(4));
    for (uint64_t n = OneIn(40) ? kMaxAnswerItems : Below(4); n > 0; --n) r.answers.push_back(SomeAnswer());
    r.answers_cut = static_cast<uint16_t>(OneIn(30) ? Below(100) : 0);
    if (OneIn(5)) {
      r.action = static_cast<Action>(Below(10));
      r.trigger = static_cast<Trigger>(Below(7));
      r.trigger_name = SomeName();
      r.rule_labels = static_cast<uint8_t>(Below(5));
      r.rule_subtree = OneIn(2);
      r.feeds = OneIn(2) ? "feed-a, feed-b" : "feed-" + std::to_string(Below(4));
      r.category = OneIn(2) ? "phishing" : "";
    }
    r.generation = Below(4);
    return r;
  }

 private:
  std::mt19937_64 random_;
  std::map<std::tuple<uint32_t, uint64_t, uint16_t>, uint64_t> sequences_;
};

// A line that says everything there is in a record.
inline std::string Describe(const LookupRecord& r) {
  std::string out;
  const auto add = [&out](const auto&... v) { ((out += std::to_string(v) + " "), ...); };
  add(r.node, r.boot, r.worker, r.sequence, UnixMicros(r.time), r.latency_us, r.client.port, r.flags, r.ede,
      r.response_size, r.answers_cut, r.rule_labels, r.rule_subtree, r.generation);
  add(static_cast<int>(r.transport), static_cast<int>(r.qtype), static_cast<int>(r.qclass),
      static_cast<int>(r.rcode), static_cast<int>(r.origin), static_cast<int>(r.security),
      static_cast<int>(r.action), static_cast<int>(r.trigger));
  out += r.agency + "|" + r.client.address.ToString() + "|" + r.qname.ToString() + "|" +
         r.trigger_name.ToString() + "|" + r.feeds + "|" + r.category;
  for (const AnswerItem& a : r.answers) {
    out += "|" + std::to_string(static_cast<int>(a.type)) + ":";
    for (const char c : a.rdata) out += std::to_string(static_cast<int>(static_cast<uint8_t>(c))) + ",";
  }
  return out;
}

}  // namespace sekisho::record

#endif  // SEKISHO_TESTS_UNIT_PROTO_RECORD_RANDOM_LOOKUPS_H_
