// UnixFrameServer: a daemon's control socket. One Request frame in, Response frames out until `last`, then
// the next.
//
//   auto server = UnixFrameServer::Listen(loop, {.path = paths.FeeddSocket()},
//       [&](control::Request request, std::shared_ptr<ReplyStream> reply) { reply->Finish(Answer(request));
//       });
//
// The handler runs on the loop's thread and must not block; it may keep `reply` and answer later, from any
// thread.
//
// Threads: Listen and destruction on the loop's thread. ReplyStream: any one thread at a time.
// Limits: Options. A client that closes its side counts as gone. The socket file has mode 0660; one left
// behind by a dead process is replaced, one that answers is not. Standards: none; frames are those of
// proto/frame.
#ifndef SEKISHO_PROTO_IO_UNIX_FRAME_SERVER_H_
#define SEKISHO_PROTO_IO_UNIX_FRAME_SERVER_H_

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <string>

#include "proto/base/now.h"
#include "proto/io/event_loop.h"
#include "proto/schema/control.pb.h"

namespace sekisho::io {

// The answer to one request. Dropped without Finish, the client is told that the request failed.
class ReplyStream {
 public:
  virtual ~ReplyStream() = default;

  // Sends a response that is not the last. On another thread than the loop's it waits while the client is
  // behind by more than Options::max_buffered; on the loop's thread it never waits. False: the client is
  // gone, stop.
  virtual bool Send(control::Response response) = 0;
  // Sends the last response (sets `last`).
  virtual bool Finish(control::Response response) = 0;
  bool Fail(std::string error);
  virtual bool gone() const = 0;
  // More than max_buffered bytes wait for the client: a sender on the loop's thread should pause.
  virtual bool behind() const = 0;
};

class UnixFrameServer {
 public:
  struct Options {
    std::string path;
    size_t max_connections = 64;
    size_t max_buffered = 4 << 20;                      // bytes of responses waiting for one client
    Duration idle_timeout = std::chrono::seconds(60);   // without a whole request
    Duration write_timeout = std::chrono::seconds(30);  // without the client taking any byte
  };
  using Handler = std::function<void(control::Request, std::shared_ptr<ReplyStream>)>;

  static absl::StatusOr<std::unique_ptr<UnixFrameServer>> Listen(EventLoop& loop, Options options,
                                                                 Handler handler);
  // Closes all connections and removes the socket file.
  ~UnixFrameServer();

  size_t connections() const;

 private:
  class Impl;
  explicit UnixFrameServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sekisho::io

#endif  // SEKISHO_PROTO_IO_UNIX_FRAME_SERVER_H_
