// Exchanges: the questions that one worker has on the wire, and the one function that accepts replies to
// them.
//
//   ExchangeResult r = co_await exchanges.Ask(request);
//
// Identical questions to the servers of one zone share one exchange, so that an attacker has one chance and
// not many (birthday, row P06). A reply that does not match is dropped and the wait goes on; a wrong ID, a
// wrong case or a missing cookie over UDP ends the wait as kSuspicious, and the caller asks again over TCP
// (rows P05, P11, P33). A wait that times out leaves its socket open for a while (`linger`): the reply of a
// slow server then ends the next wait for the same question, whichever server that one went to.
//
// Threads: one worker. Limits: at most kOutstanding exchanges, of which kLingeringPerQuestion linger for one
// question. Standards: RFC 5452 section 9, RFC 2181 section 4.1, RFC 7873 section 5.3 (cookies).
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
  Duration linger{};       // UDP: how long from now a late reply is still taken
  bool wait_only = false;  // nothing is sent; only a late reply can come
  // COOKIE option: ours (8), then the server's if it is known; empty: none. Used during the call only.
  std::span<const uint8_t> cookie;
};

enum class ExchangeOutcome : uint8_t {
  kReply,
  kTimeout,
  kUnreachable,
  kClosed,
  kNoSocket,    // our own shortage; the server is not to blame
  kSuspicious,  // somebody guesses: ask again over TCP
};

inline constexpr size_t kOwnCookieSize = 8;

// A reply's bytes and their parse, shared by all who wait for it.
struct Reply {
  std::vector<uint8_t> packet;
  dns::ParsedMessage message;  // views `packet`
};

struct ExchangeResult {
  ExchangeOutcome outcome = ExchangeOutcome::kTimeout;
  std::shared_ptr<const Reply> reply;  // for kReply
  Duration rtt{};
  Endpoint server;            // who was asked; another one than requested when joined or late
  bool joined = false;        // somebody else's exchange
  bool late = false;          // the reply to an earlier question of the same kind
  bool case_changed = false;  // kSuspicious, and only the name's case is wrong
  bool cookie_sent = false;
  std::vector<uint8_t> server_cookie;  // what the server wants to see next time; empty: none came
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
  // Is there a socket on which a late reply to this question may still come?
  bool Lingers(const ExchangeRequest& request) const;

 private:
  static constexpr size_t kOutstanding = 20'000;
  // Each is one more chance for who guesses, so they are few (row P06); the first asked are kept.
  static constexpr size_t kLingeringPerQuestion = 4;
  static constexpr size_t kKeptReplies = 1000;

  struct Exchange {
    uint64_t ticket = 0;
    uint16_t id = 0;
    dns::Name sent_name;  // with the case that was sent
    dns::RRType qtype = dns::RRType::kNone;
    Endpoint server;
    bool tcp = false;
    bool mixed_case = false;
    bool silent = false;     // nothing was sent
    bool lingering = false;  // nobody waits; a reply is taken all the same
    std::vector<uint8_t> own_cookie;
    bool server_cookie_known = false;
    MonoTime sent{};
    MonoTime deadline{};
    MonoTime linger_until{};
    std::string share_key;
    std::vector<Wait*> waits;
  };

  enum class Verdict : uint8_t { kAccept, kIgnore, kSuspicious };
  // The one acceptance function: is this a reply to that question?
  Verdict Judge(const Exchange& exchange, dns::ParseError parsed, const dns::ParsedMessage& message);
  Exchange* Start(const ExchangeRequest& request, std::string share_key, MonoTime now);
  static Verdict JudgeCookie(const Exchange& exchange, const dns::ParsedMessage& message);
  static ExchangeResult ResultOf(const Exchange& exchange);
  void Accept(const Exchange& exchange, std::shared_ptr<Reply> reply, ExchangeResult* result);
  void EndWaits(Exchange& exchange, const ExchangeResult& result);
  void Finish(uint64_t ticket, const ExchangeResult& result);
  // A lingering exchange has its reply: whoever waits for the same gets it, or who asks next.
  void FinishLate(const Exchange& exchange, ExchangeResult result, MonoTime now);
  bool BeginLinger(Exchange& exchange, MonoTime now);
  void CloseLingering(const std::string& share_key);
  void Leave(Wait* wait);
  void Close(uint64_t ticket);

  Rng* rng_;
  Counters* counters_;
  uint64_t next_ticket_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<Exchange>> exchanges_;
  std::map<std::string, uint64_t> shared_;
  std::map<std::string, std::vector<uint64_t>> lingering_;  // by share key
  struct Kept {
    MonoTime until{};
    ExchangeResult result;
  };
  std::map<std::string, Kept> kept_;  // late replies that nobody waited for just then
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
  // Over already.
  Wait(Exchanges* owner, ExchangeResult result) : owner_(owner), result_(std::move(result)) {}
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
