// The chain of trust over a small signed internet: secure, insecure and bogus, by kind of answer.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"
#include "tests/signed/signed_internet.h"

namespace sekisho::resolver {
namespace {

using dns::EdeCode;
using dns::RRType;
using signed_test::Bytes;
using signed_test::DenialKind;
using signed_test::kDay;
using signed_test::kTestTime;
using signed_test::N;
using signed_test::SignedInternet;
using signed_test::SignedZone;
using signed_test::ZoneOptions;

// . → test → {example.test signed, plain.test unsigned}, each kind of name in example.test.
class World : public SignedInternet {
 public:
  explicit World(ZoneOptions leaf, ZoneOptions tld = {}) {
    AddZone(".");
    AddZone("test.", std::move(tld));
    SignedZone& zone = AddZone("example.test.", std::move(leaf));
    zone.Add("www.example.test. 300 IN A 192.0.2.1");
    zone.Add("www.example.test. 300 IN A 192.0.2.2");
    zone.Add("alias.example.test. 300 IN CNAME www.example.test.");
    zone.Add("*.wild.example.test. 300 IN A 192.0.2.3");
    zone.Add("*.cname.example.test. 300 IN CNAME www.example.test.");
    zone.Add("deep.empty.example.test. 300 IN A 192.0.2.4");
    zone.Add("moved.example.test. 300 IN DNAME example.test.");
    zone.Add("sub.example.test. 300 IN NS ns.sub.example.test.");
    AddZone("plain.test.", {.is_signed = false}).Add("www.plain.test. 300 IN A 192.0.2.9");
  }
  size_t AskedFor(std::string_view name, RRType type) const {
    return static_cast<size_t>(std::count_if(
        asked.begin(), asked.end(), [&](const Question& q) { return q.name == N(name) && q.type == type; }));
  }
};

// Takes the signatures away.
void Strip(Response* response) {
  for (dns::RRsetPtr& set : response->answer) {
    dns::RRset bare{.owner = set->owner, .type = set->type, .ttl = set->ttl};
    for (const auto rdata : set->rdata) bare.rdata.Add(rdata);
    set = std::make_shared<const dns::RRset>(std::move(bare));
  }
}

class EveryDenialTest : public testing::TestWithParam<std::tuple<uint8_t, DenialKind>> {
 protected:
  EveryDenialTest() : net_({.algorithm = std::get<0>(GetParam()), .denial = std::get<1>(GetParam())}) {
    net_.Finish();
  }
  Security SecurityOf(std::string_view name, RRType type, ResponseKind kind) {
    const Response response = net_.Ask(name, type);
    EXPECT_EQ(response.kind, kind) << name;
    EXPECT_TRUE(response.errors.empty()) << response.errors.front().text;
    return response.security;
  }
  World net_;
};

TEST_P(EveryDenialTest, Answers) {
  EXPECT_EQ(SecurityOf("www.example.test.", RRType::kA, ResponseKind::kAnswer), Security::kSecure);
  EXPECT_EQ(SecurityOf("alias.example.test.", RRType::kA, ResponseKind::kCname), Security::kSecure);
  EXPECT_EQ(SecurityOf("example.test.", RRType::kDNSKEY, ResponseKind::kAnswer), Security::kSecure);
  EXPECT_EQ(SecurityOf("example.test.", RRType::kDS, ResponseKind::kAnswer), Security::kSecure);
  EXPECT_EQ(SecurityOf("example.test.", RRType::kANY, ResponseKind::kAnswer), Security::kSecure);
}

TEST_P(EveryDenialTest, Wildcards) {
  EXPECT_EQ(SecurityOf("a.wild.example.test.", RRType::kA, ResponseKind::kAnswer), Security::kSecure);
  EXPECT_EQ(SecurityOf("a.b.wild.example.test.", RRType::kA, ResponseKind::kAnswer), Security::kSecure);
  EXPECT_EQ(SecurityOf("a.wild.example.test.", RRType::kAAAA, ResponseKind::kNodata), Security::kSecure);
  EXPECT_EQ(SecurityOf("a.cname.example.test.", RRType::kAAAA, ResponseKind::kCname), Security::kSecure);
  EXPECT_EQ(SecurityOf("*.wild.example.test.", RRType::kA, ResponseKind::kAnswer), Security::kSecure);
}

// What stands beside a secure answer is kept as far as it is secure itself.
TEST_P(EveryDenialTest, SignedServersBesideAnAnswerAreKept) {
  for (const char* name : {"www.example.test.", "a.wild.example.test."}) {
    Response response = net_.Lookup(N(name), RRType::kA);
    dns::RRset ns{.owner = N("example.test."), .type = RRType::kNS, .ttl = 300};
    ns.rdata.Add(N("ns.example.test.").bytes());
    dns::RRset bare = ns;
    net_.zone("example.test.").SignRRset(&ns, {});
    auto beside = std::make_shared<Beside>();
    beside->authority = {std::make_shared<const dns::RRset>(ns), std::make_shared<const dns::RRset>(bare)};
    response.beside = beside;
    const Response judged = net_.Judge(response);
    EXPECT_EQ(judged.security, Security::kSecure) << name;
    ASSERT_TRUE(judged.beside);
    EXPECT_EQ(judged.beside->authority.size(), 1u) << name;
  }
}

TEST_P(EveryDenialTest, Denials) {
  EXPECT_EQ(SecurityOf("nx.example.test.", RRType::kA, ResponseKind::kNxdomain), Security::kSecure);
  EXPECT_EQ(SecurityOf("a.b.nx.example.test.", RRType::kA, ResponseKind::kNxdomain), Security::kSecure);
  EXPECT_EQ(SecurityOf("zz.example.test.", RRType::kA, ResponseKind::kNxdomain), Security::kSecure);
  EXPECT_EQ(SecurityOf("www.example.test.", RRType::kAAAA, ResponseKind::kNodata), Security::kSecure);
  EXPECT_EQ(SecurityOf("empty.example.test.", RRType::kA, ResponseKind::kNodata), Security::kSecure);
  EXPECT_EQ(SecurityOf("sub.example.test.", RRType::kDS, ResponseKind::kNodata), Security::kSecure);
  EXPECT_EQ(SecurityOf(".", RRType::kDS, ResponseKind::kNodata), Security::kSecure);
}

TEST_P(EveryDenialTest, Rfc6672DnameIsJudgedAndItsCnameFollows) {
  EXPECT_EQ(SecurityOf("www.moved.example.test.", RRType::kA, ResponseKind::kCname), Security::kSecure);
  Response forged = net_.Lookup(N("www.moved.example.test."), RRType::kA);
  dns::RRset cname = *forged.answer[1];
  cname.rdata.clear();
  cname.rdata.Add(N("evil.test.").bytes());
  forged.answer[1] = std::make_shared<const dns::RRset>(cname);
  EXPECT_EQ(net_.Judge(forged).security, Security::kBogus);
}

// The DNAME alone tells that the name it makes would be too long.
TEST_P(EveryDenialTest, Rfc6672DnameThatMakesTooLongANameIsSecure) {
  Response response = net_.Lookup(N("www.moved.example.test."), RRType::kA);
  response.answer.pop_back();
  response.rcode = dns::Rcode::kYXDomain;
  EXPECT_EQ(net_.Judge(response).security, Security::kSecure);
  response.rcode = dns::Rcode::kNoError;
  EXPECT_EQ(net_.Judge(response).security, Security::kBogus) << "without its CNAME it is no answer";
}

TEST_P(EveryDenialTest, InsecureDelegationIsProvenAndRemembered) {
  EXPECT_EQ(SecurityOf("www.plain.test.", RRType::kA, ResponseKind::kAnswer), Security::kInsecure);
  EXPECT_EQ(SecurityOf("nx.plain.test.", RRType::kA, ResponseKind::kNxdomain), Security::kInsecure);
  EXPECT_EQ(net_.AskedFor("plain.test.", RRType::kDS), 1u);
  EXPECT_EQ(net_.AskedFor("www.plain.test.", RRType::kDS), 0u);
}

TEST_P(EveryDenialTest, AChangedRecordIsBogus) {
  Response response = net_.Lookup(N("www.example.test."), RRType::kA);
  dns::RRset changed = *response.answer[0];
  changed.rdata.Add(Bytes(std::string("\xc6\x33\x64\x01", 4)));
  response.answer[0] = std::make_shared<const dns::RRset>(changed);
  const Response judged = net_.Judge(response);
  EXPECT_EQ(judged.security, Security::kBogus);
  EXPECT_EQ(net_.FirstError(judged), EdeCode::kDnssecBogus);
}

TEST_P(EveryDenialTest, DenialOfWhatExistsIsBogus) {
  Response response = net_.Lookup(N("nx.example.test."), RRType::kA);
  response.qname = N("www.example.test.");
  EXPECT_EQ(net_.Judge(response).security, Security::kBogus);
  response = net_.Lookup(N("www.example.test."), RRType::kAAAA);
  response.qtype = RRType::kA;
  EXPECT_EQ(net_.Judge(response).security, Security::kBogus);
}

TEST_P(EveryDenialTest, TtlIsCut) {
  const Response response = net_.Ask("www.example.test.", RRType::kA);
  EXPECT_EQ(response.ttl_cap, 300u);
}

INSTANTIATE_TEST_SUITE_P(Zones, EveryDenialTest,
                         testing::Combine(testing::Values(8, 13, 15),
                                          testing::Values(DenialKind::kNsec, DenialKind::kNsec3)));

TEST(ChainTest, KeysAreCheckedOncePerZone) {
  World net({});
  net.Finish();
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kSecure);
  const size_t asked = net.asked.size();
  EXPECT_EQ(asked, 5u);  // DNSKEY of the root, then DS and DNSKEY twice
  EXPECT_EQ(net.Ask("nx.example.test.", RRType::kA).security, Security::kSecure);
  EXPECT_EQ(net.asked.size(), asked);
  net.Advance(std::chrono::hours(2));
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kSecure);
  EXPECT_EQ(net.asked.size(), 2 * asked);
}

