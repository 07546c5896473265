// FrameClient: one blocking connection to a daemon's Unix socket, for the tool and for tests.
//
//   auto client = FrameClient::Connect(paths.ResolverdSocket(), std::chrono::seconds(2));
//   client->Call(request, [&](const control::Response& r) { …; return true; });
//
// Threads: one at a time. Limits: `timeout` bounds connecting, each write and each silence between responses;
// a response has at most frame::kMaxResponse bytes. Standards: none; frames are those of proto/frame.
#ifndef SEKISHO_PROTO_IO_FRAME_CLIENT_H_
#define SEKISHO_PROTO_IO_FRAME_CLIENT_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <string>

#include "proto/base/now.h"
#include "proto/frame/frame.h"
#include "proto/io/unique_fd.h"
#include "proto/schema/control.pb.h"

namespace sekisho::io {

class FrameClient {
 public:
  // Fails with the path and the system's reason; kUnavailable when nobody listens.
  static absl::StatusOr<FrameClient> Connect(const std::string& path, Duration timeout);

  // Sends the request and hands every response to `fn` up to and with the last one. `fn` returns false to
  // stop early; the connection is of no further use then. A response that carries an error ends the call with
  // that error.
  absl::Status Call(const control::Request& request, const std::function<bool(const control::Response&)>& fn);
  // For requests with one response.
  absl::StatusOr<control::Response> Call(const control::Request& request);

 private:
  FrameClient(UniqueFd fd, std::string path);
  absl::Status Send(const control::Request& request);
  absl::StatusOr<control::Response> Receive();
  absl::Status Failed(const char* what, int error) const;

  UniqueFd fd_;
  std::string path_;
  frame::FrameDecoder decoder_;
};

}  // namespace sekisho::io

#endif  // SEKISHO_PROTO_IO_FRAME_CLIENT_H_
