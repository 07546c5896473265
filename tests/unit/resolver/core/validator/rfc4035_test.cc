// The responses of RFC 4035 appendix B, with the keys, records and signatures printed there: nothing here was
// signed by the tests' own signer.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/dns/presentation.h"
#include "resolver/core/validator/denial.h"
#include "resolver/core/validator/judge.h"
#include "resolver/core/validator/signature.h"
#include "tests/signed/signing_key.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::RRset;
using dns::RRsetPtr;
using dns::RRType;
using signed_test::Bytes;
using signed_test::N;

constexpr int64_t kMay2004 = 1'083'412'800;  // 2004-05-01 12:00 UTC

constexpr std::string_view kZoneKey =
    "example. 3600 IN DNSKEY 256 3 5 "
    "AQOy1bZVvpPqhg4j7EJoM9rI3ZmyEx2OzDBVrZy/"
    "lvI5CQePxXHZS4i8dANH4DX3tbHol61ek8EFMcsGXxKciJFHyhl94C+NwILQdzsUlSFovBZs"
    "yl/NX6yEbtw/xN9ZNcrbYvgjjZ/UVPZIySFNsgEYvh0z2542lzMKR4Dh8uZffQ==";

constexpr std::string_view kSoaSig =
    "ONx0k36rcjaxYtcNgq6iQnpNV5+drqYAsC9h7TSJaHCqbhE67Sr6aH2xDUGcqQWu/"
    "n0UVzrFvkgO9ebarZ0GWDKcuwlM6eNB5SiX2K74l5LWDA7S"
    "/Un/IbtDq4Ay8NMNLQI7Dw7n4p8/rjkBjV7j86HyQgM5e7+miRAz8V01b0I=";
constexpr std::string_view kBNsecSig =
    "GNuxHn844wfmUhPzGWKJCPY5ttEX/RfjDoOx9ueK1PtYkOWKOOdiJ/PJKCYB3hYX+858dDWSxb2qnV/"
    "LSTCNVBnkm6owOpysY97MVj5VQEWs0lm9"
    "tFoqjcptQkmQKYPrwUnCSNwvvclSF1xZvhRXgWT7OuFXldoCG6TfVFMs9xE=";
constexpr std::string_view kApexNsecSig =
    "O0k558jHhyrC97ISHnislm4kLMW48C7U7cBmFTfhke5iVqNRVTB1STLMpgpbDIC9hcryoO0VZ9ME5xPzUEhbvGnHd5sfzgFVeGxr5Nyy"
    "q4tWSDBg"
    "IBiLQUv1ivy29vhXy7WgR62dPrZ0PWvmjfFJ5arXf4nPxp/kEowGgBRzY/U=";
constexpr std::string_view kNs1NsecSig =
    "I4hj+Kt6+8rCcHcUdolks2S+Wzri9h3fHas81rGN/eILdJHN7JpV6lLGPIh/"
    "8fIBkfvdyWnBjjf1q3O7JgYO1UdI7FvBNWqaaEPJK3UkddBqZIaL"
    "i8Qr2XHkjq38BeQsbp8X0+6h4ETWSGT8IZaIGBLryQWGLw6Y6X8dqhlnxJM=";
constexpr std::string_view kXywNsecSig =
    "OvE6WUzN2ziieJcvKPWbCAyXyP6ef8cr6CspArVSTzKSquNwbezZmkU7E34o5lmb6CWSSSpgxw098kNUFnHcQf/"
    "LzY2zqRomubrNQhJTiDTXa0Ar"
    "unJQCzPjOYq5t0SLjm6qp6McJI1AP5VrQoKqJDCLnoAlcPOPKAm/jJkn3jk=";
constexpr std::string_view kStarNsecSig =
    "r/mZnRC3I/"
    "VIcrelgIcteSxDhtsdlTDt8ng9HSBlABOlzLxQtfgTnn8f+aOwJIAFe1Ee5RvU5cVhQJNP5XpXMJHfyps8tVvfxSAXfahpYqtx91gs"
    "mcV/1V9/bZAG55CefP9cM4Z9Y9NT9XQ8s1InQ2UoIv6tJEaaKkP701j8OLA=";