// RFC 4035 section 4.7: what one server of a zone says does not make the zone bogus.
// A name under ip6.arpa has 34 labels.
constexpr char kDeep[] = "f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.0.f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.0.plain.test.";

TEST(ChainTest, ADeepUnsignedNameIsReachedLabelByLabel) {
  SignedInternet net;
  net.AddZone(".");
  // No cut is known between, and the unsigned zone begins far below.
  std::string_view cut = std::string_view(kDeep).substr(2);
  net.AddZone(cut, {.is_signed = false}).Add(std::string(kDeep) + " 300 IN PTR www.test.");
  net.Finish();
  EXPECT_EQ(N(kDeep).view().LabelCount(), 34);
  EXPECT_EQ(net.Ask(kDeep, RRType::kPTR).security, Security::kInsecure);
}

TEST(ChainTest, AReferralsProofThatThereIsNoDsIsGoneToAtOnce) {
  SignedInternet net;
  net.AddZone(".");
  std::string_view cut = std::string_view(kDeep).substr(2);
  net.AddZone(cut, {.is_signed = false}).Add(std::string(kDeep) + " 300 IN PTR www.test.");
  net.Finish();
  net.peek = [&](dns::NameView name, RRType type) -> ResponsePtr {
    if (name != N(cut).view() || type != RRType::kDS) return nullptr;
    Response proof = net.Lookup(N(cut), RRType::kDS);
    std::erase_if(proof.authority, [](const auto& s) { return s->type == RRType::kSOA; });
    return std::make_shared<const Response>(std::move(proof));
  };
  EXPECT_EQ(net.Ask(kDeep, RRType::kPTR).security, Security::kInsecure);
  const auto ds =
      std::count_if(net.asked.begin(), net.asked.end(), [](const auto& q) { return q.type == RRType::kDS; });
  EXPECT_EQ(ds, 1);
}

