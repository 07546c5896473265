#include "resolver/core/iterator/iterator.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {
namespace {

using dns::EdeCode;
using dns::RRType;

// One fetch gives up after this long, so that a client hears of dead servers before it stops listening.
constexpr Duration kFetchTime = std::chrono::milliseconds(4500);
Response Failure(const dns::Name& name, RRType type, EdeCode code, std::string text) {
  Response r;
  r.qname = name;
  r.qtype = type;
  r.security = Security::kInsecure;
  r.errors.push_back({code, std::move(text)});
  return r;
}

// The next name to ask for on the way down: one label more than the cut for the first steps, then in leaps,
// so that even the deepest name is reached in kMinimiseSteps (RFC 9156 section 2.3).
int NextLabels(int known, int all, int step) {
  if (step >= limits::kMinimiseSteps) return all;
  if (step < limits::kMinimiseOneLabel) return std::min(known + 1, all);
  const int left = limits::kMinimiseSteps - step;
  return std::min(known + std::max(1, (all - known + left - 1) / left), all);
}

}  // namespace

Iterator::Iterator(RrsetCache* cache, Rng* rng, Counters* counters, const Now* now)
    : cache_(cache),
      rng_(rng),
      now_(now),
      servers_(KeyedHash(*rng)),
      exchanges_(rng, counters),
      validator_(this),
      cookie_key_(*rng),
      zone_quota_(KeyedHash(*rng), limits::kFetchesLeast),
      server_quota_(KeyedHash(*rng), limits::kFetchesPerServerLeast) {}

void Iterator::Configure(std::shared_ptr<const Settings> settings) {
  settings_ = std::move(settings);
  validator_.Configure(settings_);
  zone_quota_.SetMost(settings_->bounds.fetches_per_zone);
  server_quota_.SetMost(settings_->bounds.fetches_per_server);
}

ResponsePtr Iterator::Peek(dns::NameView name, RRType type) const {
  ResponsePtr cached = FromCache(name, type, false);
  if (cached || type != RRType::kDS) return cached;
  const CacheEntryPtr proof = cache_->Find(name, type, Slot::kReferral);
  return proof && proof->expires > now_->mono ? FromEntry(*proof, name, type) : nullptr;
}

Task<ResponsePtr> Iterator::Fetch(dns::Name name, RRType type, Budget& budget, int depth) {
  if (type == RRType::kDS) {
    if (ResponsePtr known = Peek(name, type)) co_return known;
  }
  ResponsePtr response = co_await Resolve(std::move(name), type, false, budget, depth);
  co_return response;
}

Task<ResponsePtr> Iterator::Resolve(dns::Name name, RRType type, bool validate, Budget& budget, int depth) {
  if (ResponsePtr cached = FromCache(name, type, false)) {
    if (!validate || cached->security != Security::kUnchecked) co_return cached;
    // Cached but not judged yet: judge it without asking again.
    ResponsePtr judged = co_await ValidateCached(std::move(cached), budget, depth);
    co_return judged;
  }
  if (ResponsePtr denied = co_await FromDenials(name, type, validate, budget, depth)) co_return denied;
  if (ResponsePtr failed = KnownFailure(name, type)) co_return failed;
  ResponsePtr fresh = co_await Refresh(name, type, validate, budget, depth);
  co_return fresh;
}

Task<ResponsePtr> Iterator::Refresh(dns::Name name, RRType type, bool validate, Budget& budget, int depth) {
  if (depth > limits::kDepth) {
    co_return std::make_shared<const Response>(
        Failure(name, type, EdeCode::kOther, "sub-questions nest too deep"));
  }
  if (auto why = validate ? validator_.Hopeless(name, type) : std::nullopt) {
    Response hopeless = Failure(name, type, why->code, std::move(why->text));
    hopeless.security = Security::kBogus;
    co_return std::make_shared<const Response>(std::move(hopeless));
  }
  const std::vector<IpAddress> nobody;
  Found found;
  if (validate) {
    found = co_await IterateUntilValid(name, type, budget, depth);
  } else {
    found = co_await Iterate(name, type, nobody, budget, depth);
  }
  Response& response = found.response;
  Keep(&response);
  for (Response& link : found.further) {
    if (response.security == Security::kBogus || !MayKeepLink(link)) break;
    if (validate) {
      [[maybe_unused]] const bool judged = co_await validator_.Validate(&link, budget, depth);
    }
    BoundTtls(&link);
    Store(link, true);
    NoteProofs(link);
  }
  // What is signed in it is kept and answers from now on; the reply itself was changed by somebody.
  if (response.altered && response.security == Security::kSecure) {
    Response refused = Failure(name, type, EdeCode::kDnssecBogus,
                               name.ToString() + ": the reply's CNAME is not what its DNAME makes");
    refused.security = Security::kBogus;
    co_return std::make_shared<const Response>(std::move(refused));
  }
  co_return std::make_shared<const Response>(std::move(response));
}

void Iterator::Keep(Response* response) {
  if (response->kind == ResponseKind::kFailure) {
    // What we had no room for says nothing about the name.
    if (!response->own_limit) StoreFailure(*response);
    return;
  }
  BoundTtls(response);
  Store(*response, true);
  NoteProofs(*response);
  if (response->qname.IsRoot() && response->qtype == RRType::kNS)
    StoreRoot(*response, *cache_, *settings_, *now_);
}

