// OutboundUdp: the questions of one worker that are on their way to servers over UDP, each on a socket of its
// own.
//
// Every query has a fresh connected socket on an unpredictable port. Datagrams from others than the server
// that was asked never reach the core; neither do those for a ticket that was cancelled.
//
// Threads: one worker's loop. Limits: as many sockets as the core has tickets; kRepliesPerEvent datagrams of
// one socket per event. Standards: RFC 5452 section 9.2.
#ifndef SEKISHO_RESOLVER_SERVER_OUTBOUND_UDP_H_
#define SEKISHO_RESOLVER_SERVER_OUTBOUND_UDP_H_

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "proto/base/rng.h"
#include "proto/io/event_loop.h"
#include "proto/io/poll_set.h"
#include "proto/io/unique_fd.h"
#include "resolver/server/handlers.h"

namespace sekisho::resolver {

class OutboundUdp {
 public:
  OutboundUdp(io::EventLoop& loop, Rng* rng, UpstreamHandler* handler);

  // Nothing, or why it could not be sent; the ticket is forgotten then.
  std::optional<UpstreamFailure> Send(const OutboundQuery& query);
  void Cancel(uint64_t ticket) { sockets_.erase(ticket); }

  size_t in_flight() const { return sockets_.size(); }

 private:
  static constexpr int kRepliesPerEvent = 4;

  struct Socket {
    io::UniqueFd fd;
    Endpoint server;
  };
  void OnReadable(uint64_t ticket);

  Rng* rng_;
  UpstreamHandler* handler_;
  std::unordered_map<uint64_t, Socket> sockets_;
  std::vector<uint8_t> buffer_;
  io::PollSet poll_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_OUTBOUND_UDP_H_
