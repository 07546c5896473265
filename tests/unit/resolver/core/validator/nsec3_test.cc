// NSEC3 proofs: the zone and the six responses of RFC 5155 appendices A and B, and what must not prove
// anything.
#include "resolver/core/validator/nsec3.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "proto/dns/presentation.h"
#include "resolver/core/limits.h"
#include "tests/signed/signed_zone.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::Name;
using dns::RRType;
using signed_test::Bytes;
using signed_test::N;

// RFC 5155 appendix A.
constexpr std::string_view kApex =
    "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. 3600 IN NSEC3 1 1 12 aabbccdd "
    "2t7b4g4vsa5smi47k61mv5bv1a22bojr "
    "MX DNSKEY NS SOA NSEC3PARAM RRSIG";
constexpr std::string_view kNs1 =
    "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example. 3600 IN NSEC3 1 1 12 aabbccdd "
    "2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG";
constexpr std::string_view kA =
    "35mthgpgcu1qg68fab165klnsnk3dpvl.example. 3600 IN NSEC3 1 1 12 aabbccdd "
    "b4um86eghhds6nea196smvmlo4ors995 "
    "NS DS RRSIG";
constexpr std::string_view kXw =
    "b4um86eghhds6nea196smvmlo4ors995.example. 3600 IN NSEC3 1 1 12 aabbccdd "
    "gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG";
constexpr std::string_view kYw =
    "ji6neoaepv8b5o6k4ev33abha8ht9fgc.example. 3600 IN NSEC3 1 1 12 aabbccdd "
    "k8udemvp1j2f7eg6jebps17vp3n8i58h";
constexpr std::string_view kW =
    "k8udemvp1j2f7eg6jebps17vp3n8i58h.example. 3600 IN NSEC3 1 1 12 aabbccdd "
    "kohar7mbb8dc2ce8a9qvl8hon4k53uhi";
constexpr std::string_view kNs2 =
    "q04jkcevqvmu85r014c7dkba38o0ji5r.example. 3600 IN NSEC3 1 1 12 aabbccdd "
    "r53bq7cc2uvmubfu5ocmm6pers9tk9en A RRSIG";
constexpr std::string_view kStarW =
    "r53bq7cc2uvmubfu5ocmm6pers9tk9en.example. 3600 IN NSEC3 1 1 12 aabbccdd "
    "t644ebqk9bibcna874givr6joj62mlhv MX RRSIG";

class Nsec3Test : public testing::Test {
 protected:
  void Add(std::string_view line, bool opt_out = true) {
    std::string error;
    auto record = dns::ParseRecord(line, &error);
    ASSERT_TRUE(record) << error;
    rdata_.push_back(std::move(record->rdata));
    if (!opt_out) rdata_.back()[1] = 0;
    const auto view = dns::ReadNsec3(Bytes(rdata_.back()));
    const auto hash = Nsec3OwnerHash(record->owner);
    ASSERT_TRUE(view && hash);
    records_.push_back({*hash, *view});
  }
  Nsec3Prover Prover() { return Nsec3Prover(zone_, records_, crypto_, budget_); }
  Proof NameError(std::string_view name) { return Prover().NameError(N(name)); }
  Proof Nodata(std::string_view name, RRType type) { return Prover().Nodata(N(name), type, &delegation_); }
  Proof Wildcard(std::string_view name, int labels) { return Prover().WildcardAnswer(N(name), labels); }

  Name zone_ = N("example.");
  std::deque<std::string> rdata_;
  std::vector<Nsec3Record> records_;
  dns::DnssecCrypto crypto_;
  Budget budget_{MonoTime{}};
  bool delegation_ = false;
};

TEST_F(Nsec3Test, OwnerHashRoundTripsWithTheHash) {
  const std::string salt("\xaa\xbb\xcc\xdd", 4);
  const auto hash = Nsec3OwnerHash(N("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example."));
  EXPECT_EQ(hash, crypto_.Nsec3Hash(N("example."), Bytes(salt), 12));
  EXPECT_EQ(Nsec3OwnerHash(N("0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM.example.")), hash);
  EXPECT_EQ(Nsec3OwnerHash(N("0p9mhaveqvm6t7vbl5lop2u3t2rp3tow.example.")), std::nullopt);
  EXPECT_EQ(Nsec3OwnerHash(N("0p9m.example.")), std::nullopt);
}

TEST_F(Nsec3Test, Rfc5155B1NameError) {
  Add(kApex);
  Add(kXw);
  EXPECT_EQ(NameError("a.c.x.w.example."), Proof::kNotProven);  // the wildcard is not yet denied
  Add(kA);
  EXPECT_EQ(NameError("a.c.x.w.example."), Proof::kOptOut);
}

TEST_F(Nsec3Test, Rfc5155B1NameErrorWithoutOptOutIsSecure) {
  Add(kApex, false);
  Add(kXw, false);
  Add(kA, false);
  EXPECT_EQ(NameError("a.c.x.w.example."), Proof::kProven);
}

