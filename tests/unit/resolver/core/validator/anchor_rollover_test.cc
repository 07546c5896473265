// RFC 5011: each transition of the table in section 4, the hold-downs and the intervals, and the state as
// text.
#include "resolver/core/validator/anchor_rollover.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "proto/dns/rdata.h"
#include "resolver/core/validator/anchor_text.h"
#include "tests/signed/signing_key.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::RRType;
using signed_test::Bytes;
using signed_test::kTestTime;
using signed_test::N;
using signed_test::SigningKey;
using std::chrono::hours;
using std::chrono::seconds;

constexpr Duration kOneDay = hours(24);
constexpr AnchorState kGone = static_cast<AnchorState>(99);

class RolloverTest : public testing::Test {
 protected:
  RolloverTest() { Anchor({{RRType::kDS, first_.Ds(zone_)}}); }

  void Anchor(std::vector<std::pair<RRType, std::string>> anchors) {
    settings_.trust_anchors.clear();
    for (auto& [type, rdata] : anchors) {
      settings_.trust_anchors.push_back({.owner = zone_, .type = type, .rdata = rdata});
    }
    rollover_.Configure(settings_);
  }

  dns::RRset Keys(const std::vector<SigningKey>& keys, const std::vector<SigningKey>& signers) const {
    dns::RRset rrset{.owner = zone_, .type = RRType::kDNSKEY, .ttl = ttl_};
    for (const SigningKey& key : keys) rrset.rdata.Add(Bytes(key.dnskey()));
    const int64_t now = UnixSeconds(now_);
    for (const SigningKey& key : signers) {
      rrset.signatures.Add(
          Bytes(key.Rrsig(rrset, zone_, {.inception = now - 3600, .expiration = now + signed_for_})));
    }
    return rrset;
  }

  bool See(const std::vector<SigningKey>& keys, const std::vector<SigningKey>& signers) {
    return rollover_.Observe(zone_, Keys(keys, signers), now_);
  }

  AnchorState StateOf(const SigningKey& key) const {
    const std::vector<TrustPoint> points = rollover_.Points();
    for (const AnchorKey& k : points.front().keys) {
      if (k.rdata == key.dnskey()) return k.state;
    }
    return kGone;
  }

  bool Trusts(const SigningKey& key) const {
    const auto anchors = rollover_.Anchors();
    return std::any_of(anchors.begin(), anchors.end(), [&](const auto& a) {
      return a.rdata == (a.type == RRType::kDS ? key.Ds(zone_) : key.dnskey());
    });
  }

  dns::Name zone_ = N("anchored.test.");
  SigningKey first_{13};
  SigningKey second_{13};
  SigningKey third_{15};
  SigningKey zsk_{13, 256};
  uint32_t ttl_ = 2 * 86400;
  int64_t signed_for_ = 10 * 86400;
  WallTime now_{seconds(kTestTime)};
  int changes_ = 0;
  AnchorRollover rollover_{[this] { ++changes_; }};
  Settings settings_;
};

TEST_F(RolloverTest, StartWithADigestFindsItsKeyAndHoldsTheOthersBack) {
  EXPECT_TRUE(Trusts(first_));
  EXPECT_TRUE(See({first_, second_, zsk_}, {first_}));
  EXPECT_EQ(StateOf(first_), AnchorState::kValid);
  EXPECT_EQ(StateOf(second_), AnchorState::kAddPend);
  EXPECT_EQ(StateOf(zsk_), kGone);  // no secure entry point
  EXPECT_TRUE(Trusts(first_));
  EXPECT_FALSE(Trusts(second_));
  EXPECT_EQ(changes_, 1);
}

