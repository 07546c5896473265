#include "proto/dns/dnssec_crypto.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/base/bytes.h"
#include "proto/dns/presentation.h"
#include "proto/dns/rdata.h"
#include "proto/dns/rdata_form.h"

namespace sekisho::dns {
namespace {

TextRecord Read(const std::string& line) {
  std::string error;
  auto r = ParseRecord(line, &error);
  EXPECT_TRUE(r) << line << ": " << error;
  return r.value_or(TextRecord());
}

std::string Signed(const TextRecord& record, const RrsigView& sig) {
  const Name owner = record.owner.view().Lowercase();
  std::string out(AsText(sig.before_signature));
  const std::string canonical = CanonicalRdata(record.type, AsBytes(record.rdata));
  out += AsText(owner.bytes());
  for (const uint32_t v : {static_cast<uint32_t>(record.type), 1u})
    out += {static_cast<char>(v >> 8), static_cast<char>(v)};
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(sig.original_ttl >> shift);
  out += {static_cast<char>(canonical.size() >> 8), static_cast<char>(canonical.size())};
  return out + canonical;
}

struct Vector {
  const char* standard;
  const char* key;
  const char* ds;  // may be null
  const char* record;
  const char* rrsig;
};

const Vector kVectors[] = {
    {"RFC 6605 6.1",
     "example.net. 3600 IN DNSKEY 257 3 13 "
     "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
     "example.net. 3600 IN DS 55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
     "www.example.net. 3600 IN A 192.0.2.1",
     "www.example.net. 3600 IN RRSIG A 13 3 3600 20100909100439 20100812100439 55648 example.net. "
     "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw=="},
    {"RFC 6605 6.2",
     "example.net. 3600 IN DNSKEY 257 3 14 "
     "xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/"
     "uX45NBwY8rp65F6Glur8I/"
     "mlVNgF6W/qTI37m40",
     "example.net. 3600 IN DS 10771 14 4 "
     "72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983d6",
     "www.example.net. 3600 IN A 192.0.2.1",
     "www.example.net. 3600 IN RRSIG A 14 3 3600 20100909102025 20100812102025 10771 example.net. "
     "/L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5b"
     "dcJzusdnI0"
     "RSMROxxwGipWcJm"},
    {"RFC 8080 6.1", "example.com. 3600 IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
     "example.com. 3600 IN DS 3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b",
     "example.com. 3600 IN MX 10 mail.example.com.",
     "example.com. 3600 IN RRSIG MX 15 2 3600 1440021600 1438207200 3613 example.com. "
     "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg=="},
};

TEST(DnssecCryptoTest, VerifiesTheRfcVectors) {
  DnssecCrypto crypto;
  for (const Vector& v : kVectors) {
    SCOPED_TRACE(v.standard);
    const TextRecord key = Read(v.key);
    const auto sig_record = Read(v.rrsig);
    const auto sig = ReadRrsig(AsBytes(sig_record.rdata));
    ASSERT_TRUE(sig);
    EXPECT_EQ(KeyTag(AsBytes(key.rdata)), sig->key_tag);
    std::string data = Signed(Read(v.record), *sig);
    const auto verify = [&](std::span<const uint8_t> k, std::span<const uint8_t> s) {
      return crypto.VerifySignature(sig->algorithm, k, AsBytes(data), s);
    };
    EXPECT_EQ(verify(AsBytes(key.rdata), sig->signature), SigResult::kValid);
    EXPECT_EQ(verify(AsBytes(key.rdata), sig->signature), SigResult::kValid) << "with the kept key";
    EXPECT_EQ(verify(AsBytes(key.rdata), sig->signature.first(sig->signature.size() - 1)),
              SigResult::kBadSignature);
    EXPECT_EQ(verify(AsBytes(key.rdata).first(key.rdata.size() - 1), sig->signature), SigResult::kBadKey);
    EXPECT_EQ(verify({}, sig->signature), SigResult::kBadKey);
    std::string flipped(AsText(sig->signature));
    flipped[5] = static_cast<char>(flipped[5] ^ 1);
    EXPECT_EQ(verify(AsBytes(key.rdata), AsBytes(flipped)), SigResult::kInvalid);
    const std::string zeros(sig->signature.size(), '\0');
    EXPECT_EQ(verify(AsBytes(key.rdata), AsBytes(zeros)), SigResult::kInvalid);
    data[0] = static_cast<char>(data[0] ^ 1);
    EXPECT_EQ(verify(AsBytes(key.rdata), sig->signature), SigResult::kInvalid);
    const TextRecord ds_record = Read(v.ds);
    const auto ds = ReadDs(AsBytes(ds_record.rdata));
    ASSERT_TRUE(ds);
    const auto digest = crypto.DsDigest(ds->digest_type, key.owner, AsBytes(key.rdata));
    ASSERT_TRUE(digest);
    EXPECT_EQ(AsText(digest->view()), AsText(ds->digest));
    EXPECT_EQ(ds->key_tag, sig->key_tag);
  }
}

std::string Base32Hex(std::span<const uint8_t> bytes) {
  std::string out;
  unsigned bits = 0;
  int have = 0;
  for (const uint8_t b : bytes) {
    bits = bits << 8 | b;
    for (have += 8; have >= 5; have -= 5) out += "0123456789abcdefghijklmnopqrstuv"[bits >> (have - 5) & 31];
    bits &= 0xff;
  }
  return out;
}

TEST(DnssecCryptoTest, HashesAsRfc5155AppendixA) {
  DnssecCrypto crypto;
  const uint8_t salt[] = {0xaa, 0xbb, 0xcc, 0xdd};
  const std::pair<const char*, const char*> expected[] = {
      {"example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"},
      {"a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"},
      {"ai.example", "gjeqe526plbf1g8mklp59enfd789njgi"},
      {"ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
      {"ns2.example", "q04jkcevqvmu85r014c7dkba38o0ji5r"},
      {"W.example", "k8udemvp1j2f7eg6jebps17vp3n8i58h"},
      {"*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"},
      {"x.w.example", "b4um86eghhds6nea196smvmlo4ors995"},
      {"y.w.example", "ji6neoaepv8b5o6k4ev33abha8ht9fgc"},
      {"x.y.w.example", "2vptu5timamqttgl4luu9kg21e0aor3s"},
      {"xx.example", "t644ebqk9bibcna874givr6joj62mlhv"},
  };
  for (const auto& [name, hash] : expected)
    EXPECT_EQ(Base32Hex(crypto.Nsec3Hash(*Name::Parse(name), salt, 12)), hash) << name;
}

TEST(DnssecCryptoTest, RefusesKeysOutsideTheLimits) {
  DnssecCrypto crypto(1024);
  const auto rsa = [&](std::string exponent, size_t modulus_bytes, uint8_t last = 1) {
    std::string key("\x01\x00\x03\x08", 4);
    key += static_cast<char>(exponent.size());
    key += exponent;
    std::string modulus(modulus_bytes, '\xc1');
    if (modulus_bytes > 0) modulus.back() = static_cast<char>(last);
    key += modulus;
    const std::string signature(modulus_bytes, '\x01');
    return crypto.VerifySignature(8, AsBytes(key), AsBytes("data"), AsBytes(signature));
  };
  EXPECT_EQ(rsa("\x01\x00\x01", 128), SigResult::kBadKey) << "exponent text is one byte long";
  const std::string f4("\x01\x00\x01", 3);
  EXPECT_EQ(rsa(f4, 128), SigResult::kInvalid);
  EXPECT_EQ(rsa(f4, 512), SigResult::kInvalid);
  EXPECT_EQ(rsa(f4, 513), SigResult::kBadKey);
  EXPECT_EQ(rsa(f4, 127), SigResult::kBadKey);
  EXPECT_EQ(rsa(f4, 0), SigResult::kBadKey);
  EXPECT_EQ(rsa(f4, 128, 2), SigResult::kBadKey) << "even modulus";
  EXPECT_EQ(rsa(std::string(9, '\x01'), 128), SigResult::kBadKey) << "long exponent";
  EXPECT_EQ(rsa("", 128), SigResult::kBadKey);
  EXPECT_EQ(crypto.VerifySignature(1, AsBytes("abcdefgh"), {}, {}), SigResult::kUnsupported);
  const std::string off_curve = std::string("\x01\x00\x03\x0d", 4) + std::string(64, '\x05');
  EXPECT_EQ(crypto.VerifySignature(13, AsBytes(off_curve), AsBytes("x"), AsBytes(std::string(64, '\x01'))),
            SigResult::kBadKey);
  EXPECT_FALSE(crypto.DsDigest(3, Name(), {}));
}

}  // namespace
}  // namespace sekisho::dns
