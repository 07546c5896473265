#include "resolver/core/iterator/classify.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {
namespace {

using dns::RRset;
using dns::RRsetPtr;
using dns::RRType;

struct Sections {
  std::vector<RRset> answer;
  std::vector<RRset> authority;
  std::vector<RRset> additional;
};

RRsetPtr Share(RRset rrset) { return std::make_shared<const RRset>(std::move(rrset)); }

// Takes a set out of a section; what is left there matches nothing.
RRsetPtr Take(RRset& rrset) { return Share(std::exchange(rrset, RRset{})); }

// What a zone may say: records at or below it, and no more of them than we keep.
std::vector<RRset> InBailiwick(const dns::ParsedMessage& reply, dns::Section section, dns::NameView zone) {
  std::vector<RRset> sets = CollectRRsets(reply, section, dns::RRClass::kIN);
  std::erase_if(sets, [&](const RRset& s) {
    return s.rdata.empty() || !s.owner.view().IsAtOrBelow(zone) || s.rdata.size() > limits::kRecordsPerRrset;
  });
  return sets;
}

RRset* FindSet(std::vector<RRset>& sets, dns::NameView owner, RRType type) {
  for (RRset& s : sets) {
    if (s.type == type && s.owner.view() == owner) return &s;
  }
  return nullptr;
}

// Some servers put a signature into another section than what it signs. The validator judges it wherever it
// came from; lost it would make good data bogus.
void ReuniteSignatures(Sections* s) {
  const std::array<std::vector<RRset>*, 3> sections = {&s->answer, &s->authority, &s->additional};
  int left = limits::kStraySignatures;
  for (const auto* from : sections) {
    for (const RRset& stray : *from) {
      if (stray.type != RRType::kRRSIG) continue;
      for (const auto signature : stray.rdata) {
        if (signature.size() < 2) continue;
        if (left-- == 0) return;
        const auto covered = static_cast<RRType>(signature[0] << 8 | signature[1]);
        for (auto* to : sections) {
          RRset* set = to == from ? nullptr : FindSet(*to, stray.owner, covered);
          if (set != nullptr && !set->signatures.Contains(signature)) set->signatures.Add(signature);
        }
      }
    }
  }
}

// The RRset's owner has labels that its signature does not count: it was made from a wildcard, and what is
// beside it must prove that nothing closer exists (RFC 4035 section 3.1.3.3).
bool MadeFromWildcard(const RRset& set) {
  constexpr size_t kLabelsAt = 3;
  const int labels = set.owner.view().LabelCount();
  return std::any_of(set.signatures.begin(), set.signatures.end(),
                     [&](const auto sig) { return sig.size() > kLabelsAt && sig[kLabelsAt] < labels; });
}

// SOA with the denial records beside it; NS and everything else in the authority section is not kept (row
// P15).
void KeepAuthority(const std::vector<RRsetPtr>& authority, dns::NameView qname, Response* out) {
  size_t denials = 0;
  if (!out->answer.empty() && std::none_of(out->answer.begin(), out->answer.end(),
                                           [](const RRsetPtr& s) { return MadeFromWildcard(*s); })) {
    return;
  }
  for (const RRsetPtr& s : authority) {
    if (s->type == RRType::kSOA && qname.IsAtOrBelow(s->owner)) {
      out->authority.insert(out->authority.begin(), s);
    } else if (s->type == RRType::kNSEC || s->type == RRType::kNSEC3) {
      // One more than the validator considers, so that it sees when there are too many (row D11).
      if (denials++ <= limits::kDenialRecords) out->authority.push_back(s);
    }
  }
}

std::vector<RRsetPtr> ShareAll(std::vector<RRset>& sets) {
  std::vector<RRsetPtr> shared;
  shared.reserve(sets.size());
  for (RRset& s : sets) shared.push_back(Share(std::move(s)));
  sets.clear();
  return shared;
}

// A DNAME above the name, in the zone: RFC 6672. The CNAME in the reply is not believed but made again.
bool TakeDname(std::vector<RRset>& answer, dns::NameView qname, Response* out) {
  for (RRset& s : answer) {
    if (s.type != RRType::kDNAME || !qname.IsBelow(s.owner)) continue;
    const auto target = dns::ReadTarget(s.rdata.front());
    if (!target || s.rdata.size() != 1) return false;
    const uint32_t ttl = s.ttl;
    const auto to = dns::Name::ReplaceSuffix(qname, s.owner, *target);
    out->answer.push_back(Share(RRset(s)));  // later links may be made from it too
    out->kind = ResponseKind::kCname;
    if (!to) {
      out->rcode = dns::Rcode::kYXDomain;
      return true;
    }
    if (const RRset* said = FindSet(answer, qname, RRType::kCNAME)) {
      const auto other = dns::ReadTarget(said->rdata.front());
      out->altered = !other || *other != to->view();
    }
    RRset cname{.owner = dns::Name(qname), .type = RRType::kCNAME, .ttl = ttl};
    cname.rdata.Add(to->bytes());
    out->answer.push_back(Share(std::move(cname)));
    return true;
  }
  return false;
}

bool TakeAnswer(Sections& s, dns::NameView qname, RRType qtype, Response* out) {
  if (qtype == RRType::kANY) {
    for (RRset& set : s.answer) {
      if (set.owner.view() == qname) out->answer.push_back(Take(set));
    }
    out->kind = ResponseKind::kAnswer;
    return !out->answer.empty();
  }
  // Below a DNAME the CNAME itself is what the DNAME makes.
  if (qtype == RRType::kCNAME && TakeDname(s.answer, qname, out)) {
    out->kind = ResponseKind::kAnswer;
    return true;
  }
  if (RRset* set = FindSet(s.answer, qname, qtype)) {
    out->answer.push_back(Take(*set));
    out->kind = ResponseKind::kAnswer;
    return true;
  }
  // Key material is never found by way of an alias (row M10). A signed one still tells that there is no cut.
  if (qtype == RRType::kDNSKEY) return false;
  if (qtype == RRType::kDS &&
      std::none_of(s.answer.begin(), s.answer.end(), [](const RRset& r) { return !r.signatures.empty(); })) {
    return false;
  }
  if (TakeDname(s.answer, qname, out)) return true;
  if (RRset* set = FindSet(s.answer, qname, RRType::kCNAME); set != nullptr && qtype != RRType::kCNAME) {
    if (set->rdata.size() != 1) return false;
    out->answer.push_back(Take(*set));
    out->kind = ResponseKind::kCname;
    return true;
  }
  return false;
}

// The addresses of the referral's servers, for this delegation only (row P18).
void TakeGlue(std::vector<RRset>& additional, Referral* referral) {
  size_t kept = 0;
  for (RRset& s : additional) {
    if (s.type != RRType::kA && s.type != RRType::kAAAA) continue;
    if (kept >= limits::kNsNames * 2) break;
    const auto names_it = [&](std::span<const uint8_t> rdata) {
      const auto name = dns::ReadTarget(rdata);
      return name && *name == s.owner.view();
    };
    if (std::none_of(referral->ns->rdata.begin(), referral->ns->rdata.end(), names_it)) continue;
    RRset cut{.owner = s.owner, .type = s.type, .ttl = s.ttl};
    for (auto rdata : s.rdata) {
      if (cut.rdata.size() < limits::kAddressesPerNs) cut.rdata.Add(rdata);
    }
    referral->glue.push_back(Share(std::move(cut)));
    ++kept;
  }
}

// NS below the zone and at or above the name: the first such set is the referral.
bool TakeReferral(Sections& s, dns::NameView zone, dns::NameView qname, RRType qtype, Referral* out) {
  for (RRset& ns : s.authority) {
    if (ns.type != RRType::kNS || !ns.owner.view().IsBelow(zone) || !qname.IsAtOrBelow(ns.owner)) continue;
    // The parent answers for DS itself; being sent on to the child would loop.
    if (qtype == RRType::kDS && ns.owner.view() == qname) continue;
    out->zone = ns.owner;
    RRset cut{.owner = ns.owner, .type = ns.type, .ttl = ns.ttl};
    for (auto rdata : ns.rdata) {
      if (cut.rdata.size() < limits::kNsNames) cut.rdata.Add(rdata);
    }
    out->ns = Share(std::move(cut));
    break;
  }
  if (!out->ns) return false;
  for (RRset& set : s.authority) {
    if (set.type == RRType::kDS && set.owner.view() == out->zone.view()) {
      out->ds = Share(std::move(set));
    } else if ((set.type == RRType::kNSEC || set.type == RRType::kNSEC3) && !set.rdata.empty() &&
               out->denial.size() < static_cast<size_t>(limits::kDenialRecords)) {
      out->denial.push_back(Share(std::move(set)));
    }
  }
  TakeGlue(s.additional, out);
  return true;
}

bool HasSoa(const std::vector<RRset>& authority, dns::NameView qname) {
  return std::any_of(authority.begin(), authority.end(),
                     [&](const RRset& s) { return s.type == RRType::kSOA && qname.IsAtOrBelow(s.owner); });
}

bool HasNs(const dns::ParsedMessage& reply) {
  const auto records = reply.records(dns::Section::kAuthority);
  return std::any_of(records.begin(), records.end(), [](const auto& r) { return r.type == RRType::kNS; });
}

// The server points back, so it does not serve the zone (row M12): NS of a zone above it, or, when it does
// not claim authority, of the zone itself.
bool PointsUpward(const dns::ParsedMessage& reply, dns::NameView zone) {
  const auto records = reply.records(dns::Section::kAuthority);
  return std::any_of(records.begin(), records.end(), [&](const dns::Record& r) {
    if (r.type != RRType::kNS || !zone.IsAtOrBelow(reply.Owner(r))) return false;
    return !reply.header().aa || !reply.OwnerIs(r, zone);
  });
}

ReplyKind ErrorKind(const dns::ParsedMessage& reply, const Asked& asked) {
  switch (reply.rcode()) {
    case dns::Rcode::kFormErr:
    case dns::Rcode::kNotImp:
    case dns::Rcode::kBadVers:
      return asked.edns ? ReplyKind::kNoEdns : ReplyKind::kServerError;
    case dns::Rcode::kRefused:
    case dns::Rcode::kNotAuth:
      return asked.forward ? ReplyKind::kServerError : ReplyKind::kLame;
    default:
      return ReplyKind::kServerError;
  }
}

// The reply holds the data asked for, only in a form that is not taken (too many records, row D12).
bool HoldsRefusedData(const dns::ParsedMessage& reply, const Asked& asked) {
  const auto records = reply.records(dns::Section::kAnswer);
  return std::any_of(records.begin(), records.end(), [&](const dns::Record& r) {
    return r.type == asked.qtype && reply.OwnerIs(r, asked.qname);
  });
}

bool HasSoaFor(const std::vector<RRsetPtr>& authority, dns::NameView qname) {
  return std::any_of(authority.begin(), authority.end(), [&](const RRsetPtr& s) {
    return s->type == RRType::kSOA && qname.IsAtOrBelow(s->owner);
  });
}

// The host that a record sends its reader to.
std::optional<dns::NameView> TargetOf(RRType type, std::span<const uint8_t> rdata) {
  switch (type) {
    case RRType::kNS:
      return dns::ReadTarget(rdata);
    case RRType::kMX: {
      const auto mx = dns::ReadMx(rdata);
      return mx ? std::optional(mx->exchange) : std::nullopt;
    }
    case RRType::kSRV: {
      const auto srv = dns::ReadSrv(rdata);
      return srv ? std::optional(srv->target) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

// NS of the zone, and addresses of the servers and of the names in the answer.
std::shared_ptr<const Beside> TakeBeside(const std::vector<RRsetPtr>& authority,
                                         std::vector<RRset>& additional, const Response& response) {
  auto beside = std::make_shared<Beside>();
  std::vector<dns::Name> names;
  const auto note = [&](const RRset& set) {
    for (const auto rdata : set.rdata) {
      const auto target = TargetOf(set.type, rdata);
      if (target && names.size() < limits::kNsNames * 2) names.emplace_back(*target);
    }
  };
  for (const RRsetPtr& s : authority) {
    if (s->type != RRType::kNS || !response.qname.view().IsAtOrBelow(s->owner)) continue;
    beside->authority.push_back(s);
    note(*s);
  }
  for (const RRsetPtr& s : response.answer) note(*s);
  for (RRset& s : additional) {
    const bool named = std::any_of(names.begin(), names.end(), [&](const auto& n) { return n == s.owner; });
    if (named && (s.type == RRType::kA || s.type == RRType::kAAAA)) beside->additional.push_back(Take(s));
  }
  return beside;
}

// The rest of an alias chain, as far as the zone asked can speak for it (row P16).
void TakeFurtherLinks(Sections& s, const std::vector<RRsetPtr>& authority, const Asked& asked,
                      dns::Rcode rcode, Classified* c) {
  const Response* last = &c->response;
  while (last->kind == ResponseKind::kCname && last->rcode == dns::Rcode::kNoError &&
         c->further.size() < static_cast<size_t>(limits::kChainLinks)) {
    const auto target = dns::ReadTarget(last->answer.back()->rdata.front());
    if (!target || !target->IsAtOrBelow(asked.zone)) return;
    Response next;
    next.qname = dns::Name(*target);
    next.qtype = asked.qtype;
    next.zone = dns::Name(asked.zone);
    next.rcode = dns::Rcode::kNoError;
    if (!TakeAnswer(s, next.qname, asked.qtype, &next)) {
      if (!HasSoaFor(authority, next.qname)) return;
      const bool nxdomain = rcode == dns::Rcode::kNXDomain;
      next.kind = nxdomain ? ResponseKind::kNxdomain : ResponseKind::kNodata;
      next.rcode = rcode;
    }
    KeepAuthority(authority, next.qname, &next);
    c->further.push_back(std::move(next));
    last = &c->further.back();
  }
}

// Neither data nor alias: a referral, a denial, or nothing of use.
void TakeDenial(const dns::ParsedMessage& reply, const Asked& asked, Sections& s, Classified* c) {
  const bool nxdomain = reply.rcode() == dns::Rcode::kNXDomain;
  const bool soa = HasSoa(s.authority, asked.qname);
  // What exists must not be denied.
  if (HoldsRefusedData(reply, asked)) return;
  if (!asked.forward) {
    if (!nxdomain && !soa && asked.qtype == RRType::kDS) {
      // Asked for DS, some send their delegation; the DS stands in it.
      if (RRset* ds = FindSet(s.authority, asked.qname, RRType::kDS)) {
        c->response.kind = ResponseKind::kAnswer;
        c->response.answer.push_back(Take(*ds));
        c->kind = ReplyKind::kResponse;
        return;
      }
    }
    if (!nxdomain && !soa && TakeReferral(s, asked.zone, asked.qname, asked.qtype, &c->referral)) {
      c->kind = ReplyKind::kReferral;
      return;
    }
    if (!soa && !nxdomain && PointsUpward(reply, asked.zone)) {
      c->kind = ReplyKind::kLame;
      return;
    }
  }
  // A referral is no answer of a resolver: it did not look further.
  if (asked.forward && !soa && !nxdomain && HasNs(reply)) {
    c->kind = ReplyKind::kLame;
    return;
  }
  c->response.kind = nxdomain ? ResponseKind::kNxdomain : ResponseKind::kNodata;
  const std::vector<RRsetPtr> authority = ShareAll(s.authority);
  KeepAuthority(authority, asked.qname, &c->response);
  if (asked.beside || asked.ns_in_denials) {
    c->response.beside = TakeBeside(authority, s.additional, c->response);
  }
  c->kind = ReplyKind::kResponse;
  // Nothing at all, or nothing by somebody who does not claim to know: another server may do better.
  const bool empty = reply.records(dns::Section::kAuthority).empty();
  if (!asked.forward && !soa && !nxdomain && (!c->authoritative || empty)) {
    c->kind = !c->authoritative && reply.header().ra ? ReplyKind::kLame : ReplyKind::kUseless;
    // NS of somewhere else: it sends us away, and that is no word on the name.
    c->last_resort = !HasNs(reply);
  }
}

}  // namespace

Classified Classify(const dns::ParsedMessage& reply, const Asked& asked) {
  Classified c;
  c.response.qname = dns::Name(asked.qname);
  c.response.qtype = asked.qtype;
  c.response.zone = dns::Name(asked.zone);
  c.response.rcode = reply.rcode();
  c.authoritative = reply.header().aa;
  if (reply.header().tc) {
    c.kind = ReplyKind::kTruncated;
    return c;
  }
  const dns::Rcode rcode = reply.rcode();
  // YXDOMAIN may come with a DNAME that grew too long (RFC 6672 section 2.2).
  if (rcode != dns::Rcode::kNoError && rcode != dns::Rcode::kNXDomain && rcode != dns::Rcode::kYXDomain) {
    c.kind = ErrorKind(reply, asked);
    return c;
  }
  Sections s{InBailiwick(reply, dns::Section::kAnswer, asked.zone),
             InBailiwick(reply, dns::Section::kAuthority, asked.zone),
             InBailiwick(reply, dns::Section::kAdditional, asked.harden_glue ? asked.zone : dns::NameView())};
  ReuniteSignatures(&s);
  // Of an answer only we say YXDOMAIN, having tried its DNAME; NXDOMAIN is the end's.
  c.response.rcode = dns::Rcode::kNoError;
  if (TakeAnswer(s, asked.qname, asked.qtype, &c.response)) {
    const std::vector<RRsetPtr> authority = ShareAll(s.authority);
    KeepAuthority(authority, asked.qname, &c.response);
    const dns::Rcode of_end = rcode == dns::Rcode::kNXDomain ? rcode : dns::Rcode::kNoError;
    if (c.response.kind == ResponseKind::kCname) TakeFurtherLinks(s, authority, asked, of_end, &c);
    Response& end = c.further.empty() ? c.response : c.further.back();
    const bool denial = end.kind == ResponseKind::kNodata || end.kind == ResponseKind::kNxdomain;
    if (asked.beside || (denial && asked.ns_in_denials)) {
      end.beside = TakeBeside(authority, s.additional, end);
    }
    // A resolver that answers from its cache is not the zone's server.
    c.last_resort = !asked.forward && !c.authoritative && reply.header().ra;
    c.kind = c.last_resort ? ReplyKind::kLame : ReplyKind::kResponse;
    return c;
  }
  c.response.rcode = rcode;
  if (rcode == dns::Rcode::kYXDomain) {
    c.kind = ReplyKind::kServerError;
    return c;
  }
  TakeDenial(reply, asked, s, &c);
  return c;
}

}  // namespace sekisho::resolver
