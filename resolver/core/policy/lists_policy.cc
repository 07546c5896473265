#include "resolver/core/policy/lists_policy.h"

#include <utility>

#include "proto/dns/rdata.h"
#include "resolver/core/enforce.h"
#include "resolver/core/policy/judge.h"

namespace sekisho::resolver {
namespace {

using dns::RRType;

Judge JudgeFor(const Question& q, const World& world) {
  const Settings& settings = *world.settings;
  AgencyTable::Id agency = *q.agency;
  // Numbered anew since; a client that has lost its agency stays under what everybody is under.
  if (q.asked_under != nullptr && q.asked_under.get() != &settings)
    agency = settings.agencies.Find(q.client.address).value_or(0);
  return {world.policy, PolicyOf(settings, agency), settings.agencies.name(agency), settings.never_block,
          q.arrived.wall};
}

// Calls with every name and address that a set leads to, until one of the calls says stop.
template <typename EachName, typename EachAddress>
bool AnyTarget(const dns::RRset& rrset, EachName name, EachAddress address) {
  for (const auto rdata : rrset.rdata) {
    switch (rrset.type) {
      case RRType::kCNAME:
        if (const auto target = dns::ReadTarget(rdata); target && name(*target)) return true;
        break;
      case RRType::kA:
      case RRType::kAAAA:
        if (const auto a = IpAddress::FromRdata(rdata); a && address(*a)) return true;
        break;
      case RRType::kSVCB:
      case RRType::kHTTPS: {
        const auto svcb = dns::ReadSvcb(rdata);
        if (!svcb) break;
        if (!svcb->target.IsRoot() && name(svcb->target)) return true;
        for (const IpAddress& hint : svcb->Hints()) {
          if (address(hint)) return true;
        }
        break;
      }
      default:
        return false;
    }
  }
  return false;
}

}  // namespace

const std::shared_ptr<const AgencyPolicy>& PolicyOf(const Settings& settings, AgencyTable::Id agency) {
  static const std::shared_ptr<const AgencyPolicy> kPlain = std::make_shared<const AgencyPolicy>();
  const uint16_t group = settings.agencies.policy_group(agency);
  return group < settings.group_policies.size() ? settings.group_policies[group] : kPlain;
}

bool ScreenByLists(Question& q, const World& world) {
  return Adopt(q, JudgeFor(q, world).Name(q.sought, q.path.empty() ? Trigger::kQname : Trigger::kCname));
}

bool InspectByLists(Question& q, const World& world) {
  const Judge judge = JudgeFor(q, world);
  bool passes = false;
  const auto name = [&](dns::NameView target) {
    Verdict v = judge.Name(target, Trigger::kCname);
    passes = v.Passes(q.transport);
    return Adopt(q, std::move(v)) || passes;
  };
  const auto address = [&](const IpAddress& a) { return Adopt(q, judge.Address(a)); };
  for (const auto& link : q.answer->chain) {
    for (const auto& rrset : link->answer) {
      if (AnyTarget(*rrset, name, address)) return !passes;
    }
  }
  return false;
}

bool ListsChanged(const Question& q, const World& world) {
  if (world.policy && world.policy->generation() != q.verdict.generation) return true;
  return q.asked_under != nullptr && q.asked_under.get() != world.settings;
}

bool ListsTell(const Question& q, const World& world, const dns::RRset& rrset) {
  const Judge judge = JudgeFor(q, world);
  const auto blocks = [&](const Verdict& v) { return v.Blocks(q.transport); };
  return !blocks(judge.Name(rrset.owner, Trigger::kQname)) &&
         !AnyTarget(
             rrset, [&](dns::NameView n) { return blocks(judge.Name(n, Trigger::kCname)); },
             [&](const IpAddress& a) { return blocks(judge.Address(a)); });
}

}  // namespace sekisho::resolver
