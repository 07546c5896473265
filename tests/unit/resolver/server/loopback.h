// Sockets and a stand-in for the core, for the tests of the server's parts.
#ifndef SEKISHO_TESTS_UNIT_RESOLVER_SERVER_LOOPBACK_H_
#define SEKISHO_TESTS_UNIT_RESOLVER_SERVER_LOOPBACK_H_

#include <sys/socket.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/io/event_loop.h"
#include "proto/io/socket.h"
#include "proto/io/unique_fd.h"
#include "resolver/server/handlers.h"

namespace sekisho::resolver {

inline Endpoint Local(const std::string& address = "127.0.0.1", uint16_t port = 0) {
  return {*IpAddress::Parse(address), port};
}
inline Endpoint AddressOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return Endpoint::FromSockaddr(reinterpret_cast<sockaddr*>(&address));
}
inline std::vector<uint8_t> Bytes(std::string_view text) { return {text.begin(), text.end()}; }
inline std::string Text(std::span<const uint8_t> bytes) { return std::string(AsText(bytes)); }
// A message as it goes over TCP.
inline std::string Framed(std::string_view text) {
  return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size())} + std::string(text);
}

// A blocking client socket whose reads end with an error after ten seconds.
inline io::UniqueFd Client(int type, const Endpoint& server, const Endpoint& from) {
  io::UniqueFd fd(::socket(server.address.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
  timeval limit{10, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  sockaddr_storage address{};
  socklen_t size = from.ToSockaddr(&address);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return {};
  size = server.ToSockaddr(&address);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return {};
  return fd;
}
inline bool SendText(int fd, std::string_view text) {
  return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// Runs the loop until `done`, at most ten seconds.
inline bool RunUntil(io::EventLoop& loop, const std::function<bool()>& done) {
  io::Timer tick(loop, [] {});
  tick.StartRepeating(std::chrono::milliseconds(2));
  const MonoTime end = ReadClocks().mono + std::chrono::seconds(10);
  while (!done()) {
    if (ReadClocks().mono > end) return false;
    loop.RunOnce(true);
  }
  return true;
}
// Bytes that are there now, while the loop runs; nullopt when the peer has closed.
inline bool Readable(int fd, std::string* into, bool* closed) {
  char buffer[65536];
  const ssize_t n = ::recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
  if (n > 0) into->append(buffer, static_cast<size_t>(n));
  if (n == 0 || (n < 0 && errno != EAGAIN)) *closed = true;
  return n > 0;
}
inline std::string ReadUntilClosed(io::EventLoop& loop, int fd, bool* closed) {
  std::string got;
  *closed = false;
  RunUntil(loop, [&] {
    while (Readable(fd, &got, closed)) {
    }
    return *closed;
  });
  return got;
}
inline std::string ReadBytes(io::EventLoop& loop, int fd, size_t size) {
  std::string got;
  bool closed = false;
  RunUntil(loop, [&] {
    while (Readable(fd, &got, &closed)) {
    }
    return closed || got.size() >= size;
  });
  return got;
}

// Answers "x" with "re:x" at once, unless told otherwise.
class FakeHandler : public QuestionHandler {
 public:
  std::optional<std::string> AgencyOf(const IpAddress& client) override {
    if (refused && *refused == client) return std::nullopt;
    const auto it = agencies.find(client.ToString());
    return it == agencies.end() ? std::string() : it->second;
  }
  std::map<std::string, std::string> agencies;  // by address
  void Expect(std::span<const std::span<const uint8_t>>) override {}
  Handled OnQuestion(const ClientQuestion& q, std::vector<uint8_t>* reply) override {
    questions.push_back(Text(q.packet));
    clients.push_back(q.client);
    if (pending) {
      tokens.push_back(q.token);
      return Handled::kPending;
    }
    if (drop) return Handled::kDropped;
    *reply = answer.empty() ? Bytes("re:" + questions.back()) : answer;
    return Handled::kReplied;
  }
  void OnClientGone(uint64_t token) override { gone.push_back(token); }
  void BeginRound() override {}
  void EndRound() override {
    if (on_round) on_round();
  }

  bool pending = false;
  bool drop = false;
  std::optional<IpAddress> refused;
  std::vector<uint8_t> answer;
  std::function<void()> on_round;
  std::vector<std::string> questions;
  std::vector<Endpoint> clients;
  std::vector<uint64_t> tokens;
  std::vector<uint64_t> gone;
};

class FakeUpstream : public UpstreamHandler {
 public:
  void OnUpstreamReply(uint64_t ticket, std::span<const uint8_t> packet) override {
    replies.emplace_back(ticket, Text(packet));
  }
  void OnUpstreamFailure(uint64_t ticket, UpstreamFailure failure) override {
    failures.emplace_back(ticket, failure);
  }
  void BeginRound() override {}
  void EndRound() override {}

  std::vector<std::pair<uint64_t, std::string>> replies;
  std::vector<std::pair<uint64_t, UpstreamFailure>> failures;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_TESTS_UNIT_RESOLVER_SERVER_LOOPBACK_H_
