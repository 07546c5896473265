#include <gtest/gtest.h>
#include <sys/resource.h>

#include <set>

#include "resolver/server/outbound_tcp.h"
#include "resolver/server/outbound_udp.h"
#include "tests/unit/resolver/server/loopback.h"

namespace sekisho::resolver {
namespace {

OutboundQuery Query(uint64_t ticket, const Endpoint& server, std::string_view text, bool tcp = false) {
  return {.ticket = ticket, .server = server, .tcp = tcp, .packet = Bytes(text)};
}

class OutboundUdpTest : public ::testing::Test {
 protected:
  // A datagram that came to the server's socket, and who sent it.
  std::string ServerReceive(Endpoint* from) {
    char buffer[512];
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    const ssize_t n =
        ::recvfrom(server_.get(), buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&address), &size);
    if (n < 0) return "";
    *from = Endpoint::FromSockaddr(reinterpret_cast<sockaddr*>(&address));
    return {buffer, static_cast<size_t>(n)};
  }
  static void SendTo(int fd, const Endpoint& to, std::string_view text) {
    sockaddr_storage address{};
    const socklen_t size = to.ToSockaddr(&address);
    ::sendto(fd, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&address), size);
  }

  io::EventLoop loop_;
  KernelRng rng_;
  FakeUpstream upstream_;
  OutboundUdp out_{loop_, &rng_, &upstream_};
  io::UniqueFd server_ = *io::BindUdp(Local());
  Endpoint address_ = AddressOf(server_.get());
};

TEST_F(OutboundUdpTest, ReplyComesBackWithItsTicket) {
  ASSERT_FALSE(out_.Send(Query(7, address_, "question")));
  Endpoint from;
  ASSERT_EQ(ServerReceive(&from), "question");
  SendTo(server_.get(), from, "reply");
  ASSERT_TRUE(RunUntil(loop_, [&] { return upstream_.replies.size() == 1; }));
  EXPECT_EQ(upstream_.replies[0], std::make_pair(uint64_t{7}, std::string("reply")));
  out_.Cancel(7);
  EXPECT_EQ(out_.in_flight(), 0u);
}

TEST_F(OutboundUdpTest, EveryQueryHasAnotherUnpredictablePort) {
  std::set<uint16_t> ports;
  uint16_t low = 65535;
  uint16_t high = 0;
  for (uint64_t i = 1; i <= 300; ++i) {
    ASSERT_FALSE(out_.Send(Query(i, address_, "q")));
    Endpoint from;
    ASSERT_EQ(ServerReceive(&from), "q");
    ports.insert(from.port);
    low = std::min(low, from.port);
    high = std::max(high, from.port);
  }
  EXPECT_EQ(ports.size(), 300u);  // all are open at the same time
  EXPECT_GE(low, 1024);
  // The chance that 300 uniform draws miss either tenth of the range is 2e-14.
  EXPECT_LT(low, 1024 + 6451);
  EXPECT_GT(high, 65535 - 6451);
}

TEST_F(OutboundUdpTest, StrangersDatagramNeverReachesTheCore) {
  ASSERT_FALSE(out_.Send(Query(1, address_, "q")));
  Endpoint from;
  ASSERT_EQ(ServerReceive(&from), "q");
  io::UniqueFd stranger = *io::BindUdp(Local());
  SendTo(stranger.get(), from, "forged");
  SendTo(server_.get(), from, "true");
  ASSERT_TRUE(RunUntil(loop_, [&] { return !upstream_.replies.empty(); }));
  ASSERT_EQ(upstream_.replies.size(), 1u);
  EXPECT_EQ(upstream_.replies[0].second, "true");
}

TEST_F(OutboundUdpTest, LateReplyAfterCancelIsNoise) {
  for (uint64_t ticket = 1; ticket <= 100; ++ticket) {
    ASSERT_FALSE(out_.Send(Query(ticket, address_, "q")));
    Endpoint from;
    ASSERT_EQ(ServerReceive(&from), "q");
    SendTo(server_.get(), from, "reply");  // is waiting in the socket when the ticket is cancelled
    out_.Cancel(ticket);
    SendTo(server_.get(), from, "later");
    loop_.RunOnce(false);
  }
  EXPECT_TRUE(upstream_.replies.empty());
  EXPECT_EQ(out_.in_flight(), 0u);
}

TEST_F(OutboundUdpTest, ClosedPortIsUnreachable) {
  server_.reset();
  ASSERT_FALSE(out_.Send(Query(1, address_, "q")));
  ASSERT_TRUE(RunUntil(loop_, [&] { return upstream_.failures.size() == 1; }));
  EXPECT_EQ(upstream_.failures[0], std::make_pair(uint64_t{1}, UpstreamFailure::kUnreachable));
  EXPECT_EQ(out_.in_flight(), 0u);
}

TEST_F(OutboundUdpTest, NoDescriptorsLeftIsOurOwnFault) {
  // UBSan's type checks open a pipe, which they cannot below; so nothing here goes through the test's own
  // object then.
  OutboundUdp& out = out_;
  const OutboundQuery query = Query(1, address_, "q");
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 0;
  ::setrlimit(RLIMIT_NOFILE, &none);
  const auto failure = out.Send(query);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(failure, UpstreamFailure::kNoSocket);
}

class OutboundTcpTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(io::Listen(listener_.get(), address_).ok()); }
  io::UniqueFd Accept() {
    io::UniqueFd fd;
    RunUntil(loop_, [&] {
      fd.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      return static_cast<bool>(fd);
    });
    return fd;
  }

  io::EventLoop loop_;
  FakeUpstream upstream_;
  OutboundTcp out_{loop_, &upstream_};
  io::UniqueFd listener_ = *io::BindTcp(Local());
  Endpoint address_ = AddressOf(listener_.get());
};

