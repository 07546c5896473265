// DS and anchors against DNSKEY RRsets (RFC 4035 section 5.2, RFC 4509, RFC 5011, RFC 6840 section 5.11).
#include "resolver/core/validator/zone_keys.h"

#include <gtest/gtest.h>

#include "resolver/core/limits.h"
#include "tests/signed/signing_key.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::EdeCode;
using dns::RRType;
using signed_test::Bytes;
using signed_test::DnskeyWithTag;
using signed_test::kTestTime;
using signed_test::N;
using signed_test::SigningKey;

const dns::Name kZone = N("example.test.");

class ZoneKeysTest : public testing::Test {
 protected:
  void AddKey(const std::string& rdata) {
    dnskeys_.owner = kZone;
    dnskeys_.type = RRType::kDNSKEY;
    dnskeys_.ttl = 3600;
    dnskeys_.rdata.Add(Bytes(rdata));
  }
  void SignBy(const SigningKey& key) { dnskeys_.signatures.Add(Bytes(key.Rrsig(dnskeys_, kZone))); }
  void AddDs(const std::string& rdata) { points_.ds.Add(Bytes(rdata)); }
  KeysVerdict Verify() {
    points_.zone = kZone;
    Check check{crypto_, budget_, policy_, kTestTime};
    return VerifyZoneKeys(UsableEntryPoints(points_, policy_, &why_unusable_), dnskeys_, check);
  }

  dns::DnssecCrypto crypto_;
  Budget budget_{MonoTime{}};
  Policy policy_;
  EntryPoints points_;
  dns::RRset dnskeys_;
  dns::ExtendedError why_unusable_;
};

TEST_F(ZoneKeysTest, DsOfDigest2And4) {
  const SigningKey key(13);
  AddKey(key.dnskey());
  SignBy(key);
  for (const uint8_t digest : {uint8_t{2}, uint8_t{4}}) {
    points_.ds.clear();
    AddDs(key.Ds(kZone, digest));
    EXPECT_TRUE(Verify().valid) << int{digest};
  }
}

TEST_F(ZoneKeysTest, KeySigningKeyVouchesForTheOthers) {
  const SigningKey ksk(13, 257);
  const SigningKey zsk(15, 256);
  AddKey(ksk.dnskey());
  AddKey(zsk.dnskey());
  SignBy(ksk);
  AddDs(ksk.Ds(kZone));
  const KeysVerdict verdict = Verify();
  ASSERT_TRUE(verdict.valid);
  EXPECT_EQ(verdict.keys.keys.size(), 2u);
  EXPECT_EQ(verdict.keys.zone, kZone);
}

TEST_F(ZoneKeysTest, SignatureByAKeyTheDsDoesNotNameIsNotEnough) {
  const SigningKey ksk(13, 257);
  const SigningKey zsk(15, 256);
  AddKey(ksk.dnskey());
  AddKey(zsk.dnskey());
  SignBy(zsk);
  AddDs(ksk.Ds(kZone));
  EXPECT_FALSE(Verify().valid);
}

TEST_F(ZoneKeysTest, NoKeyForTheDs) {
  const SigningKey key(13);
  const SigningKey other(13);
  AddKey(other.dnskey());
  SignBy(other);
  AddDs(key.Ds(kZone));
  const KeysVerdict verdict = Verify();
  EXPECT_FALSE(verdict.valid);
  EXPECT_EQ(verdict.why.code, EdeCode::kDnskeyMissing);
}

TEST_F(ZoneKeysTest, Rfc4034Section211ZoneKeyBitIsNeeded) {
  const SigningKey key(13, 1);
  AddKey(key.dnskey());
  SignBy(key);
  AddDs(key.Ds(kZone));
  const KeysVerdict verdict = Verify();
  EXPECT_FALSE(verdict.valid);
  EXPECT_EQ(verdict.why.code, EdeCode::kNoZoneKeyBitSet);
}

