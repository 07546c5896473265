#include "resolver/core/respond/service_targets.h"

#include <algorithm>

#include "proto/dns/rdata.h"

namespace sekisho::resolver {
namespace {

// More would be work for an attacker's benefit (CVE-2024-11187, row D13).
constexpr size_t kServiceTargets = 8;

}  // namespace

std::vector<Question::Extra> ServiceTargets(const Answer& answer, const FindCached& find,
                                            const MayTell& may_tell) {
  std::vector<Question::Extra> out;
  if (answer.chain.empty() || answer.chain.back()->kind != ResponseKind::kAnswer) return out;
  const auto add = [&](dns::NameView name, dns::RRType type) {
    const bool there = std::any_of(out.begin(), out.end(), [&](const auto& e) {
      return e.rrset->type == type && e.rrset->owner.view() == name;
    });
    if (there) return;
    const ResponsePtr found = find(name, type);
    if (!found || found->kind != ResponseKind::kAnswer || found->security == Security::kBogus) return;
    const dns::RRsetPtr& rrset = found->answer.back();
    if (may_tell(*rrset)) out.push_back({rrset, std::min(rrset->ttl, found->ttl_cap)});
  };
  size_t count = 0;
  for (const auto& rrset : answer.chain.back()->answer) {
    if (rrset->type != dns::RRType::kSVCB && rrset->type != dns::RRType::kHTTPS) continue;
    for (const auto rdata : rrset->rdata) {
      const auto svcb = dns::ReadSvcb(rdata);
      if (!svcb || ++count > kServiceTargets) break;
      // "." is the owner itself (section 2.5), and "no service" in alias mode.
      if (svcb->target.IsRoot() && svcb->priority == 0) continue;
      const dns::NameView target = svcb->target.IsRoot() ? rrset->owner.view() : svcb->target;
      if (svcb->priority == 0) add(target, rrset->type);
      add(target, dns::RRType::kA);
      add(target, dns::RRType::kAAAA);
    }
  }
  return out;
}

}  // namespace sekisho::resolver
