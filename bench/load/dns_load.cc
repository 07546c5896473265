// dns_load: asks a resolver questions over UDP or TCP and prints what came back, as one JSON object.
//
//   dns_load --server=127.0.0.1 --port=53 --questions=FILE [--seconds=5] [--window=200 | --rate=QPS]
//            [--order=sequence|zipf|uniform] [--skip=N] [--once] [--tcp] [--dnssec] [--sockets=4] [--seed=1]
//
// FILE holds "name type" lines. With --window, so many questions are always on the way (closed loop:
// throughput and CPU per question); with --rate, questions leave when they are due whatever comes back, and
// latency counts from that moment (open loop: latency at a given load). --once asks every line once and ends.
// Questions go out and answers come in by the batch (sendmmsg, recvmmsg), so that the generator disturbs what
// it measures as little as it can; each socket has a source address of its own in 127.0.0.0/8, as many
// clients have.
//
// Output: sent, answered, lost (no answer within a second), qps, latency percentiles in µs, the longest time
// without any answer in ms, and how many answers had which response code.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "bench/load/latency_histogram.h"
#include "proto/dns/name.h"
#include "proto/dns/types.h"

namespace sekisho::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Micros = int64_t;

constexpr size_t kBatch = 64;
constexpr Micros kLost = 1'000'000;

struct Options {
  std::string server = "127.0.0.1";
  uint16_t port = 53;
  std::string questions;
  double seconds = 5;
  size_t window = 200;
  double rate = 0;
  std::string order = "sequence";
  size_t skip = 0;
  bool once = false;
  bool tcp = false;
  bool dnssec = false;
  size_t sockets = 4;
  uint64_t seed = 1;
};

Micros Now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
}

// splitmix64: the same questions in every run.
struct Sequence {
  uint64_t state;
  uint64_t Next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
};

// Which question comes next.
class Order {
 public:
  Order(const Options& o, size_t count) : kind_(o.order), count_(count), at_(o.skip), random_{o.seed} {
    if (kind_ != "zipf") return;
    cumulative_.reserve(count);
    double sum = 0;
    for (size_t i = 0; i < count; ++i) cumulative_.push_back(sum += 1.0 / static_cast<double>(i + 1));
  }
  size_t Next() {
    if (kind_ == "uniform") return random_.Next() % count_;
    if (kind_ == "zipf") {
      const double at = random_.Unit() * cumulative_.back();
      const auto found = std::lower_bound(cumulative_.begin(), cumulative_.end(), at);
      return std::min(count_ - 1, static_cast<size_t>(found - cumulative_.begin()));
    }
    return at_++ % count_;
  }

 private:
  std::string kind_;
  size_t count_;
  size_t at_;
  Sequence random_;
  std::vector<double> cumulative_;
};

using Packet = std::vector<uint8_t>;

// As stub resolvers ask: RD, EDNS with 1232 bytes, DO when told.
Packet Encode(const dns::Name& name, uint16_t type, bool dnssec) {
  Packet p = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
  p.insert(p.end(), name.bytes().begin(), name.bytes().end());
  const uint8_t dnssec_ok = dnssec ? 0x80 : 0;
  const std::array<uint8_t, 15> rest = {static_cast<uint8_t>(type >> 8),
                                        static_cast<uint8_t>(type),
                                        0,
                                        1,
                                        0,
                                        0,
                                        41,
                                        4,
                                        208,
                                        0,
                                        0,
                                        dnssec_ok,
                                        0,
                                        0,
                                        0};
  p.insert(p.end(), rest.begin(), rest.end());
  return p;
}

std::optional<std::vector<Packet>> ReadQuestions(const Options& o) {
  std::ifstream in(o.questions);
  std::vector<Packet> out;
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    std::istringstream words(line);
    std::string name, type;
    words >> name >> type;
    const auto parsed = dns::Name::Parse(name);
    const auto rrtype = dns::ParseRRType(type);
    if (!parsed || !rrtype) {
      std::fprintf(stderr, "%s:%zu: not \"name type\": %s\n", o.questions.c_str(), number, line.c_str());
      return std::nullopt;
    }
    out.push_back(Encode(*parsed, static_cast<uint16_t>(*rrtype), o.dnssec));
  }
  if (out.empty()) {
    std::fprintf(stderr, "no questions in %s\n", o.questions.c_str());
    return std::nullopt;
  }
  return out;
}