TEST_F(OutboundTcpTest, OneConnectionServesQuestionAfterQuestion) {
  ASSERT_FALSE(out_.Send(Query(1, address_, "first", true)));
  io::UniqueFd server = Accept();
  EXPECT_EQ(ReadBytes(loop_, server.get(), 7), Framed("first"));
  SendText(server.get(), Framed("reply"));
  ASSERT_TRUE(RunUntil(loop_, [&] { return upstream_.replies.size() == 1; }));
  EXPECT_EQ(upstream_.replies[0].second, "reply");
  out_.Cancel(1);
  EXPECT_EQ(out_.idle(), 1u);

  ASSERT_FALSE(out_.Send(Query(2, address_, "second", true)));
  EXPECT_EQ(out_.idle(), 0u);
  EXPECT_EQ(ReadBytes(loop_, server.get(), 8), Framed("second"));
  SendText(server.get(), Framed("again"));
  ASSERT_TRUE(RunUntil(loop_, [&] { return upstream_.replies.size() == 2; }));
  EXPECT_EQ(upstream_.replies[1], std::make_pair(uint64_t{2}, std::string("again")));
}

TEST_F(OutboundTcpTest, KeptConnectionThatTheServerClosedCostsNothing) {
  ASSERT_FALSE(out_.Send(Query(1, address_, "first", true)));
  io::UniqueFd server = Accept();
  SendText(server.get(), Framed("reply"));
  ASSERT_TRUE(RunUntil(loop_, [&] { return upstream_.replies.size() == 1; }));
  out_.Cancel(1);
  server.reset();  // before the loop can see it, the next question goes out
  ASSERT_FALSE(out_.Send(Query(2, address_, "second", true)));
  server = Accept();
  EXPECT_EQ(ReadBytes(loop_, server.get(), 8), Framed("second"));
  SendText(server.get(), Framed("again"));
  ASSERT_TRUE(RunUntil(loop_, [&] { return upstream_.replies.size() == 2; }));
  EXPECT_TRUE(upstream_.failures.empty());
}

TEST_F(OutboundTcpTest, IdleConnectionIsGivenUpWhenTheServerCloses) {
  ASSERT_FALSE(out_.Send(Query(1, address_, "first", true)));
  io::UniqueFd server = Accept();
  SendText(server.get(), Framed("reply"));
  ASSERT_TRUE(RunUntil(loop_, [&] { return upstream_.replies.size() == 1; }));
  out_.Cancel(1);
  server.reset();
  EXPECT_TRUE(RunUntil(loop_, [&] { return out_.idle() == 0; }));
}

TEST_F(OutboundTcpTest, ReplyMayComeInPieces) {
  ASSERT_FALSE(out_.Send(Query(1, address_, "q", true)));
  io::UniqueFd server = Accept();
  const std::string reply = Framed(std::string(40000, 'r'));
  for (size_t at = 0; at < reply.size(); at += 999) {
    SendText(server.get(), std::string_view(reply).substr(at, 999));
    loop_.RunOnce(false);
  }
  ASSERT_TRUE(RunUntil(loop_, [&] { return upstream_.replies.size() == 1; }));
  EXPECT_EQ(upstream_.replies[0].second.size(), 40000u);
}

TEST_F(OutboundTcpTest, ClosingBeforeTheWholeReplyIsToldSo) {
  ASSERT_FALSE(out_.Send(Query(1, address_, "q", true)));
  io::UniqueFd server = Accept();
  SendText(server.get(), Framed("reply").substr(0, 4));
  server.reset();
  ASSERT_TRUE(RunUntil(loop_, [&] { return upstream_.failures.size() == 1; }));
  EXPECT_EQ(upstream_.failures[0], std::make_pair(uint64_t{1}, UpstreamFailure::kClosed));
  EXPECT_EQ(out_.in_flight(), 0u);
}

TEST_F(OutboundTcpTest, RefusedConnectionIsUnreachable) {
  listener_.reset();
  const auto at_once = out_.Send(Query(1, address_, "q", true));
  if (!at_once) {
    ASSERT_TRUE(RunUntil(loop_, [&] { return upstream_.failures.size() == 1; }));
    EXPECT_EQ(upstream_.failures[0].second, UpstreamFailure::kUnreachable);
  } else {
    EXPECT_EQ(*at_once, UpstreamFailure::kUnreachable);
  }
}

TEST_F(OutboundTcpTest, CancelInAnyStateLeavesNothing) {
  for (uint64_t ticket = 1; ticket <= 60; ++ticket) {
    ASSERT_FALSE(out_.Send(Query(ticket, address_, "q", true)));
    io::UniqueFd server;
    if (ticket % 3 != 0) server = Accept();
    if (ticket % 3 == 2) SendText(server.get(), Framed("reply").substr(0, 3));
    for (uint64_t i = 0; i < ticket % 4; ++i) loop_.RunOnce(false);
    out_.Cancel(ticket);
    if (server) SendText(server.get(), "late");
    loop_.RunOnce(false);
  }
  EXPECT_TRUE(upstream_.replies.empty());
  EXPECT_EQ(out_.in_flight(), 0u);
  EXPECT_EQ(out_.idle(), 0u);
}

TEST_F(OutboundTcpTest, ConnectionWithMoreThanTheReplyIsNotKept) {
  ASSERT_FALSE(out_.Send(Query(1, address_, "q", true)));
  io::UniqueFd server = Accept();
  SendText(server.get(), Framed("reply") + "junk");
  ASSERT_TRUE(RunUntil(loop_, [&] { return upstream_.replies.size() == 1; }));
  out_.Cancel(1);
  EXPECT_EQ(out_.idle(), 0u);
}

}  // namespace
}  // namespace sekisho::resolver
