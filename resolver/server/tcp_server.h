// TcpServer: one worker's clients over TCP: pipelined questions, answers in whatever order they are ready.
//
//   message := u16 length (big-endian, not zero) | bytes
//
// Threads: one worker's loop; the quota is shared. Limits: TcpLimits. A client that sends a length of zero,
// does not finish a message in time, does not take its answers, or does nothing for too long is closed; the
// allowed idle time shrinks as the connections of all workers fill up. Reading stops while too many questions
// or answers are waiting. Standards: RFC 7766, RFC 1035 section 4.2.2.
#ifndef SEKISHO_RESOLVER_SERVER_TCP_SERVER_H_
#define SEKISHO_RESOLVER_SERVER_TCP_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "proto/io/event_loop.h"
#include "proto/io/poll_set.h"
#include "proto/io/unique_fd.h"
#include "resolver/config/tcp_limits.h"
#include "resolver/server/connection_quota.h"
#include "resolver/server/handlers.h"
#include "resolver/server/token_table.h"

namespace sekisho::resolver {

// How long a client may be idle when `used` of `limits.max_connections` are open.
Duration IdleTimeUnderLoad(const TcpLimits& limits, uint32_t used);

class TcpServer {
 public:
  TcpServer(io::EventLoop& loop, ConnectionQuota* quota, QuestionHandler* handler, const TcpLimits& limits);
  ~TcpServer();

  // Takes a listening socket.
  void AddListener(io::UniqueFd fd);
  void SetLimits(const TcpLimits& limits);

  // The answer of a pending question; an empty packet means that there is none.
  void SendReply(uint64_t token, std::vector<uint8_t> packet);
  // Writes replies and goes on with the questions that waited for them. True: new questions went to the
  // handler.
  bool Flush();

  size_t connections() const { return connections_.size(); }

 private:
  struct Listener;
  struct Connection;
  struct Client {
    uint64_t connection = 0;
  };

  void Accept(Listener* listener);
  void Open(io::UniqueFd fd, const Endpoint& peer, std::string agency);
  void Close(uint64_t id);
  void OnEvent(uint64_t id, io::FdWatcher::Events events);
  bool Read(Connection* c);
  // Hands over whole messages while there is room, and writes what was answered. False: the connection was
  // closed.
  bool HandleMessages(Connection* c);
  // False: the client has sent what it must not.
  bool TakeMessages(Connection* c);
  // Neither too many questions nor too many bytes of answers are waiting.
  bool HasRoom(const Connection& c) const;
  void HandleMessage(Connection* c, std::span<const uint8_t> message);
  bool Write(Connection* c);
  // After any progress: closes what is done and asks for the events that matter now.
  void Settle(Connection* c);
  void Sweep();

  io::EventLoop& loop_;
  ConnectionQuota* quota_;
  QuestionHandler* handler_;
  TcpLimits limits_;
  TokenTable<Client> clients_{kTcpTokenBit};
  std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections_;
  uint64_t last_id_ = 0;
  std::vector<uint64_t> touched_;
  std::vector<uint8_t> reply_;
  io::PollSet poll_;
  io::Timer sweep_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_TCP_SERVER_H_
