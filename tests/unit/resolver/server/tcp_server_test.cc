#include "resolver/server/tcp_server.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/resolver/server/loopback.h"

namespace sekisho::resolver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class TcpServerTest : public ::testing::Test {
 protected:
  void Serve(const TcpLimits& limits) {
    auto fd = io::BindTcp(Local());
    ASSERT_TRUE(fd.ok()) << fd.status();
    address_ = AddressOf(fd->get());
    ASSERT_TRUE(io::Listen(fd->get(), address_).ok());
    server_ = std::make_unique<TcpServer>(loop_, &quota_, &handler_, limits);
    server_->AddListener(*std::move(fd));
    handler_.on_round = [this] {
      while (server_->Flush()) {
      }
    };
  }
  io::UniqueFd Connect(const std::string& from = "127.0.0.1") {
    return Client(SOCK_STREAM, address_, Local(from));
  }
  void Reply(uint64_t token, std::string_view text) {
    server_->SendReply(token, Bytes(text));
    server_->Flush();
  }
  bool ClosedByServer(int fd) {
    bool closed = false;
    ReadUntilClosed(loop_, fd, &closed);
    return closed;
  }

  io::EventLoop loop_;
  FakeHandler handler_;
  ConnectionQuota quota_;
  Endpoint address_;
  std::unique_ptr<TcpServer> server_;
};

TEST_F(TcpServerTest, AnswersPipelinedQuestionsInOneSegment) {
  Serve({});
  io::UniqueFd client = Connect();
  ASSERT_TRUE(SendText(client.get(), Framed("a") + Framed("b") + Framed("c")));
  const std::string expected = Framed("re:a") + Framed("re:b") + Framed("re:c");
  EXPECT_EQ(ReadBytes(loop_, client.get(), expected.size()), expected);
}

TEST_F(TcpServerTest, AnswersAQuestionThatComesByteByByte) {
  Serve({});
  io::UniqueFd client = Connect();
  for (const char c : Framed("question")) {
    ASSERT_TRUE(SendText(client.get(), {&c, 1}));
    loop_.RunOnce(false);
  }
  EXPECT_EQ(ReadBytes(loop_, client.get(), 13), Framed("re:question"));
}

TEST_F(TcpServerTest, RepliesMayComeInAnyOrder) {
  Serve({});
  handler_.pending = true;
  io::UniqueFd client = Connect();
  ASSERT_TRUE(SendText(client.get(), Framed("a") + Framed("b")));
  ASSERT_TRUE(RunUntil(loop_, [&] { return handler_.tokens.size() == 2; }));
  Reply(handler_.tokens[1], "B");
  EXPECT_EQ(ReadBytes(loop_, client.get(), 3), Framed("B"));
  Reply(handler_.tokens[0], "A");
  EXPECT_EQ(ReadBytes(loop_, client.get(), 3), Framed("A"));
  Reply(handler_.tokens[0], "again");  // a token that was used up is nobody's
}

TEST_F(TcpServerTest, ReadsOnlyAsManyQuestionsAsMayBeInProgress) {
  TcpLimits limits;
  limits.max_pipelined = 3;
  Serve(limits);
  handler_.pending = true;
  io::UniqueFd client = Connect();
  std::string all;
  for (int i = 0; i < 10; ++i) all += Framed(std::to_string(i));
  ASSERT_TRUE(SendText(client.get(), all));
  ASSERT_TRUE(RunUntil(loop_, [&] { return handler_.questions.size() == 3; }));
  for (size_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(RunUntil(loop_, [&] { return handler_.questions.size() >= std::min<size_t>(10, i + 3); }));
    EXPECT_LE(handler_.questions.size(), i + 3);
    Reply(handler_.tokens[i], "r");
  }
  EXPECT_EQ(ReadBytes(loop_, client.get(), 30).size(), 30u);
}

TEST_F(TcpServerTest, LengthOfZeroCloses) {
  Serve({});
  io::UniqueFd client = Connect();
  ASSERT_TRUE(SendText(client.get(), std::string(2, '\0')));
  EXPECT_TRUE(ClosedByServer(client.get()));
}

