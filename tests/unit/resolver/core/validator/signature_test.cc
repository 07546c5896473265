// VerifyRRset: names, labels, times and keys of one signature (RFC 4035 section 5.3).
#include "resolver/core/validator/signature.h"

#include <gtest/gtest.h>

#include "resolver/core/limits.h"
#include "tests/signed/signing_key.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::EdeCode;
using dns::RRType;
using signed_test::Bytes;
using signed_test::DnskeyWithTag;
using signed_test::kDay;
using signed_test::kTestTime;
using signed_test::N;
using signed_test::SigningKey;
using signed_test::SignOptions;

dns::RRset MakeA(std::string_view owner, uint32_t ttl = 300) {
  dns::RRset rrset;
  rrset.owner = N(owner);
  rrset.type = RRType::kA;
  rrset.ttl = ttl;
  rrset.rdata.Add(Bytes(std::string("\xc0\x00\x02\x02", 4)));
  rrset.rdata.Add(Bytes(std::string("\xc0\x00\x02\x01", 4)));
  return rrset;
}

ZoneKeys KeysOf(std::string_view zone, std::initializer_list<const SigningKey*> keys) {
  ZoneKeys out;
  out.zone = N(zone);
  for (const SigningKey* key : keys) out.keys.push_back({key->tag(), key->algorithm(), key->dnskey()});
  return out;
}

class SignatureTest : public testing::Test {
 protected:
  RRsetVerdict Verify(const dns::RRset& rrset, const ZoneKeys& keys, int64_t now = kTestTime) {
    Check check{crypto_, budget_, policy_, now};
    return VerifyRRset(rrset, keys, check);
  }
  // One RRset of www.example.test signed by example.test with `options`.
  RRsetVerdict VerifySigned(const SignOptions& options, int64_t now = kTestTime) {
    dns::RRset rrset = MakeA("www.example.test.");
    rrset.signatures.Add(Bytes(key_.Rrsig(rrset, N("example.test."), options)));
    return Verify(rrset, KeysOf("example.test.", {&key_}), now);
  }

  dns::DnssecCrypto crypto_;
  Budget budget_{MonoTime{}};
  Policy policy_;
  SigningKey key_{15};
};

class AlgorithmTest : public SignatureTest, public testing::WithParamInterface<uint8_t> {};

TEST_P(AlgorithmTest, VerifiesAndNoticesAChange) {
  const SigningKey key(GetParam());
  dns::RRset rrset = MakeA("www.example.test.");
  rrset.signatures.Add(Bytes(key.Rrsig(rrset, N("example.test."))));
  const ZoneKeys keys = KeysOf("example.test.", {&key});
  EXPECT_TRUE(Verify(rrset, keys).valid);
  rrset.rdata.Add(Bytes(std::string("\xc0\x00\x02\x03", 4)));
  const RRsetVerdict changed = Verify(rrset, keys);
  EXPECT_FALSE(changed.valid);
  EXPECT_EQ(changed.why.code, EdeCode::kDnssecBogus);
}
INSTANTIATE_TEST_SUITE_P(Algorithms, AlgorithmTest, testing::Values(8, 10, 13, 14, 15, 16));

TEST_F(SignatureTest, Rfc4034Section6OwnerCaseAndRecordOrderDoNotMatter) {
  dns::RRset rrset = MakeA("www.example.test.");
  const std::string sig = key_.Rrsig(rrset, N("example.test."));
  dns::RRset other = MakeA("WwW.eXample.TEST.");
  other.rdata.clear();
  other.rdata.Add(Bytes(std::string("\xc0\x00\x02\x01", 4)));
  other.rdata.Add(Bytes(std::string("\xc0\x00\x02\x02", 4)));
  other.signatures.Add(Bytes(sig));
  EXPECT_TRUE(Verify(other, KeysOf("Example.Test.", {&key_})).valid);
}

TEST_F(SignatureTest, Rfc4034Section62NamesInRdataAreLowerCased) {
  dns::RRset lower;
  lower.owner = N("www.example.test.");
  lower.type = RRType::kMX;
  lower.ttl = 300;
  lower.rdata.Add(Bytes(std::string("\x00\x0a\x04mail\x00", 8)));
  const std::string sig = key_.Rrsig(lower, N("example.test."));
  dns::RRset mixed = lower;
  mixed.rdata.clear();
  mixed.rdata.Add(Bytes(std::string("\x00\x0a\x04MaiL\x00", 8)));
  mixed.signatures.Add(Bytes(sig));
  EXPECT_TRUE(Verify(mixed, KeysOf("example.test.", {&key_})).valid);
}

