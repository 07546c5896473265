#include "resolver/core/validator/validator.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/limits.h"
#include "resolver/core/validator/chain.h"
#include "resolver/core/validator/denial.h"
#include "resolver/core/validator/judge.h"

namespace sekisho::resolver {

using dns::EdeCode;
using dns::RRType;
using dnssec::FindZone;
using dnssec::Judgement;
using dnssec::Walk;
using dnssec::ZoneStatus;
using dnssec::ZoneStatusPtr;

namespace {

// RRsets of an ANY answer that are validated (row D11); more is refused.
constexpr size_t kRrsetsPerAnswer = 16;

Judgement FromStatus(const ZoneStatus& zone) {
  Judgement judgement;
  judgement.security = zone.kind == ZoneStatus::Kind::kInsecure ? Security::kInsecure : Security::kBogus;
  judgement.why = zone.why;
  judgement.by_zone = true;
  return judgement;
}

bool IsSecureZone(const ZoneStatus& zone) { return zone.kind == ZoneStatus::Kind::kSecure; }

// Data without a signature by anyone who may sign it: fine where no chain reaches.
Task<Judgement> JudgeUnsigned(Walk& walk, dns::Name target, std::string what) {
  ZoneStatusPtr zone = co_await FindZone(walk, target);
  if (!IsSecureZone(*zone)) {
    Judgement judgement = FromStatus(*zone);
    // Nobody says whether there is a cut below the zone that was asked: another server may have signatures.
    if (zone->kind == ZoneStatus::Kind::kBogus && !zone->keep) judgement.by_zone = false;
    co_return judgement;
  }
  co_return Judgement::Bogus(EdeCode::kRrsigsMissing, what + ": not signed");
}

// `judgement` is what `signer`'s keys said of data at `target`. Is the signer the zone that holds the data at
// all? A parent's signatures below a cut count for nothing (row P25), and an unsigned child may carry them
// without harm.
Task<Judgement> CheckHolder(Walk& walk, Judgement judgement, dns::Name signer, dns::Name target) {
  const bool zone_below_signer =
      walk.judged.zone.view().IsBelow(signer) && target.view().IsAtOrBelow(walk.judged.zone);
  if (!zone_below_signer) co_return judgement;
  if (judgement.exhausted) co_return judgement;
  const bool bogus = judgement.security == Security::kBogus;
  ZoneStatusPtr zone = co_await FindZone(walk, walk.judged.zone);
  if (zone->kind == ZoneStatus::Kind::kInsecure) co_return FromStatus(*zone);
  if (bogus || (IsSecureZone(*zone) && zone->keys.zone == signer)) co_return judgement;
  if (!IsSecureZone(*zone)) co_return FromStatus(*zone);
  co_return Judgement::Bogus(EdeCode::kDnssecBogus, target.ToString() + ": signed from above its zone");
}

// A signer above the anchor closest to the data would let data escape from below that anchor.
bool ReachesAnchorOf(const Walk& walk, dns::NameView signer, dns::NameView target) {
  const WallTime now = walk.fetcher.now().wall;
  return walk.knowledge->anchors.StartFor(signer, now) == walk.knowledge->anchors.StartFor(target, now);
}

Task<Judgement> JudgeOne(Walk& walk, const dns::RRset& rrset) {
  dns::Name target(dnssec::HolderOf(rrset.owner, rrset.type));
  std::optional<dns::Name> signer = dnssec::BestSigner(rrset, target);
  if (!signer || !ReachesAnchorOf(walk, *signer, target)) {
    std::string what = dnssec::Describe(rrset);
    Judgement judgement = co_await JudgeUnsigned(walk, target, std::move(what));
    co_return judgement;
  }
  ZoneStatusPtr zone = co_await FindZone(walk, *signer);
  if (!IsSecureZone(*zone)) co_return FromStatus(*zone);
  Judgement judgement;
  if (zone->keys.zone == *signer) {
    dnssec::Check check = walk.MakeProvingCheck();
    judgement = dnssec::JudgeRRset(rrset, walk.judged.authority, zone->keys, check);
  } else {
    judgement = Judgement::Bogus(EdeCode::kDnssecBogus, dnssec::Describe(rrset) + ": signer is not a zone");
  }
  Judgement result = co_await CheckHolder(walk, std::move(judgement), *signer, target);
  co_return result;
}

Task<Judgement> JudgeAnswer(Walk& walk) {
  const auto& answer = walk.judged.answer;
  if (!dnssec::AnswersQuestion(walk.judged) || answer.size() > kRrsetsPerAnswer) {
    co_return Judgement::Bogus(EdeCode::kDnssecBogus,
                               walk.judged.qname.ToString() + ": records not asked for");
  }
  Judgement all;
  all.security = Security::kSecure;
  for (size_t i = 0; i < answer.size() && all.security != Security::kBogus; ++i) {
    const dns::RRset& rrset = *answer[i];
    if (rrset.type == RRType::kRRSIG) {  // signatures are not signed
      all.security = Security::kInsecure;
      continue;
    }
    if (const dns::RRset* dname = dnssec::DnameFor(answer, i)) {
      if (!dnssec::IsMadeFrom(rrset, *dname)) {
        all = Judgement::Bogus(EdeCode::kDnssecBogus, dnssec::Describe(rrset) + ": not what the DNAME makes");
      }
      continue;  // as good as the DNAME, which is judged in its turn
    }
    Judgement one = co_await JudgeOne(walk, rrset);
    dnssec::Merge(std::move(one), &all);
  }
  co_return all;
}

// Who signed the denial: the longest name that may.
std::optional<dns::Name> DenialSigner(const Walk& walk, dns::NameView target) {
  std::optional<dns::Name> best;
  for (const auto& rrset : walk.judged.authority) {
    if (rrset->type != RRType::kSOA && rrset->type != RRType::kNSEC && rrset->type != RRType::kNSEC3)
      continue;
    std::optional<dns::Name> signer = dnssec::BestSigner(*rrset, target);
    if (!signer || !ReachesAnchorOf(walk, *signer, target)) continue;
    if (!best || signer->size() > best->size()) best = std::move(signer);
  }
  return best;
}

// Servers of a signed zone and of an unsigned one below answer for the latter with what the former proves:
// that there is a delegation without DS at the name or above it. What the proof says of the name is then that
// no chain of trust leads there.
bool ShowsUnsignedCut(Walk& walk, const dnssec::ZoneKeys& keys, dns::NameView target) {
  const auto is_unsigned_cut = [](const dns::TypeBitmap& types) {
    return types.Has(RRType::kNS) && !types.Has(RRType::kSOA) && !types.Has(RRType::kDS);
  };
  const bool likely =
      std::any_of(walk.judged.authority.begin(), walk.judged.authority.end(), [&](const auto& rrset) {
        if (rrset->rdata.empty() || !rrset->owner.view().IsBelow(keys.zone)) return false;
        if (rrset->type == RRType::kNSEC) {
          const auto nsec = dns::ReadNsec(rrset->rdata.front());
          return nsec && target.IsAtOrBelow(rrset->owner) && is_unsigned_cut(nsec->types);
        }
        const auto nsec3 =
            rrset->type == RRType::kNSEC3 ? dns::ReadNsec3(rrset->rdata.front()) : std::nullopt;
        return nsec3 && is_unsigned_cut(nsec3->types);
      });
  if (!likely) return false;
  dnssec::Check check = walk.MakeCheck();
  for (int labels = keys.zone.view().LabelCount() + 1; labels <= target.LabelCount(); ++labels) {
    dnssec::Denial denial(walk.judged.authority, keys, check);
    const dnssec::DenialVerdict verdict = denial.Nodata(target.Suffix(labels), RRType::kDS);
    if (verdict.proof == dnssec::Proof::kProven && verdict.delegation) return true;
    if (verdict.exhausted) return false;
  }
  return false;
}

Task<Judgement> JudgeNegative(Walk& walk) {
  dns::Name target(dnssec::HolderOf(walk.judged.qname, walk.judged.qtype));
  std::optional<dns::Name> signer = DenialSigner(walk, target);
  if (!signer) {
    std::string what = walk.judged.qname.ToString() + ": denial";
    Judgement judgement = co_await JudgeUnsigned(walk, target, std::move(what));
    co_return judgement;
  }
  ZoneStatusPtr zone = co_await FindZone(walk, *signer);
  if (!IsSecureZone(*zone)) co_return FromStatus(*zone);
  Judgement judgement;
  if (zone->keys.zone == *signer) {
    dnssec::Check check = walk.MakeProvingCheck();
    judgement = dnssec::JudgeDenial(walk.judged, zone->keys, check);
  } else {
    judgement =
        Judgement::Bogus(EdeCode::kDnssecBogus, walk.judged.qname.ToString() + ": signer is not a zone");
  }
  if (judgement.security == Security::kBogus && !judgement.exhausted && zone->keys.zone == *signer &&
      ShowsUnsignedCut(walk, zone->keys, target)) {
    judgement = Judgement();
    judgement.security = Security::kInsecure;
    co_return judgement;
  }
  Judgement result = co_await CheckHolder(walk, std::move(judgement), *signer, target);
  co_return result;
}

Task<Judgement> Judge(Walk& walk) {
  const Response& response = walk.judged;
  const dns::NameView target = dnssec::HolderOf(response.qname, response.qtype);
  Judgement insecure;
  insecure.security = Security::kInsecure;
  if (!walk.knowledge->validate || response.kind == ResponseKind::kFailure) co_return insecure;
  if (walk.knowledge->anchors.StartFor(target, walk.fetcher.now().wall) == nullptr) co_return insecure;
  const bool positive = response.kind == ResponseKind::kAnswer || response.kind == ResponseKind::kCname;
  if (positive) {
    Judgement judgement = co_await JudgeAnswer(walk);
    co_return judgement;
  }
  Judgement judgement = co_await JudgeNegative(walk);
  co_return judgement;
}

// Beside an answer that is secure only what is so itself may stand (RFC 4035 section 3.2.3).
Task<std::shared_ptr<const Beside>> KeepSecure(Walk& walk, std::shared_ptr<const Beside> beside) {
  auto kept = std::make_shared<Beside>();
  for (const auto& rrset : beside->authority) {
    Judgement one = co_await JudgeOne(walk, *rrset);
    if (one.security == Security::kSecure) kept->authority.push_back(rrset);
  }
  for (const auto& rrset : beside->additional) {
    Judgement one = co_await JudgeOne(walk, *rrset);
    if (one.security == Security::kSecure) kept->additional.push_back(rrset);
  }
  co_return kept;
}

std::vector<dns::RRsetPtr> Proven(const Walk& walk) {
  std::vector<dns::RRsetPtr> out;
  for (const dns::RRsetPtr& rrset : walk.judged.authority) {
    if (std::find(walk.proven.begin(), walk.proven.end(), rrset.get()) != walk.proven.end()) {
      out.push_back(rrset);
    }
  }
  return out;
}

}  // namespace

class Validator::Impl {
 public:
  explicit Impl(RecordFetcher* record_fetcher) : fetcher(*record_fetcher) {}

