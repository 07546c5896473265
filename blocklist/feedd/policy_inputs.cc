#include "blocklist/feedd/policy_inputs.h"

#include <utility>

#include "blocklist/merge/guard_sources.h"

namespace sekisho::feedd {

absl::StatusOr<std::shared_ptr<const PolicyInputs>> PolicyInputs::Load(const config::Config& config) {
  const config::Blocklist& blocklist = config.blocklist();
  blocklist::GuardSources sources;
  sources.public_suffix_list = blocklist.public_suffix_list();
  sources.protected_names = {blocklist.protected_names().begin(), blocklist.protected_names().end()};
  sources.shared_hosts = {blocklist.shared_hosts().begin(), blocklist.shared_hosts().end()};
  sources.tenant_suffixes = {blocklist.tenant_suffixes().begin(), blocklist.tenant_suffixes().end()};
  sources.builtin_lists = !blocklist.has_builtin_lists() || blocklist.builtin_lists();
  sources.protected_addresses = {blocklist.protected_addresses().begin(),
                                 blocklist.protected_addresses().end()};
  sources.shared_addresses = {blocklist.shared_addresses().begin(), blocklist.shared_addresses().end()};
  sources.block_private_addresses = blocklist.block_private_addresses();
  for (const config::Agency& agency : config.agencies()) {
    for (const std::string& network : agency.networks()) {
      if (const auto prefix = IpPrefix::Parse(network)) sources.own_networks.push_back(*prefix);
    }
  }
  auto guard = blocklist::LoadGuard(sources);
  if (!guard.ok()) return guard.status();
  auto inputs = std::make_shared<PolicyInputs>();
  inputs->feeds = {blocklist.feeds().begin(), blocklist.feeds().end()};
  inputs->guard = std::move(guard->guard);
  for (const config::Agency& agency : config.agencies()) inputs->agencies.insert(agency.name());
  inputs->warnings = std::move(guard->warnings);
  return std::shared_ptr<const PolicyInputs>(std::move(inputs));
}

const config::Feed* PolicyInputs::Find(const std::string& name) const {
  for (const config::Feed& feed : feeds) {
    if (feed.name() == name) return &feed;
  }
  return nullptr;
}

}  // namespace sekisho::feedd
