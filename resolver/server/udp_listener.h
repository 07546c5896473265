// UdpListener: one worker's socket for clients over UDP.
//
// Datagrams are taken and answered in batches; what the core answers at once leaves in the same round.
// Replies leave from the address that was asked.
//
// Threads: one worker's loop. Limits: kRoundBatches batches a round, so that other events get their turn;
// does not allocate in the steady state. Standards: RFC 1035 section 4.2.1, RFC 6891.
#ifndef SEKISHO_RESOLVER_SERVER_UDP_LISTENER_H_
#define SEKISHO_RESOLVER_SERVER_UDP_LISTENER_H_

#include <array>
#include <cstdint>
#include <vector>

#include "proto/io/event_loop.h"
#include "proto/io/udp_batch.h"
#include "proto/io/unique_fd.h"
#include "resolver/server/handlers.h"
#include "resolver/server/token_table.h"

namespace sekisho::resolver {

class UdpListener;

struct UdpClient {
  UdpListener* listener = nullptr;
  io::UdpPath path;
};
using UdpClients = TokenTable<UdpClient>;

class UdpListener {
 public:
  UdpListener(io::EventLoop& loop, io::UniqueFd fd, UdpClients* clients, QuestionHandler* handler);

  // A reply that had to wait; sent with Flush at the latest.
  void SendLater(const io::UdpPath& path, std::vector<uint8_t> packet);
  void Flush();

  uint64_t oversized() const { return batch_.oversized(); }
  uint64_t send_failures() const { return batch_.send_failures(); }

 private:
  static constexpr int kRoundBatches = 4;

  void OnReadable();
  void Answer(size_t i);

  io::UniqueFd fd_;
  UdpClients* clients_;
  QuestionHandler* handler_;
  io::UdpBatch batch_;
  std::array<std::vector<uint8_t>, io::UdpBatch::kBatch> replies_;
  std::vector<std::vector<uint8_t>> late_;
  io::FdWatcher watcher_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_UDP_LISTENER_H_