TEST_F(TcpServerTest, DroppedQuestionLeavesTheConnectionOpen) {
  Serve({});
  handler_.drop = true;
  io::UniqueFd client = Connect();
  ASSERT_TRUE(SendText(client.get(), Framed("a")));
  ASSERT_TRUE(RunUntil(loop_, [&] { return handler_.questions.size() == 1; }));
  handler_.drop = false;
  ASSERT_TRUE(SendText(client.get(), Framed("b")));
  EXPECT_EQ(ReadBytes(loop_, client.get(), 6), Framed("re:b"));
}

TEST_F(TcpServerTest, IdleConnectionIsClosed) {
  TcpLimits limits;
  limits.idle = milliseconds(30);
  Serve(limits);
  io::UniqueFd client = Connect();
  ASSERT_TRUE(SendText(client.get(), Framed("a")));
  EXPECT_EQ(ReadBytes(loop_, client.get(), 6), Framed("re:a"));
  EXPECT_TRUE(ClosedByServer(client.get()));
  EXPECT_EQ(quota_.total(), 0u);
}

TEST_F(TcpServerTest, WaitingForAnAnswerIsNotIdle) {
  TcpLimits limits;
  limits.idle = milliseconds(10);
  Serve(limits);
  handler_.pending = true;
  io::UniqueFd waiting = Connect();
  ASSERT_TRUE(SendText(waiting.get(), Framed("a")));
  ASSERT_TRUE(RunUntil(loop_, [&] { return handler_.tokens.size() == 1; }));
  io::UniqueFd idle = Connect();
  EXPECT_TRUE(ClosedByServer(idle.get()));  // by then the first one had been silent for longer
  Reply(handler_.tokens[0], "A");
  EXPECT_EQ(ReadBytes(loop_, waiting.get(), 3), Framed("A"));
}

TEST_F(TcpServerTest, SlowSenderIsClosedThoughItNeverStops) {
  TcpLimits limits;
  limits.message_time = milliseconds(60);
  Serve(limits);
  io::UniqueFd client = Connect();
  const std::string message = Framed(std::string(60000, 'x'));
  size_t sent = 0;
  bool closed = false;
  std::string got;
  // A byte each few milliseconds: every one is progress, the message never ends.
  EXPECT_TRUE(RunUntil(loop_, [&] {
    if (sent < message.size()) SendText(client.get(), {&message[sent++], 1});
    Readable(client.get(), &got, &closed);
    return closed;
  }));
  EXPECT_TRUE(handler_.questions.empty());
}

