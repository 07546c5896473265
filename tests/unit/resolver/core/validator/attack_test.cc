// One test for each attack that a validator must withstand; named by the row of the attack table.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"
#include "tests/signed/signed_internet.h"

namespace sekisho::resolver {
namespace {

using dns::EdeCode;
using dns::Name;
using dns::RRset;
using dns::RRsetPtr;
using dns::RRType;
using signed_test::Bytes;
using signed_test::DenialKind;
using signed_test::DnskeyWithTag;
using signed_test::kDay;
using signed_test::kTestTime;
using signed_test::N;
using signed_test::SignedInternet;
using signed_test::SignedZone;
using signed_test::SigningKey;
using signed_test::SignOptions;
using signed_test::TypeBitmap;

RRsetPtr Share(RRset rrset) { return std::make_shared<const RRset>(std::move(rrset)); }

RRset MakeRRset(std::string_view owner, RRType type, const std::string& rdata) {
  RRset rrset;
  rrset.owner = N(owner);
  rrset.type = type;
  rrset.ttl = 300;
  rrset.rdata.Add(Bytes(rdata));
  return rrset;
}

RRset MakeA(std::string_view owner) {
  return MakeRRset(owner, RRType::kA, std::string("\xc6\x33\x64\x42", 4));
}

RRset MakeNsec(std::string_view owner, std::string_view next, std::vector<RRType> types) {
  return MakeRRset(owner, RRType::kNSEC, signed_test::Text(N(next).bytes()) + TypeBitmap(std::move(types)));
}

Response Answer(RRset rrset, std::string_view zone) {
  Response response;
  response.qname = rrset.owner;
  response.qtype = rrset.type;
  response.kind = ResponseKind::kAnswer;
  response.rcode = dns::Rcode::kNoError;
  response.zone = N(zone);
  response.answer.push_back(Share(std::move(rrset)));
  return response;
}

// . → test → {evil.test, victim.test}; victim.test has a child of its own.
class AttackTest : public testing::Test {
 protected:
  void Build(signed_test::ZoneOptions tld = {}, signed_test::ZoneOptions evil = {},
             signed_test::ZoneOptions victim = {}) {
    net_.AddZone(".");
    net_.AddZone("test.", std::move(tld));
    SignedZone& evil_zone = net_.AddZone("evil.test.", std::move(evil));
    evil_zone.Add("www.evil.test. 300 IN A 192.0.2.66");
    evil_zone.Add("*.wild.evil.test. 300 IN A 192.0.2.66");
    SignedZone& zone = net_.AddZone("victim.test.", std::move(victim));
    zone.Add("www.victim.test. 300 IN A 192.0.2.1");
    zone.Add("*.wild.victim.test. 300 IN A 192.0.2.2");
    zone.Add("*.cname.victim.test. 300 IN CNAME www.victim.test.");
    net_.AddZone("child.victim.test.").Add("www.child.victim.test. 300 IN A 192.0.2.3");
    net_.AddZone("plain.test.", {.is_signed = false});
    net_.Finish();
  }
  // A as its zone signs it, with all else unchanged.
  RRset SignedBy(RRset rrset, std::string_view zone, const SignOptions& options = {}) {
    net_.zone(zone).SignRRset(&rrset, options);
    return rrset;
  }
  size_t DsAskedAt(std::string_view name) const {
    return static_cast<size_t>(std::count_if(net_.asked.begin(), net_.asked.end(), [&](const auto& q) {
      return q.type == RRType::kDS && q.name == N(name);
    }));
  }
  void ExpectBogus(const Response& judged) {
    EXPECT_EQ(judged.security, Security::kBogus);
    EXPECT_FALSE(judged.errors.empty());
  }

