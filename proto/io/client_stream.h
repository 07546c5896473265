// ClientStream: a connection to a receiver over TCP, TLS or a Unix socket, for a thread that may wait.
//
//   auto stream = ClientStream::Connect(target, patience, &error);
//   stream->Write(bytes, patience);          // all of it, or the connection is over
//   stream->taken()                          // of sent(), what the other side's kernel has for certain
//
// Threads: one thread; `stop` of Patience may be asked for by it at any time. Limits: waits no longer than
// Patience says without progress. Standards: RFC 5425 section 4.2 (certificates), RFC 9525.
#ifndef SEKISHO_PROTO_IO_CLIENT_STREAM_H_
#define SEKISHO_PROTO_IO_CLIENT_STREAM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "proto/base/ip_address.h"
#include "proto/base/now.h"
#include "proto/io/unique_fd.h"

namespace sekisho::io {

struct StreamTarget {
  std::string unix_path;  // empty: over TCP to `endpoint`
  Endpoint endpoint;
  bool tls = false;
  std::string tls_ca;    // PEM file
  std::string tls_name;  // empty: the certificate bears the address
};

struct Patience {
  Duration most = std::chrono::seconds(10);
  std::function<bool()> stop;  // true: give up at once
};

class ClientStream {
 public:
  virtual ~ClientStream() = default;
  // Null and *error when there is no connection in time.
  static std::unique_ptr<ClientStream> Connect(const StreamTarget& target, const Patience& patience,
                                               std::string* error);

  // False: it did not all go out in time, or the connection is over; error() says what.
  virtual bool Write(std::span<const uint8_t> bytes, const Patience& patience) = 0;
  // At least one byte, at most `out.size()`; 0: none in time or the connection is over.
  virtual size_t Read(std::span<uint8_t> out, const Patience& patience) = 0;
  // Bytes on the wire, and how many of them the receiver's kernel (TCP) or the receiver (Unix) has.
  virtual uint64_t sent() const = 0;
  uint64_t taken() const;
  // The other side has hung up.
  bool gone() const;
  const std::string& error() const { return error_; }

 protected:
  explicit ClientStream(UniqueFd fd) : fd_(std::move(fd)) {}
  // Waits until the descriptor is ready for `events`. False: not in time.
  bool Await(short events, const Patience& patience);
  bool Fail(const std::string& what);

  UniqueFd fd_;
  std::string error_;
};

}  // namespace sekisho::io

#endif  // SEKISHO_PROTO_IO_CLIENT_STREAM_H_
