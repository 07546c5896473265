// The part of Iterator that asks one zone: which of its servers, how, and what their silence or words say of
// them.
#include <algorithm>
#include <optional>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/iterator/iterator.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {
namespace {

using dns::EdeCode;
using dns::RRType;

// A server is given up after so many tries, but one known to be quick, and so asked in quick succession, not
// before this much waiting (or that many tries): a pause of half a second is not the end of it.
constexpr int kUdpTriesPerServer = 3;
constexpr int kUdpTriesAtMost = 6;
constexpr Duration kUdpPatience = std::chrono::milliseconds(1500);
// After so many timeouts in a row nobody waits for a late reply of the server any more.
constexpr int kPatientTimeouts = 8;
// Servers without glue whose addresses the parent is asked for.
constexpr size_t kGlueNames = 2;

}  // namespace

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
  FetchQuota::Slot slot = zone_quota_.Take(state.cut.zone.LowercaseBytes());
  if (!slot) {
    Refuse(state);
    co_return at_least;
  }
  int asked = 0;
  for (; now_->mono < state.give_up && !budget.Expired(now_->mono);) {
    std::optional<size_t> picked = PickServer(state);
    const bool tried = picked && state.candidates[*picked].tries > 0;
    if (!picked || tried) {
      const bool more = co_await AddServerAddresses(state, !picked, budget, depth);
      if (more) continue;
    }
    if (!picked && AddParentGlue(state)) continue;
    if (!picked) {
      const bool found = co_await AskParentForGlue(state, budget, depth);
      if (found) continue;
    }
    if (!picked) {
      // There may be something better to do than to wait: the whole question, or the way from the root.
      const bool last = !state.cut.fallback && qname == state.qname && qtype == state.qtype;
      if (!last || at_least.last_resort || !MayComeLate(state, qname, qtype)) break;
      Classified late = co_await AwaitLate(state, qname, qtype, budget);
      if (late.kind == ReplyKind::kResponse || late.kind == ReplyKind::kReferral) co_return late;
      // It may have sent us to TCP.
      if (!PickServer(state)) break;
      continue;
    }
    if (asked > 0 && slot.Surplus()) {
      // Nothing more is sent; what was sent may still be answered.
      Refuse(state);
      Classified late = co_await AwaitLate(state, qname, qtype, budget);
      if (late.kind == ReplyKind::kResponse || late.kind == ReplyKind::kReferral) co_return late;
      break;
    }
    if (state.queries >= limits::kUpstreamQueriesPerFetch || !budget.TakeQuery()) {
      state.errors.push_back({EdeCode::kOther, "query budget used up"});
      break;
    }
    ++state.queries;
    ++asked;
    Classified c = co_await AskServer(state, *picked, qname, qtype, budget);
    if (c.kind == ReplyKind::kResponse || c.kind == ReplyKind::kReferral) co_return c;
    if (c.last_resort && !at_least.last_resort) at_least = std::move(c);
  }
  if (at_least.last_resort) {
    at_least.kind = ReplyKind::kResponse;
    state.errors.clear();
    ResetCandidates(state);  // the next question may be another one's to answer
    co_return at_least;
  }
  // What each server said comes after what follows from it. A bound of ours that was reached before anybody
  // was asked speaks for itself.
  const bool bounded = std::any_of(state.errors.begin(), state.errors.end(),
                                   [](const auto& e) { return e.code == EdeCode::kOther; });
  if (!bounded || (asked > 0 && !state.refused)) {
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
  FetchQuota::Slot slot = server_quota_.Take(ServerKey(state.candidates[index].address.address));
  if (!slot) {
    state.candidates[index].out = true;
    Refuse(state);
    Classified none;
    co_return none;
  }
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
  NoteLoad(state, result);
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
                       .beside = !settings_->minimal_responses || (qname.IsRoot() && qtype == RRType::kNS),
                       .ns_in_denials = settings_->ns_in_negative_answers,
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
      if (!result.joined) servers_.OnTimeout(candidate.address.address, now_->mono, result.rtt);
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
  const auto server = [&] { return candidate.address.address.ToString(); };
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
          {EdeCode::kNetworkError, server() + " does not serve " + state.cut.zone.ToString()});
      candidate.out = true;
      return false;
    case ReplyKind::kServerError:
    case ReplyKind::kUseless:
      state.errors.push_back({EdeCode::kNetworkError, server() + " said " + ToString(c.response.rcode) +
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

// Of use or not, it is what the parent has.
bool Iterator::HasGlue(const dns::Name& zone, const dns::Name& server) const {
  const CacheEntryPtr e = cache_->Find(zone, RRType::kNS, Slot::kDelegation);
  return e && std::any_of(e->glue.begin(), e->glue.end(), [&](const auto& s) { return s->owner == server; });
}

// The delegation named servers inside the zone and gave no address of any: those above it may know them when
// they are asked for them by name.
Task<bool> Iterator::AskParentForGlue(FetchState& state, Budget& budget, int depth) {
  if (std::exchange(state.parent_asked, true) || !state.candidates.empty() || state.cut.forward)
    co_return false;
  if (state.cut.zone.IsRoot() || depth >= limits::kDepth) co_return false;
  size_t asked = 0;
  for (size_t i = 0; i < state.cut.servers.size() && asked < kGlueNames; ++i) {
    const dns::Name name = state.cut.servers[i].name;
    if (!name.view().IsAtOrBelow(state.cut.zone) || HasGlue(state.cut.zone, name)) continue;
    ++asked;
    for (const RRType type : {RRType::kA, RRType::kAAAA}) {
      if (type == RRType::kA ? !settings_->ipv4 : !settings_->ipv6) continue;
      const std::vector<IpAddress> nobody;
      FetchState parent;
      parent.avoid = &nobody;
      parent.qname = name;
      parent.qtype = type;
      parent.give_up = state.give_up;
      parent.cut = FindZoneCut(state.cut.zone.view().Parent(), *cache_, *settings_, now_->mono);
      ResetCandidates(parent);
      Classified c = co_await AskZone(parent, name, type, budget, depth + 1);
      if (c.kind == ReplyKind::kResponse) TakeAddresses(c.response, state.cut.servers[i]);
      if (c.kind == ReplyKind::kReferral && c.referral.zone == state.cut.zone) {
        for (const auto& glue : c.referral.glue) {
          if (glue->owner == name) TakeAddressesOf(*glue, state.cut.servers[i]);
        }
      }
      AddCandidates(state, state.cut.servers[i]);
      if (!state.candidates.empty()) co_return true;
    }
  }
  co_return false;
}

void Iterator::TakeAddresses(const Response& response, ZoneCut::Server& server) const {
  if (response.kind == ResponseKind::kAnswer) TakeAddressesOf(*response.answer.back(), server);
}

void Iterator::TakeAddressesOf(const dns::RRset& rrset, ZoneCut::Server& server) const {
  if (rrset.type == RRType::kA ? !settings_->ipv4 : !settings_->ipv6) return;
  for (auto rdata : rrset.rdata) {
    const auto a = IpAddress::FromRdata(rdata);
    if (a && MayAsk(*a, *settings_) && server.addresses.size() < limits::kAddressesPerNs) {
      server.addresses.push_back({*a, settings_->upstream_port});
    }
  }
}

Task<bool> Iterator::AddServerAddresses(FetchState& state, bool at_last, Budget& budget, int depth) {
  std::vector<RRType> types;
  if (settings_->ipv4) types.push_back(RRType::kA);
  if (settings_->ipv6) types.push_back(RRType::kAAAA);
  const int failures_at_most = limits::kNsLookupFailures * static_cast<int>(types.size());
  // All servers' first addresses come before anybody's second, and those only when nothing else is left.
  for (size_t round = 0; round < (at_last ? types.size() : 1); ++round) {
    for (size_t i = 0; i < state.cut.servers.size(); ++i) {
      if (state.cut.servers[i].lookups > round || state.lookup_failures >= failures_at_most) continue;
      ++state.cut.servers[i].lookups;
      const size_t before = state.cut.servers[i].addresses.size();
      // What the delegation gave comes first; the other family is asked for when that leads nowhere.
      if (round == 0 && before > 0) continue;
      const dns::Name name = state.cut.servers[i].name;
      // Its address would have to come from itself.
      if (name.view().IsAtOrBelow(state.cut.zone) && (round > 0 || state.candidates.empty())) continue;
      if (!budget.EnterName(name)) continue;  // already being looked up for this question: a loop (row D03)
      ResponsePtr response = co_await Resolve(name, types[round], false, budget, depth + 1);
      budget.LeaveName(name);
      TakeAddresses(*response, state.cut.servers[i]);
      if (state.cut.servers[i].addresses.size() == before) {
        ++state.lookup_failures;
        continue;
      }
      AddCandidates(state, state.cut.servers[i]);
      co_return true;
    }
  }
  co_return false;
}

}  // namespace sekisho::resolver
