// Lies to the validator: bytes choose a question and then changes to the true response and to the DS and
// DNSKEY responses that its chain is made of.
//
//   input  := u8 question | u8 type | change*
//   change := u8 where (0: the response; else a response of the chain) | u8 what | u8 which | u8 how
//
// Oracles: it ends; what it calls secure is what the zones say; what is signed is never called insecure.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/bytes.h"
#include "proto/dns/rdata_form.h"
#include "tests/signed/signed_internet.h"

namespace sekisho::signed_test {
namespace {

using dns::Name;
using dns::RRset;
using dns::RRsetPtr;
using dns::RRType;
using resolver::Response;
using resolver::ResponseKind;
using resolver::Security;

constexpr std::array<std::string_view, 20> kNames = {
    ".",
    "test.",
    "nsec.test.",
    "nsec3.test.",
    "plain.test.",
    "www.nsec.test.",
    "www.nsec3.test.",
    "nx.nsec.test.",
    "a.b.nx.nsec3.test.",
    "a.wild.nsec.test.",
    "a.b.wild.nsec3.test.",
    "empty.nsec.test.",
    "empty.nsec3.test.",
    "x.moved.nsec.test.",
    "x.moved.nsec3.test.",
    "www.plain.test.",
    "www.child.nsec.test.",
    "child.nsec.test.",
    "nx.test.",
    "alias.nsec3.test.",
};
constexpr std::array<RRType, 9> kTypes = {RRType::kA,      RRType::kAAAA,  RRType::kDS,
                                          RRType::kDNSKEY, RRType::kCNAME, RRType::kTXT,
                                          RRType::kSOA,    RRType::kANY,   RRType::kMX};

struct Change {
  uint8_t what, which, how;
};

void AddZone(SignedInternet& net, const std::string& apex, ZoneOptions options) {
  SignedZone& zone = net.AddZone(apex, std::move(options));
  zone.Add("www." + apex + " 300 IN A 192.0.2.1");
  zone.Add("*.wild." + apex + " 300 IN A 192.0.2.2");
  zone.Add("deep.empty." + apex + " 300 IN A 192.0.2.3");
  zone.Add("moved." + apex + " 300 IN DNAME test.");
  zone.Add("alias." + apex + " 300 IN CNAME www." + apex);
}

std::unique_ptr<SignedInternet> MakeInternet() {
  auto net = std::make_unique<SignedInternet>();
  net->AddZone(".");
  net->AddZone("test.");
  AddZone(*net, "nsec.test.", {});
  AddZone(*net, "nsec3.test.", {.denial = DenialKind::kNsec3});
  AddZone(*net, "child.nsec.test.", {});
  AddZone(*net, "plain.test.", {.is_signed = false});
  net->Finish();
  return net;
}

// All true responses, made before anything lies: by name, then type.
const std::vector<Response>& Truths(SignedInternet& net) {
  static const std::vector<Response> truths = [&] {
    std::vector<Response> all;
    for (const std::string_view name : kNames) {
      for (const RRType type : kTypes) all.push_back(net.Lookup(N(name), type));
    }
    return all;
  }();
  return truths;
}

// Their records: what an attacker can replay.
const std::vector<RRsetPtr>& AllRecords(SignedInternet& net) {
  static const std::vector<RRsetPtr> records = [&] {
    std::vector<RRsetPtr> all;
    for (const Response& response : Truths(net)) {
      all.insert(all.end(), response.answer.begin(), response.answer.end());
      all.insert(all.end(), response.authority.begin(), response.authority.end());
    }
    return all;
  }();
  return records;
}

// One bit of the `how`th byte of a list's `index`th item.
void Flip(dns::RdataList* list, size_t index, uint8_t how) {
  dns::RdataList out;
  size_t i = 0;
  for (const auto rdata : *list) {
    std::string copy = Text(rdata);
    if (i++ == index && !copy.empty()) {
      char& byte = copy[how % copy.size()];
      byte = static_cast<char>(static_cast<uint8_t>(byte) ^ (1u << (how % 8)));
    }
    out.Add(Bytes(copy));
  }
  *list = out;
}

void ChangeRecord(RRset* rrset, const Change& change) {
  switch (change.what % 8) {
    case 0:
      rrset->signatures.clear();
      break;
    case 1:
      Flip(&rrset->signatures, 0, change.how);
      break;
    case 2:
      Flip(&rrset->rdata, 0, change.how);
      break;
    case 3:
      rrset->owner = N(kNames[change.how % kNames.size()]);
      break;
    case 4:
      rrset->type = kTypes[change.how % kTypes.size()];
      break;
    case 5: {
      const std::string whole = Text(rrset->rdata.front());
      rrset->rdata.Add(Bytes(whole.substr(0, whole.size() / 2)));
      break;
    }
    case 6:
      rrset->ttl = change.how * 1000u;
      break;
    default: {
      const std::string copy = rrset->signatures.empty() ? "x" : Text(rrset->signatures.front());
      for (uint8_t i = 0; i < change.how; ++i) rrset->signatures.Add(Bytes(copy));
      break;
    }
  }
}

void Apply(SignedInternet& net, const Change& change, Response* response) {
  const auto& all = AllRecords(net);
  auto& section = change.which % 2 == 0 ? response->answer : response->authority;
  const size_t index = section.empty() ? 0 : change.which / 2 % section.size();
  switch (change.what >> 4) {
    case 0:
      if (!section.empty()) section.erase(section.begin() + static_cast<std::ptrdiff_t>(index));
      break;
    case 1:
      section.push_back(all[(size_t{change.how} << 4 | (change.what & 15u)) % all.size()]);
      break;
    case 2:
      response->kind = static_cast<ResponseKind>(change.how % 5);
      break;
    case 3:
      std::swap(response->answer, response->authority);
      break;
    case 4:
      response->zone = N(kNames[change.how % kNames.size()]);
      break;
    case 5:
      *response = Truths(net)[(change.how * kTypes.size() + change.which) % Truths(net).size()];
      break;
    default:
      if (!section.empty()) {
        RRset copy = *section[index];
        if (!copy.rdata.empty()) ChangeRecord(&copy, change);
        section[index] = std::make_shared<const RRset>(std::move(copy));
      }
      break;
  }
}

[[noreturn]] void Report(const Response& response, const char* what) {
  std::fprintf(stderr, "%s %s: %s\n", response.qname.ToString().c_str(),
               dns::ToString(response.qtype).c_str(), what);
  std::abort();
}

// The same but for the case of letters in names, which DNSSEC does not protect.
bool SameData(const RRset& a, const RRset& b) {
  if (a.owner != b.owner || a.type != b.type) return false;
  const auto canonical = [](const RRset& rrset) {
    std::set<std::string> all;
    for (const auto rdata : rrset.rdata) all.insert(dns::CanonicalRdata(rrset.type, rdata));
    return all;
  };
  return canonical(a) == canonical(b);
}

void CheckVerdict(SignedInternet& net, const Response& judged, const Response& truth, bool is_signed) {
  if (judged.security == Security::kUnchecked) Report(judged, "no verdict");
  if (judged.security == Security::kBogus && judged.errors.empty()) Report(judged, "bogus without a reason");
  const bool has_rrsig = std::any_of(judged.answer.begin(), judged.answer.end(),
                                     [](const RRsetPtr& r) { return r->type == RRType::kRRSIG; });
  if (judged.security == Security::kInsecure && is_signed && judged.kind != ResponseKind::kFailure &&
      !has_rrsig) {
    Report(judged, "signed, and called insecure");
  }
  if (judged.security != Security::kSecure) return;
  if (!is_signed) Report(judged, "unsigned, and called secure");
  const bool alias_itself = judged.qtype == RRType::kCNAME && !truth.answer.empty() && !judged.answer.empty();
  if (judged.kind != truth.kind && !alias_itself) Report(judged, "another kind of answer, and called secure");
  if (judged.kind != ResponseKind::kAnswer && judged.kind != ResponseKind::kCname) return;
  for (const RRsetPtr& rrset : judged.answer) {
    const auto& all = AllRecords(net);  // an ANY answer may hold what the zone's own does not: NSEC
    const bool is_true =
        std::any_of(all.begin(), all.end(), [&](const RRsetPtr& t) { return SameData(*rrset, *t); });
    if (!is_true) Report(judged, "false data, and called secure");
  }
}

void Run(std::span<const uint8_t> bytes) {
  static const std::unique_ptr<SignedInternet> net = MakeInternet();
  constexpr std::array<std::pair<std::string_view, RRType>, 9> kChain = {{{".", RRType::kDNSKEY},
                                                                          {"test.", RRType::kDS},
                                                                          {"test.", RRType::kDNSKEY},
                                                                          {"nsec.test.", RRType::kDS},
                                                                          {"nsec.test.", RRType::kDNSKEY},
                                                                          {"nsec3.test.", RRType::kDS},
                                                                          {"plain.test.", RRType::kDS},
                                                                          {"child.nsec.test.", RRType::kDS},
                                                                          {"www.nsec.test.", RRType::kDS}}};
  ByteReader reader(bytes);
  const Name qname = N(kNames[reader.U8() % kNames.size()]);
  const RRType qtype = kTypes[reader.U8() % kTypes.size()];
  for (const auto& [name, type] : kChain) net->TamperWith(name, type, [](Response*) {});
  const Response truth = net->Lookup(qname, qtype);
  if (truth.kind == ResponseKind::kFailure) return;

  std::array<std::vector<Change>, kChain.size() + 1> changes;
  for (int i = 0; i < 16 && reader.left() >= 4; ++i) {
    const size_t where = reader.U8() % changes.size();
    changes[where].push_back({reader.U8(), reader.U8(), reader.U8()});
  }
  (void)AllRecords(*net);  // made from true responses
  Response lie = truth;
  for (const Change& change : changes[0]) Apply(*net, change, &lie);
  lie.qname = qname;
  lie.qtype = qtype;
  for (size_t i = 0; i < kChain.size(); ++i) {
    const std::vector<Change>& mine = changes[i + 1];
    net->TamperWith(kChain[i].first, kChain[i].second, [&mine](Response* response) {
      for (const Change& change : mine) Apply(*net, change, response);
    });
  }
  net->Configure();
  net->asked.clear();
  const Name plain = N("plain.test.");
  const bool at_parent = qtype == RRType::kDS && qname == plain;
  CheckVerdict(*net, net->Judge(lie), truth, at_parent || !qname.view().IsAtOrBelow(plain));
  if (net->asked.size() > 40) Report(lie, "too many questions");
}

}  // namespace
}  // namespace sekisho::signed_test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sekisho::signed_test::Run({data, size});
  return 0;
}
