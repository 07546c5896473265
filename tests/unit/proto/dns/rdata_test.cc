#include "proto/dns/rdata.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/base/bytes.h"
#include "proto/dns/message.h"
#include "proto/dns/presentation.h"
#include "proto/dns/rdata_form.h"
#include "tests/unit/proto/dns/packet.h"
#include "tests/unit/proto/dns/sample_records.h"

namespace sekisho::dns {
namespace {

TextRecord Read(const std::string& line) {
  std::string error;
  auto r = ParseRecord(line, &error);
  EXPECT_TRUE(r) << line << ": " << error;
  return r.value_or(TextRecord());
}

// Row M09: one byte less or more of a form of fixed length, nothing at all, and noise.
TEST(RdataFormTest, SamplesHaveTheirFormAndShorterOnesDoNot) {
  for (const Sample& s : kSamples) {
    const TextRecord r = Read(s.line);
    const auto rdata = AsBytes(r.rdata);
    EXPECT_TRUE(CheckRdata(r.type, rdata)) << s.line;
    EXPECT_FALSE(CheckRdata(r.type, {})) << s.line;
    if (s.exact) {
      EXPECT_FALSE(CheckRdata(r.type, rdata.first(rdata.size() - 1))) << s.line;
      EXPECT_FALSE(CheckRdata(r.type, AsBytes(r.rdata + '\0'))) << s.line;
    }
    // In a packet the same verdicts fall, whatever RDLENGTH says.
    for (size_t n = 0; n <= rdata.size(); ++n) {
      const Wire part(rdata.begin(), rdata.begin() + static_cast<std::ptrdiff_t>(n));
      const Wire wire = HeaderWire(0, 1, 0, 0) + RecordWire({0}, static_cast<unsigned>(r.type), part);
      ParsedMessage m;
      ASSERT_EQ(m.Parse(wire) == ParseError::kNone, CheckRdata(r.type, part)) << s.line << " cut at " << n;
    }
  }
}

TEST(RdataFormTest, EveryFormSurvivesNoise) {
  SeededRng rng(11);
  for (unsigned type = 0; type < 300; ++type) {
    for (int i = 0; i < 400; ++i) {
      Wire noise(rng.Below(60));
      rng.Fill(noise);
      if (i % 2 == 0) {
        for (uint8_t& b : noise) b &= 7;  // short lengths, so that walks go deep
      }
      const auto t = static_cast<RRType>(type);
      if (!CheckRdata(t, noise)) continue;
      EXPECT_EQ(CanonicalRdata(t, noise).size(), noise.size());
      const std::string text = RdataToText(t, noise);
      if (IsMetaType(t) || type == 0) continue;
      std::string error;
      const auto back = ParseRecord("x. 1 IN " + ToString(t) + " " + text, &error);
      if (!back) {
        ASSERT_TRUE(text.starts_with("\\#")) << text << " " << error;
      } else {
        ASSERT_EQ(back->rdata, AsText(noise)) << ToString(t) << " " << text;
      }
    }
  }
}

TEST(RdataFormTest, RefusesBadParts) {
  const auto bad = [](RRType t, const Wire& w) { EXPECT_FALSE(CheckRdata(t, w)) << ToString(t); };
  bad(RRType::kNSEC, NameWire("a"));
  bad(RRType::kNSEC, NameWire("a") + Wire{0, 0});
  bad(RRType::kNSEC, NameWire("a") + Wire{0, 1, 0});
  bad(RRType::kNSEC, NameWire("a") + Wire{1, 1, 1, 0, 1, 1});
  bad(RRType::kNSEC, NameWire("a") + Wire{0, 33} + Wire(33, 1));
  bad(RRType::kDS, U16(1) + Wire{8, 2} + Wire(31, 1));
  bad(RRType::kSVCB, U16(1) + Wire{0} + U16(4) + U16(3) + Wire(3));
  bad(RRType::kSVCB, U16(1) + Wire{0} + U16(3) + U16(2) + U16(1) + U16(1) + U16(2) + Wire{1, 'a'});
  bad(RRType::kSVCB, U16(1) + Wire{0} + U16(9) + U16(0) + U16(9) + U16(0));
  bad(RRType::kSVCB, U16(1) + Wire{0} + U16(7) + U16(65535));
  bad(RRType::kCAA, Wire{0, 0, 'x'});
  bad(RRType::kCAA, Wire{0, 2, 'a', '-', 'x'});
  bad(RRType::kLOC, Wire{0, 0xa0, 0, 0} + Wire(12, 0x80));
  bad(RRType::kAPL, Wire{0, 1, 33, 0});
  bad(RRType::kHIP, Wire{0, 1, 0, 1, 9});
  bad(RRType::kDNAME, Wire{0xc0, 0x0c});
  bad(RRType::kTXT, Wire{2, 'a'});
}

TEST(RdataFormTest, CanonicalFormLowersTheListedTypesOnly) {
  const auto canonical = [](const std::string& line) {
    const TextRecord r = Read(line);
    return RdataToText(r.type, AsBytes(CanonicalRdata(r.type, AsBytes(r.rdata))));
  };
  EXPECT_EQ(canonical("a. 1 IN NS NS.Test."), "ns.test.");
  EXPECT_EQ(canonical("a. 1 IN MX 5 MAIL.Test."), "5 mail.test.");
  EXPECT_EQ(canonical("a. 1 IN SOA A.B. C.D. 1 2 3 4 5"), "a.b. c.d. 1 2 3 4 5");
  EXPECT_EQ(canonical("a. 1 IN SRV 1 2 3 X.Y."), "1 2 3 x.y.");
  EXPECT_EQ(canonical("a. 1 IN DNAME X.Y."), "x.y.");
  EXPECT_EQ(canonical("a. 1 IN NSEC X.Y. A"), "X.Y. A");
  EXPECT_EQ(canonical("a. 1 IN HTTPS 1 X.Y."), "1 X.Y.");
  EXPECT_EQ(canonical("a. 1 IN TXT \"ABC\""), "\"ABC\"");
  EXPECT_EQ(canonical("a. 1 IN NAPTR 1 1 \"U\" \"S\" \"R\" X.Y."), "1 1 \"U\" \"S\" \"R\" x.y.");
}

// Row M11.
TEST(RdataFormTest, TtlWithTopBitMeansZero) {
  EXPECT_EQ(MeantTtl(0), 0u);
  EXPECT_EQ(MeantTtl(0x7fffffff), 0x7fffffffu);
  EXPECT_EQ(MeantTtl(0x80000000), 0u);
  EXPECT_EQ(MeantTtl(0xffffffff), 0u);
}

TEST(RdataViewTest, ReadsFields) {
  const TextRecord soa = Read("a. 1 IN SOA m.a. r.a. 7 6 5 4 3");
  const auto s = ReadSoa(AsBytes(soa.rdata));
  ASSERT_TRUE(s);
  EXPECT_EQ(s->mname, *Name::Parse("m.a"));
  EXPECT_EQ(s->rname, *Name::Parse("r.a"));
  EXPECT_EQ(s->serial, 7u);
  EXPECT_EQ(s->minimum, 3u);
  const TextRecord https = Read("a. 1 IN HTTPS 1 t. ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1");
  const auto h = ReadSvcb(AsBytes(https.rdata));
  ASSERT_TRUE(h);
  ASSERT_EQ(h->Hints().size(), 3u);
  EXPECT_EQ(h->Hints()[2], *IpAddress::Parse("2001:db8::1"));
  const TextRecord nsec = Read("a. 1 IN NSEC b. A MX TYPE1234");
  const auto n = ReadNsec(AsBytes(nsec.rdata));
  ASSERT_TRUE(n);
  for (unsigned t = 0; t < 65536; ++t) {
    ASSERT_EQ(n->types.Has(static_cast<RRType>(t)), t == 1 || t == 15 || t == 1234) << t;
  }
  const TextRecord nsec3 = Read("a. 1 IN NSEC3 1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS");
  const auto n3 = ReadNsec3(AsBytes(nsec3.rdata));
  ASSERT_TRUE(n3);
  EXPECT_TRUE(n3->opt_out());
  EXPECT_EQ(n3->iterations, 12);
  EXPECT_EQ(n3->salt.size(), 4u);
  EXPECT_EQ(n3->next_hash.size(), 20u);
  EXPECT_TRUE(n3->types.Has(RRType::kNS));
  EXPECT_FALSE(ReadSoa({}));
  EXPECT_FALSE(ReadRrsig(AsBytes("x")));
  EXPECT_FALSE(ReadMx(AsBytes("x")));
}

TEST(PresentationTest, SamplesRoundTrip) {
  for (const Sample& s : kSamples) {
    const TextRecord r = Read(s.line);
    const std::string text = RdataToText(r.type, AsBytes(r.rdata));
    EXPECT_EQ(text.starts_with("\\#"), s.generic) << s.line << " -> " << text;
    const TextRecord back = Read("x. 1 IN " + ToString(r.type) + " " + text);
    EXPECT_EQ(back.rdata, r.rdata) << s.line;
  }
}

}  // namespace
}  // namespace sekisho::dns
