// Core: one worker's resolver without any I/O. Bytes and events go in, bytes and wishes come out; the shell
// in resolver/server owns sockets and timers and does what the polls ask for.
//
//   switch (core.HandleQuestion(question, now, &reply)) …        a client's packet
//   while (auto q = core.PollSend()) …                           open a socket, send, remember q->ticket
//   while (auto t = core.PollCancel()) …                         close that ticket's socket; late replies are
//   noise while (auto r = core.PollReply()) …                          send r->packet to the client behind
//   r->token arm one timer for core.NextDeadline(); on expiry core.HandleTimer(now)
//
// After every Handle… call the shell drains the three polls (in the order send, cancel, reply).
//
// Threads: one thread per Core; the RrsetCache and the published values are shared between Cores.
// Limits: resolver/core/limits.h. Standards: RFC 1034, 1035, 2181, 2308, 6891, 8914, 9156, and those of the
// parts.
#ifndef SEKISHO_RESOLVER_CORE_CORE_H_
#define SEKISHO_RESOLVER_CORE_CORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/base/now.h"
#include "proto/base/published.h"
#include "proto/base/rng.h"
#include "proto/record/lookup_record.h"
#include "resolver/core/admission/server_cookies.h"
#include "resolver/core/counters.h"
#include "resolver/core/settings.h"

namespace sekisho::blocklist {
class PolicySnapshot;
}
namespace sekisho::record {
struct LookupEvent;
}

namespace sekisho::resolver {

class RrsetCache;

// Takes the record of each question; must not block. False: there was no room, the record is lost (and
// counted by the Core in Counters::records_lost).
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual bool Write(const record::LookupEvent& event) = 0;
};

// Hears of zones whose primaries say that they have changed (RFC 1996); must not block.
class NotifySink {
 public:
  virtual ~NotifySink() = default;
  virtual void Notified(dns::NameView zone) = 0;
};

struct ClientQuestion {
  std::span<const uint8_t> packet;
  Endpoint client;
  record::Transport transport = record::Transport::kUdp;
  uint64_t token = 0;  // the shell's; comes back with a pending reply
};

enum class Handled : uint8_t {
  kReplied,  // *reply holds the answer
  kPending,  // the answer comes from PollReply with this token
  kDropped,  // nothing is to be sent (not a query, too short, no agency, policy "drop")
};

struct OutboundQuery {
  uint64_t ticket = 0;  // never used again
  Endpoint server;
  bool tcp = false;             // the shell adds and strips the two length bytes
  std::vector<uint8_t> packet;  // complete, ID included
};

struct PendingReply {
  uint64_t token = 0;
  bool drop = false;  // forget the client without an answer
  std::vector<uint8_t> packet;
};

enum class UpstreamFailure : uint8_t {
  kUnreachable,  // ICMP error, connection refused or reset, no route
  kClosed,       // TCP closed before a whole reply
  kNoSocket,     // we are out of descriptors or ports; not the server's fault
};

namespace dnssec {
class AnchorRollover;
}

struct CoreDeps {
  const Published<const Settings>* settings = nullptr;                 // must have a value
  const Published<const blocklist::PolicySnapshot>* policy = nullptr;  // may have none yet
  const Published<const rpz::Zones>* zones = nullptr;                  // may be null, and have none yet
  RrsetCache* cache = nullptr;
  Rng* rng = nullptr;
  RecordSink* sink = nullptr;
  NotifySink* notify = nullptr;  // null: nobody listens
  uint16_t worker = 0;
  // The trust anchors' state, if this is the worker that asks after them (RFC 5011).
  dnssec::AnchorRollover* rollover = nullptr;
  CookieSecret cookie_secret{};  // of the process, the same for all workers; the operator's own come first
};

class Core {
 public:
  explicit Core(const CoreDeps& deps);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // These packets come next, in this order; what they need begins to be fetched from memory. Saves time,
  // changes nothing.
  void Expect(std::span<const std::span<const uint8_t>> packets);
  // `reply` is cleared and filled only for kReplied. It is ready to send; for UDP it is already cut to size.
  Handled HandleQuestion(const ClientQuestion& question, Now now, std::vector<uint8_t>* reply);
  // The client behind `token` is gone (its TCP connection closed); its reply will not be asked for.
  void HandleClientGone(uint64_t token, Now now);

  // A datagram or a whole TCP message came in for `ticket`, from the server it was connected to.
  void HandleUpstreamReply(uint64_t ticket, std::span<const uint8_t> packet, Now now);
  void HandleUpstreamFailure(uint64_t ticket, UpstreamFailure failure, Now now);
  void HandleTimer(Now now);

  std::optional<OutboundQuery> PollSend();
  std::optional<uint64_t> PollCancel();
  std::optional<PendingReply> PollReply();
  std::optional<MonoTime> NextDeadline() const;

  const Counters& counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_CORE_H_