TEST_F(SignatureTest, Rfc4035Section531TimesWithSkew) {
  // Ten days of validity: a skew of one day.
  SignOptions options;
  options.inception = kTestTime - 5 * kDay;
  options.expiration = kTestTime + 5 * kDay;
  EXPECT_TRUE(VerifySigned(options).valid);
  EXPECT_TRUE(VerifySigned(options, options.expiration + kDay).valid);
  EXPECT_EQ(VerifySigned(options, options.expiration + kDay + 1).why.code, EdeCode::kSignatureExpired);
  EXPECT_TRUE(VerifySigned(options, options.inception - kDay).valid);
  EXPECT_EQ(VerifySigned(options, options.inception - kDay - 1).why.code, EdeCode::kSignatureNotYetValid);
}

TEST_F(SignatureTest, SkewHasBoundsAndCanBeZero) {
  SignOptions options;  // ten minutes: the skew is the least one, an hour
  options.inception = kTestTime;
  options.expiration = kTestTime + 600;
  EXPECT_TRUE(VerifySigned(options, kTestTime + 600 + 3600).valid);
  EXPECT_FALSE(VerifySigned(options, kTestTime + 600 + 3601).valid);
  policy_.skew_min = 0;
  policy_.skew_max = 0;
  EXPECT_TRUE(VerifySigned(options, kTestTime + 600).valid);
  EXPECT_EQ(VerifySigned(options, kTestTime + 601).why.code, EdeCode::kSignatureExpired);
  EXPECT_EQ(VerifySigned(options, kTestTime - 1).why.code, EdeCode::kSignatureNotYetValid);
}

TEST_F(SignatureTest, Rfc1982TimesWrapAround) {
  SignOptions options;
  const int64_t wrap = int64_t{1} << 32;  // in the year 2106
  options.inception = wrap - kDay;
  options.expiration = wrap + kDay;
  EXPECT_TRUE(VerifySigned(options, wrap - 10).valid);
  EXPECT_TRUE(VerifySigned(options, wrap + 10).valid);
  EXPECT_FALSE(VerifySigned(options, wrap + 3 * kDay).valid);
}

TEST_F(SignatureTest, Rfc8914SignatureThatEndsBeforeItBegins) {
  SignOptions options;
  options.inception = kTestTime + 60;
  options.expiration = kTestTime - 60;
  EXPECT_EQ(VerifySigned(options).why.code, EdeCode::kSignatureExpiredBeforeValid);
}

TEST_F(SignatureTest, M11TtlIsCutByOriginalTtlAndExpiration) {
  SignOptions options;
  options.original_ttl = 120;
  EXPECT_EQ(VerifySigned(options).ttl_cap, 120u);
  options.original_ttl = 86400;
  options.expiration = kTestTime + 45;
  EXPECT_EQ(VerifySigned(options).ttl_cap, 45u);
  EXPECT_EQ(VerifySigned(options, kTestTime + 50).ttl_cap, kSkewTtl);
  options.original_ttl = 0x80000001u;  // RFC 2181 section 8: the top bit means 0
  EXPECT_EQ(VerifySigned(options).ttl_cap, 0u);
}

TEST_F(SignatureTest, Rfc8914Reasons) {
  dns::RRset rrset = MakeA("www.example.test.");
  const ZoneKeys keys = KeysOf("example.test.", {&key_});
  EXPECT_EQ(Verify(rrset, keys).why.code, EdeCode::kRrsigsMissing);
  const SigningKey other(15);
  ASSERT_NE(other.tag(), key_.tag());
  rrset.signatures.Add(Bytes(other.Rrsig(rrset, N("example.test."))));
  EXPECT_EQ(Verify(rrset, keys).why.code, EdeCode::kDnskeyMissing);
}

TEST_F(SignatureTest, Rfc9905Rsasha1OnlyWhereConfigured) {
  const SigningKey key(5);
  dns::RRset rrset = MakeA("www.example.test.");
  rrset.signatures.Add(Bytes(key.Rrsig(rrset, N("example.test."))));
  const ZoneKeys keys = KeysOf("example.test.", {&key});
  EXPECT_FALSE(Verify(rrset, keys).valid);
  policy_.rsasha1 = true;
  EXPECT_TRUE(Verify(rrset, keys).valid);
}

TEST_F(SignatureTest, Rfc6840Section511OneGoodSignatureIsEnough) {
  const SigningKey strong(13);
  dns::RRset rrset = MakeA("www.example.test.");
  std::string broken = key_.Rrsig(rrset, N("example.test."));
  broken.back() = static_cast<char>(broken.back() ^ 1);
  rrset.signatures.Add(Bytes(broken));
  rrset.signatures.Add(Bytes(std::string("no rrsig at all")));
  rrset.signatures.Add(Bytes(strong.Rrsig(rrset, N("example.test."))));
  EXPECT_TRUE(Verify(rrset, KeysOf("example.test.", {&key_, &strong})).valid);
}