Task<Iterator::Found> Iterator::IterateUntilValid(dns::Name name, RRType type, Budget& budget, int depth) {
  std::vector<IpAddress> avoid;
  std::optional<Found> first;
  while (true) {
    Found found = co_await Iterate(name, type, avoid, budget, depth);
    if (found.response.kind != ResponseKind::kFailure) {
      bool may_be_better = co_await validator_.Validate(&found.response, budget, depth);
      may_be_better |= found.response.altered && found.response.security == Security::kSecure;
      if (!may_be_better && (!first || found.response.security != Security::kBogus)) co_return found;
    }
    const std::optional<IpAddress> server = found.response.server;
    if (!first) first = std::move(found);
    if (!server || avoid.size() >= limits::kOtherServersWhenBogus || budget.Expired(now_->mono)) break;
    avoid.push_back(*server);
  }
  co_return std::move(*first);
}

Task<ResponsePtr> Iterator::FetchElsewhere(dns::Name name, RRType type, std::vector<IpAddress> avoid,
                                           Budget& budget, int depth) {
  Found found = co_await Iterate(std::move(name), type, avoid, budget, depth);
  if (found.response.kind != ResponseKind::kFailure) Keep(&found.response);
  co_return std::make_shared<const Response>(std::move(found.response));
}

bool Iterator::MayKeepLink(const Response& link) const {
  if (const auto configured = FindConfiguredZone(link.qname, link.zone, *settings_)) {
    return configured->zone == link.zone;
  }
  return FindZoneCut(link.qname, *cache_, *settings_, now_->mono).zone.view().LabelCount() <=
         link.zone.view().LabelCount();
}

Task<ResponsePtr> Iterator::ValidateCached(ResponsePtr cached, Budget& budget, int depth) {
  Response response = *cached;
  if (response.kind == ResponseKind::kFailure) co_return cached;
  [[maybe_unused]] const bool judged = co_await validator_.Validate(&response, budget, depth);
  Store(response, true);
  NoteProofs(response);
  response.from_cache = true;
  co_return std::make_shared<const Response>(std::move(response));
}

void Iterator::SetOut(FetchState& state, bool configured_zones, const Budget& budget) const {
  state.give_up = std::min(budget.deadline(), now_->mono + kFetchTime);
  // DS lives on the parent's side of the cut (RFC 4035 section 3.1.4.1).
  const dns::NameView name = state.qname;
  const dns::NameView start = state.qtype == RRType::kDS && !name.IsRoot() ? name.Parent() : name;
  state.cut = FindZoneCut(start, *cache_, *settings_, now_->mono);
  if (configured_zones) {
    auto configured = FindConfiguredZone(start, state.cut.zone, *settings_);
    if (configured) state.cut = std::move(*configured);
  }
  ResetCandidates(state);
}

Task<Iterator::Found> Iterator::Iterate(dns::Name name, RRType type, const std::vector<IpAddress>& avoid,
                                        Budget& budget, int depth) {
  FetchState state;
  state.avoid = &avoid;
  state.qname = name;
  state.qtype = type;
  SetOut(state, true, budget);

  const int all = name.view().LabelCount();
  int known = state.cut.zone.view().LabelCount();  // labels known to exist, at least
  int step = 0;
  bool minimise = settings_->qname_minimisation && !state.cut.forward;
  bool whole = false;  // this zone was asked enough of shortened questions
  for (int referrals = 0; referrals <= limits::kReferrals;) {
    const int labels = minimise && !whole ? NextLabels(known, all, step) : all;
    const bool full = labels == all;
    const dns::Name asked = full ? name : dns::Name(name.view().Suffix(labels));
    const RRType asked_type = full ? type : settings_->minimise_type;
    if (!full) {
      // What is known of the name between need not be asked.
      if (const ResponsePtr cached = FromCache(asked, asked_type, false);
          cached && cached->kind != ResponseKind::kFailure && cached->kind != ResponseKind::kNxdomain) {
        known = labels;
        ++step;
        continue;
      }
    }
    Classified c = co_await AskZone(state, asked, asked_type, budget, depth);
    if (c.kind == ReplyKind::kReferral) {
      ++referrals;
      ++step;
      StoreReferral(c.referral, state.cut.zone, *cache_, *settings_, *now_);
      state.cut = CutFromReferral(c.referral, *cache_, *settings_, now_->mono);
      whole = false;
      known = state.cut.zone.view().LabelCount();
      ResetCandidates(state);
      continue;
    }
    if (full && c.kind == ReplyKind::kResponse) co_return Found{std::move(c.response), std::move(c.further)};
    if (full && state.cut.fallback) {
      SetOut(state, false, budget);
      continue;
    }
    if (full) {
      Response failed = Failure(name, type, EdeCode::kNoReachableAuthority,
                                "no usable answer for " + state.cut.zone.ToString());
      if (!state.errors.empty()) failed.errors = state.errors;
      failed.own_limit = state.refused;
      co_return Found{std::move(failed), {}};
    }
    ++step;
    // Relaxed minimisation: a server that denies or fails the shortened question is asked the whole one.
    if (c.kind != ReplyKind::kResponse || c.response.kind == ResponseKind::kNxdomain) {
      minimise = false;
      if (c.kind != ReplyKind::kResponse) ResetCandidates(state);
      continue;
    }
    if (c.response.kind == ResponseKind::kNodata) Store(c.response, c.authoritative);
    known = labels;
    // With NS as the type, one shortened question tells each zone's servers enough: no cut there, so the rest
    // is asked whole.
    whole = settings_->minimise_type == RRType::kNS;
  }
  co_return Found{Failure(name, type, EdeCode::kOther, "too many referrals"), {}};
}

}  // namespace sekisho::resolver
