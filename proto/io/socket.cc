#include "proto/io/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace sekisho::io {
namespace {

constexpr int kUdpReceiveBuffer = 4 << 20;
constexpr int kUdpSendBuffer = 2 << 20;
constexpr int kTcpBacklog = 1024;
constexpr int kPortTries = 32;
constexpr uint16_t kFirstPort = 1024;

void SetOption(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

UniqueFd Open(const IpAddress& address, int type) {
  return UniqueFd(::socket(address.is_v4() ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

// Forged "fragmentation needed" messages must not make our datagrams smaller or set DF.
void IgnorePathMtu(int fd, bool v4) {
  if (v4) {
    SetOption(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  } else {
    SetOption(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
  }
}

int BindTo(int fd, const Endpoint& local) {
  sockaddr_storage address{};
  const socklen_t size = local.ToSockaddr(&address);
  return ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 ? 0 : errno;
}

absl::Status Failed(const char* what, const Endpoint& local, int error) {
  return absl::UnavailableError(std::string(what) + " " + local.ToString() + ": " + std::strerror(error));
}

bool IsWildcard(const IpAddress& a) {
  return a == IpAddress() || (a.is_v4() && a == *IpAddress::Parse("0.0.0.0"));
}

int ConnectTo(int fd, const Endpoint& server) {
  sockaddr_storage address{};
  const socklen_t size = server.ToSockaddr(&address);
  return ::connect(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 ? 0 : errno;
}

}  // namespace

absl::StatusOr<UniqueFd> BindUdp(const Endpoint& local) {
  UniqueFd fd = Open(local.address, SOCK_DGRAM);
  if (!fd) return Failed("cannot make a UDP socket for", local, errno);
  const bool v4 = local.address.is_v4();
  SetOption(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (!v4) SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (IsWildcard(local.address)) {
    SetOption(fd.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1);
  }
  // The FORCE variants pass net.core.rmem_max where we may; the plain ones do what they can.
  if (const int bytes = kUdpReceiveBuffer;
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0) {
    SetOption(fd.get(), SOL_SOCKET, SO_RCVBUF, kUdpReceiveBuffer);
  }
  if (const int bytes = kUdpSendBuffer;
      ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0) {
    SetOption(fd.get(), SOL_SOCKET, SO_SNDBUF, kUdpSendBuffer);
  }
  IgnorePathMtu(fd.get(), v4);
  if (const int error = BindTo(fd.get(), local)) return Failed("cannot bind UDP", local, error);
  return fd;
}

absl::StatusOr<UniqueFd> BindTcp(const Endpoint& local) {
  UniqueFd fd = Open(local.address, SOCK_STREAM);
  if (!fd) return Failed("cannot make a TCP socket for", local, errno);
  SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  SetOption(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (!local.address.is_v4()) SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (const int error = BindTo(fd.get(), local)) return Failed("cannot bind TCP", local, error);
  return fd;
}

absl::Status Listen(int fd, const Endpoint& local) {
  if (::listen(fd, kTcpBacklog) != 0) return Failed("cannot listen on TCP", local, errno);
  return absl::OkStatus();
}

absl::Status CheckUdpPortFree(const Endpoint& local) {
  UniqueFd fd = Open(local.address, SOCK_DGRAM);
  if (!fd) return Failed("cannot make a UDP socket for", local, errno);
  if (!local.address.is_v4()) SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (const int error = BindTo(fd.get(), local)) return Failed("cannot bind UDP", local, error);
  return absl::OkStatus();
}

ConnectOutcome ConnectUdp(const Endpoint& server, Rng& rng, UniqueFd* out) {
  UniqueFd fd = Open(server.address, SOCK_DGRAM);
  const bool v4 = server.address.is_v4();
  if (!fd) return errno == EAFNOSUPPORT ? ConnectOutcome::kUnreachable : ConnectOutcome::kNoSocket;
  IgnorePathMtu(fd.get(), v4);
  Endpoint local;
  local.address = v4 ? *IpAddress::FromRdata(std::array<uint8_t, 4>{}) : IpAddress();
  for (int i = 0;; ++i) {
    if (i == kPortTries) return ConnectOutcome::kNoSocket;
    local.port = static_cast<uint16_t>(kFirstPort + rng.Below(65536 - kFirstPort));
    const int error = BindTo(fd.get(), local);
    if (error == 0) break;
    // EACCES: the administrator has raised net.ipv4.ip_unprivileged_port_start.
    if (error != EADDRINUSE && error != EACCES) {
      return IsOwnShortage(error) ? ConnectOutcome::kNoSocket : ConnectOutcome::kUnreachable;
    }
  }
  if (const int error = ConnectTo(fd.get(), server)) {
    return IsOwnShortage(error) ? ConnectOutcome::kNoSocket : ConnectOutcome::kUnreachable;
  }
  *out = std::move(fd);
  return ConnectOutcome::kOk;
}

ConnectOutcome ConnectTcp(const Endpoint& server, UniqueFd* out) {
  UniqueFd fd = Open(server.address, SOCK_STREAM);
  if (!fd) return errno == EAFNOSUPPORT ? ConnectOutcome::kUnreachable : ConnectOutcome::kNoSocket;
  SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  const int error = ConnectTo(fd.get(), server);
  if (error != 0 && error != EINPROGRESS) {
    return IsOwnShortage(error) ? ConnectOutcome::kNoSocket : ConnectOutcome::kUnreachable;
  }
  *out = std::move(fd);
  return ConnectOutcome::kOk;
}

int PendingError(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

bool IsOwnShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRINUSE ||
         error == EADDRNOTAVAIL || error == EAGAIN;
}

}  // namespace sekisho::io