constexpr std::string_view kWildcardMxSig =
    "OMK8rAZlepfzLWW75Dxd63jy2wswESzxDKG2f9AMN1CytCd10cYISAxfAdvXSZ7xujKAtPbctvOQ2ofO7AZJ+d01EeeQTVBPq4/"
    "6KCWhqe2XTjnk"
    "VLNvvhnc0u28aoSsG0+4InvkkOHknKxw4kX18MMR34i8lC36SR5xBni8vHI=";
constexpr std::string_view kMxSig =
    "Il2WTZ+Bkv+"
    "OytBx4LItNW5mjB4RCwhOO8y1XzPHZmZUTVYL7LaA63f6T9ysVBzJRI3KRjAPH3U1qaYnDoN1DrWqmi9RJe4FoObkbcdm7P3Ikx70"
    "ePCoFgRz1Yq+bVVXCvGuAU4xALv3W/Y1jNSlwZ2mSWKHfxFQxPtLj8s32+k=";
constexpr std::string_view kDsSig =
    "oXIKit/QtdG64J/"
    "CB+Gi8dOvnwRvqrto1AdQoRkAN15FP3iZ7suB7gvTBmXzCjL7XUgQVcoHkdhyCuzp8W9qJHgRUSwKKkczSyuL64nhgjuDEML8"
    "l9wlWVsl7PR2VnZduM9bLyBhaaPmRKX/Fm+v6ccF2EGNLRiY08kdkz+XHHo=";

std::string RdataOf(std::string_view line) {
  std::string error;
  const auto record = dns::ParseRecord(line, &error);
  EXPECT_TRUE(record) << error;
  return record ? record->rdata : std::string();
}

RRset Signed(std::string_view owner, RRType type, std::string_view text, int labels,
             std::string_view signature) {
  const std::string at = std::string(owner) + " 3600 IN ";
  RRset rrset;
  rrset.owner = N(owner);
  rrset.type = type;
  rrset.ttl = 3600;
  rrset.rdata.Add(Bytes(RdataOf(at + dns::ToString(type) + " " + std::string(text))));
  rrset.signatures.Add(
      Bytes(RdataOf(at + "RRSIG " + dns::ToString(type) + " 5 " + std::to_string(labels) +
                    " 3600 20040509183619 20040409183619 38519 example. " + std::string(signature))));
  return rrset;
}

RRsetPtr Share(RRset rrset) { return std::make_shared<const RRset>(std::move(rrset)); }

class Rfc4035Test : public testing::Test {
 protected:
  Rfc4035Test() {
    policy_.rsasha1 = true;
    keys_.zone = N("example.");
    const std::string key = RdataOf(kZoneKey);
    keys_.keys.push_back({dns::KeyTag(Bytes(key)), 5, key});
  }
  Judgement Positive(const RRset& rrset) {
    Check check{crypto_, budget_, policy_, kMay2004};
    return JudgeRRset(rrset, authority_, keys_, check);
  }
  Judgement Negative(std::string_view qname, RRType qtype, ResponseKind kind) {
    Response response;
    response.qname = N(qname);
    response.qtype = qtype;
    response.kind = kind;
    response.authority = authority_;
    Check check{crypto_, budget_, policy_, kMay2004};
    return JudgeDenial(response, keys_, check);
  }
  void Prove(RRset rrset) { authority_.push_back(Share(std::move(rrset))); }
  void ProveSoa() {
    Prove(Signed("example.", RRType::kSOA, "ns1.example. bugs.x.w.example. 1081539377 3600 300 3600000 3600",
                 1, kSoaSig));
  }

  dns::DnssecCrypto crypto_;
  Budget budget_{MonoTime{}};
  Policy policy_;
  ZoneKeys keys_;
  std::vector<RRsetPtr> authority_;
};

