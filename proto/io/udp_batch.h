// UdpBatch: datagrams in and out of one UDP socket, up to 64 with one system call each way, without
// allocation.
//
//   for (size_t i = 0, n = batch.Receive(fd); i < n; ++i) { … batch.peer(i), batch.bytes(i) … batch.Reply(i,
//   answer) } batch.Flush(fd);
//
// Threads: one. Limits: kBatch datagrams of at most kMaxDatagram bytes; longer ones are dropped. What is
// given to Reply and Send must stay where it is until Flush. Standards: recvmmsg(2), RFC 3542 (IPV6_PKTINFO).
#ifndef SEKISHO_PROTO_IO_UDP_BATCH_H_
#define SEKISHO_PROTO_IO_UDP_BATCH_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "proto/base/ip_address.h"

namespace sekisho::io {

// Where a datagram came from and which of our addresses it was sent to.
struct UdpPath {
  sockaddr_in6 peer{};  // holds a sockaddr_in for IPv4
  socklen_t peer_size = 0;
  bool has_local = false;  // the socket is bound to a wildcard address
  in6_addr local{};        // IPv4 in the first four bytes
  uint32_t interface = 0;  // for link-local addresses
};

class UdpBatch {
 public:
  static constexpr size_t kBatch = 64;
  static constexpr size_t kMaxDatagram = 4096;

  UdpBatch();

  // Takes what waits at the socket; returns how many. 0: nothing (or only what was dropped).
  size_t Receive(int fd);
  std::span<const uint8_t> bytes(size_t i) const;
  Endpoint peer(size_t i) const;
  UdpPath path(size_t i) const;

  // Queues a reply to datagram i, or a datagram along a path kept from an earlier batch. Room for kBatch;
  // false when full: Flush first.
  bool Reply(size_t i, std::span<const uint8_t> bytes) { return Send(path(i), bytes); }
  bool Send(const UdpPath& path, std::span<const uint8_t> bytes);
  // Sends what is queued. A datagram that the system refuses is given up, the others are sent all the same.
  void Flush(int fd);

  uint64_t oversized() const { return oversized_; }
  uint64_t send_failures() const { return send_failures_; }

 private:
  struct Arrays;
  struct Free {
    void operator()(Arrays* arrays) const;
  };
  std::unique_ptr<Arrays, Free> arrays_;
  size_t received_ = 0;
  size_t queued_ = 0;
  uint64_t oversized_ = 0;
  uint64_t send_failures_ = 0;
};

}  // namespace sekisho::io

#endif  // SEKISHO_PROTO_IO_UDP_BATCH_H_
