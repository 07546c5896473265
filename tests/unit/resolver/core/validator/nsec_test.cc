// NSEC proofs by names and bitmaps: RFC 4035 appendix B, RFC 6840 section 4, RFC 7129, and what must not
// prove anything.
#include "resolver/core/validator/nsec.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "tests/signed/signed_zone.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::Name;
using dns::RRType;
using signed_test::Bytes;
using signed_test::N;

class NsecTest : public testing::Test {
 protected:
  void Add(std::string_view owner, std::string_view next, std::vector<RRType> types) {
    names_.push_back(N(owner));
    rdata_.push_back(signed_test::Text(N(next).bytes()) + signed_test::TypeBitmap(std::move(types)));
    records_.push_back({names_.back(), *dns::ReadNsec(Bytes(rdata_.back()))});
  }
  Proof NameError(std::string_view name) { return NsecProver(zone_, records_).NameError(N(name)); }
  Proof Nodata(std::string_view name, RRType type) {
    return NsecProver(zone_, records_).Nodata(N(name), type, &delegation_);
  }
  Proof Wildcard(std::string_view name, int labels) {
    return NsecProver(zone_, records_).WildcardAnswer(N(name), labels);
  }

  Name zone_ = N("example.");
  std::deque<Name> names_;
  std::deque<std::string> rdata_;
  std::vector<NsecRecord> records_;
  bool delegation_ = false;
};

