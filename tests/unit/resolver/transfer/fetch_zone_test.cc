// FetchZone against a primary on loopback that answers as told.
#include "resolver/transfer/fetch_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "proto/base/rng.h"
#include "tests/unit/resolver/transfer/messages.h"
#include "tests/unit/resolver/transfer/primary.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;
using ::testing::HasSubstr;

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
