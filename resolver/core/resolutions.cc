#include "resolver/core/resolutions.h"

#include <algorithm>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {
namespace {

using dns::EdeCode;
using dns::RRType;

// How long a trust point's next question is waited for without a look at the clock.
constexpr Duration kAnchorLook = std::chrono::hours(1);
// A little after the budget's end, for whoever notices that end itself.
constexpr Duration kOverdue = limits::kQuestionTime + std::chrono::milliseconds(100);

// A chain of links in the making.
struct Chain {
  Answer answer;
  dns::Name next;
  bool ended = false;
};

void EndWith(Chain& chain, dns::Rcode rcode) {
  chain.answer.rcode = rcode;
  chain.ended = true;
}

void Fail(Chain& chain, EdeCode code, std::string text) {
  chain.answer.errors.insert(chain.answer.errors.begin(), {code, std::move(text)});
  EndWith(chain, dns::Rcode::kServFail);
}

// An alias that points to where the chain has been goes nowhere (row D17).
bool Visited(const Answer& answer, dns::NameView name) {
  return std::any_of(answer.chain.begin(), answer.chain.end(),
                     [&](const auto& l) { return l->qname.view() == name; });
}

int Strength(Security s) {
  switch (s) {
    case Security::kBogus:
      return 0;
    case Security::kUnchecked:
      return 1;
    case Security::kInsecure:
      return 2;
    case Security::kSecure:
      return 3;
  }
  return 0;
}

void AddLink(Chain& chain, ResponsePtr link, bool validate) {
  Answer& a = chain.answer;
  a.chain.push_back(link);
  a.errors.insert(a.errors.end(), link->errors.begin(), link->errors.end());
  if (a.chain.size() == 1 || Strength(link->security) < Strength(a.security)) a.security = link->security;
  if (!link->from_cache && a.origin == record::Origin::kCache) a.origin = record::Origin::kUpstream;
  if (link->stale && a.origin != record::Origin::kStale) {
    a.origin = record::Origin::kStale;
    const bool nxdomain = link->kind == ResponseKind::kNxdomain;
    a.errors.insert(a.errors.begin(), {nxdomain ? EdeCode::kStaleNxdomainAnswer : EdeCode::kStaleAnswer, ""});
  }
  if (validate && link->security == Security::kBogus) {
    if (a.errors.empty()) a.errors.push_back({EdeCode::kDnssecBogus, ""});
    return EndWith(chain, dns::Rcode::kServFail);
  }
  if (link->kind == ResponseKind::kFailure) return EndWith(chain, dns::Rcode::kServFail);
  if (link->kind != ResponseKind::kCname || link->rcode == dns::Rcode::kYXDomain)
    return EndWith(chain, link->rcode);
  if (link->qtype == RRType::kDS)
    return EndWith(chain, dns::Rcode::kNoError);  // not to be followed (row M10)
  const auto target = dns::ReadTarget(link->answer.back()->rdata.front());
  if (!target || Visited(a, *target)) {
    a.looped = true;
    return Fail(chain, EdeCode::kOther, "CNAME loop");
  }
  if (a.chain.size() > static_cast<size_t>(limits::kChainLinks))
    return Fail(chain, EdeCode::kOther, "CNAME chain too long");
  chain.next = dns::Name(*target);
}

AnswerPtr Finish(Chain chain) {
  // Bogus or failed data goes to nobody who wants it checked.
  Answer& a = chain.answer;
  if (a.rcode == dns::Rcode::kServFail) {
    for (auto& link : a.chain) {
      if (link->kind == ResponseKind::kFailure || link->security == Security::kBogus)
        a.security = link->security;
    }
  }
  return std::make_shared<const Answer>(std::move(a));
}

}  // namespace

Resolutions::Resolutions(RrsetCache* cache, Rng* rng, Counters* counters, dnssec::AnchorRollover* rollover)
    : counters_(counters),
      iterator_(cache, rng, counters, &now_),
      by_key_(0, Hasher{KeyedHash(*rng)}),
      per_client_(0, Hasher{KeyedHash(*rng)}),
      rollover_(rollover) {}

Resolutions::~Resolutions() = default;

void Resolutions::Configure(std::shared_ptr<const Settings> settings) {
  iterator_.Configure(std::move(settings));
}

bool Resolutions::Validates(const Question& q) const { return iterator_.settings().validate && !q.cd; }