TEST_F(NsecTest, Rfc4035B2NameError) {
  Add("b.example.", "ns1.example.", {RRType::kNS, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(NameError("ml.example."), Proof::kNotProven);  // the wildcard is not yet denied
  Add("example.", "a.example.", {RRType::kNS, RRType::kSOA, RRType::kMX, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(NameError("ml.example."), Proof::kProven);
}

TEST_F(NsecTest, Rfc4035B3NoData) {
  Add("ns1.example.", "ns2.example.", {RRType::kA, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(Nodata("ns1.example.", RRType::kMX), Proof::kProven);
  EXPECT_FALSE(delegation_);
  EXPECT_EQ(Nodata("ns1.example.", RRType::kA), Proof::kNotProven);
}

TEST_F(NsecTest, Rfc4035B5UnsignedDelegation) {
  Add("b.example.", "ns1.example.", {RRType::kNS, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(Nodata("b.example.", RRType::kDS), Proof::kProven);
  EXPECT_TRUE(delegation_);
}

TEST_F(NsecTest, Rfc4035B6WildcardExpansion) {
  Add("x.y.w.example.", "xx.example.", {RRType::kMX, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(Wildcard("a.z.w.example.", 2), Proof::kProven);
  // A wildcard further up than the closest encloser does not apply.
  EXPECT_EQ(Wildcard("a.z.w.example.", 1), Proof::kNotProven);
  EXPECT_EQ(Wildcard("a.y.w.example.", 2), Proof::kNotProven);
}

TEST_F(NsecTest, Rfc4035B7WildcardNoData) {
  Add("x.y.w.example.", "xx.example.", {RRType::kMX, RRType::kRRSIG, RRType::kNSEC});
  Add("*.w.example.", "x.w.example.", {RRType::kMX, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(Nodata("a.z.w.example.", RRType::kAAAA), Proof::kProven);
  EXPECT_EQ(Nodata("a.z.w.example.", RRType::kMX), Proof::kNotProven);
  EXPECT_EQ(NameError("a.z.w.example."), Proof::kNotProven);
}

TEST_F(NsecTest, Rfc4035B8DsFromTheChildIsNoProof) {
  Add("example.", "a.example.", {RRType::kNS, RRType::kSOA, RRType::kMX, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(Nodata("example.", RRType::kDS), Proof::kNotProven);
}

TEST_F(NsecTest, RootHasNoParentForItsDs) {
  zone_ = N(".");
  Add(".", "a.", {RRType::kNS, RRType::kSOA, RRType::kRRSIG, RRType::kNSEC, RRType::kDNSKEY});
  EXPECT_EQ(Nodata(".", RRType::kDS), Proof::kProven);
  EXPECT_FALSE(delegation_);
}

TEST_F(NsecTest, EmptyNonTerminal) {
  Add("a.example.", "x.y.w.example.", {RRType::kA, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(Nodata("w.example.", RRType::kA), Proof::kProven);
  EXPECT_EQ(Nodata("y.w.example.", RRType::kDS), Proof::kProven);
  EXPECT_FALSE(delegation_);
  EXPECT_EQ(NameError("w.example."), Proof::kNotProven);
}

TEST_F(NsecTest, Rfc6840Section41AncestorDelegationDeniesNothingBelow) {
  Add("b.example.", "ns1.example.", {RRType::kNS, RRType::kRRSIG, RRType::kNSEC});
  Add("example.", "a.example.", {RRType::kNS, RRType::kSOA, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(NameError("www.b.example."), Proof::kNotProven);
  EXPECT_EQ(Nodata("www.b.example.", RRType::kDS), Proof::kNotProven);
  EXPECT_EQ(Nodata("b.example.", RRType::kA), Proof::kNotProven);
}

TEST_F(NsecTest, Rfc6840Section41DnameDeniesNothingBelow) {
  Add("b.example.", "ns1.example.", {RRType::kDNAME, RRType::kRRSIG, RRType::kNSEC});
  Add("example.", "a.example.", {RRType::kNS, RRType::kSOA, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(NameError("www.b.example."), Proof::kNotProven);
  EXPECT_EQ(NameError("bb.example."), Proof::kProven);
}

TEST_F(NsecTest, Rfc6840Section43CnameIsNoNodata) {
  Add("a.example.", "b.example.", {RRType::kCNAME, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(Nodata("a.example.", RRType::kA), Proof::kNotProven);
}

TEST_F(NsecTest, AnyIsDeniedByAnEmptyNameOnly) {
  Add("a.example.", "b.example.", {RRType::kA, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(Nodata("a.example.", RRType::kANY), Proof::kNotProven);
  Add("b.example.", "c.example.", {RRType::kRRSIG, RRType::kNSEC, static_cast<RRType>(128)});
  EXPECT_EQ(Nodata("b.example.", RRType::kANY), Proof::kProven);
}

TEST_F(NsecTest, LastRecordClosesTheCircleAtTheApexOnly) {
  Add("ns2.example.", "example.", {RRType::kA, RRType::kRRSIG, RRType::kNSEC});
  Add("example.", "a.example.", {RRType::kNS, RRType::kSOA, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(NameError("zz.example."), Proof::kProven);
  records_.erase(records_.begin());
  Add("ns2.example.", "b.example.", {RRType::kA, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(NameError("zz.example."), Proof::kNotProven);
}

TEST_F(NsecTest, ZoneOfOneNameDeniesAllBelow) {
  Add("example.", "example.", {RRType::kNS, RRType::kSOA, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(NameError("a.b.example."), Proof::kProven);
}

TEST_F(NsecTest, P21NextOutsideTheZoneIsRefused) {
  Add("evil.test.", "zzz.test.", {RRType::kNS, RRType::kSOA, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_FALSE(NsecStaysInZone(records_.back(), N("evil.test.")));
  zone_ = N("evil.test.");
  EXPECT_EQ(NameError("nx.evil.test."), Proof::kNotProven);
  EXPECT_EQ(NameError("www.victim.test."), Proof::kNotProven);
}

TEST_F(NsecTest, Rfc9824CompactDenialIsANodata) {
  Add("nx.example.", "\\000.nx.example.", {RRType::kRRSIG, RRType::kNSEC, static_cast<RRType>(128)});
  EXPECT_EQ(Nodata("nx.example.", RRType::kA), Proof::kProven);
  EXPECT_EQ(NameError("nx.example."), Proof::kNotProven);
}

TEST_F(NsecTest, WildcardDelegationProvesNothing) {
  Add("a.example.", "example.", {RRType::kA, RRType::kRRSIG, RRType::kNSEC});
  Add("*.example.", "a.example.", {RRType::kNS, RRType::kRRSIG, RRType::kNSEC});
  EXPECT_EQ(Nodata("b.example.", RRType::kDS), Proof::kNotProven);
  EXPECT_EQ(Nodata("b.example.", RRType::kA), Proof::kNotProven);
}

}  // namespace
}  // namespace sekisho::resolver::dnssec
