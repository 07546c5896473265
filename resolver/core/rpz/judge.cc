#include "resolver/core/rpz/judge.h"

#include <utility>

namespace sekisho::resolver::rpz {
namespace {

using record::Trigger;

bool OnlyNoted(const ZoneConfig& config) { return config.log_only || config.action == Override::kDisabled; }

class ZoneJudge {
 public:
  ZoneJudge(const BoundZone& bound, const Subject& subject) : bound_(bound), subject_(subject) {}

  std::optional<Finding> BeforeAnswer() const {
    if (subject_.client != nullptr) {
      if (auto f = Prefix(TriggerKind::kClient, Trigger::kClient, *subject_.client, subject_.name)) return f;
    }
    return Name(TriggerKind::kQname, subject_.alias ? Trigger::kCname : Trigger::kQname, subject_.name);
  }

  std::optional<Finding> Answer(const std::vector<KnownServer>& servers) const {
    std::optional<Finding> best;
    for (const IpAddress& a : subject_.answer->addresses)
      Longer(Prefix(TriggerKind::kAddress, Trigger::kAnswerAddress, a, subject_.name), &best);
    if (best) return best;
    for (const KnownServer& s : servers) {
      if (auto f = Name(TriggerKind::kNsName, Trigger::kNsName, s.name)) return f;
    }
    for (const KnownServer& s : servers) {
      for (const IpAddress& a : s.addresses)
        Longer(Prefix(TriggerKind::kNsAddress, Trigger::kNsAddress, a, s.name), &best);
    }
    return best;
  }

 private:
  static void Longer(std::optional<Finding> f, std::optional<Finding>* best) {
    if (f && (!*best || f->prefix->mapped_length() > (*best)->prefix->mapped_length())) *best = std::move(f);
  }

  std::optional<Finding> Name(TriggerKind kind, Trigger trigger, dns::NameView name) const {
    const auto match = bound_.zone->names(kind).Find(name);
    if (!match) return std::nullopt;
    Finding f;
    f.zone = &bound_;
    f.trigger = trigger;
    f.rule = bound_.zone->rule(match->value);
    f.matched = dns::Name(name);
    f.labels = match->labels;
    f.wildcard = match->wildcard;
    return f;
  }

  std::optional<Finding> Prefix(TriggerKind kind, Trigger trigger, const IpAddress& address,
                                dns::NameView under) const {
    const auto match = bound_.zone->prefixes(kind).Find(address);
    if (!match) return std::nullopt;
    Finding f;
    f.zone = &bound_;
    f.trigger = trigger;
    f.rule = bound_.zone->rule(match->value);
    f.matched = dns::Name(under);
    f.prefix = match->prefix;
    f.address = address;
    return f;
  }

  const BoundZone& bound_;
  const Subject& subject_;
};

}  // namespace

Judgement Judge(const ZoneList& zones, const Subject& subject) {
  Judgement out;
  std::optional<std::vector<KnownServer>> servers;
  for (const BoundZone& bound : zones) {
    const bool noted = OnlyNoted(*bound.config);
    const ZoneJudge judge(bound, subject);
    std::optional<Finding> found = judge.BeforeAnswer();
    if (!found && bound.zone->needs_answer()) {
      if (subject.answer == nullptr) {
        if (noted) continue;
        out.waits = true;
        return out;
      }
      static const std::vector<KnownServer> kNone;
      const bool ask = bound.zone->needs_servers() && subject.answer->servers;
      if (ask && !servers) servers = subject.answer->servers();
      found = judge.Answer(ask ? *servers : kNone);
    }
    if (!found) continue;
    if (!noted) {
      out.rule = std::move(found);
      return out;
    }
    if (!out.noted) out.noted = std::move(found);
  }
  return out;
}

}  // namespace sekisho::resolver::rpz