AnswerPtr Resolutions::FromCache(const Question& q) {
  const bool validate = Validates(q);
  Chain chain;
  chain.next = q.sought;
  chain.answer.origin = record::Origin::kCache;
  while (!chain.ended) {
    ResponsePtr link = iterator_.FromCache(chain.next, q.qtype, validate);
    if (!link) {
      ResponsePtr failure = iterator_.KnownFailure(chain.next, q.qtype);
      if (!failure) return nullptr;
      if (iterator_.settings().stale.enabled) link = iterator_.FromStale(chain.next, q.qtype, validate);
      if (!link) link = std::move(failure);
    }
    AddLink(chain, std::move(link), validate);
  }
  return Finish(std::move(chain));
}

AnswerPtr Resolutions::FromStale(dns::NameView qname, RRType qtype, bool validate) {
  if (!iterator_.settings().stale.enabled) return nullptr;
  Chain chain;
  chain.next = dns::Name(qname);
  while (!chain.ended) {
    ResponsePtr link = iterator_.FromStale(chain.next, qtype, validate);
    if (!link) return nullptr;
    AddLink(chain, std::move(link), validate);
  }
  return Finish(std::move(chain));
}

AnswerPtr Resolutions::FromStale(const Question& q) { return FromStale(q.sought, q.qtype, Validates(q)); }

std::string Resolutions::KeyOf(const Question& q, bool validate) {
  std::string key = q.sought.LowercaseBytes();
  const auto type = static_cast<uint16_t>(q.qtype);
  key.push_back(static_cast<char>(type >> 8));
  key.push_back(static_cast<char>(type));
  key.push_back(validate ? 'v' : 'c');
  return key;
}

bool Resolutions::Jostle(ByAge* scope, MonoTime now) {
  if (scope->empty() || now == MonoTime{}) return false;
  Resolution* oldest = scope->begin()->second;
  if (now - oldest->started <= limits::kJostleAfter) return false;
  EndEarly(oldest, EdeCode::kOther, "made room for newer questions");
  return true;
}

bool Resolutions::HasRoom(const Question& q, MonoTime now) {
  const Bounds& bounds = iterator_.settings().bounds;
  if (pending_ >= bounds.pending && !Jostle(&by_age_, now)) return false;
  const size_t per_client = bounds.pending_per_client * (q.verified() ? limits::kVerifiedFactor : 1);
  const auto client = per_client_.find(q.client.address);
  if (client != per_client_.end() && client->second.waiting >= per_client &&
      !Jostle(&client->second.begun, now)) {
    return false;
  }
  const auto agency = per_agency_.find(iterator_.settings().agencies.name(*q.agency));
  const size_t free = bounds.pending - std::min(pending_, bounds.pending);
  const size_t per_agency = std::max(free, limits::kPendingPerAgencyLeast);
  return agency == per_agency_.end() || agency->second.waiting < per_agency ||
         Jostle(&agency->second.begun, now);
}

Resolutions::Joined Resolutions::Join(const Question& q, Now now) {
  std::string key = KeyOf(q, Validates(q));
  // Who asks again for what is in progress pushes nobody out, or repeating would keep the slow ones young.
  if (!HasRoom(q, by_key_.contains(key) ? MonoTime{} : now.mono)) return Joined::kTooMany;
  const auto running = by_key_.find(key);
  if (running == by_key_.end()) {
    Prime(now);
    Resolution* r = Start(std::move(key), q, false, now.mono);
    Wait(r, q);
    r->task.Start();
    return Joined::kWaiting;
  }
  Resolution& r = *running->second;
  Wait(&r, q);
  // Clients before this one were not kept waiting longer either.
  if (r.stale_at.time_since_epoch().count() != 0 && r.stale_at <= now.mono) {
    if (AnswerPtr stale = FromStale(q.sought, q.qtype, r.validate)) GiveAnswer(r, stale);
  }
  return Joined::kWaiting;
}

void Resolutions::Wait(Resolution* r, const Question& q) {
  ++pending_;
  ++per_client_[q.client.address].waiting;
  ++per_agency_[iterator_.settings().agencies.name(*q.agency)].waiting;
  counters_->in_flight_questions.Add();
  waiting_.emplace(q.token, false);
  r->waiting.push_back(q);
  r->waiting.back().asked_under = iterator_.settings_held();
}

