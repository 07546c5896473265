#include "proto/io/unix_frame_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <future>
#include <thread>

#include "proto/io/frame_client.h"

namespace sekisho::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// A server on a thread of its own.
class Served {
 public:
  Served(UnixFrameServer::Options options, UnixFrameServer::Handler handler) {
    std::promise<absl::Status> ready;
    auto started = ready.get_future();
    thread_ = std::thread([this, options, handler, &ready] {
      auto server = UnixFrameServer::Listen(loop_, options, handler);
      ready.set_value(server.status());
      if (server.ok()) loop_.Run();
    });
    status_ = started.get();
  }
  ~Served() {
    loop_.Stop();
    thread_.join();
  }
  const absl::Status& status() const { return status_; }

 private:
  EventLoop loop_;
  std::thread thread_;
  absl::Status status_;
};

class UnixFrameServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/sekisho-io-XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    dir_ = dir;
  }
  void TearDown() override {
    ::unlink(path().c_str());
    ::rmdir(dir_.c_str());
  }
  std::string path() const { return dir_ + "/s.sock"; }
  UnixFrameServer::Options options() const { return {.path = path()}; }
  FrameClient Connect() {
    auto client = FrameClient::Connect(path(), seconds(10));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

  std::string dir_;
};

control::Request Explain(const std::string& name) {
  control::Request request;
  request.mutable_explain()->set_name(name);
  return request;
}
control::Response Named(const std::string& name) {
  control::Response response;
  response.mutable_explained()->set_name(name);
  return response;
}

void Echo(control::Request request, std::shared_ptr<ReplyStream> reply) {
  reply->Finish(Named(request.explain().name()));
}

TEST_F(UnixFrameServerTest, AnswersRequestsOneAfterAnother) {
  Served served(options(), Echo);
  ASSERT_TRUE(served.status().ok()) << served.status();
  FrameClient client = Connect();
  for (const char* name : {"a.test", "b.test", "c.test"}) {
    auto response = client.Call(Explain(name));
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->explained().name(), name);
    EXPECT_TRUE(response->last());
  }
  struct stat st{};
  ASSERT_EQ(::stat(path().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0660u);
}

TEST_F(UnixFrameServerTest, StreamsFromAnotherThreadWithBackPressure) {
  constexpr int kRows = 2000;
  std::thread sender;
  auto options_small = options();
  options_small.max_buffered = 64 << 10;
  Served served(options_small, [&](control::Request, std::shared_ptr<ReplyStream> reply) {
    sender = std::thread([reply] {
      for (int i = 0; i < kRows; ++i) {
        if (!reply->Send(Named(std::string(10000, 'x')))) return;
      }
      reply->Finish(Named("end"));
    });
  });
  FrameClient client = Connect();
  int rows = 0;
  std::string last;
  auto status = client.Call(Explain("x"), [&](const control::Response& r) {
    ++rows;
    last = r.explained().name();
    return true;
  });
  sender.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(rows, kRows + 1);
  EXPECT_EQ(last, "end");
}

TEST_F(UnixFrameServerTest, SenderLearnsThatTheClientHasGone) {
  std::promise<int> sent;
  std::thread sender;
  Served served(options(), [&](control::Request, std::shared_ptr<ReplyStream> reply) {
    sender = std::thread([reply, &sent] {
      int n = 0;
      while (reply->Send(Named(std::string(100000, 'x')))) ++n;
      sent.set_value(n);
    });
  });
  {
    FrameClient client = Connect();
    // Takes one response and leaves.
    EXPECT_TRUE(client.Call(Explain("x"), [](const control::Response&) { return false; }).ok());
  }
  auto n = sent.get_future();
  ASSERT_EQ(n.wait_for(seconds(20)), std::future_status::ready);
  EXPECT_GT(n.get(), 0);
  sender.join();
}

TEST_F(UnixFrameServerTest, ClientThatReadsNothingIsDroppedAfterTheWriteTimeout) {
  std::promise<void> gone;
  std::thread sender;
  auto impatient = options();
  impatient.write_timeout = milliseconds(50);
  impatient.max_buffered = 1 << 16;
  Served served(impatient, [&](control::Request, std::shared_ptr<ReplyStream> reply) {
    sender = std::thread([reply, &gone] {
      while (reply->Send(Named(std::string(100000, 'x')))) {
      }
      gone.set_value();
    });
  });
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path().c_str());
  ASSERT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  std::string wire;
  frame::AppendFrame(Explain("x"), &wire);
  ASSERT_EQ(::send(fd.get(), wire.data(), wire.size(), 0), static_cast<ssize_t>(wire.size()));
  EXPECT_EQ(gone.get_future().wait_for(seconds(20)), std::future_status::ready);
  sender.join();
}

TEST_F(UnixFrameServerTest, DroppedReplyTellsTheClient) {
  Served served(options(), [](control::Request, std::shared_ptr<ReplyStream>) {});
  FrameClient client = Connect();
  auto response = client.Call(Explain("x"));
  EXPECT_EQ(response.status().message(), "the daemon gave no answer");
}

TEST_F(UnixFrameServerTest, GarbageClosesTheConnectionOnly) {
  Served served(options(), Echo);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path().c_str());
  ASSERT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::send(fd.get(), "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
  char byte;
  EXPECT_EQ(::recv(fd.get(), &byte, 1, 0), 0);  // closed
  FrameClient client = Connect();
  EXPECT_TRUE(client.Call(Explain("x")).ok());
}

TEST_F(UnixFrameServerTest, IdleConnectionIsClosed) {
  auto impatient = options();
  impatient.idle_timeout = milliseconds(20);
  Served served(impatient, Echo);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path().c_str());
  ASSERT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  char byte;
  EXPECT_EQ(::recv(fd.get(), &byte, 1, 0), 0);
}

TEST_F(UnixFrameServerTest, OneConnectionTooManyIsToldSo) {
  auto few = options();
  few.max_connections = 1;
  Served served(few, Echo);
  FrameClient first = Connect();
  ASSERT_TRUE(first.Call(Explain("x")).ok());
  FrameClient second = Connect();
  const auto response = second.Call(Explain("x"));
  EXPECT_THAT(std::string(response.status().message()), HasSubstr("too many connections"));
}

TEST_F(UnixFrameServerTest, LivingDaemonsSocketIsNotTaken) {
  Served served(options(), Echo);
  Served second(options(), Echo);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  FrameClient client = Connect();
  EXPECT_TRUE(client.Call(Explain("x")).ok());
}

TEST_F(UnixFrameServerTest, StaleSocketIsReplacedAndOtherFilesAreNot) {
  {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  {
    Served served(options(), Echo);
    EXPECT_TRUE(served.status().ok()) << served.status();
  }
  ASSERT_EQ(::mkdir(path().c_str(), 0700), 0);
  Served refused(options(), Echo);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("is not a socket"));
  ::rmdir(path().c_str());
}

TEST_F(UnixFrameServerTest, NobodyListeningIsUnavailable) {
  auto client = FrameClient::Connect(path(), seconds(1));
  EXPECT_EQ(client.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(client.status().message()), HasSubstr("s.sock: No such file or directory"));
}

}  // namespace
}  // namespace sekisho::io