TEST(ChainTest, AnotherServerMayHaveTheRightKeys) {
  for (const RRType type : {RRType::kDNSKEY, RRType::kDS}) {
    World net({});
    net.Finish();
    net.TamperWith("example.test.", type, [](Response* r) { Strip(r); });
    net.other_servers = 2;
    net.honest_from = 1;
    EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kSecure) << dns::ToString(type);
    EXPECT_EQ(net.asked_elsewhere.size(), 2u);
  }
}

TEST(ChainTest, ServersAreNotAskedWithoutEnd) {
  World net({});
  net.Finish();
  net.TamperWith("example.test.", RRType::kDNSKEY, [](Response* r) { Strip(r); });
  net.other_servers = net.honest_from = 100;
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kBogus);
  EXPECT_EQ(net.asked_elsewhere.size(), limits::kOtherServersWhenBogus);
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kBogus);
  EXPECT_EQ(net.asked_elsewhere.size(), limits::kOtherServersWhenBogus) << "the verdict is kept for a while";
}

TEST(ChainTest, OwnDnskeyIsNotAskedForAgain) {
  World net({});
  net.Finish();
  EXPECT_EQ(net.Ask("example.test.", RRType::kDNSKEY).security, Security::kSecure);
  EXPECT_EQ(net.AskedFor("example.test.", RRType::kDNSKEY), 0u);
}

