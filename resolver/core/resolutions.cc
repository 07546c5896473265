#include "resolver/core/resolutions.h"

#include <algorithm>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {
namespace {

using dns::EdeCode;
using dns::RRType;

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

Resolutions::Resolutions(RrsetCache* cache, Rng* rng, Counters* counters)
    : counters_(counters),
      iterator_(cache, rng, counters, &now_),
      by_key_(0, Hasher{KeyedHash(*rng)}),
      per_client_(0, Hasher{KeyedHash(*rng)}) {}

Resolutions::~Resolutions() = default;

void Resolutions::Configure(std::shared_ptr<const Settings> settings) {
  iterator_.Configure(std::move(settings));
}

bool Resolutions::Validates(const Question& q) const { return iterator_.settings().validate && !q.cd; }

AnswerPtr Resolutions::FromCache(const Question& q) {
  const bool validate = Validates(q);
  Chain chain;
  chain.next = q.qname;
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

std::string Resolutions::KeyOf(const Question& q, bool validate) {
  std::string key = q.qname.LowercaseBytes();
  const auto type = static_cast<uint16_t>(q.qtype);
  key.push_back(static_cast<char>(type >> 8));
  key.push_back(static_cast<char>(type));
  key.push_back(validate ? 'v' : 'c');
  return key;
}

Resolutions::Joined Resolutions::Join(const Question& q, Now now) {
  if (pending_ >= limits::kPendingQuestions) return Joined::kTooMany;
  size_t& of_client = per_client_[q.client.address];
  if (of_client >= limits::kPendingPerClient) return Joined::kTooMany;
  ++of_client;
  ++pending_;
  counters_->in_flight_questions.Add();
  waiting_.emplace(q.token, false);

  std::string key = KeyOf(q, Validates(q));
  const auto running = by_key_.find(key);
  if (running != by_key_.end()) {
    Resolution& r = *running->second;
    // Clients before this one were not kept waiting longer either.
    if (r.stale_at.time_since_epoch().count() != 0 && r.stale_at <= now.mono) {
      if (AnswerPtr stale = FromStale(q.qname, q.qtype, r.validate)) {
        done_.push_back(q);
        done_.back().answer = std::move(stale);
        Release(done_.back());
        return Joined::kWaiting;
      }
    }
    r.waiting.push_back(q);
    return Joined::kWaiting;
  }
  Resolution* r = Start(std::move(key), q, false, now.mono);
  r->waiting.push_back(q);
  r->task.Start();
  return Joined::kWaiting;
}

Resolutions::Resolution* Resolutions::Start(std::string key, const Question& q, bool refresh, MonoTime now) {
  auto made = std::make_unique<Resolution>(now);
  Resolution* r = made.get();
  r->key = std::move(key);
  r->qname = q.qname;
  r->qtype = q.qtype;
  r->validate = Validates(q);
  r->refresh = refresh;
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
  for (Question& q : r.waiting) {
    q.answer = answer;
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
    counters_->answers_resolved.Add();
    GiveAnswer(*it->second, it->second->answer);
    stale_deadlines_.erase({it->second->stale_at, key});
    by_key_.erase(it);
  }
}

void Resolutions::OnTime(MonoTime now) {
  exchanges().OnTime(now);
  while (!stale_deadlines_.empty() && stale_deadlines_.begin()->first <= now) {
    const std::string key = stale_deadlines_.begin()->second;
    stale_deadlines_.erase(stale_deadlines_.begin());
    Resolution& r = *by_key_.at(key);
    if (AnswerPtr stale = FromStale(r.qname, r.qtype, r.validate)) GiveAnswer(r, stale);
  }
}

std::optional<MonoTime> Resolutions::NextDeadline() const {
  const auto wire = iterator_.exchanges().NextDeadline();
  if (stale_deadlines_.empty()) return wire;
  const MonoTime stale = stale_deadlines_.begin()->first;
  return wire ? std::min(*wire, stale) : stale;
}

void Resolutions::Release(Question& q) {
  --pending_;
  counters_->in_flight_questions.Sub();
  const auto it = per_client_.find(q.client.address);
  if (it != per_client_.end() && --it->second == 0) per_client_.erase(it);
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
