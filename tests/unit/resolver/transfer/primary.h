// A primary on loopback that answers as told, for tests.
#ifndef SEKISHO_TESTS_UNIT_RESOLVER_TRANSFER_PRIMARY_H_
#define SEKISHO_TESTS_UNIT_RESOLVER_TRANSFER_PRIMARY_H_

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/dns/message.h"
#include "proto/io/unique_fd.h"

namespace sekisho::resolver {

using Messages = std::vector<std::vector<uint8_t>>;

// One connection after the other, one question each.
class Primary {
 public:
  using Answer = std::function<Messages(dns::RRType type, uint16_t id)>;

  explicit Primary(Answer answer) : answer_(std::move(answer)) {
    fd_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address{};
    const socklen_t size = Endpoint{*IpAddress::Parse("127.0.0.1"), 0}.ToSockaddr(&address);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd_.get(), 8), 0);
    sockaddr_storage bound{};
    socklen_t room = sizeof(bound);
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &room);
    at_ = Endpoint::FromSockaddr(reinterpret_cast<sockaddr*>(&bound));
    thread_ = std::thread([this] { Run(); });
  }
  ~Primary() {
    ::shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
  }
  Endpoint at() const { return at_; }
  const std::vector<dns::RRType>& asked() const { return asked_; }

 private:
  void Run() {
    for (;;) {
      const io::UniqueFd client(::accept(fd_.get(), nullptr, nullptr));
      if (client.get() < 0) return;
      std::vector<uint8_t> in(4096);
      const ssize_t n = ::read(client.get(), in.data(), in.size());
      if (n < 14) continue;
      dns::ParsedMessage m;
      if (m.Parse({in.data() + 2, static_cast<size_t>(n) - 2}) != dns::ParseError::kNone) continue;
      asked_.push_back(m.qtype());
      for (const auto& message : answer_(m.qtype(), m.header().id)) {
        const uint8_t size[2] = {static_cast<uint8_t>(message.size() >> 8),
                                 static_cast<uint8_t>(message.size())};
        if (::send(client.get(), size, 2, MSG_NOSIGNAL) != 2) break;
        if (::send(client.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) break;
      }
    }
  }

  Answer answer_;
  io::UniqueFd fd_;
  Endpoint at_;
  std::vector<dns::RRType> asked_;
  std::thread thread_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_TESTS_UNIT_RESOLVER_TRANSFER_PRIMARY_H_
