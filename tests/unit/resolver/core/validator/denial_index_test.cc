#include "resolver/core/validator/denial_index.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/dns/presentation.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver::dnssec {
namespace {

using std::chrono::seconds;

dns::Name N(const std::string& text) { return *dns::Name::Parse(text); }

dns::RRsetPtr Set(const std::string& text) {
  std::string error;
  const auto record = dns::ParseRecord(text, &error);
  EXPECT_TRUE(record) << text << ": " << error;
  dns::RRset set{.owner = record->owner, .type = record->type, .ttl = record->ttl};
  set.rdata.Add({reinterpret_cast<const uint8_t*>(record->rdata.data()), record->rdata.size()});
  const uint8_t signature[20] = {};
  set.signatures.Add(signature);
  return std::make_shared<const dns::RRset>(std::move(set));
}

class DenialIndexTest : public ::testing::Test {
 protected:
  void Add(const std::string& record, uint32_t ttl = 600) {
    index_.Add(N("example."), Set("example. 600 IN SOA ns.example. host.example. 1 2 3 4 600"), Set(record),
               ttl, now_);
  }
  // "NXDOMAIN 3": what would be said, and by how many records; "" for nothing.
  std::string Ask(const std::string& name, const std::string& start = "",
                  dns::RRType type = dns::RRType::kSRV) {
    Budget budget(now_);
    const auto found = index_.Find(N(name), type, N(start.empty() ? name : start), now_, crypto_, budget);
    if (!found) return "";
    EXPECT_EQ(found->zone, N("example."));
    EXPECT_EQ(found->authority.front()->type, dns::RRType::kSOA);
    return (found->nxdomain ? "NXDOMAIN " : "NODATA ") + std::to_string(found->authority.size());
  }

  DenialIndex index_{1000};
  dns::DnssecCrypto crypto_;
  MonoTime now_{seconds(1000)};
};

TEST_F(DenialIndexTest, NsecDeniesWhatItSpans) {
  Add("example. 600 IN NSEC b.example. NS SOA RRSIG NSEC DNSKEY");
  Add("d.example. 600 IN NSEC x.y.example. A RRSIG NSEC");
  EXPECT_EQ(Ask("e.example."), "NXDOMAIN 3");
  EXPECT_EQ(Ask("a.b.e.EXAMPLE."), "NXDOMAIN 3");
  EXPECT_EQ(Ask("a.example."), "NXDOMAIN 2") << "one record covers the wildcard too";
  EXPECT_EQ(Ask("d.example."), "NODATA 2");
  EXPECT_EQ(Ask("y.example."), "NODATA 2") << "an empty non-terminal";
  EXPECT_EQ(Ask("z.example."), "") << "behind the last record that is known";
  EXPECT_EQ(Ask("b.example."), "");
  EXPECT_EQ(Ask("e.test."), "");
  EXPECT_EQ(Ask("e.example.", "."), "") << "the zone is not at or above the start";
}

TEST_F(DenialIndexTest, NothingIsDeniedBelowADelegation) {
  Add("example. 600 IN NSEC b.example. NS SOA RRSIG NSEC DNSKEY");
  Add("b.example. 600 IN NSEC d.example. NS DS RRSIG NSEC");
  EXPECT_EQ(Ask("www.b.example."), "");
  EXPECT_EQ(Ask("c.example."), "NXDOMAIN 3");
}

TEST_F(DenialIndexTest, AWildcardThatIsThereMayLackTheType) {
  Add("*.example. 600 IN NSEC b.example. TXT RRSIG NSEC");
  Add("d.example. 600 IN NSEC x.example. A RRSIG NSEC");
  EXPECT_EQ(Ask("e.example."), "NODATA 3");
}

TEST_F(DenialIndexTest, ATypeThatIsThereIsNotDenied) {
  Add("*.example. 600 IN NSEC b.example. TXT RRSIG NSEC");
  Add("d.example. 600 IN NSEC x.example. A RRSIG NSEC");
  EXPECT_EQ(Ask("e.example.", "", dns::RRType::kTXT), "");
  EXPECT_EQ(Ask("d.example.", "", dns::RRType::kA), "");
  EXPECT_EQ(Ask("d.example.", "", dns::RRType::kTXT), "NODATA 2");
}

TEST_F(DenialIndexTest, Rfc8198CoverForAWildcardNeedsNoSoa) {
  const auto cover = [&](const std::string& name, int labels) {
    Budget budget(now_);
    const auto found = index_.FindCover(N(name), labels, now_, crypto_, budget);
    return found ? found->authority.size() : 0;
  };
  index_.Add(N("example."), nullptr, Set("d.example. 600 IN NSEC x.y.example. A RRSIG NSEC"), 600, now_);
  EXPECT_EQ(cover("e.example.", 1), 1u);
  EXPECT_EQ(cover("a.b.e.example.", 1), 1u);
  EXPECT_EQ(cover("a.y.example.", 2), 1u);
  EXPECT_EQ(cover("a.y.example.", 1), 0u) << "the closest encloser is another one";
  EXPECT_EQ(cover("y.example.", 1), 0u) << "an empty non-terminal";
  EXPECT_EQ(cover("d.example.", 1), 0u);
  EXPECT_EQ(cover("z.example.", 1), 0u);
  EXPECT_EQ(Ask("e.example."), "") << "no denial without an SOA";
}

TEST_F(DenialIndexTest, AZoneThatChangesItsKindOfDenialIsUsedAtOnce) {
  Add("example. 600 IN NSEC example. NS SOA RRSIG NSEC DNSKEY");
  EXPECT_EQ(Ask("e.example."), "NXDOMAIN 2");
  Add("c7v7d9r1gk3ovfu2j6hk4m3dvtvgkdp3.example. 600 IN NSEC3 1 0 0 - C7V7D9R1GK3OVFU2J6HK4M3DVTVGKDP3 A");
  EXPECT_EQ(index_.size(), 1u) << "what is of the old kind is gone";
  Add("example. 600 IN NSEC example. NS SOA RRSIG NSEC DNSKEY");
  EXPECT_EQ(Ask("e.example."), "NXDOMAIN 2");
  EXPECT_EQ(index_.size(), 1u);
}

TEST_F(DenialIndexTest, TtlIsThatOfTheFirstToExpire) {
  Add("example. 600 IN NSEC b.example. NS SOA RRSIG NSEC DNSKEY", 600);
  now_ += seconds(300);
  Add("d.example. 50 IN NSEC x.example. A RRSIG NSEC", 600);
  Budget budget(now_);
  const auto found = index_.Find(N("e.example."), dns::RRType::kMX, N("e.example."), now_, crypto_, budget);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->ttl, 50u);
  now_ += seconds(60);
  EXPECT_EQ(Ask("e.example."), "");
  EXPECT_EQ(Ask("a.example."), "NXDOMAIN 2");
  now_ += seconds(300);
  EXPECT_EQ(Ask("a.example."), "");
}

