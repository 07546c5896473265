// FetchZone against a primary on loopback that answers as told.
#include "resolver/transfer/fetch_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "proto/base/rng.h"
#include "proto/io/unique_fd.h"
#include "tests/unit/resolver/transfer/messages.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;
using ::testing::HasSubstr;
using Messages = std::vector<std::vector<uint8_t>>;

// One connection after the other, one question each.
class Primary {
 public:
  using Answer = std::function<Messages(RRType type, uint16_t id)>;

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
  const std::vector<RRType>& asked() const { return asked_; }

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
  std::vector<RRType> asked_;
  std::thread thread_;
};

const std::string kA = "a.rpz.test. 60 IN CNAME .";
const std::string kB = "b.rpz.test. 60 IN CNAME .";

class FetchZoneTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/sekisho-fetch-XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    path_ = std::string(dir) + "/zone";
    ASSERT_EQ(::pipe(stop_), 0);
  }
  void TearDown() override {
    std::filesystem::remove_all(std::filesystem::path(path_).parent_path());
    ::close(stop_[0]);
    ::close(stop_[1]);
  }
  absl::StatusOr<FetchedZone> Fetch(const Primary& primary, std::optional<dns::TsigKey> key = {}) {
    return FetchZone({*dns::Name::Parse("rpz.test."), std::move(key)}, primary.at(), path_, rng_, stop_[0]);
  }
  std::string Content() const {
    std::ifstream in(path_);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  // Answers SOA with `serial`, AXFR with a and b.
  Primary::Answer Usual(uint32_t serial, Messages changes = {}) {
    return [=](RRType type, uint16_t id) -> Messages {
      if (type == RRType::kSOA) return {ReplyOf({Soa(serial)}, type, id)};
      if (type == RRType::kAXFR)
        return {ReplyOf({Soa(serial), kA}, type, id), ReplyOf({kB, Soa(serial)}, type, id)};
      Messages out = changes;
      for (auto& m : out) {
        m[0] = static_cast<uint8_t>(id >> 8);
        m[1] = static_cast<uint8_t>(id);
      }
      return out;
    };
  }

  std::string path_;
  int stop_[2] = {-1, -1};
  KernelRng rng_;
};

TEST_F(FetchZoneTest, TheWholeZoneWhereThereIsNone) {
  Primary primary(Usual(7));
  const auto fetched = Fetch(primary);
  ASSERT_TRUE(fetched.ok()) << fetched.status();
  EXPECT_TRUE(fetched->changed);
  EXPECT_EQ(fetched->serial, 7u);
  EXPECT_EQ(fetched->refresh, 100u);
  EXPECT_EQ(Content(),
            "rpz.test. 60 SOA ns.test. host.test. 7 100 50 3600 60\na.rpz.test. 60 CNAME .\n"
            "b.rpz.test. 60 CNAME .\n");
}

TEST_F(FetchZoneTest, NothingIsFetchedWhenNothingIsNewer) {
  std::ofstream(path_) << Soa(7) << "\n" << kA << "\n";
  Primary primary(Usual(7));
  const auto fetched = Fetch(primary);
  ASSERT_TRUE(fetched.ok()) << fetched.status();
  EXPECT_FALSE(fetched->changed);
  EXPECT_THAT(primary.asked(), ::testing::ElementsAre(RRType::kSOA));
}

TEST_F(FetchZoneTest, ChangesAreMadeToTheFile) {
  std::ofstream(path_) << Soa(7) << "\nA.rpz.test. 60 IN CNAME .\nc.rpz.test. 60 IN A 192.0.2.1\n";
  Primary primary(Usual(8, {ReplyOf({Soa(8), Soa(7), kA, Soa(8), kB, Soa(8)}, RRType::kIXFR)}));
  const auto fetched = Fetch(primary);
  ASSERT_TRUE(fetched.ok()) << fetched.status();
  EXPECT_EQ(Content(),
            "rpz.test. 60 SOA ns.test. host.test. 8 100 50 3600 60\nc.rpz.test. 60 A 192.0.2.1\n"
            "b.rpz.test. 60 CNAME .\n");
}