TEST_F(RolloverTest, AddPendBecomesValidWhenSeenAfterThirtyDays) {
  See({first_, second_}, {first_});
  now_ += kHoldDown - seconds(1);
  See({first_, second_}, {first_});
  EXPECT_EQ(StateOf(second_), AnchorState::kAddPend);
  now_ += seconds(1);
  See({first_, second_}, {first_});
  EXPECT_EQ(StateOf(second_), AnchorState::kValid);
  EXPECT_TRUE(Trusts(second_));
  // From now on its own signature is enough.
  EXPECT_TRUE(See({second_}, {second_}));
}

TEST_F(RolloverTest, TimeAloneMakesNoKeyValid) {
  See({first_, second_}, {first_});
  now_ += 2 * kHoldDown;
  EXPECT_EQ(StateOf(second_), AnchorState::kAddPend);
  EXPECT_FALSE(Trusts(second_));
}

TEST_F(RolloverTest, HoldDownLastsForTheKeysTtlIfThatIsLonger) {
  ttl_ = 40 * 86400;
  See({first_, second_}, {first_});
  now_ += 39 * kOneDay;
  See({first_, second_}, {first_});
  EXPECT_EQ(StateOf(second_), AnchorState::kAddPend);
  now_ += kOneDay;
  See({first_, second_}, {first_});
  EXPECT_EQ(StateOf(second_), AnchorState::kValid);
}

TEST_F(RolloverTest, AddPendThatIsTakenAwayBeginsAnew) {
  See({first_, second_}, {first_});
  now_ += 29 * kOneDay;
  See({first_}, {first_});
  EXPECT_EQ(StateOf(second_), kGone);
  now_ += 2 * kOneDay;
  See({first_, second_}, {first_});
  EXPECT_EQ(StateOf(second_), AnchorState::kAddPend);
}

TEST_F(RolloverTest, WhatNoTrustedKeySignedIsNotLookedAt) {
  See({first_}, {first_});
  // The new key alone vouches for itself.
  EXPECT_FALSE(See({first_, second_}, {second_}));
  EXPECT_EQ(StateOf(second_), kGone);
  EXPECT_EQ(StateOf(first_), AnchorState::kValid);
  EXPECT_TRUE(rollover_.Points().front().bogus);
  // Nor is a key that is still held back believed.
  See({first_, second_}, {first_});
  EXPECT_FALSE(See({second_, third_}, {second_}));
  EXPECT_EQ(StateOf(first_), AnchorState::kValid);
  EXPECT_EQ(StateOf(third_), kGone);
}

TEST_F(RolloverTest, ValidGoesMissingAndComesBack) {
  See({first_, second_}, {first_});
  now_ += kHoldDown;
  See({first_, second_}, {first_});
  See({second_}, {second_});
  EXPECT_EQ(StateOf(first_), AnchorState::kMissing);
  EXPECT_TRUE(Trusts(first_));  // section 4: it still is an anchor
  See({first_, second_}, {first_});
  EXPECT_EQ(StateOf(first_), AnchorState::kValid);
}

TEST_F(RolloverTest, RevokedAtOnceAndRemovedAfterThirtyDays) {
  See({first_, second_}, {first_});
  now_ += kHoldDown;
  See({first_, second_}, {first_});
  const SigningKey revoked = first_.Revoked();
  EXPECT_NE(revoked.tag(), first_.tag());
  EXPECT_TRUE(See({revoked, second_}, {revoked, second_}));
  EXPECT_EQ(StateOf(first_), AnchorState::kRevoked);
  EXPECT_FALSE(Trusts(first_));
  now_ += kHoldDown - seconds(1);
  See({revoked, second_}, {revoked, second_});
  EXPECT_EQ(StateOf(first_), AnchorState::kRevoked);
  now_ += seconds(1);
  See({second_}, {second_});
  EXPECT_EQ(StateOf(first_), AnchorState::kRemoved);
  // Never again, with or without the bit.
  now_ += 2 * kHoldDown;
  See({first_, second_}, {second_});
  now_ += 2 * kHoldDown;
  See({first_, second_}, {second_});
  EXPECT_EQ(StateOf(first_), AnchorState::kRemoved);
  EXPECT_FALSE(Trusts(first_));
  EXPECT_FALSE(See({first_}, {first_}));
}

