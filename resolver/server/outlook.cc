#include "resolver/server/outlook.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "proto/base/ip_address.h"
#include "proto/dns/name.h"
#include "proto/dns/reverse_name.h"
#include "resolver/core/policy/judge.h"
#include "resolver/core/policy/lists_policy.h"
#include "resolver/core/policy/zone_policy.h"
#include "resolver/core/rpz/judge.h"

namespace sekisho::resolver {
namespace {

constexpr std::array<const char*, 10> kActionWords = {"none",    "allow", "nxdomain", "nodata",   "sinkhole",
                                                      "refused", "drop",  "tcp-only", "passthru", "log-only"};

struct Subject {
  dns::Name name;                    // of an address its reverse name
  std::optional<IpAddress> address;  // null: a name
};

std::optional<Subject> ParseSubject(const std::string& text) {
  const auto prefix = IpPrefix::Parse(text);
  if (prefix && prefix->mapped_length() == 128)
    return Subject{dns::ReverseName(prefix->address()), prefix->address()};
  const auto name = prefix ? std::nullopt : dns::Name::Parse(text);
  if (!name) return std::nullopt;
  return Subject{*name, std::nullopt};
}

std::string RuleText(const Verdict& v, const Subject& subject) {
  if (subject.address) {
    const auto prefix = IpPrefix::Make(*subject.address, v.rule_labels);
    return prefix ? prefix->ToString() : "";
  }
  return dns::Name(subject.name.view().Suffix(v.rule_labels)).ToString() +
         (v.rule_subtree ? " and all below" : " alone");
}

class Outlook {
 public:
  Outlook(const Subject& subject, const RulesInForce& rules, WallTime now)
      : subject_(subject), rules_(rules), now_(now) {}

  control::Judgement Of(AgencyTable::Id agency) const {
    const Settings& settings = *rules_.settings;
    control::Judgement out;
    out.set_agency(settings.agencies.name(agency));
    const auto& policy = PolicyOf(settings, agency);
    out.set_policy(policy->name);
    const Judge judge(rules_.lists, policy, out.agency(), settings.never_block, now_);
    const Verdict verdict = subject_.address ? judge.Address(*subject_.address)
                                             : judge.Name(subject_.name, record::Trigger::kQname);
    if (verdict.action != Action::kNone) Take(verdict, &out);
    const bool decided = verdict.action != Action::kNone && verdict.action != Action::kLogOnly;
    if (!decided && !subject_.address && !TakeLocal(&out))
      TakeZones(settings.agencies.policy_group(agency), &out);
    if (out.action().empty()) out.set_action(kActionWords[0]);
    return out;
  }

 private:
  void Take(const Verdict& v, control::Judgement* out) const {
    out->set_action(kActionWords[static_cast<size_t>(v.action)]);
    out->set_by(std::string(v.feeds));
    out->set_category(std::string(v.category));
    out->set_reference(std::string(v.reference));
    out->set_rule(RuleText(v, subject_));
  }

  bool TakeLocal(control::Judgement* out) const {
    const auto local = rules_.settings->local.Find(subject_.name, dns::RRType::kA);
    if (!local) return false;
    out->set_action("local");
    out->set_by("local zones and data");
    return true;
  }

  // The first zone that decides by the name; one that is only noted does not hide it.
  void TakeZones(uint16_t group, control::Judgement* out) const {
    const Settings& settings = *rules_.settings;
    if (rules_.zones == nullptr || group >= settings.group_zones.size()) return;
    const rpz::ZoneList bound = rpz::Bind(settings.group_zones[group], *rules_.zones);
    const rpz::Judgement judged =
        rpz::Judge(bound, {.client = nullptr, .name = subject_.name, .answer = nullptr});
    const auto& finding = judged.rule ? judged.rule : judged.noted;
    if (!finding || (!judged.rule && !out->action().empty())) return;
    out->set_action(judged.rule ? kActionWords[static_cast<size_t>(ActionOf(*finding))]
                                : kActionWords[static_cast<size_t>(Action::kLogOnly)]);
    out->set_by("policy zone " + finding->zone->config->name);
    out->set_category("");
    out->set_reference("");
    out->set_rule((finding->wildcard ? "*." : "") + finding->matched.ToString());
  }

  const Subject& subject_;
  const RulesInForce& rules_;
  WallTime now_;
};

}  // namespace

absl::StatusOr<control::Judged> MakeOutlook(const control::JudgeRequest& request, const RulesInForce& rules,
                                            WallTime now) {
  const auto subject = ParseSubject(request.subject());
  if (!subject) return absl::InvalidArgumentError("neither a name nor an address");
  control::Judged out;
  if (rules.lists != nullptr) out.set_generation(rules.lists->generation());
  const Outlook outlook(*subject, rules, now);
  const AgencyTable& agencies = rules.settings->agencies;
  for (size_t i = 0; i < agencies.size() && out.judgements_size() < kMaxJudgements; ++i) {
    const auto agency = static_cast<AgencyTable::Id>(i);
    if (request.agency().empty() || agencies.name(agency) == request.agency())
      *out.add_judgements() = outlook.Of(agency);
  }
  if (out.judgements().empty() && !request.agency().empty())
    return absl::NotFoundError("no agency of this name: " + request.agency());
  return out;
}

}  // namespace sekisho::resolver
