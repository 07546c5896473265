#include "tests/replay/zone.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/dns/presentation.h"
#include "proto/dns/rdata.h"

namespace sekisho::replay {
namespace {

using dns::RRType;

bool AllDigits(const std::string& s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isdigit(c); });
}

bool IsClass(const std::string& s) { return s == "IN" || s == "CH" || s == "HS"; }

dns::Name TargetOf(const ReplyRecord& record) {
  const auto target = dns::ReadTarget(AsBytes(record.rdata));
  return target ? dns::Name(*target) : dns::Name();
}

}  // namespace

bool ParseReplyRecord(std::string_view line, const dns::Name& origin, ReplyRecord* out, std::string* error) {
  std::istringstream in{std::string(line)};
  std::string owner, word;
  in >> owner >> word;
  std::string ttl = "3600";
  if (AllDigits(word)) {
    ttl = word;
    in >> word;
  }
  std::string rrclass = "IN";
  if (IsClass(word)) {
    rrclass = word;
    in >> word;
  }
  std::string rest;
  std::getline(in, rest);
  const std::string base = origin.ToString();
  if (owner == "@") {
    owner = base;
  } else if (!owner.ends_with('.')) {
    owner += base == "." ? "." : "." + base;
  }
  // Classes other than IN are set on the wire only: the text of such RDATA is that of IN.
  const auto record = dns::ParseRecord(owner + " " + ttl + " IN " + word + rest, error);
  if (!record) return false;
  *out = ReplyRecord{record->owner, record->type, dns::RRClass::kIN, record->ttl, record->rdata};
  if (rrclass == "CH") out->rrclass = dns::RRClass::kCH;
  if (rrclass == "HS") out->rrclass = dns::RRClass::kHS;
  return true;
}

bool Zone::Add(std::string_view line, std::string* error) {
  ReplyRecord record;
  if (!ParseReplyRecord(line, origin_, &record, error)) return false;
  Add(std::move(record));
  return true;
}

void Zone::Add(ReplyRecord record) {
  auto& set = nodes_[record.owner.LowercaseBytes()][record.type];
  set.push_back(std::move(record));
}

void Zone::Finish() {
  Node& apex = nodes_[origin_.LowercaseBytes()];
  if (apex.contains(RRType::kSOA)) return;
  std::string error;
  ReplyRecord soa;
  if (ParseReplyRecord("@ 3600 SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 300", origin_, &soa,
                       &error))
    apex[RRType::kSOA].push_back(std::move(soa));
}

const Zone::Node* Zone::Find(dns::NameView name) const {
  const auto it = nodes_.find(dns::Name(name).LowercaseBytes());
  return it == nodes_.end() ? nullptr : &it->second;
}

bool Zone::HasNamesBelow(dns::NameView name) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& entry) {
    const auto at = dns::NameView::FromWire(AsBytes(entry.first));
    return at && at->IsBelow(name);
  });
}

void Zone::AddSoa(ZoneReply* reply) const {
  for (const auto& r : Find(origin_)->at(RRType::kSOA)) reply->authority.push_back(r);
}

bool Zone::Refer(dns::NameView qname, RRType qtype, ZoneReply* reply) const {
  const int zone_labels = origin_.view().LabelCount();
  for (int labels = zone_labels + 1; labels <= qname.LabelCount(); ++labels) {
    const dns::NameView at = qname.Suffix(labels);
    const Node* node = Find(at);
    if (node == nullptr || !node->contains(RRType::kNS)) continue;
    if (qtype == RRType::kDS && at == qname) return false;
    reply->aa = false;
    for (const auto& ns : node->at(RRType::kNS)) {
      reply->authority.push_back(ns);
      const Node* glue = Find(TargetOf(ns));
      if (glue == nullptr) continue;
      for (const RRType type : {RRType::kA, RRType::kAAAA}) {
        if (const auto it = glue->find(type); it != glue->end())
          reply->additional.insert(reply->additional.end(), it->second.begin(), it->second.end());
      }
    }
    if (const auto ds = node->find(RRType::kDS); ds != node->end())
      reply->authority.insert(reply->authority.end(), ds->second.begin(), ds->second.end());
    return true;
  }
  return false;
}

bool Zone::AnswerFromNode(const Node& node, const dns::Name& owner, RRType qtype, ZoneReply* reply,
                          dns::Name* next) const {
  const auto put = [&](const std::vector<ReplyRecord>& set) {
    for (ReplyRecord r : set) {
      r.owner = owner;
      reply->answer.push_back(std::move(r));
    }
  };
  if (qtype == RRType::kANY) {
    for (const auto& [type, set] : node) put(set);
    return false;
  }
  if (const auto it = node.find(qtype); it != node.end()) {
    put(it->second);
    return false;
  }
  if (const auto it = node.find(RRType::kCNAME); it != node.end()) {
    put(it->second);
    *next = TargetOf(it->second.front());
    return true;
  }
  AddSoa(reply);
  return false;
}

bool Zone::AnswerOne(const dns::Name& qname, RRType qtype, ZoneReply* reply, dns::Name* next) const {
  if (Refer(qname, qtype, reply)) return false;
  for (dns::NameView at = qname.view(); at.IsBelow(origin_);) {
    at = at.Parent();
    const Node* node = Find(at);
    if (node == nullptr || !node->contains(RRType::kDNAME)) continue;
    const ReplyRecord& dname = node->at(RRType::kDNAME).front();
    reply->answer.push_back(dname);
    const auto to = dns::Name::ReplaceSuffix(qname, at, TargetOf(dname));
    if (!to) {
      reply->rcode = dns::Rcode::kYXDomain;
      return false;
    }
    reply->answer.push_back(
        ReplyRecord{qname, RRType::kCNAME, dns::RRClass::kIN, dname.ttl, std::string(AsText(to->bytes()))});
    *next = *to;
    return true;
  }
  if (const Node* node = Find(qname)) return AnswerFromNode(*node, qname, qtype, reply, next);
  if (HasNamesBelow(qname)) {
    AddSoa(reply);
    return false;
  }
  dns::NameView encloser = qname.view().Parent();
  while (encloser.IsBelow(origin_) && Find(encloser) == nullptr && !HasNamesBelow(encloser))
    encloser = encloser.Parent();
  if (const auto wildcard = dns::Name::Prepend("*", encloser)) {
    if (const Node* node = Find(*wildcard)) return AnswerFromNode(*node, qname, qtype, reply, next);
  }
  reply->rcode = dns::Rcode::kNXDomain;
  AddSoa(reply);
  return false;
}

ZoneReply Zone::Answer(dns::NameView qname, RRType qtype) const {
  ZoneReply reply;
  dns::Name at(qname);
  dns::Name next;
  for (int links = 0; links < 16 && AnswerOne(at, qtype, &reply, &next); ++links) {
    if (!next.view().IsAtOrBelow(origin_)) break;
    at = next;
  }
  // A chain that ends at a cut is cut before the referral.
  if (!reply.answer.empty() && !reply.aa) {
    reply.aa = true;
    reply.authority.clear();
    reply.additional.clear();
  }
  return reply;
}

}  // namespace sekisho::replay
