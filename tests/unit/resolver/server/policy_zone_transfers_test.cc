#include "resolver/server/policy_zone_transfers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/resolver/server/loopback.h"
#include "tests/unit/resolver/transfer/messages.h"
#include "tests/unit/resolver/transfer/primary.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;
using ::testing::HasSubstr;

class PolicyZoneTransfersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/sekisho-transfers-XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    path_ = std::string(dir) + "/zone";
  }
  void TearDown() override {
    transfers_.Stop();
    std::filesystem::remove_all(std::filesystem::path(path_).parent_path());
  }
  PolicyZoneFile FileFrom(std::vector<Endpoint> primaries) const {
    PolicyZoneFile file{.name = "rpz.test", .origin = *dns::Name::Parse("rpz.test."), .path = path_};
    file.primaries = std::move(primaries);
    return file;
  }
  static bool Eventually(const std::function<bool()>& done) {
    io::EventLoop loop;
    return RunUntil(loop, done);
  }
  PolicyZoneTransfers::State State() const { return transfers_.states().front(); }

  std::atomic<uint32_t> serial_{1};
  Primary primary_{[this](RRType type, uint16_t id) -> Messages {
    const std::string soa = Soa(serial_);
    if (type == RRType::kSOA) return {ReplyOf({soa}, type, id)};
    return {ReplyOf({soa, "a.rpz.test. 60 IN CNAME .", soa}, type, id)};
  }};
  std::string path_;
  std::atomic<int> news_{0};
  PolicyZoneTransfers transfers_{[this] { ++news_; }};
};

TEST_F(PolicyZoneTransfersTest, FetchesAtTheStartAndAfterANotify) {
  transfers_.Configure({FileFrom({primary_.at()})});
  transfers_.Start();
  ASSERT_TRUE(Eventually([&] { return State().serial == 1u; }));
  EXPECT_EQ(news_, 1);
  EXPECT_TRUE(std::filesystem::exists(path_));
  serial_ = 2;
  transfers_.Notified(*dns::Name::Parse("other.test."));
  transfers_.Notified(*dns::Name::Parse("RPZ.test."));
  ASSERT_TRUE(Eventually([&] { return State().serial == 2u; }));
  EXPECT_EQ(news_, 2);
  EXPECT_EQ(State().error, "");
}

TEST_F(PolicyZoneTransfersTest, TheNextPrimaryIsAskedWhenOneFails) {
  Primary refuses(
      [](RRType type, uint16_t id) -> Messages { return {ReplyOf({}, type, id, dns::Rcode::kRefused)}; });
  transfers_.Configure({FileFrom({refuses.at(), primary_.at()})});
  transfers_.Start();
  ASSERT_TRUE(Eventually([&] { return State().serial == 1u; }));
}

TEST_F(PolicyZoneTransfersTest, AFailureIsToldAndTheFileStays) {
  std::ofstream(path_) << Soa(7) << "\n";
  Primary refuses(
      [](RRType type, uint16_t id) -> Messages { return {ReplyOf({}, type, id, dns::Rcode::kRefused)}; });
  transfers_.Configure({FileFrom({refuses.at()})});
  transfers_.Start();
  ASSERT_TRUE(Eventually([&] { return !State().error.empty(); }));
  EXPECT_THAT(State().error, HasSubstr("REFUSED"));
  EXPECT_EQ(news_, 0);
  EXPECT_EQ(std::filesystem::file_size(path_), Soa(7).size() + 1);
}

TEST_F(PolicyZoneTransfersTest, ZonesWithoutPrimariesAreNobodysBusinessHere) {
  transfers_.Configure({FileFrom({})});
  transfers_.Start();
  EXPECT_TRUE(transfers_.states().empty());
}

}  // namespace
}  // namespace sekisho::resolver