TEST_F(RolloverTest, MissingMayBeRevoked) {
  See({first_, second_}, {first_});
  now_ += kHoldDown;
  See({first_, second_}, {first_});
  See({second_}, {second_});
  See({first_.Revoked(), second_}, {first_.Revoked(), second_});
  EXPECT_EQ(StateOf(first_), AnchorState::kRevoked);
}

TEST_F(RolloverTest, OnlyTheKeyItselfRevokesIt) {
  See({first_, second_}, {first_});
  now_ += kHoldDown;
  See({first_, second_}, {first_});
  // The bit is set, but somebody else signed.
  EXPECT_TRUE(See({first_.Revoked(), second_}, {second_}));
  EXPECT_EQ(StateOf(first_), AnchorState::kMissing);
  EXPECT_TRUE(Trusts(first_));
}

TEST_F(RolloverTest, ARevokedKeySignsNothingButItsEnd) {
  See({first_}, {first_});
  EXPECT_FALSE(See({first_.Revoked(), second_}, {first_.Revoked()}));
  EXPECT_EQ(StateOf(first_), AnchorState::kRevoked);
  EXPECT_EQ(StateOf(second_), kGone);
  EXPECT_TRUE(rollover_.Anchors().empty());
  EXPECT_EQ(rollover_.Points().front().problem, "no anchor is left");
}

TEST_F(RolloverTest, AConfiguredDigestMayBeRevokedBeforeItsKeyWasSeen) {
  Anchor({{RRType::kDS, first_.Ds(zone_)}, {RRType::kDNSKEY, second_.dnskey()}});
  EXPECT_TRUE(See({first_.Revoked(), second_}, {first_.Revoked(), second_}));
  EXPECT_EQ(StateOf(first_), AnchorState::kRevoked);
  EXPECT_FALSE(Trusts(first_));
  EXPECT_TRUE(Trusts(second_));
}

TEST_F(RolloverTest, ConfiguredKeysNeedNoHoldDown) {
  Anchor({{RRType::kDS, first_.Ds(zone_)}, {RRType::kDS, second_.Ds(zone_)}});
  See({first_}, {first_});
  EXPECT_TRUE(Trusts(second_));  // not in the zone yet, and still an anchor
  EXPECT_TRUE(See({first_, second_}, {second_}));
  EXPECT_EQ(StateOf(second_), AnchorState::kValid);
}

TEST_F(RolloverTest, OtherConfiguredAnchorsBeginAnewButWhatWasRevokedStaysSo) {
  See({first_, second_}, {first_});
  now_ += kHoldDown;
  See({first_, second_}, {first_});
  See({first_.Revoked(), second_}, {first_.Revoked(), second_});
  Anchor({{RRType::kDS, first_.Ds(zone_)}, {RRType::kDS, third_.Ds(zone_)}});
  EXPECT_EQ(StateOf(second_), kGone);
  EXPECT_FALSE(Trusts(second_));
  EXPECT_FALSE(Trusts(first_));
  EXPECT_TRUE(Trusts(third_));
  // The same anchors once more change nothing.
  See({third_, second_}, {third_});
  Anchor({{RRType::kDS, third_.Ds(zone_)}, {RRType::kDS, first_.Ds(zone_)}});
  EXPECT_EQ(StateOf(third_), AnchorState::kValid);
  EXPECT_EQ(StateOf(second_), AnchorState::kAddPend);
}

TEST_F(RolloverTest, KeysOfAPointAreBounded) {
  std::vector<SigningKey> many = {first_};
  for (size_t i = 0; i < 30; ++i) many.emplace_back(uint8_t{15});
  EXPECT_TRUE(See(many, {first_}));
  EXPECT_EQ(rollover_.Points().front().keys.size(), kKeysPerPoint);
  EXPECT_EQ(StateOf(first_), AnchorState::kValid);
}

