#include "resolver/core/validator/chain.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"
#include "resolver/core/validator/denial.h"
#include "resolver/core/validator/judge.h"
#include "resolver/core/validator/zone_keys.h"

namespace sekisho::resolver::dnssec {
namespace {

using dns::EdeCode;
using dns::RRType;
using Kind = ZoneStatus::Kind;

ZoneStatus MakeStatus(Kind kind, uint32_t ttl, MonoTime now, dns::ExtendedError why = {}) {
  ZoneStatus status;
  status.kind = kind;
  status.why = std::move(why);
  status.expires = now + std::chrono::seconds(std::min(ttl, KeyCache::kMaxTtl));
  return status;
}

// An exhausted budget says nothing of the zone: another question may have the means to judge it.
ZoneStatus MakeBogus(dns::ExtendedError why, bool exhausted, MonoTime now) {
  ZoneStatus status;
  status.kind = Kind::kBogus;
  status.why = std::move(why);
  status.expires = now + limits::kBogusTtl;
  status.keep = !exhausted;
  return status;
}

ZoneStatus Unanswered(dns::NameView name, RRType type, const Response* response) {
  dns::ExtendedError why{EdeCode::kDnskeyMissing,
                         name.ToString() + " " + dns::ToString(type) + ": no answer"};
  if (response != nullptr && !response->errors.empty()) {
    // Which keys are missing is the better code; why they are, the better text.
    why.text += " (" + response->errors.front().text + ")";
    if (type != RRType::kDNSKEY) why.code = response->errors.front().code;
  }
  return MakeBogus(std::move(why), true, MonoTime{});
}

ZoneStatusPtr Keep(Walk& walk, dns::NameView name, ZoneStatus&& status) {
  auto kept = std::make_shared<const ZoneStatus>(std::move(status));
  if (kept->keep) walk.knowledge->cache.Insert(dns::Name(name).LowercaseBytes(), kept);
  return kept;
}

const dns::RRset* FindAnswer(const Response& response, dns::NameView owner, RRType type) {
  for (const auto& rrset : response.answer) {
    if (rrset->type == type && rrset->owner == owner) return rrset.get();
  }
  return nullptr;
}

bool Usable(const ResponsePtr& response) {
  return response != nullptr && response->kind != ResponseKind::kFailure;
}

// Either a status, or what vouches for the zone's keys, which must then be asked for.
struct Delegation {
  EntryPoints points;
  uint32_t ttl = 0;
};
using DsVerdict = std::variant<ZoneStatus, Delegation>;

DsVerdict JudgeDsAnswer(const ZoneStatus& parent, dns::NameView name, const Response& response, Check& check,
                        MonoTime now) {
  const dns::RRset* ds = FindAnswer(response, name, RRType::kDS);
  if (ds == nullptr) {
    return MakeBogus({EdeCode::kDnssecBogus, name.ToString() + " DS: reply without the records"}, false, now);
  }
  RRsetVerdict signature = VerifyRRset(*ds, parent.keys, check);
  if (!signature.valid) return MakeBogus(std::move(signature.why), signature.exhausted, now);
  if (signature.wildcard_encloser) {
    return MakeBogus({EdeCode::kDnssecBogus, Describe(*ds) + ": made from a wildcard"}, false, now);
  }
  const uint32_t ttl = std::min(ds->ttl, signature.ttl_cap);
  EntryPoints points;
  points.zone = dns::Name(name);
  points.ds = ds->rdata;
  dns::ExtendedError why;
  Delegation delegation{UsableEntryPoints(points, check.policy, &why), ttl};
  if (delegation.points.ds.empty()) return MakeStatus(Kind::kInsecure, ttl, now, std::move(why));
  return delegation;
}

ZoneStatus FromDenialOfDs(DenialVerdict&& verdict, Kind when_proven, MonoTime now) {
  const uint32_t ttl = std::min(verdict.ttl, verdict.ttl_cap);
  switch (verdict.proof) {
    case Proof::kProven:
      return MakeStatus(verdict.delegation ? Kind::kInsecure : when_proven, ttl, now);
    case Proof::kOptOut:
    case Proof::kTooManyIterations:
      return MakeStatus(Kind::kInsecure, ttl, now, std::move(verdict.why));
    case Proof::kNotProven:
    case Proof::kOverBudget:
      break;
  }
  return MakeBogus(std::move(verdict.why), verdict.exhausted, now);
}

// A name with a CNAME, or below a DNAME, is not a zone cut (row M10); but that, too, must be signed.
ZoneStatus JudgeDsCname(const ZoneStatus& parent, const Response& response, Check& check, MonoTime now) {
  Judgement all;
  all.security = Security::kSecure;
  uint32_t ttl = kNoTtlCap;
  if (!AnswersQuestion(response)) {
    return MakeBogus({EdeCode::kDnssecBogus, response.qname.ToString() + " DS: reply to another question"},
                     false, now);
  }
  for (size_t i = 0; i < response.answer.size(); ++i) {
    const dns::RRset& rrset = *response.answer[i];
    ttl = std::min(ttl, rrset.ttl);
    if (const dns::RRset* dname = DnameFor(response.answer, i); dname != nullptr && IsMadeFrom(rrset, *dname))
      continue;
    Merge(JudgeRRset(rrset, response.authority, parent.keys, check), &all);
  }
  if (all.security == Security::kBogus) return MakeBogus(std::move(all.why), all.exhausted, now);
  const Kind kind = all.security == Security::kSecure ? Kind::kNotACut : Kind::kInsecure;
  return MakeStatus(kind, std::min(ttl, all.ttl_cap), now, std::move(all.why));
}

DsVerdict JudgeDs(Walk& walk, const ZoneStatus& parent, dns::NameView name, const Response& response) {
  const MonoTime now = walk.fetcher.now().mono;
  Check check = walk.MakeCheck();
  switch (response.kind) {
    case ResponseKind::kAnswer:
      return JudgeDsAnswer(parent, name, response, check, now);
    case ResponseKind::kCname:
      return JudgeDsCname(parent, response, check, now);
    case ResponseKind::kNodata: {
      Denial denial(response.authority, parent.keys, check);
      return FromDenialOfDs(denial.Nodata(name, RRType::kDS), Kind::kNotACut, now);
    }
    case ResponseKind::kNxdomain: {
      Denial denial(response.authority, parent.keys, check);
      return FromDenialOfDs(denial.NameError(name), Kind::kNoName, now);
    }
    case ResponseKind::kFailure:
      break;
  }
  return Unanswered(name, RRType::kDS, &response);
}

ZoneStatus JudgeKeys(Walk& walk, const Delegation& delegation, const ResponsePtr& response) {
  const dns::Name& zone = delegation.points.zone;
  if (!Usable(response)) return Unanswered(zone, RRType::kDNSKEY, response.get());
  const MonoTime now = walk.fetcher.now().mono;
  const dns::RRset* dnskeys = FindAnswer(*response, zone, RRType::kDNSKEY);
  if (response->kind != ResponseKind::kAnswer || dnskeys == nullptr) {
    return MakeBogus({EdeCode::kDnskeyMissing, zone.ToString() + " DNSKEY: there is none"}, false, now);
  }
  Check check = walk.MakeCheck();
  KeysVerdict verdict = VerifyZoneKeys(delegation.points, *dnskeys, check);
  if (!verdict.valid) return MakeBogus(std::move(verdict.why), verdict.exhausted, now);
  ZoneStatus status =
      MakeStatus(Kind::kSecure, std::min({delegation.ttl, dnskeys->ttl, verdict.ttl_cap}), now);
  status.keys = std::move(verdict.keys);
  return status;
}

Task<ResponsePtr> Ask(Walk& walk, dns::Name name, RRType type) {
  if (walk.judged.qtype == type && walk.judged.qname == name) {
    // Not owned: the response being judged outlives the walk.
    ResponsePtr own(std::shared_ptr<const void>(), &walk.judged);
    co_return own;
  }
  const int depth = walk.depth + 1;
  if (depth > limits::kDepth || walk.steps_left < 0) {
    auto refused = std::make_shared<Response>();
    refused->errors.push_back(
        {EdeCode::kDnssecIndeterminate, name.ToString() + ": limit of steps to its zone reached"});
    ResponsePtr result = std::move(refused);
    co_return result;
  }
  ResponsePtr response = co_await walk.fetcher.Fetch(name, type, walk.budget, depth);
  co_return response;
}

// One server's word does not make a zone bogus: others are asked as long as there are any.
class Elsewhere {
 public:
  explicit Elsewhere(const Walk& walk) : walk_(walk) {}
  // `bogus`: what the verdict on `response` is.
  bool Worthwhile(bool bogus, const ResponsePtr& response) {
    if (!bogus || !Usable(response) || response.get() == &walk_.judged) return false;
    if (response->server) avoid_.push_back(*response->server);
    return tries_++ < limits::kOtherServersWhenBogus && avoid_.size() <= limits::kOtherServersWhenBogus;
  }
  const std::vector<IpAddress>& avoid() const { return avoid_; }

