// OutboundTcp: the questions of one worker that are on their way to servers over TCP.
//
// One question at a time per connection. A connection whose answer was complete is kept a short while for the
// next question to the same server; should the server have closed it meanwhile, the question goes out once
// more on a fresh one. Deadlines are the core's: a ticket ends by Cancel.
//
// Threads: one worker's loop. Limits: kMaxIdle kept connections, each for kIdleTime; one message of at most
// 65535 bytes per question. Standards: RFC 7766 sections 6.2.1 and 6.2.3.
#ifndef SEKISHO_RESOLVER_SERVER_OUTBOUND_TCP_H_
#define SEKISHO_RESOLVER_SERVER_OUTBOUND_TCP_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "proto/io/event_loop.h"
#include "proto/io/poll_set.h"
#include "proto/io/unique_fd.h"
#include "resolver/server/handlers.h"

namespace sekisho::resolver {

class OutboundTcp {
 public:
  static constexpr size_t kMaxIdle = 64;
  static constexpr Duration kIdleTime = std::chrono::seconds(2);

  OutboundTcp(io::EventLoop& loop, UpstreamHandler* handler);
  ~OutboundTcp();

  // Nothing, or why it could not be sent; the ticket is forgotten then.
  std::optional<UpstreamFailure> Send(const OutboundQuery& query);
  void Cancel(uint64_t ticket);

  size_t in_flight() const { return by_ticket_.size(); }
  size_t idle() const { return idle_.size(); }

 private:
  struct Connection;

  std::optional<UpstreamFailure> Connect(std::unique_ptr<Connection> c);
  void OnEvent(uint64_t id, io::FdWatcher::Events events);
  // Each returns false when the connection has failed.
  bool Write(Connection* c);
  bool Read(Connection* c);
  void Fail(Connection* c);
  void Deliver(Connection* c);
  void Drop(uint64_t id);
  void ExpireIdle();

  UpstreamHandler* handler_;
  std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::unordered_map<uint64_t, uint64_t> by_ticket_;
  std::vector<uint64_t> idle_;  // oldest first
  uint64_t last_id_ = 0;
  io::PollSet poll_;
  io::Timer expire_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_OUTBOUND_TCP_H_