TEST_F(RolloverTest, IntervalsAreHalfOfWhatIsShortest) {
  const auto next = [&] { return *rollover_.NextDue() - now_; };
  EXPECT_EQ(*rollover_.Due(now_), zone_);
  EXPECT_FALSE(rollover_.Due(now_));  // under way
  EXPECT_FALSE(rollover_.NextDue());
  See({first_}, {first_});
  EXPECT_EQ(next(), Duration(kOneDay));  // half of the TTL
  EXPECT_FALSE(rollover_.Due(now_ + kOneDay - seconds(1)));
  EXPECT_TRUE(rollover_.Due(now_ + kOneDay));
  signed_for_ = 86400;
  See({first_}, {first_});
  EXPECT_EQ(next(), Duration(hours(12)));  // half of the signature's life
  ttl_ = 60;
  See({first_}, {first_});
  EXPECT_EQ(next(), Duration(hours(1)));  // never more often
  ttl_ = 90 * 86400;
  signed_for_ = 90 * 86400;
  See({first_}, {first_});
  EXPECT_EQ(next(), Duration(15 * kOneDay));  // nor less
}

TEST_F(RolloverTest, AfterAFailureATenthIsWaited) {
  const auto next = [&] { return *rollover_.NextDue() - now_; };
  rollover_.Fail(zone_, "no answer", now_);
  EXPECT_EQ(next(), Duration(hours(1)));  // nothing is known yet
  See({first_}, {first_});
  rollover_.Fail(zone_, "no answer", now_);
  EXPECT_EQ(next(), Duration(seconds(ttl_ / 10)));
  EXPECT_EQ(rollover_.Points().front().problem, "no answer");
  ttl_ = 90 * 86400;
  signed_for_ = 90 * 86400;
  See({first_}, {first_});
  EXPECT_EQ(rollover_.Points().front().problem, "");
  rollover_.Fail(zone_, "no answer", now_);
  EXPECT_EQ(next(), Duration(kOneDay));
}

TEST_F(RolloverTest, AClockSetBackDoesNotPutTheQuestionOff) {
  See({first_}, {first_});
  EXPECT_TRUE(rollover_.Due(now_ - 30 * kOneDay));
}

TEST_F(RolloverTest, TextBringsBackWhatWasThere) {
  See({first_, second_}, {first_});
  now_ += kHoldDown;
  See({first_, second_, third_}, {first_});
  See({first_.Revoked(), third_}, {first_.Revoked(), second_});
  const auto points = rollover_.Points();
  std::string error;
  const auto read = ReadAnchors(WriteAnchors(points), &error);
  ASSERT_TRUE(read) << error;
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ(read->front().zone, zone_);
  EXPECT_EQ(read->front().checked, points.front().checked);
  EXPECT_EQ(read->front().next_at, points.front().next_at);
  ASSERT_EQ(read->front().keys.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read->front().keys[i].rdata, points.front().keys[i].rdata);
    EXPECT_EQ(read->front().keys[i].state, points.front().keys[i].state);
    EXPECT_EQ(read->front().keys[i].until, points.front().keys[i].until);
  }
  AnchorRollover again;
  again.Restore(*read);
  again.Configure(settings_);
  EXPECT_EQ(WriteAnchors(again.Points()), WriteAnchors(points));
  EXPECT_FALSE(again.Due(now_));  // not before its time, restart or not
}

TEST_F(RolloverTest, P31DamagedTextIsRefused) {
  See({first_, second_}, {first_});
  const std::string text = WriteAnchors(rollover_.Points());
  std::string error;
  for (size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_FALSE(ReadAnchors(damaged, &error)) << at;
    EXPECT_FALSE(ReadAnchors(text.substr(0, at), &error)) << at;
  }
  EXPECT_FALSE(ReadAnchors(text + "x", &error));
  EXPECT_TRUE(ReadAnchors(text, &error));
}

}  // namespace
}  // namespace sekisho::resolver::dnssec
