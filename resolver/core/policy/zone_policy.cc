#include "resolver/core/policy/zone_policy.h"

#include <algorithm>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/enforce.h"
#include "resolver/core/limits.h"
#include "resolver/core/resolutions.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;
using rpz::Override;
using rpz::Told;

// What the verdict's texts point into.
struct Source {
  std::shared_ptr<const rpz::ZoneConfig> config;
  std::string rule;
};

Action ActionOf(Told told) {
  switch (told) {
    case Told::kNxdomain:
      return Action::kNxdomain;
    case Told::kNodata:
      return Action::kNodata;
    case Told::kPassthru:
      return Action::kPassthru;
    case Told::kDrop:
      return Action::kDrop;
    case Told::kTcpOnly:
      return Action::kTcpOnly;
    case Told::kData:
      break;
  }
  return Action::kSinkhole;
}

Action ActionOf(Override action, Told told) {
  switch (action) {
    case Override::kPassthru:
      return Action::kPassthru;
    case Override::kNxdomain:
      return Action::kNxdomain;
    case Override::kNodata:
      return Action::kNodata;
    case Override::kDrop:
      return Action::kDrop;
    case Override::kTcpOnly:
      return Action::kTcpOnly;
    case Override::kCname:
      return Action::kSinkhole;
    case Override::kGiven:
    case Override::kDisabled:
      break;
  }
  return ActionOf(told);
}

dns::RRsetPtr CnameTo(const dns::Name& target) {
  dns::RRset cname{.owner = dns::Name(), .type = RRType::kCNAME, .ttl = limits::kBlockTtl};
  cname.rdata.Add(target.bytes());
  return std::make_shared<const dns::RRset>(std::move(cname));
}

std::string Detail(const rpz::Finding& f) {
  switch (f.trigger) {
    case Trigger::kAnswerAddress:
      return "address " + f.address.ToString();
    case Trigger::kNsName:
      return "name server " + f.matched.ToString();
    case Trigger::kNsAddress:
      return "name server address " + f.address.ToString();
    default:
      return "";
  }
}

Verdict VerdictOf(const rpz::Finding& f, bool noted) {
  const rpz::ZoneConfig& config = *f.zone->config;
  auto source = std::make_shared<Source>(Source{f.zone->config, f.prefix ? f.prefix->ToString() : ""});
  Verdict v;
  v.action = noted ? Action::kLogOnly : resolver::ActionOf(f);
  v.trigger = f.trigger;
  v.trigger_name = f.matched;
  v.rule_labels = f.labels;
  v.rule_subtree = f.wildcard;
  v.feeds = source->config->name;
  v.category = source->rule;
  v.keep = std::move(source);
  v.answer.as_zone = true;
  v.answer.clear_ra = config.signal_nxdomain_ra;
  v.answer.error = config.error;
  v.answer.detail = Detail(f);
  v.answer.max_ttl = config.max_ttl;
  if (v.action == Action::kSinkhole) {
    v.answer.soa = f.zone->zone->soa();
    if (config.action == Override::kCname) {
      v.answer.records.push_back(CnameTo(config.cname));
    } else {
      v.answer.records = *f.rule.data;
    }
  }
  return v;
}

const rpz::ZoneList& ListOf(const World& world, AgencyTable::Id agency) {
  static const rpz::ZoneList kNone;
  const uint16_t group = world.settings->agencies.policy_group(agency);
  return group < world.zone_lists.size() ? world.zone_lists[group] : kNone;
}

const rpz::ZoneList& ListOf(const World& world, const Question& q) {
  if (q.asked_under == nullptr || q.asked_under.get() == world.settings) return ListOf(world, *q.agency);
  // Numbered anew since; a client that has lost its agency stays under what everybody is under.
  const auto agency = world.settings->agencies.Find(q.client.address);
  return ListOf(world, agency.value_or(0));
}

enum class Word : uint8_t { kNone, kActs, kPasses };

