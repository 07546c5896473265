// NSEC RDATA  := next name | bitmap
// NSEC3 RDATA := u8 1 | u8 flags | u16 iterations | u8 salt length | salt | u8 20 | next hash | bitmap
// bitmap      := (u8 window | u8 length | bits)*
#include "tests/signed/signed_zone.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include "proto/dns/presentation.h"
#include "proto/dns/rdata.h"

namespace sekisho::signed_test {

using dns::Name;
using dns::RRset;
using dns::RRsetPtr;
using dns::RRType;
using resolver::Response;
using resolver::ResponseKind;

namespace {

std::string Base32Hex(const dns::Nsec3HashValue& hash) {
  static constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuv";
  std::string out;
  for (size_t bit = 0; bit < hash.size() * 8; bit += 5) {
    unsigned value = 0;
    for (size_t i = 0; i < 5; ++i) value = value << 1 | ((hash[(bit + i) / 8] >> (7 - (bit + i) % 8)) & 1u);
    out.push_back(kDigits[value]);
  }
  return out;
}

}  // namespace

std::string TypeBitmap(std::vector<RRType> types) {
  std::map<uint8_t, std::string> windows;
  for (const RRType type : types) {
    const auto number = static_cast<uint16_t>(type);
    std::string& bits = windows[static_cast<uint8_t>(number >> 8)];
    const size_t byte = (number & 0xff) / 8;
    if (bits.size() <= byte) bits.resize(byte + 1);
    bits[byte] = static_cast<char>(static_cast<uint8_t>(bits[byte]) | (0x80u >> (number % 8)));
  }
  std::string out;
  for (const auto& [window, bits] : windows) {
    out.push_back(static_cast<char>(window));
    out.push_back(static_cast<char>(bits.size()));
    out += bits;
  }
  return out;
}

SignedZone::SignedZone(std::string_view apex, ZoneOptions options)
    : apex_(N(apex)), options_(std::move(options)), key_(options_.algorithm) {
  const std::string at = apex_.ToString();
  const std::string dot = apex_.IsRoot() ? "" : at;
  Add(at + " 3600 IN SOA ns." + dot + " admin." + dot + " 1 3600 600 86400 300");
  Add(at + " 3600 IN NS ns." + dot);
  if (options_.is_signed) AddRdata(apex_, RRType::kDNSKEY, key_.dnskey(), 3600);
}

void SignedZone::Add(std::string_view line) {
  std::string error;
  const auto record = dns::ParseRecord(line, &error);
  if (!record) std::abort();
  AddRdata(record->owner, record->type, record->rdata, record->ttl);
}

void SignedZone::AddRdata(const Name& owner, RRType type, const std::string& rdata, uint32_t ttl) {
  RRset& rrset = nodes_[owner][type];
  rrset.owner = owner;
  rrset.type = type;
  rrset.ttl = ttl;
  rrset.rdata.Add(Bytes(rdata));
}

void SignedZone::Delegate(const SignedZone& child, uint8_t digest_type) {
  Add(child.apex().ToString() + " 3600 IN NS ns." + child.apex().ToString());
  if (child.options().is_signed)
    AddRdata(child.apex(), RRType::kDS, child.key().Ds(child.apex(), digest_type), 3600);
}

bool SignedZone::IsCut(const Name& name) const {
  const auto node = nodes_.find(name);
  return name != apex_ && node != nodes_.end() && node->second.contains(RRType::kNS);
}

bool SignedZone::BelowCut(const Name& name) const {
  for (int labels = apex_.view().LabelCount() + 1; labels < name.view().LabelCount(); ++labels) {
    if (IsCut(Name(name.view().Suffix(labels)))) return true;
  }
  return false;
}

bool SignedZone::NonTerminal(const Name& name) const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [&](const auto& n) { return n.first.view().IsBelow(name); });
}

std::vector<RRType> SignedZone::TypesAt(const Name& name) const {
  std::vector<RRType> types;
  const auto node = nodes_.find(name);
  if (node == nodes_.end()) return types;
  for (const auto& [type, rrset] : node->second) types.push_back(type);
  if (!IsCut(name) || node->second.contains(RRType::kDS)) types.push_back(RRType::kRRSIG);
  return types;
}

void SignedZone::SignRRset(RRset* rrset, const SignOptions& options) const {
  rrset->signatures.Add(Bytes(key_.Rrsig(*rrset, apex_, options)));
}

void SignedZone::Sign() {
  if (!options_.is_signed) return;
  if (options_.denial == DenialKind::kNsec) {
    MakeNsecChain();
  } else {
    MakeNsec3Chain();
  }
  for (auto& [owner, node] : nodes_) {
    if (BelowCut(owner)) continue;
    for (auto& [type, rrset] : node) {
      if (!IsCut(owner) || type == RRType::kDS) SignRRset(&rrset, options_.times);
    }
  }
  for (auto& [owner, node] : denial_) {
    for (auto& [type, rrset] : node) {
      if (rrset.signatures.empty()) SignRRset(&rrset, options_.times);
    }
  }
}

