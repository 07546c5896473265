#include "resolver/core/pipeline.h"

#include <algorithm>

#include "blocklist/trie/policy_snapshot.h"
#include "proto/dns/rdata.h"
#include "resolver/core/enforce.h"
#include "resolver/core/limits.h"
#include "resolver/core/lookup_facts.h"
#include "resolver/core/policy/lists_policy.h"
#include "resolver/core/policy/zone_policy.h"
#include "resolver/core/rebinding.h"
#include "resolver/core/resolutions.h"
#include "resolver/core/respond/respond.h"
#include "resolver/core/respond/service_targets.h"
#include "resolver/core/trust_sentinel.h"

namespace sekisho::resolver {
namespace {

using dns::EdeCode;
using dns::Rcode;
using dns::RRType;

// RFC 8482: a question for everything is answered with next to nothing.
Next AnswerAny(Query& query) {
  Question& q = query.question;
  dns::RRset hinfo{.owner = q.qname, .type = RRType::kHINFO, .ttl = 3600};
  static constexpr std::array<uint8_t, 9> kRdata = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
  hinfo.rdata.Add(kRdata);
  q.own_answer.push_back(std::make_shared<const dns::RRset>(std::move(hinfo)));
  return AnswerWith(query, Rcode::kNoError);
}

// A client of no agency: refused, and beyond a few a second not answered at all, so that nobody can use us
// against a third party (row D24). Not a lookup, so not recorded but counted.
Next Turn(Query& query, World& world, Now now) {
  Question& q = query.question;
  world.counters->refused_clients.Add();
  if (q.transport == record::Transport::kUdp && !world.refusals.Take(now.mono)) return Next::kDone;
  q.own_rcode = Rcode::kRefused;
  q.own_errors.push_back({EdeCode::kProhibited, ""});
  BuildReply(q, *world.settings, query.reply);
  return Next::kDone;
}

// A primary says that a policy zone has changed (RFC 1996). Not a lookup either. It is no more than a hint,
// so a forged one costs a question to the primary.
bool TakeNotify(Query& query, World& world) {
  Question& q = query.question;
  if (q.opcode != dns::Opcode::kNotify || q.qtype != RRType::kSOA || world.notify == nullptr) return false;
  const auto& zones = world.settings->policy_zones;
  const auto zone = std::find_if(zones.begin(), zones.end(), [&](const auto& z) {
    return z->origin == q.qname &&
           std::find(z->primaries.begin(), z->primaries.end(), q.client.address) != z->primaries.end();
  });
  if (zone == zones.end()) return false;
  world.notify->Notified((*zone)->origin);
  q.own_rcode = Rcode::kNoError;
  q.authoritative = true;
  BuildReply(q, *world.settings, query.reply);
  return true;
}

// One of a client's prefix: a site's IPv6 network is one client, an IPv4 address mostly.
bool TakeRate(ClientRates& rates, uint32_t per_second, const IpAddress& client, const World& world, Now now) {
  const RateLimit& limit = world.settings->rate_limit;
  if (std::any_of(limit.exempt.begin(), limit.exempt.end(),
                  [&](const IpPrefix& p) { return p.Contains(client); })) {
    return true;
  }
  const auto prefix = IpPrefix::Make(client, client.is_v4() ? limit.ipv4_prefix : limit.ipv6_prefix);
  return rates.Take(prefix ? prefix->address() : client, per_second, now.mono);
}

// Over its rate: told to come over TCP, where it cannot be somebody else in whose name it asks. Nobody is
// shut out for what may have been asked in his name (row D48).
Next Slow(Query& query, World& world) {
  Question& q = query.question;
  world.counters->rate_limited.Add();
  const uint32_t slip = world.settings->rate_limit.slip;
  if (slip == 0 || world.over_rate_count++ % slip != 0) {
    q.dropped = true;
    return Next::kRecord;
  }
  q.over_rate = true;
  return Next::kRespond;
}

void ReadHeader(const dns::ParsedMessage& m, Question* q) {
  const dns::Header& h = m.header();
  q->id = h.id;
  q->opcode = h.opcode;
  q->rd = h.rd;
  q->cd = h.cd;
  q->ad = h.ad;
  q->has_question = m.has_question();
  if (q->has_question) {
    q->qname = dns::Name(m.qname());
    q->sought = q->qname;
    q->qtype = m.qtype();
    q->qclass = m.qclass();
  }
  if (m.edns()) {
    q->edns = true;
    q->udp_size = m.edns()->udp_size;
    q->dnssec_ok = m.edns()->dnssec_ok;
    const auto options = m.edns()->Options();
    q->asks_structured = m.edns()->Find(dns::OptionCode::kEde) != nullptr;
    q->edns_options = std::any_of(options.begin(), options.end(),
                                  [](const auto& o) { return o.code != dns::OptionCode::kCookie; });
  }
}

// RFC 7873 section 5.2: what the client's cookie proves, and the one it gets.
struct CookieCheck {
  bool there = false;
  bool valid = false;
  WholeCookie reply{};
};
CookieCheck CheckCookie(const dns::ParsedMessage& m, const World& world, const IpAddress& client, Now now) {
  CookieCheck c;
  const dns::EdnsOption* option =
      m.edns() && world.cookies ? m.edns()->Find(dns::OptionCode::kCookie) : nullptr;
  if (option == nullptr) return c;
  c.there = true;
  c.valid = world.cookies->IsValid(option->data, client, now.wall);
  c.reply = world.cookies->Answer(option->data, c.valid, client, now.wall);
  return c;
}

void Write(const record::LookupEvent& event, World& world) {
  (world.sink->Write(event) ? world.counters->records_written : world.counters->records_lost).Add();
}

// Never more than a question for the address itself would have told (rows F02, P32).
void AddAdditional(Question& q, const World& world) {
  const Settings& settings = *world.settings;
  if (q.answer->chain.empty() || q.answer->rcode == Rcode::kServFail) return;
  const auto may_tell = [&](const dns::RRset& rrset) {
    return !(settings.rebinding_guard && HoldsRebinding(rrset)) && ListsTell(q, world, rrset) &&
           ZonesTell(q, world, rrset);
  };
  if (q.qtype == RRType::kSVCB || q.qtype == RRType::kHTTPS) {
    const auto cached = [&](dns::NameView name, RRType type) {
      return world.resolutions->LinkFromCache(q, name, type);
    };
    for (auto& extra : ServiceTargets(*q.answer, cached, may_tell)) q.additional.push_back(std::move(extra));
  }
  const Response& end = *q.answer->chain.back();
  const bool denial = end.kind == ResponseKind::kNodata || end.kind == ResponseKind::kNxdomain;
  if (settings.minimal_responses || denial || !end.beside) return;
  const auto answered = [&](const dns::RRset& rrset) {
    return std::any_of(end.answer.begin(), end.answer.end(),
                       [&](const auto& a) { return a->type == rrset.type && a->owner == rrset.owner; });
  };
  for (const dns::RRsetPtr& rrset : end.beside->additional) {
    if (!answered(*rrset) && may_tell(*rrset))
      q.additional.push_back({rrset, std::min(rrset->ttl, end.ttl_cap)});
  }
}

}  // namespace

bool Recall(const ClientQuestion& in, const dns::ParsedMessage& m, World& world, Now now,
            std::vector<uint8_t>* reply) {
  if (m.header().qr || m.header().opcode != dns::Opcode::kQuery || !m.has_question()) return false;
  const auto agency = world.settings->agencies.Find(in.client.address);
  if (!agency) return false;
  const CookieCheck cookie = CheckCookie(m, world, in.client.address, now);
  const bool verified = cookie.valid || in.transport != record::Transport::kUdp;
  if (cookie.there && !verified && world.settings->cookies.require) return false;
  const uint32_t rate = world.settings->rate_limit.per_second;
  world.over_rate = rate != 0 && !verified && !TakeRate(*world.rates, rate, in.client.address, world, now);
  if (world.over_rate) return false;
  const PacketCache::Room room = {.max_udp = world.settings->edns_size,
                                  .cookie = cookie.there ? &cookie.reply : nullptr};
  if (ZonesKnowClient(world, *agency, in.client.address)) return false;
  const PacketCache::Scope scope = {world.epoch, world.settings->agencies.policy_group(*agency)};
  const PacketCache::Entry* hit = world.packets->Find(m, in, room, scope, now, reply);
  if (hit == nullptr) return false;
  world.counters->questions.Add();
  (hit->by_policy ? world.counters->blocked : world.counters->answers_from_cache).Add();
  record::LookupEvent event = hit->event;
  event.worker = world.worker;
  event.time = now.wall;
  event.agency = world.settings->agencies.name(*agency);
  event.client = in.client;
  event.transport = in.transport;
  event.response_size = static_cast<uint16_t>(reply->size());
  Write(event, world);
  return true;
}

Next Parse(Query& query, const ClientQuestion& in, const dns::ParsedMessage& m, dns::ParseError error,
           World& world, Now now) {
  Question& q = query.question;
  q.token = in.token;
  q.client = in.client;
  q.transport = in.transport;
  q.arrived = now;
  // What is not a question is never answered: it could make two servers talk to each other for ever (row
  // M06).
  if (error == dns::ParseError::kTooShort || m.header().qr) {
    world.counters->dropped_packets.Add();
    return Next::kDone;
  }
  ReadHeader(m, &q);
  if (error == dns::ParseError::kNone && TakeNotify(query, world)) return Next::kDone;
  q.agency = world.settings->agencies.Find(in.client.address);
  if (!q.agency) return Turn(query, world, now);
  world.counters->questions.Add();
  const CookieCheck cookie = CheckCookie(m, world, in.client.address, now);
  q.has_cookie = cookie.there;
  q.cookie_valid = cookie.valid;
  q.cookie = cookie.reply;
  if (q.opcode != dns::Opcode::kQuery) return AnswerWith(query, Rcode::kNotImp);
  const bool badcookie = q.has_cookie && !q.verified() && world.settings->cookies.require;
  // Only a cookie is asked for (RFC 7873 section 5.4).
  if (error == dns::ParseError::kNone && !q.has_question && q.has_cookie) {
    const bool first = m.edns()->Find(dns::OptionCode::kCookie)->data.size() == kClientCookieSize;
    return AnswerWith(query, first || q.cookie_valid ? Rcode::kNoError : Rcode::kBadCookie);
  }
  if (error != dns::ParseError::kNone || !q.has_question) {
    world.counters->format_errors.Add();
    return AnswerWith(query, Rcode::kFormErr);
  }
  if (m.edns() && m.edns()->version > 0) return AnswerWith(query, Rcode::kBadVers);
  if (badcookie) return AnswerWith(query, Rcode::kBadCookie);
  return Next::kAdmit;
}

Next Admit(Query& query, World& world, Now) {
  Question& q = query.question;
  if (world.over_rate) return Slow(query, world);
  if (q.qclass == dns::RRClass::kCH) return AnswerWith(query, Rcode::kRefused);
  if (q.qclass != dns::RRClass::kIN) return AnswerWith(query, Rcode::kNotImp);
  if (q.qtype == RRType::kOPT || q.qtype == RRType::kNone) return AnswerWith(query, Rcode::kFormErr);
  // Known, and nothing that anybody gets from a resolver (RFC 5936 section 2.2.1).
  if (q.qtype == RRType::kAXFR || q.qtype == RRType::kIXFR) return AnswerWith(query, Rcode::kRefused);
  // TKEY, TSIG, MAILA and MAILB: nothing a resolver answers (row M07).
  if (dns::IsMetaType(q.qtype) && q.qtype != RRType::kANY) return AnswerWith(query, Rcode::kNotImp);
  return Next::kScreen;
}

Next Screen(Query& query, World& world, Now) {
  Question& q = query.question;
  if (ScreenByLists(q, world)) return Enforce(query, world);
  if (auto local = world.settings->local.Find(q.sought, q.qtype); local && q.qtype != RRType::kANY) {
    q.own_answer = std::move(local->answer);
    q.own_authority = std::move(local->authority);
    q.authoritative = local->authoritative;
    return AnswerWith(query, local->rcode);
  }
  if (const auto next = ScreenByZones(query, world)) return *next;
  if (q.qtype == RRType::kANY) return AnswerAny(query);
  return Next::kLookup;
}

Next Lookup(Query& query, World& world, Now now) {
  Question& q = query.question;
  q.answer = world.resolutions->FromCache(q);
  if (q.answer) {
    world.counters->answers_from_cache.Add();
    world.resolutions->Prefetch(q, *q.answer);
    return Next::kInspect;
  }
  if (!q.rd) {
    // Where stale data is what the cache answers with, it is so for who asks for nothing but the cache, too.
    const ServeStale& stale = world.settings->stale;
    if (stale.enabled && stale.client_timeout == Duration(0)) q.answer = world.resolutions->FromStale(q);
    if (q.answer) return Next::kInspect;
    if (!q.path.empty()) return AnswerWith(query, Rcode::kNoError);
    return AnswerWith(query, Rcode::kRefused, EdeCode::kNotAuthoritative, "recursion was not asked for");
  }
  const uint32_t rate = world.settings->rate_limit.uncached_per_second;
  if (rate == 0 || TakeRate(*world.uncached_rates, rate, q.client.address, world, now)) return Next::kResolve;
  world.counters->rate_limited.Add();
  q.answer = world.resolutions->FromStale(q);
  if (q.answer) return Next::kInspect;
  return AnswerWith(query, Rcode::kServFail, EdeCode::kOther,
                    "over the rate of questions that the cache cannot answer");
}

Next Resolve(Query& query, World& world, Now now) {
  Question& q = query.question;
  if (world.resolutions->Join(q, now) == Resolutions::Joined::kWaiting) return Next::kWait;
  world.counters->refused_load.Add();
  // Old data is better than none, now as when servers fail (RFC 8767 section 4).
  q.answer = world.resolutions->FromStale(q);
  if (q.answer) return Next::kInspect;
  return AnswerWith(query, Rcode::kServFail, EdeCode::kOther, "too many questions in progress");
}

Next Inspect(Query& query, World& world, Now) {
  Question& q = query.question;
  if (q.answer->rcode == Rcode::kServFail) world.counters->servfail.Add();
  if (SentinelWithholds(q, *world.settings)) {
    Withhold(q);
    return AnswerWith(query, Rcode::kServFail, EdeCode::kDnssecBogus, "root key sentinel");
  }
  // The lists may have changed while the answer was on its way (row F04).
  if (ListsChanged(q, world)) {
    if (!q.verdict.answer.as_zone) {
      q.verdict = {};
      q.exempt = false;
    }
    if (ScreenByLists(q, world)) return Enforce(query, world);
  }
  // An allow rule on the question's name lets the whole answer pass.
  if (q.verdict.action == Action::kAllow ||
      (q.verdict.action == Action::kPassthru && !q.verdict.answer.as_zone))
    return Next::kRespond;
  if (world.settings->rebinding_guard) {
    if (const dns::RRset* inside = FindRebinding(*q.answer, *world.settings)) {
      q.own_errors.push_back({EdeCode::kBlocked, inside->owner.ToString() + " points to a private address"});
      Withhold(q);
      return AnswerWith(query, Rcode::kRefused);
    }
  }
  // A bogus answer is never rewritten into a good one: SERVFAIL stays (row P29). Who has checking disabled is
  // shown the data instead, and there the rules hold as they do everywhere.
  const bool bogus_failure = q.answer->security == Security::kBogus && q.answer->rcode == Rcode::kServFail;
  if (InspectByLists(q, world)) return bogus_failure ? Next::kRespond : Enforce(query, world);
  return InspectByZones(query, world).value_or(Next::kRespond);
}

Next Respond(Query& query, World& world, Now) {
  Question& q = query.question;
  if (q.answer) AddAdditional(q, world);
  BuildReply(q, *world.settings, query.reply);
  return Next::kRecord;
}

Next Record(Query& query, World& world, Now now) {
  const Question& q = query.question;
  LookupFacts facts(q, *world.settings, query.reply->size(), now);
  facts.event.worker = world.worker;
  Write(facts.event, world);
  // A reload while it waited may have numbered the agencies anew.
  if (q.asked_under == nullptr || q.asked_under.get() == world.settings) {
    const PacketCache::Scope scope = {world.epoch, world.settings->agencies.policy_group(*q.agency)};
    world.packets->Store(q, facts.event, *query.reply, world.settings->answer_rotation, scope, now);
  }
  return Next::kDone;
}

Next RunPipeline(Query& query, World& world, Now now, Next next) {
  for (;;) {
    switch (next) {
      case Next::kAdmit:
        next = Admit(query, world, now);
        break;
      case Next::kScreen:
        next = Screen(query, world, now);
        break;
      case Next::kLookup:
        next = Lookup(query, world, now);
        break;
      case Next::kResolve:
        next = Resolve(query, world, now);
        break;
      case Next::kInspect:
        next = Inspect(query, world, now);
        break;
      case Next::kRespond:
        next = Respond(query, world, now);
        break;
      case Next::kRecord:
        next = Record(query, world, now);
        break;
      case Next::kDone:
      case Next::kWait:
        return next;
    }
  }
}

}  // namespace sekisho::resolver