Resolutions::Resolution* Resolutions::Start(std::string key, const Question& q, bool refresh, MonoTime now) {
  auto made = std::make_unique<Resolution>(q.spent ? q.spent->Rest() : Budget(now));
  Resolution* r = made.get();
  r->key = std::move(key);
  r->qname = q.sought;
  r->qtype = q.qtype;
  r->validate = Validates(q);
  r->refresh = refresh;
  r->number = ++last_number_;
  r->started = now;
  by_age_.emplace(r->number, r);
  if (!refresh) {
    r->client = q.client.address;
    r->agency = iterator_.settings().agencies.name(*q.agency);
    per_client_[r->client].begun.emplace(r->number, r);
    per_agency_[r->agency].begun.emplace(r->number, r);
  }
  const ServeStale& stale = iterator_.settings().stale;
  if (!refresh && stale.enabled && FromStale(r->qname, r->qtype, r->validate)) {
    r->stale_at = now + stale.client_timeout;
    stale_deadlines_.emplace(r->stale_at, r->key);
  }
  r->task = Drive(r);
  by_key_.emplace(r->key, std::move(made));
  return r;
}

void Resolutions::Prefetch(const Question& q, const Answer& answer) {
  if (!iterator_.settings().prefetch || by_key_.size() >= limits::kPendingQuestions / 2) return;
  const bool due =
      std::any_of(answer.chain.begin(), answer.chain.end(), [](const auto& l) { return l->refresh_due; });
  std::string key = KeyOf(q, Validates(q));
  if (!due || by_key_.contains(key)) return;
  Start(std::move(key), q, true, now_.mono)->task.Start();
}

// RFC 9609: the root's servers as the root itself names them, asked for before that word expires.
void Resolutions::Prime(Now now) {
  if (!iterator_.settings().root_priming || now.mono < next_priming_) return;
  next_priming_ = now.mono + limits::kPrimingPause;
  Question q;
  q.qtype = dns::RRType::kNS;
  const ResponsePtr known = iterator_.FromCache(q.sought, q.qtype, Validates(q));
  std::string key = KeyOf(q, Validates(q));
  if ((known && !known->refresh_due) || by_key_.contains(key)) return;
  Start(std::move(key), q, true, now.mono)->task.Start();
}

bool Resolutions::Probes() const {
  return rollover_ != nullptr && iterator_.settings().rfc5011 && iterator_.settings().validate;
}

void Resolutions::ProbeAnchors() {
  if (probe_ || !Probes()) return;
  auto zone = rollover_->Due(now_.wall);
  if (!zone) return;
  probe_ = std::make_unique<Probe>(*std::move(zone), now_.mono);
  probe_->task = DriveProbe(probe_.get());
  probe_->task.Start();
}

// One server's word is not the zone's: others are asked when it does not verify.
Task<bool> Resolutions::DriveProbe(Probe* probe) {
  std::vector<IpAddress> avoid;
  std::string problem;
  bool verified = false;
  do {
    dns::Name zone = probe->zone;
    std::vector<IpAddress> others = avoid;
    ResponsePtr r = co_await iterator_.FetchElsewhere(std::move(zone), RRType::kDNSKEY, std::move(others),
                                                      probe->budget, 0);
    if (r->kind != ResponseKind::kAnswer) {
      if (avoid.empty()) problem = r->errors.empty() ? "no keys came" : r->errors.front().text;
      break;
    }
    verified = rollover_->Observe(probe->zone, *r->answer.back(), now_.wall);
    if (!r->server) break;
    avoid.push_back(*r->server);
  } while (!verified && avoid.size() <= limits::kOtherServersWhenBogus);
  if (!verified) rollover_->Fail(probe->zone, std::move(problem), now_.wall);
  probe->ended = true;
  co_return verified;
}

Task<bool> Resolutions::Drive(Resolution* r) {
  Chain chain;
  chain.next = r->qname;
  while (!chain.ended) {
    ResponsePtr link;
    if (r->refresh) {
      link = iterator_.FromCache(chain.next, r->qtype, r->validate);
      if (link && link->refresh_due) link = nullptr;
      if (!link) link = co_await iterator_.Refresh(chain.next, r->qtype, r->validate, r->budget, 0);
    } else {
      link = co_await iterator_.Resolve(chain.next, r->qtype, r->validate, r->budget, 0);
    }
    AddLink(chain, std::move(link), r->validate);
  }
  const bool failed = chain.answer.chain.back()->kind == ResponseKind::kFailure;
  r->answer = Finish(std::move(chain));
  // Old data is better than none; a bogus answer is not "none" (RFC 8767 section 4).
  if (failed) {
    if (AnswerPtr stale = FromStale(r->qname, r->qtype, r->validate)) r->answer = std::move(stale);
  }
  ended_.push_back(r->key);
  co_return true;
}