 private:
  const Walk& walk_;
  std::vector<IpAddress> avoid_;
  size_t tries_ = 0;
};

bool IsBogus(const ZoneStatus& status) { return status.kind == Kind::kBogus && status.keep; }

Task<ZoneStatusPtr> AskKeys(Walk& walk, Delegation delegation) {
  dns::Name zone = delegation.points.zone;
  ResponsePtr response = co_await Ask(walk, zone, RRType::kDNSKEY);
  ZoneStatus status = JudgeKeys(walk, delegation, response);
  Elsewhere elsewhere(walk);
  while (elsewhere.Worthwhile(IsBogus(status), response)) {
    std::vector<IpAddress> avoid = elsewhere.avoid();
    response = co_await walk.fetcher.FetchElsewhere(zone, RRType::kDNSKEY, std::move(avoid), walk.budget,
                                                    walk.depth + 1);
    if (Usable(response)) status = JudgeKeys(walk, delegation, response);
  }
  co_return Keep(walk, zone, std::move(status));
}

// An entry point is of an algorithm that RFC 8624 forbids to validate, or cannot be read.
bool RetiredAlgorithm(const EntryPoints& points) {
  const auto retired = [](uint8_t algorithm) {
    return algorithm == 1 || algorithm == 3 || algorithm == 6 ||
           algorithm == 12;  // RSAMD5, DSA, DSA-NSEC3, GOST
  };
  return std::any_of(points.ds.begin(), points.ds.end(),
                     [&](auto rdata) {
                       const auto ds = dns::ReadDs(rdata);
                       return !ds || retired(ds->algorithm);
                     }) ||
         std::any_of(points.dnskeys.begin(), points.dnskeys.end(), [&](auto rdata) {
           const auto key = dns::ReadDnskey(rdata);
           return !key || retired(key->algorithm);
         });
}

}  // namespace

std::optional<dns::ExtendedError> Hopeless(const EntryPoints& anchor, const Policy& policy) {
  dns::ExtendedError why;
  const EntryPoints usable = UsableEntryPoints(anchor, policy, &why);
  if (!usable.ds.empty() || !usable.dnskeys.empty() || !RetiredAlgorithm(anchor)) return std::nullopt;
  return why;
}

namespace {

Task<ZoneStatusPtr> StartAt(Walk& walk, const EntryPoints& anchor) {
  const MonoTime now = walk.fetcher.now().mono;
  ZoneStatusPtr known = walk.knowledge->cache.Find(anchor.zone.LowercaseBytes(), now);
  if (known != nullptr) co_return known;
  dns::ExtendedError why;
  Delegation delegation{UsableEntryPoints(anchor, walk.knowledge->policy, &why), KeyCache::kMaxTtl};
  if (delegation.points.ds.empty() && delegation.points.dnskeys.empty()) {
    // Algorithms yet unknown leave the zone unsigned (RFC 4035 section 5.2). But who gives an anchor of a
    // kind that is no longer validated wants validation, and does not get less than that unawares.
    ZoneStatus status = RetiredAlgorithm(anchor)
                            ? MakeBogus(std::move(why), false, now)
                            : MakeStatus(Kind::kInsecure, KeyCache::kMaxTtl, now, std::move(why));
    co_return Keep(walk, anchor.zone, std::move(status));
  }
  ZoneStatusPtr status = co_await AskKeys(walk, std::move(delegation));
  co_return status;
}

// From a secure zone to the name one label below what is known.
Task<ZoneStatusPtr> StepTo(Walk& walk, ZoneStatusPtr parent, dns::Name name) {
  ZoneStatusPtr known = walk.knowledge->cache.Find(name.LowercaseBytes(), walk.fetcher.now().mono);
  if (known != nullptr) co_return known;
  --walk.steps_left;
  ResponsePtr response = co_await Ask(walk, name, RRType::kDS);
  if (!Usable(response)) co_return Keep(walk, name, Unanswered(name, RRType::kDS, response.get()));
  DsVerdict verdict = JudgeDs(walk, *parent, name, *response);
  Elsewhere elsewhere(walk);
  while (elsewhere.Worthwhile(
      std::holds_alternative<ZoneStatus>(verdict) && IsBogus(std::get<ZoneStatus>(verdict)), response)) {
    std::vector<IpAddress> avoid = elsewhere.avoid();
    response = co_await walk.fetcher.FetchElsewhere(name, RRType::kDS, std::move(avoid), walk.budget,
                                                    walk.depth + 1);
    if (Usable(response)) verdict = JudgeDs(walk, *parent, name, *response);
  }
  if (auto* status = std::get_if<ZoneStatus>(&verdict)) co_return Keep(walk, name, std::move(*status));
  Delegation delegation = std::move(std::get<Delegation>(verdict));
  ZoneStatusPtr status = co_await AskKeys(walk, std::move(delegation));
  co_return status;
}

}  // namespace

Knowledge::Knowledge(const Settings& settings)
    : anchors(settings),
      policy(PolicyOf(settings)),
      validate(settings.validate),
      crypto(settings.min_rsa_bits) {}

namespace {

// Who signed what is cached of the DS at `name`: the records, or that a delegation there has none.
std::optional<dns::Name> DsSigner(const Response& ds, dns::NameView name) {
  if (ds.kind == ResponseKind::kAnswer) {
    const dns::RRset* rrset = FindAnswer(ds, name, RRType::kDS);
    return rrset == nullptr ? std::nullopt : BestSigner(*rrset, name.Parent());
  }
  if (ds.kind != ResponseKind::kNodata) return std::nullopt;
  for (const auto& rrset : ds.authority) {
    if (rrset->type != RRType::kNSEC && rrset->type != RRType::kNSEC3) continue;
    if (auto signer = BestSigner(*rrset, name.Parent())) return signer;
  }
  return std::nullopt;
}

// How many labels of `target` the next step may take. Usually one more than `zone` has; but where a DS signed
// by the zone is cached, or its absence, as referrals leave them, nothing between needs to be known.
int NextCut(const Walk& walk, const ZoneStatus& zone, dns::NameView target, int labels) {
  for (int at = labels; at <= target.LabelCount(); ++at) {
    const dns::NameView name = target.Suffix(at);
    const ResponsePtr ds = walk.fetcher.Peek(name, RRType::kDS);
    if (ds == nullptr || (ds->kind != ResponseKind::kAnswer && ds->kind != ResponseKind::kNodata)) continue;
    const std::optional<dns::Name> signer = DsSigner(*ds, name);
    return signer && *signer == zone.keys.zone ? at : labels;
  }
  return labels;
}

}  // namespace

Task<ZoneStatusPtr> FindZone(Walk& walk, dns::Name target) {
  const EntryPoints* anchor = walk.knowledge->anchors.StartFor(target, walk.fetcher.now().wall);
  if (anchor == nullptr) {
    co_return std::make_shared<const ZoneStatus>(MakeStatus(Kind::kInsecure, 0, MonoTime{}));
  }
  ZoneStatusPtr zone = co_await StartAt(walk, *anchor);
  if (zone->kind != Kind::kSecure) co_return zone;
  for (int labels = anchor->zone.view().LabelCount() + 1; labels <= target.view().LabelCount(); ++labels) {
    // Most often the next zone is known: one look instead of several into the record cache.
    const std::string next_name = dns::Name(target.view().Suffix(labels)).LowercaseBytes();
    const ZoneStatusPtr known = walk.knowledge->cache.Find(next_name, walk.fetcher.now().mono);
    if (known != nullptr && (known->kind == Kind::kSecure || known->kind == Kind::kInsecure)) {
      zone = known;
      if (zone->kind != Kind::kSecure) break;
      continue;
    }
    labels = NextCut(walk, *zone, target, labels);
    dns::Name name(target.view().Suffix(labels));
    ZoneStatusPtr next = co_await StepTo(walk, zone, name);
    if (next->kind == Kind::kNoName) break;
    if (next->kind == Kind::kNotACut) continue;
    zone = std::move(next);
    if (zone->kind != Kind::kSecure) break;
  }
  co_return zone;
}

}  // namespace sekisho::resolver::dnssec