  SignedInternet net_;
};

TEST_F(AttackTest, P20WildcardAcrossZonesByFewLabels) {
  Build();
  SignOptions options;
  options.labels = 1;
  options.signed_owner = N("*.test.");
  ExpectBogus(net_.Judge(Answer(SignedBy(MakeA("rand.test."), "evil.test.", options), "evil.test.")));
  ExpectBogus(net_.Judge(Answer(SignedBy(MakeA("www.evil.test."), "evil.test.", options), "evil.test.")));
  options.labels = 0;
  options.signed_owner = N("*.");
  ExpectBogus(net_.Judge(Answer(SignedBy(MakeA("www.victim.test."), "evil.test.", options), "evil.test.")));
}

TEST_F(AttackTest, P21NsecWithNextOutsideTheZone) {
  Build();
  Response response = net_.Lookup(N("nx.evil.test."), RRType::kA);
  ASSERT_EQ(response.kind, ResponseKind::kNxdomain);
  const RRset forged = SignedBy(
      MakeNsec("evil.test.", "zzz.test.", {RRType::kNS, RRType::kSOA, RRType::kRRSIG, RRType::kNSEC}),
      "evil.test.");
  response.authority = {response.authority[0], Share(forged)};
  ExpectBogus(net_.Judge(response));
  response.qname = N("www.victim.test.");
  ExpectBogus(net_.Judge(response));
}

TEST_F(AttackTest, P22Nsec3OfAChildNamedLikeAHash) {
  net_.AddZone(".");
  SignedZone& test = net_.AddZone("test.", {.denial = DenialKind::kNsec3});
  test.Add("www.victim.test. 300 IN A 192.0.2.1");
  const Name hashed = test.HashedOwner(N("test."));
  SignedZone& child = net_.AddZone(hashed.ToString(), {.denial = DenialKind::kNsec3});
  net_.Finish();
  // An NSEC3 that stands at the child's apex and looks as if it were the parent's.
  dns::Nsec3HashValue next = test.Hash(N("test."));
  RRset forged = child.MakeNsec3(next, next, {RRType::kNS, RRType::kSOA});
  forged.owner = hashed;
  forged.signatures.clear();
  child.SignRRset(&forged, {});
  Response response = net_.Lookup(N("nx.test."), RRType::kA);
  EXPECT_EQ(net_.Judge(response).security, Security::kSecure);  // the honest one
  response.qname = N("www.victim.test.");
  response.authority = {response.authority[0], Share(forged)};
  ExpectBogus(net_.Judge(response));
  response.authority = {Share(forged)};
  ExpectBogus(net_.Judge(response));
}

TEST_F(AttackTest, P23UnsignedNsecBesideAnHonestAnswerIsNotUsed) {
  Build();
  Response response = net_.Lookup(N("a.wild.victim.test."), RRType::kA);
  RRset garbage = MakeNsec("victim.test.", "zzz.victim.test.", {RRType::kNS, RRType::kSOA});
  garbage.signatures.Add(Bytes(std::string("garbage")));
  response.authority = {Share(garbage)};
  ExpectBogus(net_.Judge(response));
}

TEST_F(AttackTest, P24GrandparentDeniesTheGrandchildsDs) {
  Build();
  // "child.victim.test." is signed; test., its grandparent, says that it has no DS.
  net_.TamperWith("child.victim.test.", RRType::kDS, [&](Response* r) {
    const RRset lie =
        SignedBy(MakeNsec("child.victim.test.", "zzz.test.", {RRType::kNS, RRType::kNSEC}), "test.");
    r->kind = ResponseKind::kNodata;
    r->answer.clear();
    r->authority = {Share(lie)};
  });
  ExpectBogus(net_.Judge(Answer(MakeA("www.child.victim.test."), "child.victim.test.")));
}

TEST_F(AttackTest, P24ForgedOptOutDoesNotMakeASignedChildUnsigned) {
  Build({.denial = DenialKind::kNsec3}, {}, {.denial = DenialKind::kNsec3});
  SignedZone forger("victim.test.", {.denial = DenialKind::kNsec3, .opt_out = true});
  const dns::Nsec3HashValue apex = forger.Hash(N("victim.test."));
  net_.TamperWith("child.victim.test.", RRType::kDS, [&](Response* r) {
    r->kind = ResponseKind::kNodata;
    r->answer.clear();
    r->authority = {
        Share(forger.MakeNsec3(apex, apex, {RRType::kNS, RRType::kSOA}))};  // signed by nobody known
  });
  ExpectBogus(net_.Judge(Answer(MakeA("www.child.victim.test."), "child.victim.test.")));
}

TEST_F(AttackTest, P24BogusParentEndsTheWalkBeforeTheAttackName) {
  Build();
  net_.TamperWith("victim.test.", RRType::kDS, [](Response* r) {
    RRset copy = *r->answer[0];
    copy.signatures.clear();
    r->answer[0] = Share(copy);
  });
  ExpectBogus(net_.Judge(Answer(MakeA("www.child.victim.test."), "child.victim.test.")));
  EXPECT_EQ(DsAskedAt("child.victim.test."), 0u);
}

TEST_F(AttackTest, P25SignedByTheParentBelowTheCut) {
  Build();
  ExpectBogus(
      net_.Judge(Answer(SignedBy(MakeA("www.child.victim.test."), "victim.test."), "child.victim.test.")));
  ExpectBogus(net_.Judge(Answer(SignedBy(MakeA("www.child.victim.test."), "test."), "child.victim.test.")));
  // An unsigned child stays unsigned whatever its parent has signed.
  const Response plain = net_.Judge(Answer(SignedBy(MakeA("www.plain.test."), "test."), "plain.test."));
  EXPECT_EQ(plain.security, Security::kInsecure);
}

// One server for a signed zone and an unsigned one below it: what it denies below the cut it proves as the
// zone above, and nobody needs to be asked about the cut.
TEST_F(AttackTest, P25ADenialFromAboveTheCutProvesNoMoreThanTheCut) {
  for (const DenialKind kind : {DenialKind::kNsec, DenialKind::kNsec3}) {
    SignedInternet net;
    net.AddZone(".");
    net.AddZone("test.", {.denial = kind});
    net.AddZone("signed.test.").Add("www.signed.test. 300 IN A 192.0.2.3");
    net.AddZone("plain.test.", {.is_signed = false});
    net.Finish();
    const auto denied_above = [&](std::string_view cut) {
      Response r;
      r.qname = N("none." + std::string(cut));
      r.qtype = RRType::kA;
      r.kind = ResponseKind::kNodata;
      r.rcode = dns::Rcode::kNoError;
      r.zone = N("test.");
      r.authority = {net.zone("test.").Matching(N(cut))};
      net.asked.clear();
      return net.Judge(r);
    };
    EXPECT_EQ(denied_above("plain.test.").security, Security::kInsecure);
    for (const auto& q : net.asked) EXPECT_NE(q.name, N("plain.test.")) << "asked again what is proven";
    const Response judged = denied_above("signed.test.");
    EXPECT_EQ(judged.security, Security::kBogus) << "there is a DS: the parent's word is not the child's";
  }
}

TEST_F(AttackTest, P26WildcardNeedsProofThatNothingCloserExists) {
  Build();
  Response replay = net_.Lookup(N("a.wild.victim.test."), RRType::kA);
  ASSERT_EQ(net_.Judge(replay).security, Security::kSecure);
  replay.authority.clear();
  ExpectBogus(net_.Judge(replay));
  Response cname = net_.Lookup(N("a.cname.victim.test."), RRType::kA);
  ASSERT_EQ(cname.kind, ResponseKind::kCname);
  ASSERT_EQ(net_.Judge(cname).security, Security::kSecure);
  cname.authority.clear();
  ExpectBogus(net_.Judge(cname));
  // The wildcard's records under another name's: what exists is not expanded.
  Response swapped = net_.Lookup(N("a.wild.victim.test."), RRType::kA);
  RRset copy = *swapped.answer[0];
  copy.owner = swapped.qname = N("www.victim.test.");
  swapped.answer[0] = Share(copy);
  ExpectBogus(net_.Judge(swapped));
}

TEST_F(AttackTest, P30StrippedSignatures) {
  Build();
  Response response = net_.Lookup(N("www.victim.test."), RRType::kA);
  RRset bare = *response.answer[0];
  bare.signatures.clear();
  response.answer[0] = Share(bare);
  const Response judged = net_.Judge(response);
  ExpectBogus(judged);
  EXPECT_EQ(net_.FirstError(judged), EdeCode::kRrsigsMissing);
  Response nx = net_.Lookup(N("nx.victim.test."), RRType::kA);
  RRset soa = *nx.authority[0];
  soa.signatures.clear();
  nx.authority = {Share(soa)};
  ExpectBogus(net_.Judge(nx));
}

TEST_F(AttackTest, P30StrippedDenialOfDs) {
  Build();
  net_.TamperWith("victim.test.", RRType::kDS, [](Response* r) {
    r->kind = ResponseKind::kNodata;
    r->answer.clear();
    r->authority.clear();
  });
  const Response judged = net_.Judge(Answer(MakeA("www.victim.test."), "victim.test."));
  ExpectBogus(judged);
  EXPECT_EQ(net_.FirstError(judged), EdeCode::kRrsigsMissing);
}

TEST_F(AttackTest, P30AlgorithmDowngrade) {
  Build();
  const SigningKey weak(5);
  Response response = net_.Lookup(N("www.victim.test."), RRType::kA);
  RRset downgraded = *response.answer[0];
  downgraded.signatures.clear();
  downgraded.signatures.Add(Bytes(weak.Rrsig(downgraded, N("victim.test."))));
  response.answer[0] = Share(downgraded);
  const Response judged = net_.Judge(response);
  ExpectBogus(judged);
  EXPECT_EQ(net_.FirstError(judged), EdeCode::kRrsigsMissing);
}

TEST_F(AttackTest, P30DnskeyWithoutMatchingDs) {
  Build();
  const SigningKey other(15);
  net_.TamperWith("victim.test.", RRType::kDNSKEY, [&](Response* r) {
    RRset keys = MakeRRset("victim.test.", RRType::kDNSKEY, other.dnskey());
    keys.signatures.Add(Bytes(other.Rrsig(keys, N("victim.test."))));
    r->answer = {Share(keys)};
  });
  const Response judged = net_.Ask("www.victim.test.", RRType::kA);
  ExpectBogus(judged);
  EXPECT_EQ(net_.FirstError(judged), EdeCode::kDnskeyMissing);
}

TEST_F(AttackTest, P30UnknownAlgorithmAloneIsInsecure) {
  net_.AddZone(".");
  SignedZone& test = net_.AddZone("test.");
  test.Add("victim.test. 300 IN NS ns.victim.test.");
  std::string ds = SigningKey(13).Ds(N("victim.test."));
  ds[2] = 99;
  test.AddRdata(N("victim.test."), RRType::kDS, ds);
  net_.Finish();
  const Response judged = net_.Judge(Answer(MakeA("www.victim.test."), "victim.test."));
  EXPECT_EQ(judged.security, Security::kInsecure);
  EXPECT_EQ(net_.FirstError(judged), EdeCode::kUnsupportedDnskeyAlgorithm);
}

TEST_F(AttackTest, D07KeyTrap) {
  Build();
  const SigningKey& key = net_.zone("evil.test.").key();
  net_.TamperWith("evil.test.", RRType::kDNSKEY, [&](Response* r) {
    RRset keys;
    keys.owner = N("evil.test.");
    keys.type = RRType::kDNSKEY;
    keys.ttl = 3600;
    for (uint32_t i = 1; i < 200; ++i) keys.rdata.Add(Bytes(DnskeyWithTag(key.tag(), i)));
    keys.rdata.Add(Bytes(key.dnskey()));
    for (int i = 0; i < 300; ++i) {
      SignOptions options;
      options.expiration += i;
      RRset other = MakeA("evil.test.");
      std::string sig = key.Rrsig(keys, N("evil.test."), options);
      sig.back() = static_cast<char>(sig.back() ^ 1);
      keys.signatures.Add(Bytes(sig));
    }
    r->answer = {Share(keys)};
  });
  ExpectBogus(net_.Ask("www.evil.test.", RRType::kA));
  constexpr int kHonest = 4;  // keys of the root and of test., their DS
  EXPECT_LE(net_.budget().signatures_used(), limits::kSignatureFailures + kHonest);
  // Known as bogus now: no work at all.
  ExpectBogus(net_.Ask("www.evil.test.", RRType::kA));
  EXPECT_EQ(net_.budget().signatures_used(), 0);
}

TEST_F(AttackTest, D07KeyTrapOnDataWithManySignatures) {
  Build();
  Response response = net_.Lookup(N("www.evil.test."), RRType::kA);
  RRset copy = *response.answer[0];
  copy.signatures.clear();
  const SigningKey& key = net_.zone("evil.test.").key();
  for (int i = 0; i < 300; ++i) {
    SignOptions options;
    options.expiration += i;
    std::string sig = key.Rrsig(copy, N("evil.test."), options);
    sig.back() = static_cast<char>(sig.back() ^ 1);
    copy.signatures.Add(Bytes(sig));
  }
  response.answer[0] = Share(copy);
  ExpectBogus(net_.Judge(response));
  EXPECT_LE(net_.budget().signatures_used(), limits::kSignaturesPerRrset + 6);
}

TEST_F(AttackTest, D07OneBudgetForAllAndNoLastingHarmToOthers) {
  Build();
  Budget spent{net_.now().mono};
  for (int i = 0; i < limits::kSignatureFailures; ++i) spent.TakeSignatureFailure();
  net_.KeepBudget(&spent);
  ExpectBogus(net_.Ask("www.victim.test.", RRType::kA));
  EXPECT_EQ(spent.signatures_used(), 0);
  // What one question could not afford is not held against the zone.
  net_.KeepBudget(nullptr);
  EXPECT_EQ(net_.Ask("www.victim.test.", RRType::kA).security, Security::kSecure);
}

TEST_F(AttackTest, D08ClosestEncloserSearchIsBounded) {
  Build({}, {.denial = DenialKind::kNsec3, .iterations = 50, .salt = std::string(255, 's')});
  std::string deep;
  for (int i = 0; i < 110; ++i) deep += "x.";
  deep += "evil.test.";
  const Response judged = net_.Ask(deep, RRType::kA);
  EXPECT_EQ(judged.kind, ResponseKind::kNxdomain);
  ExpectBogus(judged);
  EXPECT_LE(net_.budget().nsec3_hashes_used(), limits::kNsec3Hashes);
  // An ordinary name in the same zone is still judged.
  EXPECT_EQ(net_.Ask("nx.evil.test.", RRType::kA).security, Security::kSecure);
}

TEST_F(AttackTest, D08IterationsAboveFiftyAreInsecure) {
  Build({}, {.denial = DenialKind::kNsec3, .iterations = 51});
  const Response judged = net_.Ask("nx.evil.test.", RRType::kA);
  EXPECT_EQ(judged.security, Security::kInsecure);
  EXPECT_EQ(net_.FirstError(judged), EdeCode::kUnsupportedNsec3Iterations);
  EXPECT_EQ(net_.Ask("www.evil.test.", RRType::kA).security, Security::kSecure);  // answers need no denial
}

TEST_F(AttackTest, D08HowManyIterationsIsASetting) {
  net_.settings().nsec3_iterations = 51;
  Build({}, {.denial = DenialKind::kNsec3, .iterations = 51});
  EXPECT_EQ(net_.Ask("nx.evil.test.", RRType::kA).security, Security::kSecure);
  net_.settings().nsec3_iterations = 0;
  net_.Configure();
  EXPECT_EQ(net_.Ask("nx.evil.test.", RRType::kA).security, Security::kInsecure);
}

TEST_F(AttackTest, D08IterationCountMustBeSigned) {
  Build({}, {.denial = DenialKind::kNsec3});
  Response response = net_.Lookup(N("nx.evil.test."), RRType::kA);
  for (RRsetPtr& rrset : response.authority) {
    if (rrset->type != RRType::kNSEC3) continue;
    RRset copy = *rrset;
    std::string rdata = signed_test::Text(copy.rdata.front());
    rdata[3] = 99;
    copy.rdata.clear();
    copy.rdata.Add(Bytes(rdata));
    rrset = Share(copy);
  }
  ExpectBogus(net_.Judge(response));
}

TEST_F(AttackTest, D09HugeIterationsOnAnInsecureReferral) {
  Build({.denial = DenialKind::kNsec3, .iterations = 51});
  // The count is signed as it is; only its size matters, so a larger one is put in before signing.
  net_.TamperWith("plain.test.", RRType::kDS, [&](Response* r) {
    for (RRsetPtr& rrset : r->authority) {
      if (rrset->type != RRType::kNSEC3) continue;
      RRset copy = *rrset;
      std::string rdata = signed_test::Text(copy.rdata.front());
      rdata[2] = rdata[3] = static_cast<char>(0xff);
      copy.rdata.clear();
      copy.rdata.Add(Bytes(rdata));
      copy.signatures.clear();
      rrset = Share(SignedBy(copy, "test."));
    }
  });
  const Response judged = net_.Judge(Answer(MakeA("www.plain.test."), "plain.test."));
  EXPECT_EQ(judged.security, Security::kInsecure);
  EXPECT_EQ(net_.FirstError(judged), EdeCode::kUnsupportedNsec3Iterations);
  EXPECT_EQ(net_.budget().nsec3_hashes_used(), 0);
}

TEST_F(AttackTest, D10MalformedKeyOfTheRightTag) {
  Build();
  const SigningKey& key = net_.zone("evil.test.").key();
  net_.TamperWith("evil.test.", RRType::kDNSKEY, [&](Response* r) {
    RRset keys = *r->answer[0];
    std::string odd = key.dnskey() + std::string(2, '\0');
    keys.rdata.clear();
    keys.rdata.Add(Bytes(odd));
    r->answer[0] = Share(keys);
  });
  ExpectBogus(net_.Ask("www.evil.test.", RRType::kA));
  EXPECT_LE(net_.budget().signatures_used(), 5);
}

TEST_F(AttackTest, D11DenialPaddedWithSignedRecords) {
  Build();
  Response response = net_.Lookup(N("nx.evil.test."), RRType::kA);
  const std::vector<RRsetPtr> honest = response.authority;
  response.authority.clear();
  for (int i = 0; i < 200; ++i) {
    const std::string owner = "p" + std::to_string(i) + ".evil.test.";
    response.authority.push_back(
        Share(SignedBy(MakeNsec(owner, "q." + owner, {RRType::kA, RRType::kNSEC}), "evil.test.")));
  }
  for (const RRsetPtr& rrset : honest) response.authority.push_back(rrset);
  EXPECT_EQ(net_.Judge(response).security,
            Security::kSecure);  // padding that does not matter is not looked at
  EXPECT_LE(net_.budget().signatures_used(), 16);
  response.authority.clear();
  for (int i = 0; i < 200; ++i) {
    RRset spanning =
        MakeNsec("a" + std::to_string(i) + ".evil.test.", "zz.evil.test.", {RRType::kA, RRType::kNSEC});
    response.authority.push_back(Share(SignedBy(spanning, "evil.test.")));
  }
  ExpectBogus(net_.Judge(response));
  EXPECT_LE(net_.budget().signatures_used(), 16);
}

TEST_F(AttackTest, D11AnyWithManyRrsets) {
  Build();
  Response any;
  any.qname = N("www.evil.test.");
  any.qtype = RRType::kANY;
  any.kind = ResponseKind::kAnswer;
  any.zone = N("evil.test.");
  for (uint16_t i = 0; i < 300; ++i) {
    RRset rrset = MakeRRset("www.evil.test.", static_cast<RRType>(1000 + i), "x");
    any.answer.push_back(Share(SignedBy(rrset, "evil.test.")));
  }
  ExpectBogus(net_.Judge(any));
  EXPECT_EQ(net_.budget().signatures_used(), 0);
}

TEST_F(AttackTest, D18DeepNameUnderAnInsecureZone) {
  Build();
  std::string deep;
  for (int i = 0; i < 110; ++i) deep += "x.";
  const Response plain = net_.Judge(Answer(MakeA(deep + "plain.test."), "plain.test."));
  EXPECT_EQ(plain.security, Security::kInsecure);
  EXPECT_LE(net_.asked.size(), 6u);
}

TEST_F(AttackTest, D18DeepUnsignedNameUnderASecureZone) {
  Build();
  net_.zone("evil.test.");
  std::string deep;
  for (int i = 0; i < 110; ++i) {
    deep += "x.";
    // The attacker's server says, signed, that each name is there and is no cut.
    const std::string name = deep + "evil.test.";
    net_.TamperWith(name, RRType::kDS, [this, name](Response* r) {
      r->kind = ResponseKind::kNodata;
      r->authority = {
          Share(SignedBy(MakeNsec(name, "\\000." + name, {RRType::kNSEC, RRType::kRRSIG}), "evil.test."))};
    });
  }
  ExpectBogus(net_.Judge(Answer(MakeA(deep + "evil.test."), "evil.test.")));
  EXPECT_LE(net_.asked.size(), 42u);
}

TEST_F(AttackTest, M10CnameInAnswerToDs) {
  Build();
  net_.TamperWith("victim.test.", RRType::kDS, [](Response* r) {
    r->kind = ResponseKind::kCname;
    r->answer = {
        Share(MakeRRset("victim.test.", RRType::kCNAME, signed_test::Text(N("evil.test.").bytes())))};
  });
  ExpectBogus(net_.Judge(Answer(MakeA("www.victim.test."), "victim.test.")));
}

TEST_F(AttackTest, M10SignedCnameInAnswerToDsIsNoCut) {
  Build();
  net_.TamperWith("www.victim.test.", RRType::kDS, [this](Response* r) {
    r->kind = ResponseKind::kCname;
    r->answer = {Share(
        SignedBy(MakeRRset("www.victim.test.", RRType::kCNAME, signed_test::Text(N("evil.test.").bytes())),
                 "victim.test."))};
  });
  ExpectBogus(
      net_.Judge(Answer(MakeA("www.victim.test."), "victim.test.")));  // in a signed zone, and not signed
  EXPECT_EQ(DsAskedAt("www.victim.test."), 1u);
}

TEST_F(AttackTest, M10CnameInAnswerToDnskey) {
  Build();
  net_.TamperWith("victim.test.", RRType::kDNSKEY, [](Response* r) {
    r->kind = ResponseKind::kCname;
    r->answer = {
        Share(MakeRRset("victim.test.", RRType::kCNAME, signed_test::Text(N("victim.test.").bytes())))};
  });
  const Response judged = net_.Ask("www.victim.test.", RRType::kA);
  ExpectBogus(judged);
  EXPECT_EQ(net_.FirstError(judged), EdeCode::kDnskeyMissing);
}

TEST_F(AttackTest, M10CnameAskedForItselfByTypesOfTheChain) {
  Build();
  for (const RRType type : {RRType::kDS, RRType::kDNSKEY, RRType::kNSEC, RRType::kRRSIG}) {
    Response response = net_.Lookup(N("a.cname.victim.test."), RRType::kA);
    response.qtype = type;
    EXPECT_EQ(net_.Judge(response).security, Security::kSecure) << dns::ToString(type);
  }
}

TEST_F(AttackTest, AnswerToAnotherQuestionIsBogus) {
  Build();
  Response response = net_.Lookup(N("www.evil.test."), RRType::kA);
  response.qname = N("www.victim.test.");
  ExpectBogus(net_.Judge(response));
  response.answer.clear();
  ExpectBogus(net_.Judge(response));
}

TEST_F(AttackTest, DsSignedByItsOwnZoneIsBogus) {
  Build();
  net_.TamperWith("victim.test.", RRType::kDS, [this](Response* r) {
    RRset ds = *r->answer[0];
    ds.signatures.clear();
    r->answer[0] = Share(SignedBy(ds, "victim.test."));
  });
  ExpectBogus(net_.Ask("www.victim.test.", RRType::kA));
  ExpectBogus(net_.Ask("victim.test.", RRType::kDS));
}

}  // namespace
}  // namespace sekisho::resolver