TEST_F(Nsec3Test, Rfc5155B2NoData) {
  Add(kNs1);
  EXPECT_EQ(Nodata("ns1.example.", RRType::kMX), Proof::kProven);
  EXPECT_EQ(Nodata("ns1.example.", RRType::kA), Proof::kNotProven);
}

TEST_F(Nsec3Test, Rfc5155B21EmptyNonTerminal) {
  Add(kYw);
  EXPECT_EQ(Nodata("y.w.example.", RRType::kA), Proof::kProven);
  EXPECT_FALSE(delegation_);
}

TEST_F(Nsec3Test, Rfc5155B3OptOutDelegation) {
  Add(kA);
  Add(kApex);
  EXPECT_EQ(Nodata("c.example.", RRType::kDS), Proof::kOptOut);
  EXPECT_TRUE(delegation_);
}

TEST_F(Nsec3Test, Rfc5155B3WithoutTheOptOutBitProvesNoDelegation) {
  Add(kA, false);
  Add(kApex, false);
  EXPECT_EQ(Nodata("c.example.", RRType::kDS), Proof::kNotProven);
}

TEST_F(Nsec3Test, Rfc5155B4WildcardExpansion) {
  Add(kNs2, false);
  EXPECT_EQ(Wildcard("a.z.w.example.", 2), Proof::kProven);
  EXPECT_EQ(Wildcard("ns2.example.", 1), Proof::kNotProven);
}

TEST_F(Nsec3Test, Rfc5155B5WildcardNoData) {
  Add(kW, false);
  Add(kNs2, false);
  EXPECT_EQ(Nodata("a.z.w.example.", RRType::kAAAA), Proof::kNotProven);
  Add(kStarW, false);
  EXPECT_EQ(Nodata("a.z.w.example.", RRType::kAAAA), Proof::kProven);
  EXPECT_EQ(Nodata("a.z.w.example.", RRType::kMX), Proof::kNotProven);
  EXPECT_EQ(NameError("a.z.w.example."), Proof::kNotProven);
}

TEST_F(Nsec3Test, Rfc5155B6DsFromTheChildIsNoProof) {
  Add(kApex);
  EXPECT_EQ(Nodata("example.", RRType::kDS), Proof::kNotProven);
}

TEST_F(Nsec3Test, P24AncestorDelegationIsNoClosestEncloser) {
  Add(kA, false);  // a.example. is a delegation
  Add(kApex, false);
  Add(kXw, false);
  Add(kNs1, false);
  Add(kNs2, false);
  Add(kStarW, false);
  EXPECT_EQ(NameError("www.a.example."), Proof::kNotProven);
  EXPECT_EQ(Nodata("www.a.example.", RRType::kDS), Proof::kNotProven);
  EXPECT_EQ(Nodata("a.example.", RRType::kA), Proof::kNotProven);
}

TEST_F(Nsec3Test, D09IterationsAboveTheLimitAreNotComputed) {
  Add(kApex);
  Add(kXw);
  Add(kA);
  for (std::string& rdata : rdata_) rdata[3] = 51;
  records_.clear();
  for (const std::string& rdata : rdata_) records_.push_back({{}, *dns::ReadNsec3(Bytes(rdata))});
  EXPECT_EQ(NameError("a.c.x.w.example."), Proof::kTooManyIterations);
  EXPECT_EQ(Nodata("c.example.", RRType::kDS), Proof::kTooManyIterations);
  EXPECT_EQ(Wildcard("c.example.", 1), Proof::kTooManyIterations);
  EXPECT_EQ(budget_.nsec3_hashes_used(), 0);
}

TEST_F(Nsec3Test, D08HashesEndWithTheBudget) {
  Add(kNs2);
  std::string name;
  for (int i = 0; i < 120; ++i) name += "x.";
  name += "example.";
  EXPECT_EQ(NameError(name), Proof::kNotProven);
  EXPECT_EQ(NameError(name), Proof::kOverBudget);
  EXPECT_LE(budget_.nsec3_hashes_used(), limits::kNsec3Hashes);
}

TEST_F(Nsec3Test, IterationsAndSaltMakeAHashDearer) {
  Add(kNs2);
  Nodata("x.example.", RRType::kA);
  const int cheap = budget_.nsec3_hashes_used();
  rdata_.back()[3] = 50;
  records_ = {{{}, *dns::ReadNsec3(Bytes(rdata_.back()))}};
  Nodata("x.example.", RRType::kA);
  EXPECT_GT(budget_.nsec3_hashes_used() - cheap, 2 * cheap);
}

TEST_F(Nsec3Test, UnknownFlagsAndHashAlgorithmsAreNotUsable) {
  Add(kNs2);
  EXPECT_TRUE(IsUsableNsec3(records_[0].data));
  dns::Nsec3View view = records_[0].data;
  view.flags = 2;
  EXPECT_FALSE(IsUsableNsec3(view));
  view = records_[0].data;
  view.hash_algorithm = 2;
  EXPECT_FALSE(IsUsableNsec3(view));
  view = records_[0].data;
  view.next_hash = view.next_hash.first(19);
  EXPECT_FALSE(IsUsableNsec3(view));
}

}  // namespace
}  // namespace sekisho::resolver::dnssec