void Resolutions::GiveAnswer(Resolution& r, const AnswerPtr& answer) {
  const auto spent = std::make_shared<const Budget>(r.budget.Rest());
  for (Question& q : r.waiting) {
    q.answer = answer;
    q.spent = spent;
    Release(q);
    done_.push_back(std::move(q));
  }
  r.waiting.clear();
}

void Resolutions::Run() {
  while (auto handle = exchanges().TakeReady()) handle.resume();
  // Ended ones are taken down only here, when none of their coroutines is running.
  for (const std::string& key : std::exchange(ended_, {})) {
    const auto it = by_key_.find(key);
    if (it == by_key_.end()) continue;
    counters_->answers_resolved.Add();
    GiveAnswer(*it->second, it->second->answer);
    TakeDown(it->second.get());
  }
  while (probe_ && probe_->ended) {
    probe_.reset();
    ProbeAnchors();
  }
}

void Resolutions::TakeDown(Resolution* r) {
  stale_deadlines_.erase({r->stale_at, r->key});
  by_age_.erase(r->number);
  if (!r->refresh) {
    const auto client = per_client_.find(r->client);
    client->second.begun.erase(r->number);
    if (client->second.empty()) per_client_.erase(client);
    const auto agency = per_agency_.find(r->agency);
    agency->second.begun.erase(r->number);
    if (agency->second.empty()) per_agency_.erase(agency);
  }
  const std::string key = r->key;
  by_key_.erase(key);
}

void Resolutions::EndEarly(Resolution* r, EdeCode code, const char* text) {
  counters_->refused_load.Add();
  AnswerPtr answer = FromStale(r->qname, r->qtype, r->validate);
  if (!answer) {
    Chain chain;
    Fail(chain, code, text);
    chain.answer.origin = record::Origin::kUpstream;
    answer = Finish(std::move(chain));
  }
  GiveAnswer(*r, answer);
  TakeDown(r);
}

void Resolutions::OnTime(MonoTime now) {
  exchanges().OnTime(now);
  ProbeAnchors();
  while (!stale_deadlines_.empty() && stale_deadlines_.begin()->first <= now) {
    const std::string key = stale_deadlines_.begin()->second;
    stale_deadlines_.erase(stale_deadlines_.begin());
    Resolution& r = *by_key_.at(key);
    if (AnswerPtr stale = FromStale(r.qname, r.qtype, r.validate)) GiveAnswer(r, stale);
  }
}

// The last word on time. Each step keeps to the budget; this holds for the sum of them.
void Resolutions::EndOverdue(MonoTime now) {
  while (!by_age_.empty() && by_age_.begin()->second->started + kOverdue <= now) {
    EndEarly(by_age_.begin()->second, EdeCode::kNoReachableAuthority, "took too long");
  }
  if (probe_ && probe_->started + kOverdue <= now) {
    rollover_->Fail(probe_->zone, "asking for its keys took too long", now_.wall);
    probe_.reset();
  }
}

std::optional<MonoTime> Resolutions::NextDeadline() const {
  std::optional<MonoTime> next = iterator_.exchanges().NextDeadline();
  const auto earlier = [&](MonoTime t) { next = next ? std::min(*next, t) : t; };
  if (!stale_deadlines_.empty()) earlier(stale_deadlines_.begin()->first);
  if (!by_age_.empty()) earlier(by_age_.begin()->second->started + kOverdue);
  if (probe_) {
    earlier(probe_->started + kOverdue);
  } else if (const auto due = Probes() ? rollover_->NextDue() : std::nullopt) {
    // The wall clock may be set meanwhile, so it is looked at often enough.
    earlier(now_.mono + std::clamp<Duration>(*due - now_.wall, Duration(0), kAnchorLook));
  }
  return next;
}

void Resolutions::Release(Question& q) {
  --pending_;
  counters_->in_flight_questions.Sub();
  const auto client = per_client_.find(q.client.address);
  --client->second.waiting;
  if (client->second.empty()) per_client_.erase(client);
  const auto agency = per_agency_.find(q.asked_under->agencies.name(*q.agency));
  --agency->second.waiting;
  if (agency->second.empty()) per_agency_.erase(agency);
  const auto token = waiting_.extract(q.token);
  if (!token.empty() && token.mapped()) q.dropped = true;
}

void Resolutions::Forget(uint64_t token) {
  // The lookup happened and is recorded all the same: the question stays, only its reply goes nowhere.
  if (const auto it = waiting_.find(token); it != waiting_.end()) it->second = true;
}

std::optional<Question> Resolutions::PollDone() {
  if (done_.empty()) return std::nullopt;
  Question q = std::move(done_.front());
  done_.pop_front();
  return q;
}

}  // namespace sekisho::resolver
