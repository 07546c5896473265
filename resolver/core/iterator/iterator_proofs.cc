// The part of Iterator that makes answers out of what was proven of other names (RFC 8198). It only proposes:
// the validator judges each proposal for the name asked, like any reply.
#include <algorithm>
#include <optional>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/iterator/iterator.h"
#include "resolver/core/validator/judge.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;

// Wildcards that are looked for above one name.
constexpr int kWildcardsTried = 10;

dns::RRsetPtr Renamed(const dns::RRset& rrset, const dns::Name& owner) {
  dns::RRset other = rrset;
  other.owner = owner;
  return std::make_shared<const dns::RRset>(std::move(other));
}

}  // namespace

Task<ResponsePtr> Iterator::FromDenials(dns::Name name, RRType type, bool validate, Budget& budget,
                                        int depth) {
  // Unvalidated data is asked for by the validator, which judges what it gets; beside DS it wants what is
  // there.
  const bool wanted = settings_->aggressive_nsec && settings_->validate && type != RRType::kANY &&
                      type != RRType::kRRSIG && (validate || type == RRType::kDS) && !name.IsRoot();
  if (!wanted) co_return nullptr;
  std::optional<Response> r;
  if (type != RRType::kDS) r = ProposeWildcard(name, type, budget);
  if (!r) r = ProposeDenial(name, type, budget);
  if (!r) co_return nullptr;
  if (validate) {
    [[maybe_unused]] const bool judged = co_await validator_.Validate(&*r, budget, depth);
    if (r->security != Security::kSecure) co_return nullptr;
    BoundTtls(&*r);
    Store(*r, true);
  }
  co_return std::make_shared<const Response>(std::move(*r));
}

std::optional<Response> Iterator::ProposeDenial(const dns::Name& name, RRType type, Budget& budget) {
  const dns::NameView start = type == RRType::kDS ? name.view().Parent() : name.view();
  auto found = cache_->denials().Find(name, type, start, now_->mono, crypto_, budget);
  if (!found) return std::nullopt;
  Response r;
  r.qname = name;
  r.qtype = type;
  r.kind = found->nxdomain ? ResponseKind::kNxdomain : ResponseKind::kNodata;
  r.rcode = found->nxdomain ? dns::Rcode::kNXDomain : dns::Rcode::kNoError;
  r.zone = found->zone;
  r.authority = std::move(found->authority);
  r.ttl_cap = found->ttl;
  r.from_cache = true;
  return r;
}

std::optional<Response> Iterator::ProposeWildcard(const dns::Name& name, RRType type, Budget& budget) {
  const int most = name.view().LabelCount() - 1;
  for (int labels = most; labels >= 0 && labels > most - kWildcardsTried; --labels) {
    const auto wildcard = dns::Name::Prepend("*", name.view().Suffix(labels));
    if (!wildcard || *wildcard == name) continue;
    for (const RRType at : {type, RRType::kCNAME}) {
      const CacheEntryPtr e = cache_->Find(*wildcard, at);
      if (!e || e->kind != CacheKind::kRrset || e->security != Security::kSecure ||
          e->expires <= now_->mono) {
        continue;
      }
      auto cover = cache_->denials().FindCover(name, labels, now_->mono, crypto_, budget);
      if (!cover) break;
      Response r = *FromEntry(*e, name, type);
      r.answer = {Renamed(*e->rrset, name)};
      r.authority = std::move(cover->authority);
      r.ttl_cap = std::min(r.ttl_cap, cover->ttl);
      r.beside = nullptr;
      r.security = Security::kUnchecked;
      return r;
    }
  }
  return std::nullopt;
}

void Iterator::NoteProofs(const Response& r) {
  if (r.security != Security::kSecure || !settings_->aggressive_nsec) return;
  const bool negative = r.kind == ResponseKind::kNxdomain || r.kind == ResponseKind::kNodata;
  const dns::RRsetPtr soa = negative && !r.authority.empty() && r.authority.front()->type == RRType::kSOA
                                ? r.authority.front()
                                : nullptr;
  const uint32_t ttl = soa ? std::min(NegativeTtlOf(r), r.ttl_cap) : r.ttl_cap;
  for (const dns::RRsetPtr& s : r.proven) {
    const auto signer = dnssec::BestSigner(*s, s->owner);
    if (soa) {
      cache_->denials().Add(soa->owner, soa, s, ttl, now_->mono);
    } else if (signer) {
      cache_->denials().Add(*signer, nullptr, s, ttl, now_->mono);
    }
  }
  NoteWildcard(r);
}

// The signature is over the wildcard's own name, so what holds for the answer holds for the wildcard.
void Iterator::NoteWildcard(const Response& r) {
  const bool one = (r.kind == ResponseKind::kAnswer || r.kind == ResponseKind::kCname) &&
                   r.answer.size() == 1 && r.wildcard_encloser;
  if (!one || *r.wildcard_encloser >= r.qname.view().LabelCount()) return;
  const auto wildcard = dns::Name::Prepend("*", r.qname.view().Suffix(*r.wildcard_encloser));
  if (!wildcard) return;
  const dns::RRset& rrset = *r.answer.front();
  CacheEntry e;
  e.kind = CacheKind::kRrset;
  e.rank = Rank::kSecure;
  e.security = Security::kSecure;
  e.zone = r.zone;
  e.rrset = Renamed(rrset, *wildcard);
  e.stored = now_->mono;
  e.expires = now_->mono + std::chrono::seconds(std::min(rrset.ttl, r.ttl_cap));
  cache_->Store(*wildcard, rrset.type, Slot::kData, std::move(e), *now_);
}

}  // namespace sekisho::resolver
