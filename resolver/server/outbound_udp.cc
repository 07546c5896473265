#include "resolver/server/outbound_udp.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "proto/io/socket.h"

namespace sekisho::resolver {
namespace {

constexpr size_t kMaxDatagram = 65535;

}  // namespace

OutboundUdp::OutboundUdp(io::EventLoop& loop, Rng* rng, UpstreamHandler* handler)
    : rng_(rng),
      handler_(handler),
      buffer_(kMaxDatagram),
      poll_(
          loop, [this](uint64_t ticket, io::FdWatcher::Events) { OnReadable(ticket); },
          [this] { handler_->EndRound(); }) {}

std::optional<UpstreamFailure> OutboundUdp::Send(const OutboundQuery& query) {
  Socket socket;
  socket.server = query.server;
  switch (io::ConnectUdp(query.server, *rng_, &socket.fd)) {
    case io::ConnectOutcome::kOk:
      break;
    case io::ConnectOutcome::kUnreachable:
      return UpstreamFailure::kUnreachable;
    case io::ConnectOutcome::kNoSocket:
      return UpstreamFailure::kNoSocket;
  }
  if (::send(socket.fd.get(), query.packet.data(), query.packet.size(), MSG_NOSIGNAL) < 0) {
    return io::IsOwnShortage(errno) ? UpstreamFailure::kNoSocket : UpstreamFailure::kUnreachable;
  }
  if (!poll_.Add(socket.fd.get(), query.ticket, {.read = true})) return UpstreamFailure::kNoSocket;
  sockets_.insert_or_assign(query.ticket, std::move(socket));
  return std::nullopt;
}

void OutboundUdp::OnReadable(uint64_t ticket) {
  handler_->BeginRound();
  for (int i = 0; i < kRepliesPerEvent; ++i) {
    auto it = sockets_.find(ticket);
    if (it == sockets_.end()) return;
    sockaddr_storage from{};
    socklen_t size = sizeof(from);
    const ssize_t n = ::recvfrom(it->second.fd.get(), buffer_.data(), buffer_.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      sockets_.erase(it);
      return handler_->OnUpstreamFailure(ticket, UpstreamFailure::kUnreachable);
    }
    // Between bind and connect the port was open to everybody.
    if (Endpoint::FromSockaddr(reinterpret_cast<sockaddr*>(&from)) != it->second.server) continue;
    // Most sockets get one reply and no more; should there be another one, we are called again.
    return handler_->OnUpstreamReply(ticket, {buffer_.data(), static_cast<size_t>(n)});
  }
}

}  // namespace sekisho::resolver
