#include "bench/traffic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "proto/base/bytes.h"

namespace sekisho::bench {
namespace {

uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

constexpr std::array<const char*, 8> kTlds = {"com", "jp", "net", "co.jp", "org", "io", "go.jp", "ne.jp"};
constexpr std::array<const char*, 24> kSyllables = {"ka", "to", "mi",   "shi", "ra",  "net",  "cloud", "app",
                                                    "no", "yu", "web",  "ki",  "ser", "data", "ha",    "san",
                                                    "re", "ko", "blue", "min", "tek", "ar",   "on",    "ex"};
constexpr std::array<const char*, 12> kHosts = {"www",   "api",    "cdn",  "static", "mail",   "img",
                                                "login", "assets", "edge", "m",      "events", "telemetry"};

// A host below one of about a quarter as many zones.
std::string MakeName(uint64_t seed, uint32_t rank, uint32_t names) {
  const uint64_t zone = Mix(seed ^ (Mix(rank) % (names / 4 + 1)));
  std::string text;
  const uint64_t host = Mix(seed + rank);
  const uint64_t shape = host % 10;
  if (shape < 5) {
    text = std::string(kHosts[host / 16 % kHosts.size()]) + ".";
  } else if (shape < 7) {
    text = kHosts[host / 16 % kHosts.size()] + std::to_string(host / 256 % 200) + ".";
  } else if (shape < 8) {
    static constexpr char kHex[] = "0123456789abcdef";
    for (int i = 0; i < 12; ++i) text += kHex[host >> (4 * i + 4) & 15];
    text += "." + std::string(kHosts[host / 16 % kHosts.size()]) + ".";
  }
  for (uint64_t z = zone, n = 2 + zone % 3; n > 0; --n, z /= 32) text += kSyllables[z % kSyllables.size()];
  if (zone % 3 == 0) text += std::to_string(zone / 7 % 100);
  return text + "." + kTlds[zone / 11 % kTlds.size()] + ".";
}

std::string V4(uint64_t seed) {
  // Addresses crowd in the networks of few hosters.
  const uint64_t net = Mix(seed % 4000);
  return {static_cast<char>(1 + net % 220), static_cast<char>(net >> 8), static_cast<char>(Mix(seed) >> 8),
          static_cast<char>(Mix(seed))};
}

std::string V6(uint64_t seed) {
  std::string out = {0x24, 0x04};
  const uint64_t net = Mix(seed % 1500);
  for (int i = 0; i < 4; ++i) out += static_cast<char>(net >> (8 * i));
  out.append(6, '\0');
  for (int i = 0; i < 4; ++i) out += static_cast<char>(Mix(seed) >> (8 * i));
  return out;
}

}  // namespace

Traffic::Traffic(const TrafficOptions& options)
    : options_(options), random_(options.seed), hosts_(options.names), sequence_(options.workers, 0) {
  double sum = 0;
  zipf_.reserve(options.names);
  for (uint32_t i = 0; i < options.names; ++i) zipf_.push_back(sum += 1 / std::pow(i + 1, options.exponent));
  sum = 0;
  for (uint32_t i = 0; i < options.clients; ++i) client_weight_.push_back(sum += 1 / std::pow(i + 5, 0.7));
  for (uint32_t i = 0; i < options.agencies; ++i) agencies_.push_back("agency-" + std::to_string(i));
  time_us_ = static_cast<double>(options.start_us);
}

std::string Traffic::NameText(uint32_t rank) const { return MakeName(options_.seed, rank, options_.names); }

uint32_t Traffic::ZipfRank() {
  const double at = Uniform() * zipf_.back();
  return static_cast<uint32_t>(std::lower_bound(zipf_.begin(), zipf_.end(), at) - zipf_.begin());
}

const Traffic::Host& Traffic::HostOf(uint32_t rank) {
  if (hosts_[rank]) return *hosts_[rank];
  auto host = std::make_unique<Host>();
  const uint64_t h = Mix(options_.seed * 31 + rank);
  host->name = *dns::Name::Parse(NameText(rank));
  host->negative = h % 25 == 0;
  host->blocked = h % 500 == 7;
  host->size = static_cast<uint16_t>(60 + h % 200);
  if (!host->negative) {
    std::vector<Item> chain;
    if (h % 3 == 0) {  // a delivery network
      const std::string target =
          "d" + std::to_string(h % 100'000) + ".edge.delivery" + std::to_string(h % 7) + ".net.";
      chain.push_back({dns::RRType::kCNAME, std::string(AsText(dns::Name::Parse(target)->bytes()))});
    }
    host->a = host->aaaa = host->https = chain;
    const uint64_t addresses = h % 5 < 3 ? 1 : 1 + h % 4;
    for (uint64_t i = 0; i < addresses; ++i)
      host->a.push_back({dns::RRType::kA, V4(h % 3 == 0 ? h % 5000 + i : h + i)});
    if (h % 2 == 0) {
      for (uint64_t i = 0; i < addresses; ++i)
        host->aaaa.push_back({dns::RRType::kAAAA, V6(h % 3 == 0 ? h % 5000 + i : h + i)});
    }
    if (h % 6 == 0) host->https.push_back({dns::RRType::kHTTPS, std::string("\0\1\0\0\1\0\6\2h2\2h3", 14)});
  }
  hosts_[rank] = std::move(host);
  return *hosts_[rank];
}

void Traffic::FillAnswers(const Host& host, uint64_t kind) {
  const std::vector<Item>& items = kind < 60 ? host.a : kind < 90 ? host.aaaa : host.https;
  event_.qtype = kind < 60 ? dns::RRType::kA : kind < 90 ? dns::RRType::kAAAA : dns::RRType::kHTTPS;
  answers_.clear();
  for (const Item& item : items) answers_.push_back({item.type, AsBytes(item.rdata)});
  event_.answers = answers_;
}

const record::LookupEvent& Traffic::Next() {
  record::LookupEvent& e = event_;
  time_us_ += -std::log(1 - Uniform()) * 1e6 / options_.per_second;
  e.time = WallFromMicros(static_cast<int64_t>(time_us_));
  e.worker = static_cast<uint16_t>(random_() % options_.workers);
  e.sequence = ++sequence_[e.worker];
  const double at = Uniform() * client_weight_.back();
  const auto client = static_cast<uint64_t>(
      std::lower_bound(client_weight_.begin(), client_weight_.end(), at) - client_weight_.begin());
  const uint64_t c = Mix(client);
  const uint64_t agency = c % options_.agencies;
  const std::array<uint8_t, 4> address = {10, static_cast<uint8_t>(agency), static_cast<uint8_t>(c >> 16),
                                          static_cast<uint8_t>(c >> 8)};
  e.client = {IpAddress::V4(address), static_cast<uint16_t>(1024 + random_() % 64000)};
  e.agency = agencies_[agency];
  const Host& host = HostOf(ZipfRank());
  FillAnswers(host, random_() % 100);
  e.qname = host.name;
  const bool edns = c % 8 != 0;
  e.flags = static_cast<uint16_t>(record::kFlagRd | record::kFlagAnswered | (edns ? record::kFlagEdns : 0));
  e.rcode = host.negative ? dns::Rcode::kNXDomain : dns::Rcode::kNoError;
  e.response_size = static_cast<uint16_t>(host.size + (edns ? 11 : 0));
  const bool hit = Uniform() < 0.85;
  e.origin = hit ? record::Origin::kCache : record::Origin::kUpstream;
  e.latency_us =
      static_cast<uint32_t>(hit ? 8 + static_cast<double>(random_() % 40) : std::exp(9 + 2.5 * Uniform()));
  e.transport = random_() % 50 == 0 ? record::Transport::kTcp : record::Transport::kUdp;
  e.security = host.size % 4 == 0 ? record::Security::kSecure : record::Security::kInsecure;
  e.generation = 1 + static_cast<uint64_t>((time_us_ - static_cast<double>(options_.start_us)) / 6e8);
  e.action = host.blocked ? record::Action::kNxdomain : record::Action::kNone;
  e.trigger = host.blocked ? record::Trigger::kQname : record::Trigger::kNone;
  e.trigger_name = host.blocked ? host.name.view() : dns::NameView();
  e.rule_labels = host.blocked ? 2 : 0;
  e.rule_subtree = host.blocked;
  e.feeds = host.blocked ? "jpcert, local" : "";
  e.category = host.blocked ? "phishing" : "";
  e.ede = host.blocked ? 15 : 0xffff;
  return e;
}

}  // namespace sekisho::bench