std::string SignedZone::ToText() const {
  // A server wants the SOA first.
  std::string text = dns::RRsetToText(nodes_.at(apex_).at(RRType::kSOA));
  for (const Nodes* nodes : {&nodes_, &denial_}) {
    for (const auto& [owner, node] : *nodes) {
      for (const auto& [type, rrset] : node) {
        if (type != RRType::kSOA) text += dns::RRsetToText(rrset);
      }
    }
  }
  return text;
}

void SignedZone::MakeNsecChain() {
  std::vector<Name> names;
  for (const auto& [owner, node] : nodes_) {
    if (!BelowCut(owner)) names.push_back(owner);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    std::vector<RRType> types = TypesAt(names[i]);
    types.push_back(RRType::kNSEC);
    if (std::find(types.begin(), types.end(), RRType::kRRSIG) == types.end()) types.push_back(RRType::kRRSIG);
    RRset& rrset = denial_[names[i]][RRType::kNSEC];
    rrset.owner = names[i];
    rrset.type = RRType::kNSEC;
    rrset.ttl = 300;
    rrset.rdata.Add(Bytes(Text(names[(i + 1) % names.size()].bytes()) + TypeBitmap(types)));
  }
}

dns::Nsec3HashValue SignedZone::Hash(const Name& name) const {
  dns::DnssecCrypto crypto;
  return crypto.Nsec3Hash(name, Bytes(options_.salt), options_.iterations);
}

Name SignedZone::HashedOwner(const Name& name) const { return *Name::Prepend(Base32Hex(Hash(name)), apex_); }

RRset SignedZone::MakeNsec3(const dns::Nsec3HashValue& owner, const dns::Nsec3HashValue& next,
                            const std::vector<RRType>& types) const {
  std::string rdata{'\x01', static_cast<char>(options_.opt_out ? 1 : 0)};
  rdata.push_back(static_cast<char>(options_.iterations >> 8));
  rdata.push_back(static_cast<char>(options_.iterations));
  rdata.push_back(static_cast<char>(options_.salt.size()));
  rdata += options_.salt;
  rdata.push_back(20);
  rdata.append(next.begin(), next.end());
  rdata += TypeBitmap(types);
  RRset rrset;
  rrset.owner = *Name::Prepend(Base32Hex(owner), apex_);
  rrset.type = RRType::kNSEC3;
  rrset.ttl = 300;
  rrset.rdata.Add(Bytes(rdata));
  SignRRset(&rrset, options_.times);
  return rrset;
}

void SignedZone::MakeNsec3Chain() {
  std::set<Name, CanonicalLess> names;
  for (const auto& [owner, node] : nodes_) {
    if (BelowCut(owner) || (options_.opt_out && IsCut(owner) && !node.contains(RRType::kDS))) continue;
    for (int labels = apex_.view().LabelCount(); labels <= owner.view().LabelCount(); ++labels) {
      names.insert(Name(owner.view().Suffix(labels)));
    }
  }
  std::map<dns::Nsec3HashValue, Name> hashed;
  for (const Name& name : names) hashed.emplace(Hash(name), name);
  for (auto it = hashed.begin(); it != hashed.end(); ++it) {
    const auto next = std::next(it) == hashed.end() ? hashed.begin() : std::next(it);
    RRset rrset = MakeNsec3(it->first, next->first, TypesAt(it->second));
    const Name owner = rrset.owner;
    denial_[owner][RRType::kNSEC3] = std::move(rrset);
  }
}

RRset* SignedZone::Find(const Name& owner, RRType type) {
  for (Nodes* nodes : {&nodes_, &denial_}) {
    const auto node = nodes->find(owner);
    if (node == nodes->end()) continue;
    const auto rrset = node->second.find(type);
    if (rrset != node->second.end()) return &rrset->second;
  }
  return nullptr;
}

RRsetPtr SignedZone::Get(const Name& owner, RRType type) const {
  const RRset* found = const_cast<SignedZone*>(this)->Find(owner, type);
  return found == nullptr ? nullptr : std::make_shared<const RRset>(*found);
}

RRsetPtr SignedZone::Matching(const Name& name) const {
  if (options_.denial == DenialKind::kNsec) return Get(name, RRType::kNSEC);
  return Get(HashedOwner(name), RRType::kNSEC3);
}

RRsetPtr SignedZone::Covering(const Name& name) const {
  if (denial_.empty()) return nullptr;
  const bool nsec = options_.denial == DenialKind::kNsec;
  auto it = denial_.upper_bound(nsec ? name : HashedOwner(name));
  if (it == denial_.begin()) it = denial_.end();
  --it;
  return Get(it->first, nsec ? RRType::kNSEC : RRType::kNSEC3);
}

