#include "proto/io/frame_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "proto/base/bytes.h"

namespace sekisho::io {

absl::StatusOr<FrameClient> FrameClient::Connect(const std::string& path, Duration timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(path + ": longer than the " +
                                      std::to_string(sizeof(address.sun_path) - 1) +
                                      " bytes a socket path may have");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return absl::InternalError(std::string("cannot make a socket: ") + std::strerror(errno));
  timeval limit{};
  limit.tv_sec = timeout.count() / 1'000'000;
  limit.tv_usec = timeout.count() % 1'000'000;
  // On Linux the send timeout also bounds connect(2) when the backlog is full.
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    const std::string text = path + ": " + (error == EAGAIN ? "no answer in time" : std::strerror(error));
    if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(text);
    return absl::UnavailableError(text);
  }
  return FrameClient(std::move(fd), path);
}

FrameClient::FrameClient(UniqueFd fd, std::string path)
    : fd_(std::move(fd)), path_(std::move(path)), decoder_(frame::kMaxResponse) {}

absl::Status FrameClient::Failed(const char* what, int error) const {
  if (error == EAGAIN || error == EWOULDBLOCK) {
    return absl::DeadlineExceededError(path_ + ": " + what + ": no answer in time");
  }
  return absl::UnavailableError(path_ + ": " + what + ": " + std::strerror(error));
}

absl::Status FrameClient::Send(const control::Request& request) {
  std::string wire;
  if (!frame::AppendFrame(request, &wire)) return absl::InvalidArgumentError("request is too large");
  size_t at = 0;
  while (at < wire.size()) {
    const ssize_t n = ::send(fd_.get(), wire.data() + at, wire.size() - at, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("cannot send", errno);
    at += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

absl::StatusOr<control::Response> FrameClient::Receive() {
  std::string payload;
  for (;;) {
    switch (decoder_.Next(&payload)) {
      case frame::FrameDecoder::Result::kBad:
        return absl::DataLossError(path_ + ": " + decoder_.error());
      case frame::FrameDecoder::Result::kFrame: {
        control::Response response;
        if (response.ParseFromString(payload)) return response;
        return absl::DataLossError(path_ + ": the answer is not a control.Response");
      }
      case frame::FrameDecoder::Result::kNeedMore:
        break;
    }
    uint8_t buffer[65536];
    const ssize_t n = ::recv(fd_.get(), buffer, sizeof(buffer), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("cannot receive", errno);
    if (n == 0) return absl::UnavailableError(path_ + ": closed before the answer was complete");
    decoder_.Append({buffer, static_cast<size_t>(n)});
  }
}

absl::Status FrameClient::Call(const control::Request& request,
                               const std::function<bool(const control::Response&)>& fn) {
  const absl::Status sent = Send(request);
  for (;;) {
    // Who hung up before the request was sent may have said why.
    auto response = Receive();
    if (!response.ok()) return sent.ok() ? response.status() : sent;
    if (!response->error().empty()) return absl::FailedPreconditionError(response->error());
    if (!fn(*response) || response->last()) return absl::OkStatus();
  }
}

absl::StatusOr<control::Response> FrameClient::Call(const control::Request& request) {
  control::Response only;
  auto status = Call(request, [&](const control::Response& response) {
    only = response;
    return true;
  });
  if (!status.ok()) return status;
  return only;
}

}  // namespace sekisho::io
