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
// A server is given up after so many tries, but one known to be quick, and so asked in quick succession, not
// before this much waiting (or that many tries): a pause of half a second is not the end of it.
constexpr int kUdpTriesPerServer = 3;
constexpr int kUdpTriesAtMost = 6;
constexpr Duration kUdpPatience = std::chrono::milliseconds(1500);
// After so many timeouts in a row nobody waits for a late reply of the server any more.
constexpr int kPatientTimeouts = 8;

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
      cookie_key_(*rng) {}

void Iterator::Configure(std::shared_ptr<const Settings> settings) {
  settings_ = std::move(settings);
  validator_.Configure(settings_);
}

Task<ResponsePtr> Iterator::Fetch(dns::Name name, RRType type, Budget& budget, int depth) {
  if (type == RRType::kDS && !FromCache(name, type, false)) {
    const CacheEntryPtr proof = cache_->Find(name, type, Slot::kReferral);
    if (proof && proof->expires > now_->mono) co_return FromEntry(*proof, name, type);
  }
  ResponsePtr response = co_await Resolve(std::move(name), type, false, budget, depth);
  co_return response;
}

Task<ResponsePtr> Iterator::Resolve(dns::Name name, RRType type, bool validate, Budget& budget, int depth) {
  if (ResponsePtr cached = FromCache(name, type, validate)) co_return cached;
  if (validate) {
    // Cached but not judged yet: judge it without asking again.
    if (ResponsePtr unjudged = FromCache(name, type, false)) {
      ResponsePtr judged = co_await ValidateCached(std::move(unjudged), budget, depth);
      co_return judged;
    }
  }
  if (ResponsePtr failed = KnownFailure(name, type)) co_return failed;
  ResponsePtr fresh = co_await Refresh(name, type, validate, budget, depth);
  co_return fresh;
}

Task<ResponsePtr> Iterator::Refresh(dns::Name name, RRType type, bool validate, Budget& budget, int depth) {
  if (depth > limits::kDepth) {
    co_return std::make_shared<const Response>(
        Failure(name, type, EdeCode::kOther, "sub-questions nest too deep"));
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
  }
  co_return std::make_shared<const Response>(std::move(response));
}

void Iterator::Keep(Response* response) {
  if (response->kind == ResponseKind::kFailure) return StoreFailure(*response);
  BoundTtls(response);
  Store(*response, true);
}

