// The iterator's use of the cache: Responses out of entries, entries out of Responses.
#include <algorithm>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/iterator/iterator.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;

// RFC 2308 section 5: the lesser of the SOA's TTL and its MINIMUM; without SOA not worth more than a moment.
uint32_t NegativeTtl(const Response& r, const Settings& settings) {
  constexpr uint32_t kWithoutSoa = 5;
  for (const auto& s : r.authority) {
    if (s->type != RRType::kSOA) continue;
    const auto soa = dns::ReadSoa(s->rdata.front());
    if (!soa) break;
    return std::min({s->ttl, soa->minimum, settings.max_negative_ttl});
  }
  return std::min(kWithoutSoa, settings.max_negative_ttl);
}

CacheKind KindOf(ResponseKind kind) {
  switch (kind) {
    case ResponseKind::kNodata:
      return CacheKind::kNodata;
    case ResponseKind::kNxdomain:
      return CacheKind::kNxdomain;
    case ResponseKind::kFailure:
      return CacheKind::kFailure;
    case ResponseKind::kAnswer:
    case ResponseKind::kCname:
      break;
  }
  return CacheKind::kRrset;
}

dns::RRsetPtr WithTtl(const dns::RRset& rrset, uint32_t ttl) {
  dns::RRset other = rrset;
  other.ttl = ttl;
  return std::make_shared<const dns::RRset>(std::move(other));
}

}  // namespace

ResponsePtr Iterator::FromEntry(const CacheEntry& entry, dns::NameView name, RRType type) const {
  auto r = std::make_shared<Response>();
  r->qname = dns::Name(name);
  r->qtype = type;
  r->zone = entry.zone;
  r->security = entry.security;
  r->errors = entry.errors;
  r->authority = entry.proof;
  r->beside = entry.beside;
  r->from_cache = true;
  r->rcode = dns::Rcode::kNoError;
  // Ages are counted as resolvers do, in seconds of the clock.
  const auto second = [](MonoTime at) { return std::chrono::floor<std::chrono::seconds>(at); };
  const auto left = (second(entry.expires) - second(now_->mono)).count();
  r->ttl_cap = static_cast<uint32_t>(std::max<int64_t>(left, entry.expires > now_->mono ? 1 : 0));
  // The last tenth of its life: worth asking again while it is still good. Of a short life a second is too
  // much to be early by.
  const auto life = entry.expires - entry.stored;
  r->refresh_at = entry.expires - life / 10;
  if (life >= std::chrono::minutes(1)) r->refresh_at = second(r->refresh_at);
  r->refresh_due = now_->mono >= r->refresh_at;
  switch (entry.kind) {
    case CacheKind::kRrset:
      r->kind =
          entry.rrset->type == type || type == RRType::kANY ? ResponseKind::kAnswer : ResponseKind::kCname;
      r->answer.push_back(entry.rrset);
      break;
    case CacheKind::kNodata:
      r->kind = ResponseKind::kNodata;
      break;
    case CacheKind::kNxdomain:
      r->kind = ResponseKind::kNxdomain;
      r->rcode = dns::Rcode::kNXDomain;
      break;
    case CacheKind::kFailure:
      r->kind = ResponseKind::kFailure;
      r->rcode = dns::Rcode::kServFail;
      break;
  }
  return r;
}

ResponsePtr Iterator::FromCache(dns::NameView name, RRType type, bool validate) const {
  const auto usable = [&](const CacheEntryPtr& e) {
    if (!e || e->expires <= now_->mono) return false;
    return !validate || e->security != Security::kUnchecked;
  };
  if (const CacheEntryPtr e = cache_->Find(name, type); usable(e)) return FromEntry(*e, name, type);
  const bool follows_alias = type != RRType::kCNAME && type != RRType::kDS && type != RRType::kDNSKEY;
  if (follows_alias) {
    if (const CacheEntryPtr e = cache_->Find(name, RRType::kCNAME);
        usable(e) && e->kind == CacheKind::kRrset) {
      return FromEntry(*e, name, type);
    }
  }
  if (const CacheEntryPtr e = cache_->Find(name, RRType::kNone, Slot::kNxdomain); usable(e))
    return FromEntry(*e, name, type);
  return follows_alias || type == RRType::kCNAME ? FromAncestors(name, type, validate) : nullptr;
}

// A DNAME above the name rewrites it (RFC 6672); an unsigned one came over TCP. A validated denial above it
// holds for it (RFC 8020).
ResponsePtr Iterator::FromAncestors(dns::NameView name, RRType type, bool validate) const {
  for (dns::NameView at = name.Parent(); !at.IsRoot(); at = at.Parent()) {
    const CacheEntryPtr nx = cache_->Find(at, RRType::kNone, Slot::kNxdomain);
    if (nx && nx->expires > now_->mono && nx->security == Security::kSecure)
      return FromEntry(*nx, name, type);
    const CacheEntryPtr e = cache_->Find(at, RRType::kDNAME);
    if (!e || e->expires <= now_->mono || e->kind != CacheKind::kRrset) continue;
    if (e->security == Security::kBogus || (validate && e->security == Security::kUnchecked)) continue;
    const auto target = dns::ReadTarget(e->rrset->rdata.front());
    if (!target) continue;
    auto r = std::make_shared<Response>(*FromEntry(*e, name, type));
    r->kind = type == RRType::kCNAME ? ResponseKind::kAnswer : ResponseKind::kCname;
    const auto to = dns::Name::ReplaceSuffix(name, at, *target);
    if (!to) {
      r->rcode = dns::Rcode::kYXDomain;
      return r;
    }
    dns::RRset cname{.owner = dns::Name(name), .type = RRType::kCNAME, .ttl = r->ttl_cap};
    cname.rdata.Add(to->bytes());
    r->answer.push_back(std::make_shared<const dns::RRset>(std::move(cname)));
    return r;
  }
  return nullptr;
}