// Takes the zones' word on one name into the question's verdict.
Word Take(Question& q, const rpz::Judgement& j) {
  const uint64_t generation = q.verdict.generation;
  const auto adopt = [&](const rpz::Finding& f, bool noted) {
    Verdict v = VerdictOf(f, noted);
    v.generation = generation;
    return Adopt(q, std::move(v));
  };
  if (j.noted) adopt(*j.noted, true);
  if (!j.rule) return Word::kNone;
  return adopt(*j.rule, false) ? Word::kActs : Word::kPasses;
}

void AddAddresses(const dns::RRset& rrset, std::vector<IpAddress>* out) {
  for (const auto rdata : rrset.rdata) {
    if (rrset.type == RRType::kA || rrset.type == RRType::kAAAA) {
      if (const auto a = IpAddress::FromRdata(rdata)) out->push_back(*a);
    } else if (rrset.type == RRType::kSVCB || rrset.type == RRType::kHTTPS) {
      const auto svcb = dns::ReadSvcb(rdata);
      if (!svcb) continue;
      const auto hints = svcb->Hints();
      out->insert(out->end(), hints.begin(), hints.end());
    }
  }
}

}  // namespace

Action ActionOf(const rpz::Finding& f) { return ActionOf(f.zone->config->action, f.rule.told); }

bool ZonesKnowClient(const World& world, AgencyTable::Id agency, const IpAddress& client) {
  return rpz::HasClientRule(ListOf(world, agency), client);
}

std::optional<Next> ScreenByZones(Query& query, World& world) {
  Question& q = query.question;
  const rpz::ZoneList& zones = ListOf(world, q);
  if (zones.empty() || q.exempt) return std::nullopt;
  const bool first = q.path.empty();
  if (first) q.client_judged = rpz::HasClientRule(zones, q.client.address);
  rpz::Subject subject;
  subject.client = first ? &q.client.address : nullptr;
  subject.name = q.sought;
  subject.alias = !first;
  if (Take(q, rpz::Judge(zones, subject)) == Word::kActs) return Enforce(query, world);
  return std::nullopt;
}

std::optional<Next> InspectByZones(Query& query, World& world) {
  Question& q = query.question;
  const rpz::ZoneList& zones = ListOf(world, q);
  if (zones.empty() || q.exempt) return std::nullopt;
  const AnswerPtr answer = q.answer;
  // Of an answer that did not validate nothing is believed but the question itself (row P29).
  const bool bogus = answer->security == Security::kBogus && answer->rcode == dns::Rcode::kServFail;
  const size_t links = bogus ? 1 : std::max<size_t>(1, answer->chain.size());
  for (size_t i = 0; i < links; ++i) {
    const ResponsePtr link = i < answer->chain.size() ? answer->chain[i] : nullptr;
    const dns::Name name = link && i > 0 ? link->qname : q.sought;
    rpz::Facts facts;
    if (link && !bogus) {
      for (const auto& rrset : link->answer) AddAddresses(*rrset, &facts.addresses);
    }
    if (!bogus) facts.servers = [&] { return world.resolutions->ServersAbove(name, q.qtype); };
    const bool first = i == 0 && q.path.empty();
    rpz::Subject subject;
    subject.client = first ? &q.client.address : nullptr;
    subject.name = name;
    subject.alias = !first;
    subject.answer = &facts;
    const Word word = Take(q, rpz::Judge(zones, subject));
    if (word == Word::kActs) return Enforce(query, world, i);
    if (word == Word::kPasses) break;
  }
  return std::nullopt;
}

bool ZonesTell(const Question& q, const World& world, const dns::RRset& rrset) {
  const rpz::ZoneList& zones = ListOf(world, q);
  if (zones.empty()) return true;
  rpz::Facts facts;
  AddAddresses(rrset, &facts.addresses);
  facts.servers = [&] { return world.resolutions->ServersAbove(rrset.owner, rrset.type); };
  rpz::Subject subject;
  subject.name = rrset.owner;
  subject.answer = &facts;
  const rpz::Judgement j = rpz::Judge(zones, subject);
  return !j.rule || !VerdictOf(*j.rule, false).Blocks(q.transport);
}

}  // namespace sekisho::resolver