Task<Iterator::Found> Iterator::IterateUntilValid(dns::Name name, RRType type, Budget& budget, int depth) {
  std::vector<IpAddress> avoid;
  std::optional<Found> first;
  while (true) {
    Found found = co_await Iterate(name, type, avoid, budget, depth);
    if (found.response.kind != ResponseKind::kFailure) {
      const bool may_be_better = co_await validator_.Validate(&found.response, budget, depth);
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
  response.from_cache = true;
  co_return std::make_shared<const Response>(std::move(response));
}

Task<Iterator::Found> Iterator::Iterate(dns::Name name, RRType type, const std::vector<IpAddress>& avoid,
                                        Budget& budget, int depth) {
  FetchState state;
  state.avoid = &avoid;
  state.qname = name;
  state.qtype = type;
  state.give_up = std::min(budget.deadline(), now_->mono + kFetchTime);
  // DS lives on the parent's side of the cut (RFC 4035 section 3.1.4.1).
  const dns::NameView start = type == RRType::kDS && !name.IsRoot() ? name.view().Parent() : name.view();
  state.cut = FindZoneCut(start, *cache_, *settings_, now_->mono);
  if (auto configured = FindConfiguredZone(start, state.cut.zone, *settings_))
    state.cut = std::move(*configured);
  ResetCandidates(state);

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
      state.cut = FindZoneCut(start, *cache_, *settings_, now_->mono);
      state.give_up = std::min(budget.deadline(), now_->mono + kFetchTime);
      ResetCandidates(state);
      continue;
    }
    if (full) {
      Response failed = Failure(name, type, EdeCode::kNoReachableAuthority,
                                "no usable answer for " + state.cut.zone.ToString());
      if (!state.errors.empty()) failed.errors = state.errors;
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

void Iterator::ResetCandidates(FetchState& state) const {
  state.parent_glue = false;
  state.candidates.clear();
  for (const auto& server : state.cut.servers) AddCandidates(state, server);
}

void Iterator::AddCandidates(FetchState& state, const ZoneCut::Server& server) {
  for (const Endpoint& a : server.addresses) {
    const bool there = std::any_of(state.candidates.begin(), state.candidates.end(),
                                   [&](const Candidate& c) { return c.address == a; });
    if (there) continue;
    const auto& avoid = *state.avoid;
    const bool out = std::find(avoid.begin(), avoid.end(), a.address) != avoid.end();
    state.candidates.push_back(Candidate{.address = a, .out = out});
  }
}

Duration Iterator::TimeoutFor(const Candidate& candidate) const {
  if (candidate.tcp) return limits::kTcpTimeout;
  const ServerState* known = servers_.Peek(candidate.address.address);
  const Duration base = known != nullptr ? known->Timeout() : limits::kFirstTimeout;
  return std::min(base * (1 << candidate.tries), limits::kMaxTimeout);
}

// The server expected to answer soonest; tries in this fetch and dead times count against it. Now and then
// another one, so that a recovered server is found again.
std::optional<size_t> Iterator::PickServer(const FetchState& state) {
  std::vector<size_t> usable;
  size_t best = 0;
  Duration best_score = Duration::max();
  for (size_t i = 0; i < state.candidates.size(); ++i) {
    const Candidate& c = state.candidates[i];
    if (c.out) continue;
    const ServerState* known = servers_.Peek(c.address.address);
    Duration score;
    if (known == nullptr || known->srtt.count() == 0) {
      score = std::chrono::milliseconds(20 + rng_->Below(150));
    } else {
      score = known->Timeout();
    }
    score += c.tries * limits::kFirstTimeout;
    if (known != nullptr && known->timeouts > 0) score += known->timeouts * limits::kFirstTimeout;
    if (known != nullptr && known->retry_after > now_->mono) score += std::chrono::seconds(10);
    if (known != nullptr && known->IsLame(state.cut.zone, now_->mono)) score += std::chrono::seconds(20);
    if (score < best_score) {
      best_score = score;
      best = i;
    }
    if (score < std::chrono::seconds(1)) usable.push_back(i);
  }
  if (best_score == Duration::max()) return std::nullopt;
  if (usable.size() > 1 && rng_->Below(20) == 0)
    return usable[rng_->Below(static_cast<uint32_t>(usable.size()))];
  return best;
}

Task<Classified> Iterator::AskZone(FetchState& state, dns::Name qname, RRType qtype, Budget& budget,
                                   int depth) {
  Classified at_least;  // the answer of a server that should not be believed before the others
  while (now_->mono < state.give_up && !budget.Expired(now_->mono)) {
    std::optional<size_t> picked = PickServer(state);
    const bool tried = picked && state.candidates[*picked].tries > 0;
    if (!picked || tried) {
      const bool more = co_await AddServerAddresses(state, budget, depth);
      if (more) continue;
    }
    if (!picked && AddParentGlue(state)) continue;
    if (!picked) {
      if (at_least.last_resort || !MayComeLate(state, qname, qtype)) break;
      Classified late = co_await AwaitLate(state, qname, qtype, budget);
      if (late.kind == ReplyKind::kResponse || late.kind == ReplyKind::kReferral) co_return late;
      // It may have sent us to TCP.
      if (!PickServer(state)) break;
      continue;
    }
    if (state.queries >= limits::kUpstreamQueriesPerFetch || !budget.TakeQuery()) {
      state.errors.push_back({EdeCode::kOther, "query budget used up"});
      break;
    }
    ++state.queries;
    Classified c = co_await AskServer(state, *picked, qname, qtype, budget);
    if (c.kind == ReplyKind::kResponse || c.kind == ReplyKind::kReferral) co_return c;
    if (c.last_resort && !at_least.last_resort) at_least = std::move(c);
  }
  if (at_least.last_resort) {
    at_least.kind = ReplyKind::kResponse;
    state.errors.clear();
    co_return at_least;
  }
  // What each server said comes after what follows from it; a spent budget speaks for itself.
  const bool spent = std::any_of(state.errors.begin(), state.errors.end(),
                                 [](const auto& e) { return e.code == EdeCode::kOther; });
  if (!spent) {
    state.errors.insert(state.errors.begin(),
                        {EdeCode::kNoReachableAuthority, "at delegation " + state.cut.zone.ToString()});
  }
  co_return at_least;
}

std::vector<uint8_t> Iterator::CookieFor(const Candidate& candidate) const {
  const IpAddress& address = candidate.address.address;
  const ServerState* known = servers_.Peek(address);
  if (!settings_->cookies.upstream || !candidate.cookie || !candidate.edns) return {};
  if (known != nullptr && known->no_cookies_until > now_->mono) return {};
  // Who has said nothing twice may be one that drops what it does not know.
  if (candidate.tries >= 2 && (known == nullptr || known->cookie.empty())) return {};
  // Another one for each server, so that none can pass for another (RFC 9018 section 3).
  const uint64_t own = cookie_key_.Strong(address.mapped());
  std::vector<uint8_t> cookie;
  for (int shift = 56; shift >= 0; shift -= 8) cookie.push_back(static_cast<uint8_t>(own >> shift));
  if (known != nullptr) cookie.insert(cookie.end(), known->cookie.begin(), known->cookie.end());
  return cookie;
}

ExchangeRequest Iterator::RequestFor(const FetchState& state, const Candidate& candidate, dns::NameView qname,
                                     RRType qtype) const {
  ExchangeRequest request;
  request.zone = state.cut.zone;
  request.qname = qname;
  request.qtype = qtype;
  request.server = candidate.address;
  request.rd = state.cut.forward;
  request.tcp = candidate.tcp;
  request.edns = candidate.edns;
  request.udp_size = settings_->upstream_edns_size;
  const Duration left = std::max(state.give_up - now_->mono, limits::kMinTimeout);
  request.timeout = std::min(TimeoutFor(candidate), left);
  request.linger = left;
  const ServerState* known = servers_.Peek(candidate.address.address);
  request.mix_case = settings_->mix_case && (known == nullptr || known->keeps_case);
  return request;
}

Task<Classified> Iterator::AskServer(FetchState& state, size_t index, const dns::Name& qname, RRType qtype,
                                     Budget& budget) {
  ExchangeRequest request = RequestFor(state, state.candidates[index], qname, qtype);
  const std::vector<uint8_t> cookie = CookieFor(state.candidates[index]);
  request.cookie = cookie;
  ExchangeResult result = co_await exchanges_.Ask(request, now_->mono);
  // The list may have grown while waiting, but only at its end.
  Candidate* candidate = &state.candidates[index];
  if (candidate->tcp && ++state.tcp_tries > limits::kTcpTriesPerFetch) candidate->out = true;
  if (result.late) {
    const auto asked = std::find_if(state.candidates.begin(), state.candidates.end(),
                                    [&](const Candidate& c) { return c.address == result.server; });
    if (asked != state.candidates.end()) candidate = &*asked;
  }
  NoteOutcome(result, *candidate);
  co_return TakeReply(state, result, *candidate, qname, qtype, budget);
}

Classified Iterator::TakeReply(FetchState& state, const ExchangeResult& result, Candidate& candidate,
                               const dns::Name& qname, RRType qtype, Budget& budget) {
  Classified c;
  if (result.outcome != ExchangeOutcome::kReply) return c;
  if (!budget.TakeBytes(result.reply->packet.size())) {
    state.give_up = now_->mono;
    return c;
  }
  // Asked once more with what it has just given, then over TCP, and that is all (CVE-2026-5950, row D19).
  if (result.cookie_sent && result.reply->message.rcode() == dns::Rcode::kBadCookie && !candidate.tcp) {
    if (++candidate.bad_cookies > 1 || result.server_cookie.empty()) candidate.tcp = true;
    return c;
  }
  const Asked question{.zone = state.cut.zone,
                       .qname = qname,
                       .qtype = qtype,
                       .edns = candidate.edns,
                       .forward = state.cut.forward,
                       .harden_glue = settings_->harden_glue};
  c = Classify(result.reply->message, question);
  // One forged DNAME would take a whole subtree: unsigned, it is believed over TCP only (row P17).
  if (c.kind == ReplyKind::kResponse && !candidate.tcp && !c.response.answer.empty() &&
      c.response.answer.front()->type == RRType::kDNAME && c.response.answer.front()->signatures.empty()) {
    c.kind = ReplyKind::kTruncated;
  }
  // It knows EDNS and stumbles over the option.
  if (c.kind == ReplyKind::kNoEdns && result.cookie_sent && result.reply->message.edns() &&
      candidate.cookie) {
    candidate.cookie = false;
    if (!result.joined) servers_.RefusesCookies(result.server.address, now_->mono);
    return c;
  }
  c.response.server = candidate.address.address;
  NoteReply(state, candidate, c);
  return c;
}

bool Iterator::MayComeLate(const FetchState& state, dns::NameView qname, RRType qtype) const {
  return std::any_of(state.candidates.begin(), state.candidates.end(), [&](const Candidate& c) {
    const ServerState* known = servers_.Peek(c.address.address);
    // Who has been silent for long gets no more patience than the tries themselves.
    return !c.tcp && (known == nullptr || known->timeouts <= kPatientTimeouts) &&
           exchanges_.Lingers(RequestFor(state, c, qname, qtype));
  });
}

Task<Classified> Iterator::AwaitLate(FetchState& state, const dns::Name& qname, RRType qtype,
                                     Budget& budget) {
  Classified nothing;
  for (size_t i = 0; i < state.candidates.size(); ++i) {
    ExchangeRequest request = RequestFor(state, state.candidates[i], qname, qtype);
    if (request.tcp || !exchanges_.Lingers(request)) continue;
    request.wait_only = true;
    request.timeout = std::max(state.give_up - now_->mono, Duration(1));
    ExchangeResult result = co_await exchanges_.Ask(request, now_->mono);
    if (result.outcome != ExchangeOutcome::kReply) co_return nothing;
    Candidate& candidate = state.candidates[i];
    NoteOutcome(result, candidate);
    co_return TakeReply(state, result, candidate, qname, qtype, budget);
  }
  co_return nothing;
}

// A server that does not keep the case and has no TCP either is asked once more as everybody asks it.
bool Iterator::FallBackToPlain(Candidate& candidate) {
  if (!candidate.tcp || !candidate.loses_case) return false;
  candidate.loses_case = false;
  candidate.tcp = false;
  candidate.tries = 0;
  return true;
}

// What the wait itself says about the server. Only a matched reply, silence or the network's own word count.
void Iterator::NoteOutcome(const ExchangeResult& result, Candidate& candidate) {
  switch (result.outcome) {
    case ExchangeOutcome::kReply:
      if (result.joined) break;
      servers_.OnReply(result.server.address, result.rtt);
      NoteCookies(result, candidate);
      break;
    case ExchangeOutcome::kTimeout:
      if (!result.joined) servers_.OnTimeout(candidate.address.address, now_->mono);
      ++candidate.tries;
      candidate.waited += result.rtt;
      if (FallBackToPlain(candidate)) break;
      candidate.out = candidate.tcp || candidate.tries >= kUdpTriesAtMost ||
                      (candidate.tries >= kUdpTriesPerServer && candidate.waited >= kUdpPatience);
      break;
    case ExchangeOutcome::kUnreachable:
    case ExchangeOutcome::kClosed:
      if (!result.joined) servers_.OnTimeout(candidate.address.address, now_->mono);
      candidate.tries += 2;
      if (FallBackToPlain(candidate)) break;
      if (candidate.tcp || candidate.tries >= kUdpTriesPerServer) candidate.out = true;
      break;
    case ExchangeOutcome::kNoSocket:
      ++candidate.tries;
      if (candidate.tries >= kUdpTriesPerServer) candidate.out = true;
      break;
    case ExchangeOutcome::kSuspicious:
      // Who guessed ID and port would have copied the case as well: it is the server that does not keep it.
      if (result.case_changed && !result.joined) {
        servers_.Get(candidate.address.address).keeps_case = false;
        candidate.loses_case = true;
      }
      candidate.tcp = true;
      break;
  }
}

void Iterator::NoteCookies(const ExchangeResult& result, Candidate& candidate) {
  if (result.cookie_sent) {
    servers_.NoteCookie(result.server.address, result.server_cookie, candidate.tcp);
  } else if (candidate.tries >= 2 && !result.late && candidate.cookie && candidate.edns && !candidate.tcp &&
             settings_->cookies.upstream) {
    // Silent with the option, it spoke without.
    servers_.RefusesCookies(result.server.address, now_->mono);
  }
}

// What the reply says about the server; true when it is of use.
bool Iterator::NoteReply(FetchState& state, Candidate& candidate, const Classified& c) {
  const std::string server = candidate.address.address.ToString();
  switch (c.kind) {
    case ReplyKind::kResponse:
    case ReplyKind::kReferral:
      return true;
    case ReplyKind::kTruncated:
      candidate.out = candidate.tcp;
      candidate.tcp = true;
      return false;
    case ReplyKind::kNoEdns:
      candidate.edns = false;
      return false;
    case ReplyKind::kLame:
      servers_.MarkLame(candidate.address.address, state.cut.zone, now_->mono);
      state.errors.push_back(
          {EdeCode::kNetworkError, server + " does not serve " + state.cut.zone.ToString()});
      candidate.out = true;
      return false;
    case ReplyKind::kServerError:
    case ReplyKind::kUseless:
      state.errors.push_back({EdeCode::kNetworkError, server + " said " + ToString(c.response.rcode) +
                                                          " for " + state.cut.zone.ToString()});
      candidate.out = true;
      return false;
  }
  return false;
}

// When no address leads anywhere: those that the servers have in the delegations of their own zones, whose
// parents may know better than a zone that is broken itself. True when there is a new one.
bool Iterator::AddParentGlue(FetchState& state) const {
  if (std::exchange(state.parent_glue, true)) return false;
  const size_t before = state.candidates.size();
  for (const ZoneCut::Server& server : state.cut.servers) {
    AddCandidates(state,
                  {.name = server.name, .addresses = GlueOf(server.name, *cache_, *settings_, now_->mono)});
  }
  return state.candidates.size() > before;
}

Task<bool> Iterator::AddServerAddresses(FetchState& state, Budget& budget, int depth) {
  for (size_t i = 0; i < state.cut.servers.size(); ++i) {
    if (state.cut.servers[i].looked_up || state.lookup_failures >= limits::kNsLookupFailures) continue;
    state.cut.servers[i].looked_up = true;
    if (!state.cut.servers[i].addresses.empty()) continue;
    const dns::Name name = state.cut.servers[i].name;
    // Its address would have to come from itself.
    if (name.view().IsAtOrBelow(state.cut.zone) && state.candidates.empty()) continue;
    if (!budget.EnterName(name)) continue;  // already being looked up for this question: a loop (row D03)
    std::vector<RRType> types;
    if (settings_->ipv4) types.push_back(RRType::kA);
    if (settings_->ipv6) types.push_back(RRType::kAAAA);
    for (const RRType type : types) {
      ResponsePtr response = co_await Resolve(name, type, false, budget, depth + 1);
      if (response->kind != ResponseKind::kAnswer) continue;
      for (auto rdata : response->answer.back()->rdata) {
        const auto a = IpAddress::FromRdata(rdata);
        auto& addresses = state.cut.servers[i].addresses;
        if (a && MayAsk(*a, *settings_) && addresses.size() < limits::kAddressesPerNs) {
          addresses.push_back({*a, settings_->upstream_port});
        }
      }
      if (!state.cut.servers[i].addresses.empty()) break;
    }
    budget.LeaveName(name);
    if (state.cut.servers[i].addresses.empty()) {
      ++state.lookup_failures;
      continue;
    }
    AddCandidates(state, state.cut.servers[i]);
    co_return true;
  }
  co_return false;
}

}  // namespace sekisho::resolver