  RecordFetcher& fetcher;
  std::shared_ptr<dnssec::Knowledge> knowledge;
};

Validator::Validator(RecordFetcher* fetcher) : impl_(std::make_unique<Impl>(fetcher)) { Configure(nullptr); }

Validator::~Validator() = default;

void Validator::Configure(std::shared_ptr<const Settings> settings) {
  impl_->knowledge = std::make_shared<dnssec::Knowledge>(settings ? *settings : Settings{});
}

std::optional<dns::ExtendedError> Validator::Hopeless(dns::NameView name, RRType type) const {
  const dnssec::Knowledge& knowledge = *impl_->knowledge;
  if (!knowledge.validate) return std::nullopt;
  const auto* anchor = knowledge.anchors.StartFor(dnssec::HolderOf(name, type), impl_->fetcher.now().wall);
  return anchor == nullptr ? std::nullopt : dnssec::Hopeless(*anchor, knowledge.policy);
}

Task<bool> Validator::Validate(Response* response, Budget& budget, int depth) {
  Walk walk{impl_->knowledge, impl_->fetcher, budget, depth, *response};
  Judgement judgement = co_await Judge(walk);
  if (judgement.security == Security::kSecure) {
    if (judgement.is_nodata) {
      response->kind = ResponseKind::kNodata;
      response->rcode = dns::Rcode::kNoError;
    }
    response->proven = Proven(walk);
    response->wildcard_encloser = judgement.wildcard_encloser;
  }
  if (judgement.security == Security::kSecure && response->beside) {
    std::shared_ptr<const Beside> beside = response->beside;
    response->beside = co_await KeepSecure(walk, std::move(beside));
  }
  response->security = judgement.security;
  response->ttl_cap = std::min(response->ttl_cap, judgement.ttl_cap);
  if (!judgement.why.text.empty()) response->errors.push_back(std::move(judgement.why));
  co_return judgement.security == Security::kBogus && !judgement.by_zone && !judgement.exhausted;
}

}  // namespace sekisho::resolver