TEST(ChainTest, NoAnchorNoSecurity) {
  World net({});
  net.Finish();
  net.settings().trust_anchors.clear();
  net.Configure();
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kInsecure);
  EXPECT_TRUE(net.asked.empty());
}

// RFC 7646 section 2: a negative anchor is there for a time.
TEST(ChainTest, NegativeAnchorsEnd) {
  World net({});
  net.Finish();
  net.settings().negative_trust_anchors.push_back(
      {.name = N("example.test."), .until = net.now().wall + std::chrono::hours(1)});
  net.Configure();
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kInsecure);
  net.Advance(std::chrono::hours(1));
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kSecure);
}

TEST(ChainTest, ValidationSwitchedOff) {
  World net({});
  net.Finish();
  net.settings().validate = false;
  net.Configure();
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kInsecure);
}

TEST(ChainTest, AnchorInTheMiddleOfTheTree) {
  World net({});
  net.Finish("example.test.");
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kSecure);
  EXPECT_EQ(net.Ask("www.plain.test.", RRType::kA).security, Security::kInsecure);
  EXPECT_EQ(net.Ask("test.", RRType::kSOA).security, Security::kInsecure);
  EXPECT_EQ(net.Ask("example.test.", RRType::kDS).security,
            Security::kInsecure);  // the parent's, which has no anchor
  EXPECT_EQ(net.AskedFor(".", RRType::kDNSKEY), 0u);
}

TEST(ChainTest, SignatureFromAboveTheClosestAnchorDoesNotCount) {
  World net({});
  net.Finish("example.test.");
  Response response = net.Lookup(N("www.example.test."), RRType::kA);
  dns::RRset rrset = *response.answer[0];
  rrset.signatures.clear();
  net.zone("test.").SignRRset(&rrset, {});
  response.answer[0] = std::make_shared<const dns::RRset>(rrset);
  EXPECT_EQ(net.Judge(response).security, Security::kBogus);
}

TEST(ChainTest, AnchorWithAWrongKeyIsBogusNotInsecure) {
  World net({});
  net.Finish();
  net.settings().trust_anchors.front().rdata = signed_test::SigningKey(15).Ds(N("."));
  net.Configure();
  const Response judged = net.Ask("www.plain.test.", RRType::kA);
  EXPECT_EQ(judged.security, Security::kBogus);
  EXPECT_EQ(net.FirstError(judged), EdeCode::kDnskeyMissing);
}

TEST(ChainTest, Rfc7646NegativeTrustAnchor) {
  World net({});
  net.Finish();
  net.settings().negative_trust_anchors.push_back({.name = N("example.test.")});
  net.Configure();
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kInsecure);
  EXPECT_EQ(net.Ask("example.test.", RRType::kDS).security, Security::kSecure);
  EXPECT_EQ(net.Ask("test.", RRType::kSOA).security, Security::kSecure);
}

TEST(ChainTest, OptOutDelegation) {
  World net({}, {.denial = DenialKind::kNsec3, .opt_out = true});
  net.Finish();
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kSecure);
  EXPECT_EQ(net.Ask("www.plain.test.", RRType::kA).security, Security::kInsecure);
  // RFC 5155 section 9.2: what an opt-out span denies is not secure.
  const Response nx = net.Ask("nx.test.", RRType::kA);
  EXPECT_EQ(nx.kind, ResponseKind::kNxdomain);
  EXPECT_EQ(nx.security, Security::kInsecure);
}

