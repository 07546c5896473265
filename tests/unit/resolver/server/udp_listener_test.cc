#include "resolver/server/udp_listener.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/resolver/server/loopback.h"

namespace sekisho::resolver {
namespace {

class UdpListenerTest : public ::testing::Test {
 protected:
  void Listen(const std::string& address) {
    auto fd = io::BindUdp(Local(address));
    ASSERT_TRUE(fd.ok()) << fd.status();
    server_ = AddressOf(fd->get());
    listener_ = std::make_unique<UdpListener>(loop_, *std::move(fd), &clients_, &handler_);
  }
  std::string Receive(int fd) { return ReadBytes(loop_, fd, 1); }

  io::EventLoop loop_;
  FakeHandler handler_;
  UdpClients clients_{0};
  Endpoint server_;
  std::unique_ptr<UdpListener> listener_;
};

TEST_F(UdpListenerTest, AnswersMoreThanOneBatch) {
  Listen("127.0.0.1");
  io::UniqueFd client = Client(SOCK_DGRAM, server_, Local());
  std::set<std::string> expected;
  for (int i = 0; i < 150; ++i) {
    ASSERT_TRUE(SendText(client.get(), "q" + std::to_string(i)));
    expected.insert("re:q" + std::to_string(i));
  }
  std::set<std::string> got;
  EXPECT_TRUE(RunUntil(loop_, [&] {
    char buffer[512];
    for (ssize_t n; (n = ::recv(client.get(), buffer, sizeof(buffer), MSG_DONTWAIT)) > 0;) {
      got.emplace(buffer, static_cast<size_t>(n));
    }
    return got.size() == expected.size();
  }));
  EXPECT_EQ(got, expected);
  EXPECT_EQ(clients_.size(), 0u);
}

TEST_F(UdpListenerTest, RepliesLeaveFromTheAddressThatWasAsked) {
  Listen("0.0.0.0");
  // A connected socket takes datagrams only from the address it asked.
  io::UniqueFd client = Client(SOCK_DGRAM, Local("127.0.0.77", server_.port), Local());
  ASSERT_TRUE(SendText(client.get(), "a"));
  EXPECT_EQ(Receive(client.get()), "re:a");
  handler_.pending = true;
  ASSERT_TRUE(SendText(client.get(), "b"));
  ASSERT_TRUE(RunUntil(loop_, [&] { return handler_.tokens.size() == 1; }));
  UdpClient* waiting = clients_.Find(handler_.tokens[0]);
  ASSERT_NE(waiting, nullptr);
  waiting->listener->SendLater(waiting->path, Bytes("late"));
  listener_->Flush();
  EXPECT_EQ(Receive(client.get()), "late");
}

TEST_F(UdpListenerTest, RepliesLeaveFromTheAddressThatWasAskedOverIpv6) {
  Listen("::");
  io::UniqueFd client = Client(SOCK_DGRAM, Local("::1", server_.port), Local("::1"));
  ASSERT_TRUE(SendText(client.get(), "a"));
  EXPECT_EQ(Receive(client.get()), "re:a");
}

TEST_F(UdpListenerTest, TokenIsNotValidTwice) {
  Listen("127.0.0.1");
  handler_.pending = true;
  io::UniqueFd client = Client(SOCK_DGRAM, server_, Local());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(SendText(client.get(), "q"));
    ASSERT_TRUE(RunUntil(loop_, [&] { return handler_.tokens.size() == static_cast<size_t>(i) + 1; }));
    EXPECT_NE(clients_.Find(handler_.tokens.back()), nullptr);
    clients_.Release(handler_.tokens.back());
  }
  const std::set<uint64_t> distinct(handler_.tokens.begin(), handler_.tokens.end());
  EXPECT_EQ(distinct.size(), 3u);
  for (const uint64_t token : handler_.tokens) EXPECT_EQ(clients_.Find(token), nullptr);
}

TEST_F(UdpListenerTest, TooLongDatagramIsDroppedAndItsNeighboursAreNot) {
  Listen("127.0.0.1");
  io::UniqueFd client = Client(SOCK_DGRAM, server_, Local());
  ASSERT_TRUE(SendText(client.get(), "a"));
  ASSERT_TRUE(SendText(client.get(), std::string(io::UdpBatch::kMaxDatagram + 1, 'x')));
  ASSERT_TRUE(SendText(client.get(), "b"));
  EXPECT_EQ(ReadBytes(loop_, client.get(), 8), "re:are:b");
  EXPECT_EQ(handler_.questions, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(listener_->oversized(), 1u);
}

TEST(UdpBatch, DatagramThatCannotBeSentDoesNotHoldUpTheOthers) {
  auto fd = io::BindUdp(Local());
  ASSERT_TRUE(fd.ok());
  auto receiver = io::BindUdp(Local());
  ASSERT_TRUE(receiver.ok());
  io::UdpBatch batch;
  io::UdpPath good;
  sockaddr_storage address{};
  good.peer_size = AddressOf(receiver->get()).ToSockaddr(&address);
  std::memcpy(&good.peer, &address, good.peer_size);
  io::UdpPath bad = good;
  reinterpret_cast<sockaddr_in*>(&bad.peer)->sin_port = 0;
  for (const auto* path : {&bad, &good, &bad, &good, &bad}) batch.Send(*path, AsBytes("x"));
  batch.Flush(fd->get());
  io::UdpBatch in;
  EXPECT_EQ(in.Receive(receiver->get()), 2u);
  EXPECT_EQ(batch.send_failures(), 3u);
}

TEST(UdpBatch, RefusesMoreThanItHolds) {
  auto fd = io::BindUdp(Local());
  io::UdpBatch batch;
  for (size_t i = 0; i < io::UdpBatch::kBatch; ++i) EXPECT_TRUE(batch.Send({}, AsBytes("x")));
  EXPECT_FALSE(batch.Send({}, AsBytes("x")));
}

}  // namespace
}  // namespace sekisho::resolver
