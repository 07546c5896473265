// The whole server with the real core on loopback, and one authoritative server that the test plays itself.
#include "resolver/server/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "blocklist/snapshot/snapshot_writer.h"
#include "proto/config/config.h"
#include "proto/dns/name_key.h"
#include "proto/record/spool.h"
#include "resolver/server/status.h"
#include "tests/unit/resolver/server/loopback.h"

namespace sekisho::resolver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// name in wire form, type A, class IN
std::string Question(const std::string& label) {
  return std::string(1, static_cast<char>(label.size())) + label + std::string("\4test\0\0\1\0\1", 10);
}
std::string QueryFor(const std::string& label, uint16_t id = 0x1234) {
  return std::string{static_cast<char>(id >> 8), static_cast<char>(id)} +
         std::string("\1\0\0\1\0\0\0\0\0\0", 10) + Question(label);
}

// Answers every A question with 192.0.2.7, TTL 60, with authority; anything else with an empty answer.
class Authority {
 public:
  Authority() : thread_([this] { Run(); }) {}
  ~Authority() {
    stop_ = true;
    thread_.join();
  }
  uint16_t port() const { return address_.port; }
  int asked() const { return asked_; }

 private:
  void Run() {
    timeval tick{0, 20000};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
    const int flags = ::fcntl(fd_.get(), F_GETFL);
    ::fcntl(fd_.get(), F_SETFL, flags & ~O_NONBLOCK);
    while (!stop_) {
      uint8_t in[2048];
      sockaddr_storage from{};
      socklen_t size = sizeof(from);
      const ssize_t n = ::recvfrom(fd_.get(), in, sizeof(in), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 17) continue;
      ++asked_;
      size_t end = 12;
      while (in[end] != 0) end += in[end] + size_t{1};
      end += 5;
      const bool a = in[end - 4] == 0 && in[end - 3] == 1;
      std::string out(reinterpret_cast<char*>(in), end);
      const char header[] = {static_cast<char>(0x84), 0, 0, 1, 0, static_cast<char>(a ? 1 : 0), 0, 0, 0, 0};
      out.replace(2, sizeof(header), header, sizeof(header));
      if (a) out += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\7", 16);
      ::sendto(fd_.get(), out.data(), out.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  io::UniqueFd fd_ = *io::BindUdp(Local("127.0.0.1"));
  Endpoint address_ = AddressOf(fd_.get());
  std::atomic<bool> stop_{false};
  std::atomic<int> asked_{0};
  std::thread thread_;
};

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/sekisho-server-XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    dir_ = dir;
    std::filesystem::create_directories(dir_ + "/spool");
    std::filesystem::create_directories(dir_ + "/snapshots");
    std::ofstream(dir_ + "/hints") << ". 3600 NS ns.root.\nns.root. 3600 A 127.0.0.1\n";
    listen_ = AddressOf(io::BindUdp(Local())->get());  // a port that was free a moment ago
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(dir_);
  }

  config::Config Config(const std::string& networks = "127.0.0.0/8") {
    auto config = config::ParseConfig("data_dir: " + dir_ + "\nagencies: [{name: home, networks: [" +
                                          networks + "]}]\nresolver: {" + zones_ + "listen: [\"" +
                                          listen_.ToString() + "\"], workers: 2, root_hints: " + dir_ +
                                          "/hints, query_private_addresses: true, special_use_zones: false, "
                                          "dnssec: {validate: false}, upstream_port: " +
                                          std::to_string(authority_.port()) + "}\n",
                                      "test");
    EXPECT_TRUE(config.ok()) << config.status();
    return *config;
  }
  void Start() {
    const auto config = Config();
    auto live = MakeLiveConfig(config);
    ASSERT_TRUE(live.ok()) << live.status();
    auto server = Server::Bind(StaticConfig(config), *std::move(live), ReadClocks(), [](const auto&) {});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    ASSERT_TRUE(server_->Start().ok());
  }
  std::string AskUdp(const std::string& label) {
    io::UniqueFd client = Client(SOCK_DGRAM, listen_, Local());
    SendText(client.get(), QueryFor(label));
    char buffer[4096];
    const ssize_t n = ::recv(client.get(), buffer, sizeof(buffer), 0);
    return n < 0 ? "" : std::string(buffer, static_cast<size_t>(n));
  }
  static int Rcode(const std::string& reply) { return reply.size() < 12 ? -1 : reply[3] & 15; }
  std::string StatusOf(const std::string& name) {
    const control::StatusReply status = MakeStatus(*server_, ReadClocks());
    for (const auto& item : status.items()) {
      if (item.name() == name) return item.value() + (item.alarm().empty() ? "" : " ! " + item.alarm());
    }
    return "none";
  }
  // Waits for other threads with a deadline.
  static bool Eventually(const std::function<bool()>& done) {
    const MonoTime end = ReadClocks().mono + seconds(10);
    while (!done()) {
      if (ReadClocks().mono > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  std::string zones_;  // "rpz: […], "
  std::string dir_;
  Endpoint listen_;
  Authority authority_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, ResolvesCachesAndRecordsEachQuestionOnce) {
  Start();
  for (int i = 0; i < 20; ++i) {
    const std::string reply = AskUdp("www");
    ASSERT_GE(reply.size(), 12u);
    EXPECT_EQ(reply.substr(0, 2), "\x12\x34");
    EXPECT_EQ(Rcode(reply), 0);
    EXPECT_NE(reply.find(std::string("\xc0\0\2\7", 4)), std::string::npos);
  }
  EXPECT_LE(authority_.asked(), 4);
  io::UniqueFd tcp = Client(SOCK_STREAM, listen_, Local());
  ASSERT_TRUE(SendText(tcp.get(), Framed(QueryFor("www")) + Framed(QueryFor("other"))));
  std::string got;
  char buffer[4096];
  while (got.size() < (2 + 42) + (2 + 44)) {  // header, question and one A record each
    const ssize_t n = ::recv(tcp.get(), buffer, sizeof(buffer), 0);
    ASSERT_GT(n, 0);
    got.append(buffer, static_cast<size_t>(n));
  }
  server_->Stop();

  record::SpoolReader reader(dir_ + "/spool");
  record::SpoolReader::Block block;
  record::SpoolReader::Damage damage;
  uint64_t rows = 0;
  while (reader.Next(&block, &damage) == record::SpoolReader::Outcome::kBlock)
    rows += block.framed.header.rows;
  EXPECT_EQ(rows, 22u);
}

TEST_F(ServerTest, ReloadShutsStrangersOut) {
  Start();
  EXPECT_EQ(Rcode(AskUdp("www")), 0);
  ASSERT_TRUE(server_->Reload(*MakeLiveConfig(Config("10.0.0.0/8"))).ok());
  // What arrives after the reload is judged by it, whichever worker gets it.
  for (int i = 0; i < 8; ++i) EXPECT_EQ(Rcode(AskUdp("www")), 5);
  EXPECT_EQ(StatusOf("refused_clients"), "8");
  for (int i = 0; i < 8; ++i) {
    io::UniqueFd tcp = Client(SOCK_STREAM, listen_, Local());
    char byte;
    EXPECT_EQ(::recv(tcp.get(), &byte, 1, 0), 0);  // not let in
  }
}

TEST_F(ServerTest, NewPolicyIsInForceOnEveryWorkerWithinASecond) {
  Start();
  EXPECT_EQ(StatusOf("filter_active"), "no ! no snapshot: resolving unfiltered");
  EXPECT_EQ(Rcode(AskUdp("evil")), 0);
  auto writer = blocklist::SnapshotWriter::Open(dir_ + "/snapshots", {});
  ASSERT_TRUE(writer.ok()) << writer.status();
  blocklist::TrieBuilder builder;
  const uint32_t source = builder.AddSource({.feeds = "list", .category = "test", .reference = ""});
  ASSERT_TRUE(builder
                  .Add({.name_key = dns::NameKey(*dns::Name::Parse("evil.test")),
                        .scope = blocklist::RuleScope::kSubtree,
                        .action = blocklist::RuleAction::kBlock,
                        .source = source})
                  .ok());
  const MonoTime published = ReadClocks().mono;
  ASSERT_TRUE(
      writer->Publish([&](const blocklist::TrieBuilder::Writer& w) { return builder.Finish(w); }, nullptr)
          .ok());
  ASSERT_TRUE(Eventually([&] { return StatusOf("policy_generation_of_workers") == "1 1"; }));
  EXPECT_LT(ReadClocks().mono - published, seconds(1));
  EXPECT_EQ(StatusOf("filter_active"), "yes");
  for (int i = 0; i < 8; ++i) EXPECT_EQ(Rcode(AskUdp("evil")), 3);
  EXPECT_EQ(Rcode(AskUdp("www")), 0);
}

TEST_F(ServerTest, PolicyZonesFromFilesAnswerOnEveryWorkerAndChangeWithTheirFile) {
  const std::string path = dir_ + "/zone";
  std::ofstream(path) << "evil.test CNAME .\n";
  zones_ = "rpz: [{name: rpz.example, file: " + path + "}], ";
  Start();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(Rcode(AskUdp("evil")), 3);
  EXPECT_EQ(Rcode(AskUdp("www")), 0);
  EXPECT_THAT(StatusOf("policy_zone rpz.example"), ::testing::StartsWith("1 rules, "));
  std::ofstream(dir_ + "/new") << "www.test CNAME .\nother.test CNAME .\n";
  std::filesystem::rename(dir_ + "/new", path);
  ASSERT_TRUE(Eventually([&] { return Rcode(AskUdp("www")) == 3 && Rcode(AskUdp("evil")) == 0; }));
  std::ofstream(path, std::ios::app) << "broken (\n";
  ASSERT_TRUE(server_->Reload(*MakeLiveConfig(Config())).ok());
  EXPECT_THAT(StatusOf("policy_zone rpz.example"),
              ::testing::HasSubstr("an older version is in force: " + path + ":3: "));
  EXPECT_EQ(Rcode(AskUdp("www")), 3);
}

TEST_F(ServerTest, APolicyZoneThatIsNoneKeepsTheServerFromStarting) {
  std::ofstream(dir_ + "/zone") << "evil.test CNAME .\nbroken (\n";
  zones_ = "rpz: [{name: rpz.example, file: " + dir_ + "/zone}], ";
  const auto config = Config();
  auto server = Server::Bind(StaticConfig(config), *MakeLiveConfig(config), ReadClocks(), [](const auto&) {});
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()), ::testing::HasSubstr("/zone:2: "));
}

TEST_F(ServerTest, SecondServerOnTheSamePortIsRefused) {
  Start();
  const auto config = Config();
  auto second = Server::Bind(StaticConfig(config), *MakeLiveConfig(config), ReadClocks(), [](const auto&) {});
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), ::testing::HasSubstr("Address already in use"));
}

TEST_F(ServerTest, StopsAtOnceWithQuestionsInFlight) {
  Start();
  io::UniqueFd client = Client(SOCK_DGRAM, listen_, Local());
  io::UniqueFd tcp = Client(SOCK_STREAM, listen_, Local());
  for (int i = 0; i < 500; ++i) SendText(client.get(), QueryFor("n" + std::to_string(i)));
  SendText(tcp.get(), Framed(QueryFor("t1")) + Framed(QueryFor("t2")));
  const MonoTime before = ReadClocks().mono;
  server_->Stop();
  EXPECT_LT(ReadClocks().mono - before, seconds(1));
}

}  // namespace
}  // namespace sekisho::resolver