// TTLs as they will be handed out, by the first answer as by the later ones: positive ones within the
// configured bounds, negative ones as RFC 2308 section 5 says.
void Iterator::BoundTtls(Response* r) const {
  const bool negative = KindOf(r->kind) != CacheKind::kRrset;
  const uint32_t most = negative ? NegativeTtl(*r, *settings_) : settings_->max_ttl;
  const auto bound = [&](std::vector<dns::RRsetPtr>& sets) {
    for (dns::RRsetPtr& s : sets) {
      const uint32_t ttl = std::clamp(std::min(s->ttl, most), settings_->min_ttl, settings_->max_ttl);
      if (ttl == s->ttl) continue;
      s = WithTtl(*s, ttl);
    }
  };
  bound(r->answer);
  bound(r->authority);
}

uint32_t Iterator::NegativeTtlOf(const Response& r) const { return NegativeTtl(r, *settings_); }

void Iterator::Store(const Response& r, bool authoritative) {
  const Now now = *now_;
  CacheEntry e;
  e.kind = KindOf(r.kind);
  e.rank = r.security == Security::kSecure ? Rank::kSecure
           : authoritative                 ? Rank::kAnswer
                                           : Rank::kAnswerNonAuth;
  e.security = r.security;
  e.zone = r.zone;
  e.beside = r.beside;
  e.errors = r.errors;
  e.stored = now.mono;
  const bool bogus = r.security == Security::kBogus;
  const auto expiry = [&](uint32_t ttl) {
    ttl = std::clamp(std::min(ttl, r.ttl_cap), settings_->min_ttl, settings_->max_ttl);
    const MonoTime at = now.mono + std::chrono::seconds(ttl);
    return bogus ? std::min(at, now.mono + limits::kBogusTtl) : at;
  };
  if (e.kind != CacheKind::kRrset) {
    e.proof = r.authority;
    e.expires = expiry(NegativeTtl(r, *settings_));
    const bool nxdomain = e.kind == CacheKind::kNxdomain;
    cache_->Store(r.qname, nxdomain ? RRType::kNone : r.qtype, nxdomain ? Slot::kNxdomain : Slot::kData,
                  std::move(e), now);
    return;
  }
  // ANY is answered from what is there and not kept as such.
  if (r.qtype == RRType::kANY || r.rcode == dns::Rcode::kYXDomain) return;
  const bool by_dname = r.qtype != RRType::kDNAME && r.answer.front()->type == RRType::kDNAME;
  for (const auto& rrset : r.answer) {
    // The CNAME that a DNAME makes is made again each time.
    if (by_dname && rrset->type == RRType::kCNAME) continue;
    CacheEntry one = e;
    one.rrset = rrset;
    // Denials beside a positive answer prove that a wildcard was rightly expanded.
    for (const auto& s : r.authority) {
      if (s->type == RRType::kNSEC || s->type == RRType::kNSEC3) one.proof.push_back(s);
    }
    one.expires = expiry(rrset->ttl);
    cache_->Store(rrset->owner, rrset->type, Slot::kData, std::move(one), now);
  }
}

// RFC 9520: a failure is remembered, longer each time it happens again.
void Iterator::StoreFailure(const Response& r) {
  const Now now = *now_;
  CacheEntry e;
  e.kind = CacheKind::kFailure;
  e.errors = r.errors;
  e.stored = now.mono;
  const CacheEntryPtr before = cache_->Find(r.qname, r.qtype, Slot::kFailure);
  const bool recent = before && now.mono - before->expires < limits::kFailureTtlMax;
  if (recent) e.failures = std::min(before->failures + 1, 5);
  e.expires = now.mono + std::min(limits::kFailureTtl * (1 << e.failures), limits::kFailureTtlMax);
  cache_->Store(r.qname, r.qtype, Slot::kFailure, std::move(e), now);
}

ResponsePtr Iterator::KnownFailure(dns::NameView name, RRType type) const {
  const CacheEntryPtr e = cache_->Find(name, type, Slot::kFailure);
  return e && e->expires > now_->mono ? FromEntry(*e, name, type) : nullptr;
}

ResponsePtr Iterator::FromStale(dns::NameView name, RRType type, bool validate) const {
  const ServeStale& stale = settings_->stale;
  const auto usable = [&](const CacheEntryPtr& e) {
    if (!e || now_->mono - e->expires > stale.max_age) return false;
    // What failed validation or was never validated does not become better with age (row P26).
    return e->security != Security::kBogus && (!validate || e->security != Security::kUnchecked);
  };
  const auto serve = [&](const CacheEntryPtr& e) {
    auto r = std::make_shared<Response>(*FromEntry(*e, name, type));
    if (e->expires <= now_->mono) {
      r->stale = true;
      r->ttl_cap = stale.ttl;
      // Whatever they had: asked again sooner, the answer would be this one still (RFC 8767 section 4).
      for (auto* sets : {&r->answer, &r->authority}) {
        for (dns::RRsetPtr& s : *sets) s = WithTtl(*s, stale.ttl);
      }
    }
    return r;
  };
  if (const CacheEntryPtr e = cache_->Find(name, type); usable(e)) return serve(e);
  if (type != RRType::kCNAME && type != RRType::kDS && type != RRType::kDNSKEY) {
    if (const CacheEntryPtr e = cache_->Find(name, RRType::kCNAME);
        usable(e) && e->kind == CacheKind::kRrset) {
      return serve(e);
    }
  }
  if (const CacheEntryPtr e = cache_->Find(name, RRType::kNone, Slot::kNxdomain); usable(e)) return serve(e);
  return nullptr;
}

}  // namespace sekisho::resolver