TEST_F(SignatureTest, Rfc4035Section532WildcardIsToldWithItsEncloser) {
  dns::RRset rrset = MakeA("a.b.example.test.");
  SignOptions options;
  options.signed_owner = N("*.example.test.");
  rrset.signatures.Add(Bytes(key_.Rrsig(rrset, N("example.test."), options)));
  const RRsetVerdict verdict = Verify(rrset, KeysOf("example.test.", {&key_}));
  ASSERT_TRUE(verdict.valid);
  EXPECT_EQ(verdict.wildcard_encloser, 2);
  // The wildcard itself is no expansion.
  dns::RRset own = MakeA("*.example.test.");
  own.signatures.Add(Bytes(key_.Rrsig(own, N("example.test."))));
  EXPECT_EQ(Verify(own, KeysOf("example.test.", {&key_})).wildcard_encloser, std::nullopt);
}

TEST_F(SignatureTest, P20LabelsOutsideSignerAndOwnerAreRefusedWithoutAVerification) {
  for (const uint8_t labels : {uint8_t{0}, uint8_t{1}, uint8_t{4}, uint8_t{255}}) {
    dns::RRset rrset = MakeA("www.example.test.");
    SignOptions options;
    options.labels = labels;
    options.signed_owner = N("*.test.");
    rrset.signatures.Add(Bytes(key_.Rrsig(rrset, N("example.test."), options)));
    EXPECT_FALSE(Verify(rrset, KeysOf("example.test.", {&key_})).valid) << int{labels};
  }
  EXPECT_EQ(budget_.signatures_used(), 0);
}

TEST_F(SignatureTest, P20SignerMustBeTheZoneAndAboveTheOwner) {
  dns::RRset rrset = MakeA("www.victim.test.");
  rrset.signatures.Add(Bytes(key_.Rrsig(rrset, N("example.test."))));
  EXPECT_FALSE(Verify(rrset, KeysOf("example.test.", {&key_})).valid);
  EXPECT_FALSE(Verify(rrset, KeysOf("victim.test.", {&key_})).valid);
  EXPECT_EQ(budget_.signatures_used(), 0);
}

TEST_F(SignatureTest, D07KeyTrapCostsNoMoreThanTheLimits) {
  ZoneKeys keys = KeysOf("example.test.", {});
  for (uint32_t i = 0; i < 40; ++i) keys.keys.push_back({key_.tag(), 15, DnskeyWithTag(key_.tag(), i + 1)});
  dns::RRset rrset = MakeA("www.example.test.");
  for (int i = 0; i < 300; ++i) {
    SignOptions options;
    options.expiration += i;
    rrset.signatures.Add(Bytes(key_.Rrsig(rrset, N("example.test."), options)));
  }
  EXPECT_FALSE(Verify(rrset, keys).valid);
  EXPECT_LE(budget_.signatures_used(), limits::kSignaturesPerRrset);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(Verify(rrset, keys).valid);
  EXPECT_LE(budget_.signatures_used(), limits::kSignatureFailures);
  EXPECT_TRUE(Verify(rrset, keys).exhausted);
}

TEST_F(SignatureTest, D10MalformedMatchingKeyIsOneFailure) {
  ZoneKeys keys = KeysOf("example.test.", {});
  std::string bad = key_.dnskey();
  bad.resize(bad.size() - 7);
  for (int i = 0; i < 200; ++i) keys.keys.push_back({key_.tag(), 15, bad});
  dns::RRset rrset = MakeA("www.example.test.");
  rrset.signatures.Add(Bytes(key_.Rrsig(rrset, N("example.test."))));
  EXPECT_FALSE(Verify(rrset, keys).valid);
  EXPECT_EQ(budget_.signatures_used(), 1);
}

TEST_F(SignatureTest, TooManyRecordsAreRefused) {
  dns::RRset rrset = MakeA("www.example.test.");
  for (uint32_t i = 0; i < limits::kRecordsPerRrset; ++i) {
    rrset.rdata.Add(Bytes(std::string{'\x0a', 0, static_cast<char>(i >> 8), static_cast<char>(i)}));
  }
  rrset.signatures.Add(Bytes(key_.Rrsig(rrset, N("example.test."))));
  EXPECT_FALSE(Verify(rrset, KeysOf("example.test.", {&key_})).valid);
  EXPECT_EQ(budget_.signatures_used(), 0);
}

}  // namespace
}  // namespace sekisho::resolver::dnssec
