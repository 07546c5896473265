#include "resolver/core/lookup_facts.h"

#include <algorithm>

#include "resolver/core/question.h"
#include "resolver/core/settings.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;

bool Recorded(RRType type) {
  switch (type) {
    case RRType::kA:
    case RRType::kAAAA:
    case RRType::kCNAME:
    case RRType::kDNAME:
    case RRType::kNS:
    case RRType::kMX:
    case RRType::kPTR:
    case RRType::kSRV:
    case RRType::kTXT:
    case RRType::kSVCB:
    case RRType::kHTTPS:
      return true;
    default:
      return false;
  }
}

uint16_t RecordFlags(const Question& q) {
  uint16_t flags = 0;
  const auto set = [&](bool on, record::Flag flag) {
    flags = static_cast<uint16_t>(on ? flags | flag : flags);
  };
  set(q.rd, record::kFlagRd);
  set(q.cd, record::kFlagCd);
  set(q.dnssec_ok, record::kFlagDo);
  set(q.edns, record::kFlagEdns);
  set(q.ad, record::kFlagAdAsked);
  set(q.truncated, record::kFlagTc);
  set(q.authenticated, record::kFlagAd);
  set(!q.dropped, record::kFlagAnswered);
  return flags;
}

}  // namespace

LookupFacts::LookupFacts(const Question& q, const Settings& in_force, size_t reply_size, Now now) {
  record::LookupEvent& e = event;
  e.time = q.arrived.wall;
  e.latency_us =
      static_cast<uint32_t>(std::clamp<int64_t>((now.mono - q.arrived.mono).count(), 0, UINT32_MAX));
  e.agency = (q.asked_under ? *q.asked_under : in_force).agencies.name(*q.agency);
  e.client = q.client;
  e.transport = q.transport;
  e.qname = q.qname;
  e.qtype = q.qtype;
  e.qclass = q.qclass;
  e.flags = RecordFlags(q);
  e.rcode = q.rcode;
  e.ede = q.first_ede;
  e.response_size = q.dropped ? uint16_t{0} : static_cast<uint16_t>(reply_size);
  const AnswerPtr& said = q.answer || q.withheld.empty() ? q.answer : q.withheld.back();
  e.origin = said ? said->origin : q.own_origin;
  e.security = said ? said->security : Security::kUnchecked;
  AddAnswers(q);
  e.action = q.verdict.action;
  e.trigger = q.verdict.trigger;
  e.trigger_name = q.verdict.trigger_name;
  e.rule_labels = q.verdict.rule_labels;
  e.rule_subtree = q.verdict.rule_subtree;
  e.feeds = q.verdict.feeds;
  e.category = q.verdict.category;
  e.generation = q.verdict.generation;
}

// What was withheld is evidence, too.
void LookupFacts::AddAnswers(const Question& q) {
  size_t count = 0;
  size_t cut = 0;
  const auto add = [&](const dns::RRset& rrset) {
    if (!Recorded(rrset.type)) return;
    for (auto rdata : rrset.rdata) {
      if (count < items_.size()) {
        items_[count++] = {rrset.type, rdata};
      } else {
        ++cut;
      }
    }
  };
  const auto add_all = [&](const Answer& answer) {
    for (const auto& link : answer.chain) {
      for (const auto& rrset : link->answer) add(*rrset);
    }
  };
  for (const auto& answer : q.withheld) add_all(*answer);
  if (q.answer) add_all(*q.answer);
  event.answers = {items_.data(), count};
  event.answers_cut = static_cast<uint16_t>(std::min<size_t>(cut, UINT16_MAX));
}

}  // namespace sekisho::resolver
