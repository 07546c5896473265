// The state of trust anchors on disk: whole, damaged at any byte, unwritable; and the anchors that the
// workers get.
#include "resolver/server/anchor_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "proto/base/bytes.h"
#include "tests/signed/signing_key.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;
using signed_test::Bytes;
using signed_test::kTestTime;
using signed_test::SigningKey;
using ::testing::HasSubstr;

class AnchorKeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/sekisho-anchors-XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    dir_ = dir;
    Settings settings;
    settings.rfc5011 = true;
    settings.trust_anchors = {{.owner = dns::Name(), .type = RRType::kDS, .rdata = old_.Ds(dns::Name())}};
    settings_ = std::make_shared<const Settings>(settings);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::unique_ptr<AnchorKeeper> Make() {
    return std::make_unique<AnchorKeeper>(
        dir_, &published_, [this] { ++wakes_; },
        [this](const std::string& text, bool alarm) { (alarm ? alarms_ : news_).push_back(text); });
  }
  std::string Path() const { return dir_ + "/trust-anchors"; }
  std::string Text() const {
    std::ifstream in(Path(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  void Write(const std::string& text) const { std::ofstream(Path(), std::ios::binary) << text; }

  void See(AnchorKeeper& keeper, const std::vector<SigningKey>& keys, const std::vector<SigningKey>& signers,
           int64_t at = kTestTime) {
    dns::RRset rrset{.owner = dns::Name(), .type = RRType::kDNSKEY, .ttl = 86400};
    for (const SigningKey& key : keys) rrset.rdata.Add(Bytes(key.dnskey()));
    for (const SigningKey& key : signers) {
      rrset.signatures.Add(
          Bytes(key.Rrsig(rrset, dns::Name(), {.inception = at - 3600, .expiration = at + 864000})));
    }
    ASSERT_TRUE(keeper.rollover()->Observe(dns::Name(), rrset, WallTime(std::chrono::seconds(at))));
  }
  std::vector<std::string> InForce() const {
    std::vector<std::string> out;
    for (const auto& anchor : published_.Current()->trust_anchors) out.push_back(anchor.rdata);
    return out;
  }

  SigningKey old_{13};
  SigningKey new_{13};
  std::string dir_;
  std::shared_ptr<const Settings> settings_;
  Published<const Settings> published_;
  int wakes_ = 0;
  std::vector<std::string> news_, alarms_;
};

TEST_F(AnchorKeeperTest, WhatWasLearntIsInForceAtOnceAndAfterARestart) {
  {
    auto keeper = Make();
    keeper->Configure(settings_);
    EXPECT_EQ(InForce(), std::vector{old_.Ds(dns::Name())});
    keeper->Start();
    See(*keeper, {old_, new_}, {old_});
    EXPECT_EQ(InForce(), std::vector{old_.dnskey()});
    See(*keeper, {old_, new_}, {old_}, kTestTime + 30 * 86400);
    EXPECT_EQ(InForce(), (std::vector{old_.dnskey(), new_.dnskey()}));
    EXPECT_GT(wakes_, 0);
    keeper->Stop();  // what is new is written before
  }
  EXPECT_TRUE(alarms_.empty());
  EXPECT_FALSE(news_.empty());
  EXPECT_FALSE(std::filesystem::exists(Path() + ".tmp"));
  auto again = Make();
  again->Configure(settings_);
  EXPECT_EQ(InForce(), (std::vector{old_.dnskey(), new_.dnskey()}));
  EXPECT_TRUE(again->state().read_error.empty());
}

TEST_F(AnchorKeeperTest, P31DamagedAtAnyByteTheConfiguredAnchorsCount) {
  {
    auto keeper = Make();
    keeper->Configure(settings_);
    keeper->Start();
    See(*keeper, {old_, new_}, {old_});
    See(*keeper, {old_, new_}, {old_}, kTestTime + 30 * 86400);
    keeper->Stop();
  }
  const std::string whole = Text();
  ASSERT_FALSE(whole.empty());
  std::vector<std::string> damaged = {whole + std::string(100'000, 'x') + "\n", std::string(2 << 20, 'k'),
                                      "\n"};
  for (size_t at = 0; at < whole.size(); at += 7) damaged.push_back(whole.substr(0, at));
  for (const std::string& text : damaged) {
    alarms_.clear();
    Write(text);
    auto keeper = Make();
    keeper->Configure(settings_);
    ASSERT_EQ(InForce(), std::vector{old_.Ds(dns::Name())});
    ASSERT_EQ(alarms_.size(), 1u);
    ASSERT_THAT(keeper->state().read_error, HasSubstr(Path()));
    ASSERT_TRUE(std::filesystem::exists(Path() + ".damaged"));
  }
}

TEST_F(AnchorKeeperTest, P31UnwritableIsToldAndChangesNothingElse) {
  std::filesystem::remove_all(dir_);
  auto keeper = Make();
  keeper->Configure(settings_);
  keeper->Start();
  See(*keeper, {old_, new_}, {old_});
  EXPECT_EQ(InForce(), std::vector{old_.dnskey()});
  keeper->Stop();
  EXPECT_EQ(alarms_.size(), 1u);
  EXPECT_FALSE(keeper->state().write_error.empty());
}

TEST_F(AnchorKeeperTest, SwitchedOffNothingIsReadAndTheConfiguredAnchorsCount) {
  Write("damaged");
  Settings off = *settings_;
  off.rfc5011 = false;
  auto keeper = Make();
  keeper->Configure(std::make_shared<const Settings>(off));
  EXPECT_EQ(InForce(), std::vector{old_.Ds(dns::Name())});
  EXPECT_TRUE(alarms_.empty());
  EXPECT_FALSE(keeper->state().follows);
  EXPECT_EQ(Text(), "damaged");
}

}  // namespace
}  // namespace sekisho::resolver