TEST(ChainTest, ReloadForgetsWhatWasKnown) {
  World net({});
  net.Finish();
  net.Ask("www.example.test.", RRType::kA);
  net.Configure();
  net.asked.clear();
  net.Ask("www.example.test.", RRType::kA);
  EXPECT_EQ(net.asked.size(), 5u);
}

TEST(ChainTest, ExpiredAndFutureSignatures) {
  World net({.times = {.inception = kTestTime - 30 * kDay, .expiration = kTestTime - 5 * kDay}});
  net.Finish();
  const Response judged = net.Ask("www.example.test.", RRType::kA);
  EXPECT_EQ(judged.security, Security::kBogus);
  EXPECT_EQ(net.FirstError(judged), EdeCode::kSignatureExpired);
  World future({.times = {.inception = kTestTime + 5 * kDay, .expiration = kTestTime + 30 * kDay}});
  future.Finish();
  EXPECT_EQ(future.FirstError(future.Ask("www.example.test.", RRType::kA)), EdeCode::kSignatureNotYetValid);
}

TEST(ChainTest, UnansweredQuestionsAreBogusAndNotRemembered) {
  World net({});
  net.Finish();
  net.TamperWith("example.test.", RRType::kDNSKEY, [](Response* r) { *r = Response(); });
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kBogus);
  net.TamperWith("example.test.", RRType::kDNSKEY, [](Response*) {});
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kSecure);
}

TEST(ChainTest, BogusKeysAreRememberedForAMinute) {
  World net({});
  net.Finish();
  net.TamperWith("example.test.", RRType::kDNSKEY, [](Response* r) {
    dns::RRset copy = *r->answer[0];
    copy.signatures.clear();
    r->answer[0] = std::make_shared<const dns::RRset>(copy);
  });
  EXPECT_EQ(net.FirstError(net.Ask("www.example.test.", RRType::kA)), EdeCode::kRrsigsMissing);
  net.TamperWith("example.test.", RRType::kDNSKEY, [](Response*) {});
  net.asked.clear();
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kBogus);
  EXPECT_TRUE(net.asked.empty());
  net.Advance(limits::kBogusTtl);
  EXPECT_EQ(net.Ask("www.example.test.", RRType::kA).security, Security::kSecure);
}

TEST(ChainTest, DroppedWhileWaiting) {
  World net({});
  net.Finish();
  net.hold = true;
  Response response = net.Lookup(N("www.example.test."), RRType::kA);
  Budget budget{MonoTime{}};
  {
    Task<bool> task = net.validator().Validate(&response, budget, 0);
    task.Start();
    EXPECT_FALSE(task.done());
  }
  EXPECT_EQ(net.waiting.size(), 1u);
  EXPECT_EQ(response.security, Security::kUnchecked);
}

TEST(ChainTest, ReloadedWhileWaiting) {
  World net({});
  net.Finish();
  net.hold = true;
  Response response = net.Lookup(N("www.example.test."), RRType::kA);
  Budget budget{MonoTime{}};
  Task<bool> task = net.validator().Validate(&response, budget, 0);
  task.Start();
  net.settings().trust_anchors.clear();
  net.Configure();
  while (!net.waiting.empty()) {
    const auto next = net.waiting.back();
    net.waiting.pop_back();
    next.resume();
  }
  ASSERT_TRUE(task.done());
  EXPECT_EQ(response.security, Security::kSecure);  // by the configuration it began with
}

TEST(ChainTest, FailuresAndOddTypes) {
  World net({});
  net.Finish();
  Response failure;
  failure.qname = N("www.example.test.");
  failure.qtype = RRType::kA;
  EXPECT_EQ(net.Judge(failure).security, Security::kInsecure);
  Response rrsig = net.Lookup(N("www.example.test."), RRType::kA);
  dns::RRset set;
  set.owner = rrsig.qname;
  set.type = rrsig.qtype = RRType::kRRSIG;
  for (const auto sig : rrsig.answer[0]->signatures) set.rdata.Add(sig);
  rrsig.answer = {std::make_shared<const dns::RRset>(set)};
  EXPECT_EQ(net.Judge(rrsig).security, Security::kInsecure);
}

}  // namespace
}  // namespace sekisho::resolver