TEST_F(TcpServerTest, ClientThatNeverReadsIsHeldBackAndThenClosed) {
  TcpLimits limits;
  limits.max_buffered = 64 << 10;
  limits.write_time = milliseconds(100);
  Serve(limits);
  handler_.answer.assign(60000, 'x');
  io::UniqueFd client = Connect();
  const int small = 4096;
  ::setsockopt(client.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
  // Far more than fits into both kernels' buffers.
  std::string all;
  for (int i = 0; i < 1000; ++i) all += Framed("question");
  ASSERT_TRUE(SendText(client.get(), all));
  EXPECT_TRUE(RunUntil(loop_, [&] { return !handler_.questions.empty() && server_->connections() == 0; }));
  EXPECT_LT(handler_.questions.size(), 500u);
}

TEST_F(TcpServerTest, LimitsPerAddressAndInAll) {
  TcpLimits limits;
  limits.max_connections = 5;
  limits.max_per_address = 2;
  Serve(limits);
  std::vector<io::UniqueFd> open;
  for (int i = 0; i < 2; ++i) open.push_back(Connect("127.0.0.1"));
  ASSERT_TRUE(RunUntil(loop_, [&] { return server_->connections() == 2; }));
  io::UniqueFd third = Connect("127.0.0.1");
  EXPECT_TRUE(ClosedByServer(third.get()));
  for (const char* from : {"127.0.0.2", "127.0.0.3", "127.0.0.4"}) open.push_back(Connect(from));
  ASSERT_TRUE(RunUntil(loop_, [&] { return server_->connections() == 5; }));
  io::UniqueFd sixth = Connect("127.0.0.5");
  EXPECT_TRUE(ClosedByServer(sixth.get()));
  EXPECT_EQ(quota_.refused(), 2u);
  open.pop_back();
  ASSERT_TRUE(RunUntil(loop_, [&] { return quota_.total() == 4; }));
  io::UniqueFd again = Connect("127.0.0.5");
  ASSERT_TRUE(SendText(again.get(), Framed("a")));
  EXPECT_EQ(ReadBytes(loop_, again.get(), 6), Framed("re:a"));
}

TEST_F(TcpServerTest, D26OneAgencyLeavesRoomForOthers) {
  TcpLimits limits;
  limits.max_connections = 8;
  limits.max_per_address = 8;
  Serve(limits);
  handler_.agencies = {{"127.0.0.1", "flooding"}, {"127.0.0.2", "quiet"}};
  std::vector<io::UniqueFd> open;
  for (int i = 0; i < 4; ++i) open.push_back(Connect("127.0.0.1"));
  ASSERT_TRUE(RunUntil(loop_, [&] { return server_->connections() == 4; }));
  io::UniqueFd fifth = Connect("127.0.0.1");
  EXPECT_TRUE(ClosedByServer(fifth.get())) << "four are free, so it may have four";
  io::UniqueFd other = Connect("127.0.0.2");
  ASSERT_TRUE(SendText(other.get(), Framed("a")));
  EXPECT_EQ(ReadBytes(loop_, other.get(), 6), Framed("re:a"));
  open.clear();
  ASSERT_TRUE(RunUntil(loop_, [&] { return quota_.total() == 1; }));
  for (int i = 0; i < 3; ++i) open.push_back(Connect("127.0.0.1"));
  EXPECT_TRUE(RunUntil(loop_, [&] { return server_->connections() == 4; }));
}

TEST_F(TcpServerTest, AddressOfNoAgencyIsNotLetIn) {
  Serve({});
  handler_.refused = IpAddress::Parse("127.0.0.9");
  io::UniqueFd stranger = Connect("127.0.0.9");
  EXPECT_TRUE(ClosedByServer(stranger.get()));
  EXPECT_EQ(quota_.total(), 0u);
}

TEST_F(TcpServerTest, HandlerLearnsThatTheClientHasGone) {
  Serve({});
  handler_.pending = true;
  {
    io::UniqueFd client = Connect();
    ASSERT_TRUE(SendText(client.get(), Framed("a") + Framed("b")));
    ASSERT_TRUE(RunUntil(loop_, [&] { return handler_.tokens.size() == 2; }));
    const linger hard{1, 0};  // a reset instead of an orderly end
    ::setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  }
  ASSERT_TRUE(RunUntil(loop_, [&] { return handler_.gone.size() == 2; }));
  EXPECT_EQ(handler_.gone, handler_.tokens);
  Reply(handler_.tokens[0], "late");  // nobody's
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(TcpServerTest, HalfClosedClientStillGetsItsAnswers) {
  Serve({});
  handler_.pending = true;
  io::UniqueFd client = Connect();
  ASSERT_TRUE(SendText(client.get(), Framed("a")));
  ::shutdown(client.get(), SHUT_WR);
  ASSERT_TRUE(RunUntil(loop_, [&] { return handler_.tokens.size() == 1; }));
  Reply(handler_.tokens[0], "A");
  bool closed = false;
  EXPECT_EQ(ReadUntilClosed(loop_, client.get(), &closed), Framed("A"));
  EXPECT_TRUE(closed);
}

TEST(IdleTimeUnderLoad, ShrinksAsConnectionsFill) {
  TcpLimits limits;
  limits.max_connections = 100;
  limits.idle = seconds(10);
  EXPECT_EQ(IdleTimeUnderLoad(limits, 0), seconds(10));
  EXPECT_EQ(IdleTimeUnderLoad(limits, 49), seconds(10));
  EXPECT_EQ(IdleTimeUnderLoad(limits, 50), milliseconds(2500));
  EXPECT_EQ(IdleTimeUnderLoad(limits, 75), seconds(1));
  EXPECT_EQ(IdleTimeUnderLoad(limits, 95), milliseconds(200));
  EXPECT_EQ(IdleTimeUnderLoad(limits, 100), milliseconds(200));
}

}  // namespace
}  // namespace sekisho::resolver