TEST_F(ZoneKeysTest, Rfc5011RevokedKeyVouchesForNothing) {
  const SigningKey key(13, 257 | 0x0080);
  AddKey(key.dnskey());
  SignBy(key);
  AddDs(key.Ds(kZone));
  EXPECT_FALSE(Verify().valid);
}

TEST_F(ZoneKeysTest, Rfc4034Section212ProtocolMustBe3) {
  const SigningKey key(13);
  std::string other = key.dnskey();
  other[2] = 2;
  AddKey(other);
  bool no_zone_bit = false;
  EXPECT_TRUE(UsableKeys(dnskeys_.rdata, policy_, &no_zone_bit).empty());
  EXPECT_FALSE(no_zone_bit);
}

TEST_F(ZoneKeysTest, Rfc4509Section3Sha1IsIgnoredBesideSha256) {
  policy_.sha1_digests = true;
  const SigningKey key(13);
  AddKey(key.dnskey());
  SignBy(key);
  std::string wrong = key.Ds(kZone, 2);
  wrong.back() = static_cast<char>(wrong.back() ^ 1);
  AddDs(wrong);
  AddDs(key.Ds(kZone, 1));
  EXPECT_FALSE(Verify().valid);
  points_.ds.clear();
  AddDs(key.Ds(kZone, 1));
  EXPECT_TRUE(Verify().valid);
}

TEST_F(ZoneKeysTest, Rfc9905Sha1AloneIsUnusableUnlessConfigured) {
  const SigningKey key(13);
  AddDs(key.Ds(kZone, 1));
  const EntryPoints usable = UsableEntryPoints(points_, policy_, &why_unusable_);
  EXPECT_TRUE(usable.ds.empty());
  EXPECT_EQ(why_unusable_.code, EdeCode::kUnsupportedDsDigestType);
}

TEST_F(ZoneKeysTest, UnknownAlgorithmsAreUnusableUntilOneIsKnown) {
  std::string unknown = SigningKey(13).Ds(kZone);
  unknown[2] = 99;
  AddDs(unknown);
  EXPECT_TRUE(UsableEntryPoints(points_, policy_, &why_unusable_).ds.empty());
  EXPECT_EQ(why_unusable_.code, EdeCode::kUnsupportedDnskeyAlgorithm);
  const SigningKey key(13);
  AddDs(key.Ds(kZone));
  AddKey(key.dnskey());
  SignBy(key);
  EXPECT_TRUE(Verify().valid);
}

TEST_F(ZoneKeysTest, AnchorAsDnskey) {
  const SigningKey key(8);
  AddKey(key.dnskey());
  SignBy(key);
  points_.dnskeys.Add(Bytes(key.dnskey()));
  EXPECT_TRUE(Verify().valid);
  points_.dnskeys.clear();
  points_.dnskeys.Add(Bytes(SigningKey(8).dnskey()));
  EXPECT_FALSE(Verify().valid);
}

TEST_F(ZoneKeysTest, D07DigestsThatDoNotMatchAreCounted) {
  const SigningKey key(15);
  for (uint32_t i = 1; i <= 60; ++i) AddKey(DnskeyWithTag(key.tag(), i));
  AddKey(key.dnskey());
  SignBy(key);
  for (int i = 0; i < 60; ++i) {
    std::string wrong = key.Ds(kZone);
    wrong[5] = static_cast<char>(i);
    wrong[6] = static_cast<char>(wrong[6] ^ 1);
    AddDs(wrong);
  }
  EXPECT_FALSE(Verify().valid);
  EXPECT_EQ(budget_.signatures_used(), 0);
}

TEST_F(ZoneKeysTest, KeysKeptAreBounded) {
  for (uint32_t i = 1; i <= 200; ++i) AddKey(DnskeyWithTag(static_cast<uint16_t>(i * 7), i));
  bool no_zone_bit = false;
  EXPECT_EQ(UsableKeys(dnskeys_.rdata, policy_, &no_zone_bit).size(), kKeysPerZone);
}

}  // namespace
}  // namespace sekisho::resolver::dnssec