// RFC 5155 appendix B.1: a.c.x.w.example does not exist.
TEST_F(DenialIndexTest, Nsec3DeniesByClosestEncloser) {
  Add("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. 600 IN NSEC3 1 0 12 aabbccdd "
      "2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG");
  Add("b4um86eghhds6nea196smvmlo4ors995.example. 600 IN NSEC3 1 0 12 aabbccdd "
      "gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG");
  EXPECT_EQ(Ask("a.c.x.w.example."), "");
  Add("35mthgpgcu1qg68fab165klnsnk3dpvl.example. 600 IN NSEC3 1 0 12 aabbccdd "
      "b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG");
  EXPECT_EQ(Ask("a.c.x.w.example."), "NXDOMAIN 4");
  EXPECT_EQ(Ask("x.w.example."), "NODATA 2");
}

TEST_F(DenialIndexTest, Nsec3WithOptOutDeniesNothingThatItCovers) {
  Add("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. 600 IN NSEC3 1 1 12 aabbccdd "
      "2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG");
  Add("b4um86eghhds6nea196smvmlo4ors995.example. 600 IN NSEC3 1 1 12 aabbccdd "
      "gjeqe526plbf1g8mklp59enfd789njgi MX RRSIG");
  Add("35mthgpgcu1qg68fab165klnsnk3dpvl.example. 600 IN NSEC3 1 1 12 aabbccdd "
      "b4um86eghhds6nea196smvmlo4ors995 NS DS RRSIG");
  EXPECT_EQ(Ask("a.c.x.w.example."), "");
}

TEST_F(DenialIndexTest, LargeRecordsAreNotKept) {
  dns::RRset large = *Set("example. 600 IN NSEC b.example. NS SOA RRSIG NSEC DNSKEY");
  const std::vector<uint8_t> signature(limits::kDenialBytes, 7);
  large.signatures.Add(signature);
  index_.Add(N("example."), Set("example. 600 IN SOA ns.example. host.example. 1 2 3 4 600"),
             std::make_shared<const dns::RRset>(std::move(large)), 600, now_);
  EXPECT_EQ(index_.size(), 0u);
}

TEST_F(DenialIndexTest, ForgetsAroundAName) {
  Add("example. 600 IN NSEC b.example. NS SOA RRSIG NSEC DNSKEY");
  index_.RemoveAround(N("www.example."));
  EXPECT_EQ(Ask("a.example."), "");
  EXPECT_EQ(index_.size(), 0u);
}

TEST(DenialIndex, ZonesUsedLongestAgoGiveWay) {
  DenialIndex index(160);
  MonoTime now{seconds(1)};
  for (int i = 0; i < 2000; ++i) {
    const std::string zone = "z" + std::to_string(i) + ".";
    now += seconds(1);
    index.Add(N(zone), Set(zone + " 600 IN SOA ns. host. 1 2 3 4 600"),
              Set(zone + " 600 IN NSEC b." + zone + " NS SOA"), 600, now);
  }
  EXPECT_LE(index.size(), 200u);
  dns::DnssecCrypto crypto;
  Budget budget(now);
  EXPECT_TRUE(index.Find(N("a.z1999."), dns::RRType::kMX, N("a.z1999."), now, crypto, budget));
  EXPECT_FALSE(index.Find(N("a.z1."), dns::RRType::kMX, N("a.z1."), now, crypto, budget));
}

}  // namespace
}  // namespace sekisho::resolver::dnssec