Name SignedZone::ClosestEncloser(const Name& name) const {
  Name at = name;
  while (at != apex_ && !nodes_.contains(at) && !NonTerminal(at)) at = Name(at.view().Parent());
  return at;
}

Response SignedZone::Start(const Name& qname, RRType qtype) const {
  Response out;
  out.qname = qname;
  out.qtype = qtype;
  out.zone = apex_;
  out.rcode = dns::Rcode::kNoError;
  return out;
}

void SignedZone::Prove(const RRsetPtr& proof, Response* out) const {
  if (proof == nullptr) return;
  for (const auto& known : out->authority) {
    if (known->type == proof->type && known->owner == proof->owner) return;
  }
  out->authority.push_back(proof);
}

void SignedZone::Negative(ResponseKind kind, Response* out) const {
  out->kind = kind;
  if (kind == ResponseKind::kNxdomain) out->rcode = dns::Rcode::kNXDomain;
  out->authority.push_back(Get(apex_, RRType::kSOA));
  if (!options_.is_signed) return;
  const Name& qname = out->qname;
  if (const RRsetPtr at = Matching(qname)) return Prove(at, out);
  const Name encloser = ClosestEncloser(qname);
  Name next_closer(qname.view().Suffix(encloser.view().LabelCount() + 1));
  if (options_.denial == DenialKind::kNsec3) {
    // An insecure delegation inside an opt-out span has no record; its closest provable encloser is above it.
    Name provable = encloser;
    while (Matching(provable) == nullptr) {
      next_closer = provable;
      provable = Name(provable.view().Parent());
    }
    Prove(Matching(provable), out);
    Prove(Covering(next_closer), out);
  } else {
    Prove(Covering(qname), out);
  }
  const Name wildcard = *Name::Prepend("*", encloser);
  if (encloser == qname) return;
  Prove(nodes_.contains(wildcard) ? Matching(wildcard) : Covering(wildcard), out);
}

bool SignedZone::AnswerFrom(const Name& source, Response* out) const {
  const auto node = nodes_.find(source);
  if (node == nodes_.end()) return false;
  std::vector<RRType> types;
  for (const auto& [type, rrset] : node->second) {
    if (type == out->qtype || out->qtype == RRType::kANY) types.push_back(type);
  }
  out->kind = ResponseKind::kAnswer;
  if (types.empty() && node->second.contains(RRType::kCNAME)) {
    types.push_back(RRType::kCNAME);
    out->kind = ResponseKind::kCname;
  }
  for (const RRType type : types) {
    RRset copy = node->second.at(type);
    copy.owner = out->qname;
    out->answer.push_back(std::make_shared<const RRset>(std::move(copy)));
  }
  return !types.empty();
}

bool SignedZone::AnswerDname(Response* out) const {
  for (int labels = apex_.view().LabelCount(); labels < out->qname.view().LabelCount(); ++labels) {
    const Name owner(out->qname.view().Suffix(labels));
    const RRsetPtr dname = Get(owner, RRType::kDNAME);
    if (dname == nullptr) continue;
    const auto target = Name::ReplaceSuffix(out->qname, owner, *dns::ReadTarget(dname->rdata.front()));
    RRset cname;
    cname.owner = out->qname;
    cname.type = RRType::kCNAME;
    cname.ttl = dname->ttl;
    cname.rdata.Add(target->bytes());
    out->kind = ResponseKind::kCname;
    out->answer = {dname, std::make_shared<const RRset>(std::move(cname))};
    return true;
  }
  return false;
}

std::optional<Response> SignedZone::Query(const Name& qname, RRType qtype) const {
  if (!qname.view().IsAtOrBelow(apex_)) return std::nullopt;
  if (BelowCut(qname) || (IsCut(qname) && qtype != RRType::kDS)) return std::nullopt;
  Response out = Start(qname, qtype);
  if (AnswerDname(&out) || AnswerFrom(qname, &out)) return out;
  if (nodes_.contains(qname) || NonTerminal(qname)) {
    Negative(ResponseKind::kNodata, &out);
    return out;
  }
  const Name encloser = ClosestEncloser(qname);
  const Name wildcard = *Name::Prepend("*", encloser);
  if (AnswerFrom(wildcard, &out)) {
    if (options_.is_signed) {
      const Name next_closer(qname.view().Suffix(encloser.view().LabelCount() + 1));
      Prove(Covering(options_.denial == DenialKind::kNsec ? qname : next_closer), &out);
    }
    return out;
  }
  Negative(nodes_.contains(wildcard) ? ResponseKind::kNodata : ResponseKind::kNxdomain, &out);
  return out;
}

}  // namespace sekisho::signed_test
