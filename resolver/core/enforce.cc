#include "resolver/core/enforce.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"
#include "resolver/core/policy/block_text.h"

namespace sekisho::resolver {
namespace {

using dns::EdeCode;
using dns::Rcode;
using dns::RRType;

// An SOA gives a negative answer of our own a TTL (RFC 2308 section 5).
dns::RRsetPtr OwnSoa(dns::NameView owner, uint32_t ttl) {
  static const dns::Name kMname = *dns::Name::Parse("sekisho.invalid.");
  static const dns::Name kRname = *dns::Name::Parse("nobody.invalid.");
  dns::RRset soa{.owner = dns::Name(owner), .type = RRType::kSOA, .ttl = ttl};
  std::array<uint8_t, 2 * dns::kMaxNameSize + 20> buffer;
  ByteWriter w(buffer);
  w.Bytes(kMname.bytes());
  w.Bytes(kRname.bytes());
  for (const uint32_t v : {uint32_t{1}, uint32_t{3600}, uint32_t{600}, uint32_t{86400}, ttl}) w.U32(v);
  soa.rdata.Add(w.written());
  return std::make_shared<const dns::RRset>(std::move(soa));
}

dns::RRsetPtr Under(const dns::Name& owner, const dns::RRset& rrset, uint32_t max_ttl) {
  dns::RRset copy = rrset;
  copy.owner = owner;
  copy.ttl = std::min(copy.ttl, max_ttl);
  return std::make_shared<const dns::RRset>(std::move(copy));
}

// The links before the rule go to the front of the answer; the rest becomes evidence.
dns::Name TakeLinks(Question& q, size_t links) {
  dns::Name subject = q.sought;
  if (q.answer) {
    const auto& chain = q.answer->chain;
    for (size_t i = 0; i < links && i < chain.size(); ++i) {
      for (const auto& rrset : chain[i]->answer) {
        // One DNAME may make several links; it is told once.
        const bool there = std::any_of(q.path.begin(), q.path.end(), [&](const auto& e) {
          return e.rrset->type == rrset->type && e.rrset->owner == rrset->owner;
        });
        if (!there) q.path.push_back({rrset, std::min(rrset->ttl, chain[i]->ttl_cap)});
      }
    }
    if (links < chain.size()) subject = chain[links]->qname;
  }
  Withhold(q);
  return subject;
}

Next Fail(Query& query, Rcode rcode, const char* text) {
  query.question.path.clear();
  return AnswerWith(query, rcode, EdeCode::kOther, text);
}

// "*.garden.example." sends www.evil.test. to www.evil.test.garden.example.
std::optional<dns::Name> AliasTarget(dns::NameView target, dns::NameView subject) {
  if (!target.IsWildcard()) return dns::Name(target);
  return dns::Name::ReplaceSuffix(subject, dns::NameView(), target.Parent());
}

Next FollowAlias(Query& query, World& world, const dns::Name& subject, const dns::RRset& cname) {
  Question& q = query.question;
  const auto given = dns::ReadTarget(cname.rdata.front());
  const auto target = given ? AliasTarget(*given, subject) : std::nullopt;
  // As with a DNAME (RFC 6672 section 2.2).
  if (!target) return Fail(query, Rcode::kYXDomain, "the alias of policy grows too long");
  dns::RRset made{
      .owner = subject, .type = RRType::kCNAME, .ttl = std::min(cname.ttl, q.verdict.answer.max_ttl)};
  made.rdata.Add(target->bytes());
  const uint32_t ttl = made.ttl;
  q.path.push_back({std::make_shared<const dns::RRset>(std::move(made)), ttl});
  if (q.qtype == RRType::kCNAME || q.qtype == RRType::kANY) return AnswerWith(query, Rcode::kNoError);
  const bool loop =
      std::any_of(q.path.begin(), q.path.end(), [&](const auto& e) { return e.rrset->owner == *target; });
  if (loop) return Fail(query, Rcode::kServFail, "CNAME loop");
  if (q.path.size() > static_cast<size_t>(limits::kChainLinks))
    return Fail(query, Rcode::kServFail, "CNAME chain too long");
  // Nobody waits any longer: the lookup is recorded as far as it went.
  if (q.dropped) return AnswerWith(query, Rcode::kNoError);
  q.authoritative = q.alias_owned;
  q.sought = *target;
  // A reload may have numbered the agencies anew since the question was asked.
  if (q.asked_under != nullptr && q.asked_under.get() != world.settings) {
    const auto agency = world.settings->agencies.Find(q.client.address);
    if (!agency) return AnswerWith(query, Rcode::kRefused, EdeCode::kProhibited, "");
    q.agency = agency;
    q.asked_under = nullptr;
  }
  return Next::kScreen;
}

Next Sinkhole(Query& query, World& world, const dns::Name& subject) {
  Question& q = query.question;
  const Verdict::Answer& answer = q.verdict.answer;
  if (answer.records.size() == 1 && answer.records.front()->type == RRType::kCNAME) {
    const bool of_question =
        q.path.empty() && (q.verdict.trigger == Trigger::kClient || q.verdict.trigger == Trigger::kQname);
    if (of_question && answer.as_zone) q.alias_owned = true;
    const dns::RRsetPtr cname = answer.records.front();  // the verdict may change under way
    return FollowAlias(query, world, subject, *cname);
  }
  for (const auto& rrset : answer.records) {
    if (q.qtype != RRType::kANY && rrset->type != q.qtype) continue;
    q.own_answer.push_back(Under(subject, *rrset, answer.max_ttl));
  }
  if (q.own_answer.empty() && !answer.as_zone) q.own_authority.push_back(OwnSoa(q.qname, limits::kBlockTtl));
  if (answer.soa && !world.settings->minimal_responses) q.additional.push_back({answer.soa, answer.soa->ttl});
  return AnswerWith(query, Rcode::kNoError);
}

constexpr int kActs = 3;
constexpr int kPasses = 2;

int Weight(const Verdict& v, record::Transport transport) {
  if (v.Blocks(transport)) return kActs;
  if (v.Passes(transport)) return kPasses;
  return v.action == Action::kNone ? 0 : 1;
}

bool OwnsEnd(const Verdict& v) {
  if (!v.answer.as_zone) return false;
  if (v.action == Action::kTcpOnly) return v.trigger == Trigger::kClient || v.trigger == Trigger::kQname;
  return v.trigger != Trigger::kAnswerAddress;
}

}  // namespace

Next AnswerWith(Query& query, Rcode rcode) {
  query.question.own_rcode = rcode;
  return Next::kRespond;
}

Next AnswerWith(Query& query, Rcode rcode, EdeCode code, std::string text) {
  query.question.own_errors.push_back({code, std::move(text)});
  return AnswerWith(query, rcode);
}

bool Adopt(Question& q, Verdict v) {
  const uint64_t generation = v.generation;
  const int weight = Weight(v, q.transport);
  const int before = Weight(q.verdict, q.transport);
  if (v.agency_bound) q.client_judged = true;
  // Also when the record goes on telling of an alias that policy made.
  if (weight == kPasses) q.exempt = true;
  if (weight > before || (weight == kActs && before == kActs)) q.verdict = std::move(v);
  q.verdict.generation = generation;
  return weight == kActs;
}

void Withhold(Question& q) {
  if (q.answer) q.withheld.push_back(std::exchange(q.answer, nullptr));
}

Next Enforce(Query& query, World& world, size_t links) {
  Question& q = query.question;
  const Verdict& v = q.verdict;
  if (v.action != Action::kTcpOnly) world.counters->blocked.Add();
  if (auto error = ExplainBlock(v, q.asks_structured); error && v.action != Action::kTcpOnly)
    q.own_errors.push_back(*std::move(error));
  q.own_origin = record::Origin::kPolicy;
  q.rewritten = true;
  q.authoritative = OwnsEnd(v);
  if (v.trigger == Trigger::kClient) q.client_judged = true;
  const dns::Name subject = TakeLinks(q, v.answer.as_zone ? links : 0);
  switch (v.action) {
    case Action::kDrop:
      q.dropped = true;
      return Next::kRecord;
    case Action::kTcpOnly:
      q.tcp_only = true;
      q.path.clear();
      return AnswerWith(query, Rcode::kNoError);
    case Action::kRefused:
      q.path.clear();
      return AnswerWith(query, Rcode::kRefused);
    case Action::kSinkhole:
      return Sinkhole(query, world, subject);
    default:
      break;
  }
  if (v.answer.as_zone) {
    q.clear_ra = v.answer.clear_ra && v.action == Action::kNxdomain;
  } else {
    q.own_authority.push_back(OwnSoa(q.qname, limits::kBlockTtl));
  }
  return AnswerWith(query, v.action == Action::kNodata ? Rcode::kNoError : Rcode::kNXDomain);
}

}  // namespace sekisho::resolver