struct Result {
  uint64_t sent = 0;
  uint64_t answered = 0;
  uint64_t lost = 0;
  std::map<int, uint64_t> rcodes;
  LatencyHistogram latency;
  Micros longest_gap = 0;
  double seconds = 0;
};

// One socket with its 65,536 message IDs.
struct Line {
  int fd = -1;
  uint16_t next_id = 0;
  size_t waiting = 0;
  std::vector<Micros> asked = std::vector<Micros>(65536, -1);  // by ID; -1: free
  std::vector<uint8_t> unsent;                                 // TCP: what the socket did not take yet
  std::vector<uint8_t> unread;                                 // TCP: an answer that is not whole yet
};

std::optional<Line> Connect(const Options& o, size_t number) {
  Line line;
  line.fd = socket(AF_INET, o.tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
  sockaddr_in from{}, to{};
  from.sin_family = to.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(0x7f000002 + static_cast<uint32_t>(number));
  to.sin_port = htons(o.port);
  inet_pton(AF_INET, o.server.c_str(), &to.sin_addr);
  const int size = 8 << 20;
  const int on = 1;
  setsockopt(line.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(line.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  if (o.tcp) setsockopt(line.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(line.fd, reinterpret_cast<sockaddr*>(&from), sizeof from) != 0 ||
      connect(line.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    std::perror("dns_load: connect");
    return std::nullopt;
  }
  fcntl(line.fd, F_SETFL, O_NONBLOCK);
  return line;
}

class Load {
 public:
  Load(const Options& o, const std::vector<Packet>& questions, std::vector<Line> lines)
      : o_(o), questions_(questions), lines_(std::move(lines)), order_(o, questions.size()) {}

  Result Run() {
    const Micros start = Now();
    const Micros end = start + static_cast<Micros>(o_.seconds * 1e6);
    last_answer_ = start;
    start_ = start;
    for (Micros now = start; now < end && !Done(); now = Now()) {
      bool moved = false;
      for (Line& line : lines_) moved |= Receive(line);
      for (Line& line : lines_) moved |= Send(line, Now());
      if (now - swept_ > kLost / 4) Sweep(now);
      if (!moved) Wait();
    }
    r_.seconds = static_cast<double>(Now() - start) / 1e6;
    r_.longest_gap = std::max(r_.longest_gap, o_.once ? 0 : Now() - last_answer_);
    Drain();
    return r_;
  }

 private:
  bool Done() const { return o_.once && r_.sent == questions_.size() && waiting_ == 0; }

  // How many questions may leave now on one line.
  size_t Allowed(const Line& line, Micros now) const {
    if (o_.once && r_.sent >= questions_.size()) return 0;
    size_t n = kBatch;
    if (o_.once) n = std::min(n, questions_.size() - r_.sent);
    if (o_.rate > 0) {
      const auto due = static_cast<uint64_t>(o_.rate * static_cast<double>(now - start_) / 1e6);
      return due > r_.sent ? std::min<size_t>(n, due - r_.sent) : 0;
    }
    const size_t share = std::max<size_t>(1, o_.window / lines_.size());
    return line.waiting < share ? std::min(n, share - line.waiting) : 0;
  }

  bool Send(Line& line, Micros now) {
    if (!line.unsent.empty()) return Flush(line);
    const size_t n = Allowed(line, now);
    if (n == 0) return false;
    size_t ready = 0;
    for (; ready < n; ++ready) {
      const uint16_t id = line.next_id++;
      // An ID still in use: whoever had it is given up.
      if (line.asked[id] >= 0) GiveUp(line, id);
      const Packet& question = questions_[order_.Next()];
      Packet& p = batch_[ready];
      p.assign(question.begin(), question.end());
      p[0] = static_cast<uint8_t>(id >> 8);
      p[1] = static_cast<uint8_t>(id);
      // In the open loop a question that leaves late has waited from when it was due.
      const Micros due =
          o_.rate > 0 ? start_ + static_cast<Micros>(static_cast<double>(r_.sent + ready) / o_.rate * 1e6)
                      : now;
      line.asked[id] = due;
    }
    r_.sent += ready;
    line.waiting += ready;
    waiting_ += ready;
    return o_.tcp ? SendStream(line, ready) : SendDatagrams(line, ready);
  }

  bool SendDatagrams(Line& line, size_t ready) {
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> parts{};
    for (size_t i = 0; i < ready; ++i) {
      parts[i] = {batch_[i].data(), batch_[i].size()};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (size_t done = 0; done < ready;) {
      const int n = sendmmsg(line.fd, &messages[done], static_cast<unsigned>(ready - done), 0);
      if (n > 0) {
        done += static_cast<size_t>(n);
      } else if (errno == EAGAIN) {
        pollfd p{line.fd, POLLOUT, 0};
        poll(&p, 1, 10);
      } else if (errno != ECONNREFUSED && errno != EINTR) {
        std::perror("dns_load: sendmmsg");
        return true;
      }
    }
    return true;
  }

  bool SendStream(Line& line, size_t ready) {
    for (size_t i = 0; i < ready; ++i) {
      const Packet& p = batch_[i];
      line.unsent.push_back(static_cast<uint8_t>(p.size() >> 8));
      line.unsent.push_back(static_cast<uint8_t>(p.size()));
      line.unsent.insert(line.unsent.end(), p.begin(), p.end());
    }
    return Flush(line);
  }

  bool Flush(Line& line) {
    const ssize_t n = send(line.fd, line.unsent.data(), line.unsent.size(), MSG_NOSIGNAL);
    if (n > 0) line.unsent.erase(line.unsent.begin(), line.unsent.begin() + n);
    return n > 0;
  }

  bool Receive(Line& line) { return o_.tcp ? ReceiveStream(line) : ReceiveDatagrams(line); }

  bool ReceiveDatagrams(Line& line) {
    bool any = false;
    while (true) {
      std::array<mmsghdr, kBatch> messages{};
      std::array<iovec, kBatch> parts{};
      for (size_t i = 0; i < kBatch; ++i) {
        parts[i] = {replies_[i].data(), replies_[i].size()};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
      }
      const int n = recvmmsg(line.fd, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
      if (n <= 0) return any;
      any = true;
      const Micros now = Now();
      for (int i = 0; i < n; ++i) {
        const auto at = static_cast<size_t>(i);
        Take(line, {replies_[at].data(), messages[at].msg_len}, now);
      }
      if (static_cast<size_t>(n) < kBatch) return true;
    }
  }

  bool ReceiveStream(Line& line) {
    std::array<uint8_t, 65536> buffer;
    const ssize_t n = recv(line.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n <= 0) return false;
    line.unread.insert(line.unread.end(), buffer.begin(), buffer.begin() + n);
    size_t at = 0;
    const Micros now = Now();
    while (line.unread.size() - at >= 2) {
      const size_t size = static_cast<size_t>(line.unread[at]) << 8 | line.unread[at + 1];
      if (line.unread.size() - at < 2 + size) break;
      Take(line, {line.unread.data() + at + 2, size}, now);
      at += 2 + size;
    }
    line.unread.erase(line.unread.begin(), line.unread.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  }

  void Take(Line& line, std::span<const uint8_t> reply, Micros now) {
    if (reply.size() < 12) return;
    const auto id = static_cast<uint16_t>(reply[0] << 8 | reply[1]);
    if (line.asked[id] < 0) return;
    r_.latency.Add(now - line.asked[id]);
    ++r_.rcodes[reply[3] & 15];
    ++r_.answered;
    r_.longest_gap = std::max(r_.longest_gap, now - last_answer_);
    last_answer_ = now;
    Free(line, id);
  }

  void Free(Line& line, uint16_t id) {
    line.asked[id] = -1;
    --line.waiting;
    --waiting_;
  }

  void GiveUp(Line& line, uint16_t id) {
    ++r_.lost;
    Free(line, id);
  }

  void Sweep(Micros now) {
    swept_ = now;
    for (Line& line : lines_) {
      if (line.waiting == 0) continue;
      for (size_t id = 0; id < line.asked.size(); ++id) {
        if (line.asked[id] >= 0 && now - line.asked[id] > kLost) GiveUp(line, static_cast<uint16_t>(id));
      }
    }
  }

  // What is still on the way when time is up.
  void Drain() {
    for (const Micros end = Now() + kLost; waiting_ > 0 && Now() < end;) {
      bool moved = false;
      for (Line& line : lines_) {
        if (!line.unsent.empty()) Flush(line);
        moved |= Receive(line);
      }
      if (!moved) Wait();
    }
    r_.lost += waiting_;
  }

  void Wait() {
    std::vector<pollfd> fds;
    for (const Line& line : lines_) {
      fds.push_back({line.fd, static_cast<short>(line.unsent.empty() ? POLLIN : POLLIN | POLLOUT), 0});
    }
    // The open loop sleeps shorter than its clients would notice.
    const timespec nap{0, o_.rate > 0 ? 50'000 : 20'000'000};
    ppoll(fds.data(), fds.size(), &nap, nullptr);
  }

  const Options& o_;
  const std::vector<Packet>& questions_;
  std::vector<Line> lines_;
  Order order_;
  Result r_;
  size_t waiting_ = 0;
  Micros start_ = 0;
  Micros last_answer_ = 0;
  Micros swept_ = 0;
  std::array<Packet, kBatch> batch_;
  std::array<std::array<uint8_t, 4096>, kBatch> replies_;
};

void Print(const Result& r) {
  std::printf("{\"sent\":%lu,\"answered\":%lu,\"lost\":%lu,\"seconds\":%.3f,\"qps\":%.0f,", r.sent,
              r.answered, r.lost, r.seconds, static_cast<double>(r.answered) / r.seconds);
  std::printf("\"p50_us\":%ld,\"p99_us\":%ld,\"p999_us\":%ld,\"max_us\":%ld,\"gap_ms\":%.1f,\"rcodes\":{",
              r.latency.At(0.5), r.latency.At(0.99), r.latency.At(0.999), r.latency.max(),
              static_cast<double>(r.longest_gap) / 1e3);
  const char* comma = "";
  for (const auto& [rcode, n] : r.rcodes) {
    std::printf("%s\"%d\":%lu", comma, rcode, n);
    comma = ",";
  }
  std::printf("}}\n");
}

bool ReadOption(const std::string& word, Options* o) {
  const size_t equals = word.find('=');
  const std::string key = word.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
  if (key == "--once") return o->once = true;
  if (key == "--tcp") return o->tcp = true;
  if (key == "--dnssec") return o->dnssec = true;
  if (value.empty()) return false;
  const double number = std::atof(value.c_str());
  if (key == "--server")
    o->server = value;
  else if (key == "--questions")
    o->questions = value;
  else if (key == "--order")
    o->order = value;
  else if (key == "--port")
    o->port = static_cast<uint16_t>(number);
  else if (key == "--seconds")
    o->seconds = number;
  else if (key == "--window")
    o->window = static_cast<size_t>(number);
  else if (key == "--rate")
    o->rate = number;
  else if (key == "--skip")
    o->skip = static_cast<size_t>(number);
  else if (key == "--sockets")
    o->sockets = std::max<size_t>(1, static_cast<size_t>(number));
  else if (key == "--seed")
    o->seed = static_cast<uint64_t>(number);
  else
    return false;
  return true;
}

int Main(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    if (ReadOption(argv[i], &o)) continue;
    std::fprintf(stderr, "dns_load: unknown or empty option %s; see the top of bench/load/dns_load.cc\n",
                 argv[i]);
    return 2;
  }
  const auto questions = ReadQuestions(o);
  if (!questions) return 2;
  std::vector<Line> lines;
  for (size_t i = 0; i < o.sockets; ++i) {
    auto line = Connect(o, i);
    if (!line) return 1;
    lines.push_back(std::move(*line));
  }
  Load load(o, *questions, std::move(lines));
  Print(load.Run());
  return 0;
}

}  // namespace
}  // namespace sekisho::bench

int main(int argc, char** argv) { return sekisho::bench::Main(argc, argv); }
