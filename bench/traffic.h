// Traffic: synthetic lookups that look like a government's: Zipf names, thousands of clients in a hundred
// agencies, A, AAAA and HTTPS questions, answers with shared addresses and CNAMEs to delivery networks, a few
// blocked names.
//
//   Traffic traffic({.seed = 1});  for (…) EncodeRaw(traffic.Next(), ring);
//
// Threads: one thread. Limits: memory grows with the names drawn so far. The event's views are valid until
// the next call.
#ifndef SEKISHO_BENCH_TRAFFIC_H_
#define SEKISHO_BENCH_TRAFFIC_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "proto/record/lookup_event.h"

namespace sekisho::bench {

struct TrafficOptions {
  uint64_t seed = 1;
  uint32_t names = 1'000'000;
  double exponent = 1.0;  // of Zipf's law
  uint32_t clients = 5'000;
  uint32_t agencies = 120;
  double per_second = 10'000;
  uint16_t workers = 2;
  int64_t start_us = 1'790'000'000'000'000;
};

class Traffic {
 public:
  explicit Traffic(const TrafficOptions& options);

  const record::LookupEvent& Next();
  // The name of that popularity, 0 the most asked.
  std::string NameText(uint32_t rank) const;

 private:
  struct Item {
    dns::RRType type;
    std::string rdata;
  };
  struct Host {
    dns::Name name;
    std::vector<Item> a, aaaa, https;
    uint16_t size = 0;
    bool negative = false;
    bool blocked = false;
  };
  const Host& HostOf(uint32_t rank);
  uint32_t ZipfRank();
  void FillAnswers(const Host& host, uint64_t kind);
  double Uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  TrafficOptions options_;
  std::mt19937_64 random_;
  std::vector<double> zipf_;  // cumulative
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::string> agencies_;
  std::vector<double> client_weight_;  // cumulative
  std::vector<uint64_t> sequence_;
  std::vector<record::AnswerView> answers_;
  record::LookupEvent event_;
  double time_us_;
};

}  // namespace sekisho::bench

#endif  // SEKISHO_BENCH_TRAFFIC_H_
