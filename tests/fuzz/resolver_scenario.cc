// A whole resolver (pipeline, cache, iterator, validator) asked by clients and answered by bytes: the input
// says what each of the servers of a small signed internet does with each question.
//
//   input    := u8 number of questions (1–6) | question* | action*
//   question := u8 name | u8 type | u8 flags (CD, TCP, DO, wait for the answer, pause)
//   action   := u8 what | u8 how | more bytes, as the action needs; without bytes servers are honest
//
// Oracles: it ends, in time and within budget; each question has one answer and one record; gauges are back
// at zero; what is said to be secure is what the zones say, and what is signed is either secure or SERVFAIL.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proto/dns/builder.h"
#include "proto/dns/presentation.h"
#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"
#include "tests/replay/harness.h"
#include "tests/signed/signed_internet.h"

namespace sekisho::fuzz {
namespace {

using dns::Name;
using dns::RRset;
using dns::RRsetPtr;
using dns::RRType;
using dns::Section;
using replay::CoreHarness;
using replay::Delivery;
using resolver::Response;
using resolver::ResponseKind;
using signed_test::N;
using signed_test::SignedInternet;
using signed_test::SignedZone;
using std::chrono::milliseconds;

constexpr std::array<const char*, 16> kNames = {
    "www.nsec.test.",    "www.nsec3.test.",      "nx.nsec.test.",    "a.b.nx.nsec3.test.",
    "a.wild.nsec.test.", "a.wild.nsec3.test.",   "empty.nsec.test.", "x.moved.nsec.test.",
    "alias.nsec3.test.", "www.child.nsec.test.", "child.nsec.test.", "nsec.test.",
    "plain.test.",       "www.plain.test.",      "nx.test.",         "alias.plain.test."};
constexpr std::array<RRType, 6> kTypes = {RRType::kA,  RRType::kAAAA, RRType::kMX,
                                          RRType::kNS, RRType::kDS,   RRType::kTXT};
constexpr std::array<const char*, 6> kZones = {
    ".", "test.", "nsec.test.", "nsec3.test.", "child.nsec.test.", "plain.test."};
constexpr const char* kForgedAddress = "6.6.6.6";
// Asks whoever believes a forged delegation.
constexpr const char* kAttacker = "10.0.0.66";

IpAddress Address(const std::string& text) { return *IpAddress::Parse(text); }
IpAddress ServerOf(size_t zone) { return Address("10.0.0." + std::to_string(zone + 1)); }

[[noreturn]] void Broken(const std::string& what, const CoreHarness* harness = nullptr) {
  std::fprintf(stderr, "oracle: %s\n", what.c_str());
  if (harness != nullptr) {
    for (const auto& line : harness->trace()) std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::abort();
}

class Bytes {
 public:
  explicit Bytes(std::span<const uint8_t> data) : data_(data) {}
  bool empty() const { return at_ >= data_.size(); }
  uint8_t Next() { return empty() ? 0 : data_[at_++]; }
  std::span<const uint8_t> Take(size_t n) {
    n = std::min(n, data_.size() - at_);
    at_ += n;
    return data_.subspan(at_ - n, n);
  }

 private:
  std::span<const uint8_t> data_;
  size_t at_ = 0;
};

// The signed internet, made once.
struct World {
  SignedInternet net;
  std::vector<RRsetPtr> records;                             // all that an attacker can replay
  std::map<std::pair<std::string, RRType>, Response> truth;  // of kNames × kTypes, judged

  World() {
    signed_test::SignOptions times;
    times.inception = std::min<int64_t>(signed_test::kTestTime, 1767225600) - 10 * 86400;
    times.expiration = std::max<int64_t>(signed_test::kTestTime, 1767225600) + 20 * 86400;
    for (const char* apex : kZones) {
      signed_test::ZoneOptions options;
      options.times = times;
      options.is_signed = std::string(apex) != "plain.test.";
      if (std::string(apex) == "nsec3.test.") options.denial = signed_test::DenialKind::kNsec3;
      Fill(net.AddZone(apex, options), apex);
    }
    net.Finish();
    for (const char* name : kNames) {
      for (const RRType type : kTypes) {
        Response r = net.Ask(name, type);
        records.insert(records.end(), r.answer.begin(), r.answer.end());
        records.insert(records.end(), r.authority.begin(), r.authority.end());
        truth.emplace(std::pair(N(name).LowercaseBytes(), type), std::move(r));
      }
    }
  }

  static void Fill(SignedZone& zone, const std::string& apex) {
    zone.Add("ns." + (apex == "." ? std::string() : apex) + " 300 IN A 10.0.0.1");
    if (apex == "." || apex == "test.") return;
    zone.Add("www." + apex + " 300 IN A 192.0.2.1");
    zone.Add("*.wild." + apex + " 300 IN A 192.0.2.2");
    zone.Add("deep.empty." + apex + " 300 IN A 192.0.2.3");
    zone.Add("moved." + apex + " 300 IN DNAME plain.test.");
    zone.Add("alias." + apex + " 300 IN CNAME www." + apex);
  }
};

World& TheWorld() {
  static World world;
  return world;
}

// A reply before it is bytes.
struct Draft {
  dns::Rcode rcode = dns::Rcode::kNoError;
  bool aa = true;
  bool tc = false;
  std::vector<RRsetPtr> answer, authority, additional;

  std::vector<RRsetPtr>& section(uint8_t which) {
    return which % 3 == 0 ? answer : which % 3 == 1 ? authority : additional;
  }
};

RRsetPtr Unsigned(const std::string& owner, RRType type, const std::string& rdata) {
  std::string error;
  const auto record = dns::ParseRecord(owner + " 300 IN " + ToString(type) + " " + rdata, &error);
  if (!record) Broken(error);
  RRset set{.owner = record->owner, .type = type, .ttl = 300};
  set.rdata.Add(AsBytes(record->rdata));
  return std::make_shared<const RRset>(std::move(set));
}

class FuzzedServers final : public replay::Network {
 public:
  explicit FuzzedServers(Bytes* bytes) : bytes_(bytes) {}

  std::vector<Delivery> OnQuery(const resolver::OutboundQuery& query) override {
    dns::ParsedMessage m;
    if (m.Parse(query.packet) != dns::ParseError::kNone || !m.has_question())
      Broken("a malformed question was sent");
    const uint8_t what = bytes_->Next() % 20;
    const uint8_t how = bytes_->Next();
    Draft draft = Honest(query.server.address, m.qname(), m.qtype());
    Delivery d;
    d.after = milliseconds(what < 8 ? 10 : 1 + how * 8);
    if (what == 8) return {};
    if (what == 9) {
      d.failure = how % 2 == 0 ? resolver::UpstreamFailure::kUnreachable : resolver::UpstreamFailure::kClosed;
      return {d};
    }
    if (what >= 10 && what < 17) Change(what, how, Name(m.qname()), &draft);
    d.packet = Write(draft, m, query.tcp);
    if (what == 17) Flip(how % 8 + 1, &d.packet);
    if (what == 18) {
      const auto raw = bytes_->Take(how);
      d.packet.resize(std::min(d.packet.size(), dns::kHeaderSize + m.qname().size() + 4));
      d.packet.insert(d.packet.end(), raw.begin(), raw.end());
    }
    if (what != 19) return {d};
    // A guess first, then the truth.
    Delivery guess = d;
    guess.packet[how % 2] ^= 0x40;
    d.after += milliseconds(30);
    return {guess, d};
  }

 private:
  Draft Honest(const IpAddress& server, dns::NameView qname, RRType qtype) const {
    Draft draft;
    size_t zone = 0;
    while (zone < kZones.size() && !(ServerOf(zone) == server)) ++zone;
    if (zone == kZones.size()) {
      draft.answer.push_back(Unsigned(Name(qname).ToString(), RRType::kA, kForgedAddress));
      return draft;
    }
    SignedInternet& net = TheWorld().net;
    const Name apex = N(kZones[zone]);
    if (!qname.IsAtOrBelow(apex)) {
      draft.rcode = dns::Rcode::kRefused;
      return draft;
    }
    // Below a cut: a referral to the child that is nearest.
    for (size_t child = zone + 1; child < kZones.size(); ++child) {
      const Name cut = N(kZones[child]);
      const bool below = qname.IsAtOrBelow(cut) && !(qtype == RRType::kDS && qname == cut.view());
      const RRset* ns = net.zone(kZones[zone]).Find(cut, RRType::kNS);
      if (below && ns != nullptr) return Refer(net.zone(kZones[zone]), cut, *ns, child);
    }
    if (const auto response = net.zone(kZones[zone]).Query(Name(qname), qtype)) {
      draft.rcode = response->rcode;
      draft.answer = response->answer;
      draft.authority = response->authority;
    }
    return draft;
  }

  static Draft Refer(SignedZone& parent, const Name& cut, const RRset& ns, size_t child) {
    Draft draft;
    draft.aa = false;
    RRset bare = ns;
    bare.signatures.clear();
    draft.authority.push_back(std::make_shared<const RRset>(std::move(bare)));
    if (const RRset* ds = parent.Find(cut, RRType::kDS)) {
      draft.authority.push_back(std::make_shared<const RRset>(*ds));
    } else if (const auto denial = parent.Query(cut, RRType::kDS)) {
      for (const auto& set : denial->authority) {
        if (set->type != RRType::kSOA) draft.authority.push_back(set);
      }
    }
    draft.additional.push_back(Unsigned("ns." + cut.ToString(), RRType::kA, ServerOf(child).ToString()));
    return draft;
  }

  void Change(uint8_t what, uint8_t how, const Name& qname, Draft* draft) {
    const std::vector<RRsetPtr>& pool = TheWorld().records;
    std::vector<RRsetPtr>& section = draft->section(how);
    const uint8_t pick = bytes_->Next();
    const std::string name = pick % 4 == 0 ? qname.ToString() : kNames[pick % kNames.size()];
    switch (what) {
      case 10:
        draft->rcode = static_cast<dns::Rcode>(how % 24);
        draft->aa = pick % 2 == 0;
        break;
      case 11:
        draft->tc = true;
        if (how % 2 == 0) draft->answer.clear();
        break;
      case 12:  // something is left out: a set, or its signatures
        if (section.empty()) break;
        if (pick % 2 == 0) {
          section.erase(section.begin() + pick / 2 % static_cast<int>(section.size()));
        } else {
          RRset bare = *section[pick / 2 % section.size()];
          bare.signatures.clear();
          section[pick / 2 % section.size()] = std::make_shared<const RRset>(std::move(bare));
        }
        break;
      case 13:  // replayed
        section.push_back(pool[(size_t{pick} << 8 | bytes_->Next()) % pool.size()]);
        break;
      case 14:  // forged
        if (how % 2 == 0) draft->answer.clear();
        section.push_back(Unsigned(name, RRType::kA, kForgedAddress));
        break;
      case 15:  // a delegation to the attacker
        draft->aa = false;
        if (how % 2 == 0) draft->answer.clear();
        draft->authority.push_back(
            Unsigned(pick % 2 == 0 ? kZones[how % kZones.size()] : name, RRType::kNS, "ns.evil.test."));
        draft->additional.push_back(Unsigned("ns.evil.test.", RRType::kA, kAttacker));
        break;
      default:  // an alias
        draft->answer.clear();
        draft->answer.push_back(Unsigned(qname.ToString(), RRType::kCNAME, kNames[how % kNames.size()]));
        break;
    }
  }

  static std::vector<uint8_t> Write(const Draft& draft, const dns::ParsedMessage& query, bool tcp) {
    std::vector<uint8_t> packet(dns::kMaxMessageSize);
    dns::MessageBuilder b(packet, tcp ? dns::kMaxMessageSize : 1232);
    dns::Header header;
    header.id = query.header().id;
    header.qr = true;
    header.aa = draft.aa;
    header.tc = draft.tc && !tcp;
    b.Begin(header);
    b.AddQuestion(query.qname(), query.qtype(), query.qclass());
    const dns::EdnsOut opt;
    const bool edns = query.edns().has_value();
    const bool with_signatures = edns && query.edns()->dnssec_ok;
    if (edns) b.ReserveForOpt(opt);
    for (const auto& s : draft.answer) b.AddRRset(Section::kAnswer, *s, s->ttl, with_signatures);
    for (const auto& s : draft.authority) b.AddRRset(Section::kAuthority, *s, s->ttl, with_signatures);
    for (const auto& s : draft.additional) b.AddRRset(Section::kAdditional, *s, s->ttl, with_signatures);
    packet.resize(b.Finish(draft.rcode, edns ? &opt : nullptr).size());
    return packet;
  }

  void Flip(int times, std::vector<uint8_t>* packet) {
    for (int i = 0; i < times; ++i) {
      const size_t at = (size_t{bytes_->Next()} << 8 | bytes_->Next()) % packet->size();
      (*packet)[at] = bytes_->Next();
    }
  }

  Bytes* bytes_;
};

struct Asked {
  Name name;
  RRType type = RRType::kNone;
  bool cd = false;
  size_t number = 0;
};

class Run {
 public:
  explicit Run(std::span<const uint8_t> data) : bytes_(data), servers_(&bytes_), harness_(7, &servers_) {
    resolver::Settings s = TheWorld().net.settings();
    s.agencies.AddNetwork(s.agencies.Add("a"), *IpPrefix::Parse("192.0.2.0/24"));
    s.root_hints = {{N("ns."), ServerOf(0)}};
    s.query_private_addresses = true;
    s.rebinding_guard = false;
    s.ipv6 = false;
    s.prefetch = false;
    s.stale.enabled = false;
    harness_.Publish(std::make_shared<const resolver::Settings>(std::move(s)));
  }

  void Go() {
    const int questions = bytes_.Next() % 6 + 1;
    std::vector<Wanted> wanted;
    for (int i = 0; i < questions; ++i) wanted.push_back({bytes_.Next(), bytes_.Next(), bytes_.Next()});
    honest_ = bytes_.empty();
    for (const Wanted& w : wanted) Ask(w);
    if (!harness_.RunUntilIdle(std::chrono::seconds(120))) Broken("does not come to rest", &harness_);
    CheckCounts();
    for (const Asked& a : asked_) CheckReply(a);
  }

 private:
  struct Wanted {
    uint8_t name, type, flags;
  };

  void Ask(const Wanted& wanted) {
    Asked a;
    a.name = N(kNames[wanted.name % kNames.size()]);
    a.type = kTypes[wanted.type % kTypes.size()];
    const uint8_t flags = wanted.flags;
    a.cd = (flags & 7) == 1;
    dns::Header header;
    header.id = static_cast<uint16_t>(asked_.size() + 1);
    header.rd = true;
    header.cd = a.cd;
    std::vector<uint8_t> packet(512);
    dns::MessageBuilder b(packet, packet.size());
    b.Begin(header);
    b.AddQuestion(a.name, a.type, dns::RRClass::kIN);
    dns::EdnsOut opt;
    opt.dnssec_ok = true;
    packet.resize(b.Finish(dns::Rcode::kNoError, &opt).size());
    a.number = harness_.Ask(packet, {Address("192.0.2.1"), static_cast<uint16_t>(2000 + asked_.size())},
                            (flags & 8) != 0 ? record::Transport::kTcp : record::Transport::kUdp);
    asked_.push_back(std::move(a));
    if ((flags & 16) != 0) harness_.RunUntilAnswered(asked_.back().number, std::chrono::seconds(20));
    if ((flags & 32) != 0) harness_.RunFor(milliseconds((flags >> 6) * 400));
  }

  void CheckCounts() const {
    const auto& c = harness_.counters();
    if (c.in_flight_questions.value() != 0 || c.in_flight_upstream.value() != 0)
      Broken("a gauge is not zero", &harness_);
    if (harness_.log().records().size() != asked_.size())
      Broken("not one record for each question", &harness_);
    const size_t most = asked_.size() * static_cast<size_t>(resolver::limits::kUpstreamQueries);
    if (harness_.upstream().size() > most) Broken("more questions than the budget allows", &harness_);
  }

  void CheckReply(const Asked& a) const {
    const replay::Asked& got = harness_.asked(a.number);
    if (got.ends != 1 || got.dropped) Broken("not one answer: " + a.name.ToString(), &harness_);
    if (*got.ended - got.at > resolver::limits::kQuestionTime + milliseconds(200))
      Broken("too late", &harness_);
    dns::ParsedMessage m;
    if (m.Parse(got.reply) != dns::ParseError::kNone) Broken("a malformed reply", &harness_);
    if (!m.has_question() || !(m.qname() == a.name.view())) Broken("another question", &harness_);
    const Response& truth = TheWorld().truth.at({a.name.LowercaseBytes(), a.type});
    const bool secure = truth.security == record::Security::kSecure;
    const std::string what = a.name.ToString() + " " + ToString(a.type);
    if (m.header().ad && a.cd) Broken("AD with CD: " + what, &harness_);
    if (honest_ && m.rcode() == dns::Rcode::kServFail) Broken("servers are honest: " + what, &harness_);
    if (a.cd || m.rcode() == dns::Rcode::kServFail) return;
    if (m.header().ad && !secure) Broken("secure without a chain: " + what, &harness_);
    // The first link of an alias out of the signed zones is signed; what it leads to is not.
    const bool leaves = truth.kind == ResponseKind::kCname;
    if (secure && !leaves && !m.header().ad) Broken("signed data came as insecure: " + what, &harness_);
    if (!m.header().ad) return;
    if (m.rcode() != (leaves ? m.rcode() : truth.rcode))
      Broken("secure, and another RCODE: " + what, &harness_);
    CheckSecureRecords(m, what);
  }

  // Each record of a secure answer is one that its zone has.
  void CheckSecureRecords(const dns::ParsedMessage& m, const std::string& what) const {
    for (const auto& r : m.records(Section::kAnswer)) {
      if (r.type == RRType::kRRSIG) continue;
      const Name owner = m.Owner(r);
      std::string rdata;
      m.AppendRdata(r, &rdata);
      const Response truth = TheWorld().net.Lookup(owner, r.type);
      const bool there = std::any_of(truth.answer.begin(), truth.answer.end(), [&](const RRsetPtr& s) {
        return s->type == r.type && s->rdata.Contains(AsBytes(rdata));
      });
      if (!there)
        Broken("secure, and not what the zone says: " + what + " has " + owner.ToString(), &harness_);
    }
  }

  Bytes bytes_;
  FuzzedServers servers_;
  CoreHarness harness_;
  std::vector<Asked> asked_;
  bool honest_ = false;
};

}  // namespace
}  // namespace sekisho::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  sekisho::fuzz::Run({data, size}).Go();
  return 0;
}