TEST_F(Rfc4035Test, KeyTag) { EXPECT_EQ(keys_.keys[0].tag, 38519); }

TEST_F(Rfc4035Test, B1Answer) {
  EXPECT_EQ(Positive(Signed("x.w.example.", RRType::kMX, "1 xx.example.", 3, kMxSig)).security,
            Security::kSecure);
  EXPECT_EQ(Positive(Signed("x.w.example.", RRType::kMX, "2 xx.example.", 3, kMxSig)).security,
            Security::kBogus);
}

TEST_F(Rfc4035Test, B2NameError) {
  ProveSoa();
  Prove(Signed("b.example.", RRType::kNSEC, "ns1.example. NS RRSIG NSEC", 2, kBNsecSig));
  EXPECT_EQ(Negative("ml.example.", RRType::kA, ResponseKind::kNxdomain).security, Security::kBogus);
  Prove(Signed("example.", RRType::kNSEC, "a.example. NS SOA MX RRSIG NSEC DNSKEY", 1, kApexNsecSig));
  EXPECT_EQ(Negative("ml.example.", RRType::kA, ResponseKind::kNxdomain).security, Security::kSecure);
}

TEST_F(Rfc4035Test, B3NoData) {
  ProveSoa();
  Prove(Signed("ns1.example.", RRType::kNSEC, "ns2.example. A RRSIG NSEC", 2, kNs1NsecSig));
  EXPECT_EQ(Negative("ns1.example.", RRType::kMX, ResponseKind::kNodata).security, Security::kSecure);
}

TEST_F(Rfc4035Test, B4SignedDelegation) {
  const RRset ds =
      Signed("a.example.", RRType::kDS, "57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B", 2, kDsSig);
  EXPECT_EQ(Positive(ds).security, Security::kSecure);
}

TEST_F(Rfc4035Test, B5UnsignedDelegation) {
  Prove(Signed("b.example.", RRType::kNSEC, "ns1.example. NS RRSIG NSEC", 2, kBNsecSig));
  Check check{crypto_, budget_, policy_, kMay2004};
  const dns::Name name = N("b.example.");
  const DenialVerdict verdict = Denial(authority_, keys_, check).Nodata(name, RRType::kDS);
  EXPECT_EQ(verdict.proof, Proof::kProven);
  EXPECT_TRUE(verdict.delegation);
}

TEST_F(Rfc4035Test, B6WildcardExpansion) {
  const RRset mx = Signed("a.z.w.example.", RRType::kMX, "1 ai.example.", 2, kWildcardMxSig);
  EXPECT_EQ(Positive(mx).security, Security::kBogus);  // nothing says that no closer name exists
  Prove(Signed("x.y.w.example.", RRType::kNSEC, "xx.example. MX RRSIG NSEC", 4, kXywNsecSig));
  EXPECT_EQ(Positive(mx).security, Security::kSecure);
}

TEST_F(Rfc4035Test, B7WildcardNoData) {
  ProveSoa();
  Prove(Signed("x.y.w.example.", RRType::kNSEC, "xx.example. MX RRSIG NSEC", 4, kXywNsecSig));
  EXPECT_EQ(Negative("a.z.w.example.", RRType::kAAAA, ResponseKind::kNodata).security, Security::kBogus);
  Prove(Signed("*.w.example.", RRType::kNSEC, "x.w.example. MX RRSIG NSEC", 2, kStarNsecSig));
  EXPECT_EQ(Negative("a.z.w.example.", RRType::kAAAA, ResponseKind::kNodata).security, Security::kSecure);
}

TEST_F(Rfc4035Test, B8DsFromTheChildZone) {
  ProveSoa();
  Prove(Signed("example.", RRType::kNSEC, "a.example. NS SOA MX RRSIG NSEC DNSKEY", 1, kApexNsecSig));
  EXPECT_EQ(Negative("example.", RRType::kDS, ResponseKind::kNodata).security, Security::kBogus);
}

}  // namespace
}  // namespace sekisho::resolver::dnssec