TEST_F(FetchZoneTest, ChangesThatDoNotFitLeadToTheWholeZone) {
  std::ofstream(path_) << Soa(7) << "\nc.rpz.test. 60 IN A 192.0.2.1\n";
  Primary primary(Usual(8, {ReplyOf({Soa(8), Soa(7), kA, Soa(8), kB, Soa(8)}, RRType::kIXFR)}));
  ASSERT_TRUE(Fetch(primary).ok());
  EXPECT_THAT(primary.asked(), ::testing::ElementsAre(RRType::kSOA, RRType::kIXFR, RRType::kAXFR));
  EXPECT_THAT(Content(), ::testing::Not(HasSubstr("192.0.2.1")));
}

TEST_F(FetchZoneTest, APrimaryWithoutIxfr) {
  std::ofstream(path_) << Soa(7) << "\n";
  Primary primary(Usual(8, {ReplyOf({}, RRType::kIXFR, 0, dns::Rcode::kNotImp)}));
  ASSERT_TRUE(Fetch(primary).ok());
  EXPECT_THAT(Content(), HasSubstr("a.rpz.test. 60 CNAME ."));
}

TEST_F(FetchZoneTest, WhatEndsTooEarlyChangesNothing) {
  std::ofstream(path_) << "old\n";
  Primary primary([](RRType type, uint16_t id) -> Messages {
    if (type == RRType::kSOA) return {ReplyOf({Soa(8)}, type, id)};
    return {ReplyOf({Soa(8), kA}, type, id)};
  });
  const auto fetched = Fetch(primary);
  ASSERT_FALSE(fetched.ok());
  EXPECT_THAT(std::string(fetched.status().message()), HasSubstr("closes the connection too early"));
  EXPECT_EQ(Content(), "old\n");
}

TEST_F(FetchZoneTest, RefusalsAndStrangeAnswersAreTold) {
  Primary refuses(
      [](RRType type, uint16_t id) -> Messages { return {ReplyOf({}, type, id, dns::Rcode::kRefused)}; });
  EXPECT_THAT(std::string(Fetch(refuses).status().message()), HasSubstr("SOA is answered with REFUSED"));
  Primary other_id([](RRType type, uint16_t id) -> Messages {
    return {ReplyOf({Soa(8)}, type, static_cast<uint16_t>(id + 1))};
  });
  EXPECT_THAT(std::string(Fetch(other_id).status().message()), HasSubstr("answers another question"));
  Primary nonsense([](RRType, uint16_t) -> Messages { return {{1, 2, 3}}; });
  EXPECT_THAT(std::string(Fetch(nonsense).status().message()), HasSubstr("malformed"));
  Primary empty([](RRType type, uint16_t id) -> Messages { return {ReplyOf({}, type, id)}; });
  EXPECT_THAT(std::string(Fetch(empty).status().message()), HasSubstr("has no SOA"));
}

TEST_F(FetchZoneTest, WithAKeyWhatIsNotSignedIsRefused) {
  Primary primary(Usual(7));
  const auto fetched = Fetch(primary, dns::TsigKey{*dns::Name::Parse("k."), {}, "secret"});
  EXPECT_THAT(std::string(fetched.status().message()), HasSubstr("not signed"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(FetchZoneTest, StopsAtOnceWhenToldTo) {
  Primary primary([](RRType, uint16_t) -> Messages { return {}; });
  ASSERT_EQ(::write(stop_[1], "x", 1), 1);
  const MonoTime before = ReadClocks().mono;
  EXPECT_FALSE(Fetch(primary).ok());
  EXPECT_LT(ReadClocks().mono - before, std::chrono::seconds(5));
}

TEST_F(FetchZoneTest, NobodyIsThere) {
  Endpoint nobody;
  {
    Primary gone(Usual(1));
    nobody = gone.at();
  }
  EXPECT_FALSE(FetchZone({*dns::Name::Parse("rpz.test."), {}}, nobody, path_, rng_, stop_[0]).ok());
}

}  // namespace
}  // namespace sekisho::resolver
