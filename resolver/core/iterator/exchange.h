// Exchanges: the questions that one worker has on the wire, and the one function that accepts replies to
// them.
//
//   ExchangeResult r = co_await exchanges.Ask(request);
//
// Identical questions to the servers of one zone share one exchange, so that an attacker has one chance and
// not many (birthday, row P06). A reply that does not match is dropped and the wait goes on; a wrong ID or a
// wrong case over UDP ends the wait as kSuspicious, and the caller asks again over TCP (rows P05, P11, P33).
//
// Threads: one worker. Limits: at most kOutstanding exchanges. Standards: RFC 5452 section 9, RFC 2181
// section 4.1.
#ifndef SEKISHO_RESOLVER_CORE_ITERATOR_EXCHANGE_H_
#define SEKISHO_RESOLVER_CORE_ITERATOR_EXCHANGE_H_

#include <coroutine>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proto/base/now.h"
#include "proto/base/rng.h"
#include "proto/dns/message.h"
#include "proto/dns/name.h"
#include "resolver/core/core.h"
#include "resolver/core/counters.h"

namespace sekisho::resolver {

struct ExchangeRequest {
  dns::NameView zone;  // for sharing and as the bailiwick
  dns::NameView qname;
  dns::RRType qtype = dns::RRType::kNone;
  Endpoint server;
  bool tcp = false;
  bool edns = true;
  bool mix_case = true;  // 0x20
  bool rd = false;       // to a forwarder
  uint16_t udp_size = 1232;
  Duration timeout{};
};

enum class ExchangeOutcome : uint8_t {
  kReply,
  kTimeout,
  kUnreachable,
  kClosed,
  kNoSocket,    // our own shortage; the server is not to blame
  kSuspicious,  // somebody guesses: ask again over TCP
};

// A reply's bytes and their parse, shared by all who wait for it.
struct Reply {
  std::vector<uint8_t> packet;
  dns::ParsedMessage message;  // views `packet`
};

struct ExchangeResult {
  ExchangeOutcome outcome = ExchangeOutcome::kTimeout;
  std::shared_ptr<const Reply> reply;  // for kReply
  Duration rtt{};
  bool joined = false;        // somebody else's exchange
  bool case_changed = false;  // kSuspicious, and only the name's case is wrong
};

class Exchanges {
 public:
  Exchanges(Rng* rng, Counters* counters) : rng_(rng), counters_(counters) {}
  Exchanges(const Exchanges&) = delete;
  Exchanges& operator=(const Exchanges&) = delete;

  class Wait;
  // To be awaited at once. The views in `request` need not outlive the call.
  Wait Ask(const ExchangeRequest& request, MonoTime now);

  // Events from the shell. None of them resumes anybody: see TakeReady.
  void OnReply(uint64_t ticket, std::span<const uint8_t> packet, MonoTime now);
  void OnFailure(uint64_t ticket, UpstreamFailure failure);
  void OnTime(MonoTime now);
  std::optional<MonoTime> NextDeadline() const;

  // Wishes for the shell.
  std::optional<OutboundQuery> PollSend();
  std::optional<uint64_t> PollCancel();

  // The next coroutine whose wait is over; resume it. Null when there is none.
  std::coroutine_handle<> TakeReady();

  size_t outstanding() const { return exchanges_.size(); }

 private:
  static constexpr size_t kOutstanding = 20'000;

  struct Exchange {
    uint64_t ticket = 0;
    uint16_t id = 0;
    dns::Name sent_name;  // with the case that was sent
    dns::RRType qtype = dns::RRType::kNone;
    bool tcp = false;
    bool mixed_case = false;
    MonoTime sent{};
    MonoTime deadline{};
    std::string share_key;
    std::vector<Wait*> waits;
  };

  enum class Verdict : uint8_t { kAccept, kIgnore, kSuspicious };
  // The one acceptance function: is this a reply to that question?
  Verdict Judge(const Exchange& exchange, dns::ParseError parsed, const dns::ParsedMessage& message);
  Exchange* Start(const ExchangeRequest& request, std::string share_key, MonoTime now);
  void Finish(uint64_t ticket, const ExchangeResult& result);
  void Leave(Wait* wait);
  void Close(uint64_t ticket);

  Rng* rng_;
  Counters* counters_;
  uint64_t next_ticket_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<Exchange>> exchanges_;
  std::map<std::string, uint64_t> shared_;
  std::set<std::pair<MonoTime, uint64_t>> deadlines_;
  std::map<std::pair<MonoTime, uint64_t>, Wait*> impatient_;  // joined an exchange that lasts longer
  uint64_t wait_number_ = 0;
  std::deque<OutboundQuery> sends_;
  std::deque<uint64_t> cancels_;
  std::deque<Wait*> ready_;
};

// Awaits one exchange. Lives in the awaiting coroutine's frame; when that is destroyed the wait is given up,
// and the exchange too if nobody else waits for it.
class Exchanges::Wait {
 public:
  Wait(Exchanges* owner, Exchange* exchange, bool joined, MonoTime deadline);
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait();

  bool await_ready() const { return ticket_ == 0; }
  void await_suspend(std::coroutine_handle<> handle) { handle_ = handle; }
  ExchangeResult await_resume() { return std::move(result_); }

 private:
  friend class Exchanges;
  Exchanges* owner_;
  MonoTime deadline_;
  uint64_t number_ = 0;
  uint64_t ticket_ = 0;  // 0: not (or no longer) part of an exchange
  bool queued_ = false;
  std::coroutine_handle<> handle_;
  ExchangeResult result_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_ITERATOR_EXCHANGE_H_
