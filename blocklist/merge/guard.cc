#include "blocklist/merge/guard.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace sekisho::blocklist {
namespace {

constexpr size_t kShortLabel = 2;

void AddAncestors(std::string_view name, NameSet* out) {
  for (std::string_view at = ParentName(name); !at.empty(); at = ParentName(at)) {
    if (!out->emplace(at).second) return;  // its ancestors are there already
  }
}

// Suffixes whose registries admit only public bodies and schools. "gov", "edu" and "mil" under any country
// code are such too.
bool IsRestrictedSuffix(std::string_view suffix) {
  static constexpr std::array<std::string_view, 41> kRestricted{
      "edu",     "gov",    "mil",     "int",    "arpa",  "go.jp",  "ac.jp",  "lg.jp",     "ed.jp",
      "go.kr",   "ac.kr",  "go.th",   "ac.th",  "go.id", "ac.id",  "sch.id", "go.ke",     "ac.ke",
      "go.ug",   "ac.ug",  "go.tz",   "ac.tz",  "ac.uk", "sch.uk", "nhs.uk", "police.uk", "ac.nz",
      "govt.nz", "ac.za",  "ac.in",   "nic.in", "ac.il", "ac.cn",  "gob.mx", "gob.es",    "gob.ar",
      "gob.cl",  "gob.pe", "gouv.fr", "gub.uy", "gc.ca"};
  for (const std::string_view known : kRestricted) {
    if (suffix == known) return true;
  }
  if (suffix.size() != 6 || suffix[3] != '.') return false;
  return suffix.starts_with("gov") || suffix.starts_with("edu") || suffix.starts_with("mil");
}

}  // namespace

std::string_view GuardVerdictText(GuardVerdict verdict) {
  switch (verdict) {
    case GuardVerdict::kEnforce:
      return "";
    case GuardVerdict::kTopLevel:
      return "a top-level domain";
    case GuardVerdict::kPublicSuffix:
      return "a public suffix: names below it belong to others";
    case GuardVerdict::kTenantSuffix:
      return "a hosting or dynamic-DNS domain: names below it belong to others";
    case GuardVerdict::kAboveSuffix:
      return "public suffixes or hosting domains lie below it";
    case GuardVerdict::kProtected:
      return "a protected name";
    case GuardVerdict::kAboveProtected:
      return "protected or shared names lie below it";
    case GuardVerdict::kSharedHost:
      return "a host that many share";
    case GuardVerdict::kShortName:
      return "a registered name of one or two letters: a brand or shortener";
    case GuardVerdict::kRestrictedSuffix:
      return "registered under a suffix for public bodies and schools";
    case GuardVerdict::kSpecialAddress:
      return "a loopback, link-local, multicast or reserved address";
    case GuardVerdict::kPrivateAddress:
      return "a private address";
    case GuardVerdict::kWidePrefix:
      return "a network too wide to be one attacker's";
    case GuardVerdict::kOwnNetwork:
      return "an agency's own network";
    case GuardVerdict::kSharedAddress:
      return "addresses that many sites share";
    case GuardVerdict::kUrlOnAddress:
      return "a URL or port on this address, not all of it";
  }
  return "unknown";
}

Guard::Guard(GuardLists lists) : lists_(std::move(lists)), addresses_(std::move(lists_.addresses)) {
  // A dotted shared host that the public suffix list knows as a provider's suffix: its sub-names are tenants'
  // own.
  std::vector<std::string> tenants;
  for (const std::string& name : lists_.shared_hosts.under) {
    const PublicSuffixList::Suffix suffix = lists_.suffixes.SuffixOf(name);
    if (suffix.is_private && suffix.name.size() == name.size()) tenants.push_back(name);
  }
  for (std::string& name : tenants) {
    lists_.shared_hosts.under.erase(name);
    lists_.tenant_suffixes.exact.insert(std::move(name));
  }
  for (const NameSet* set : {&lists_.tenant_suffixes.exact, &lists_.tenant_suffixes.under}) {
    for (const std::string& name : *set) AddAncestors(name, &above_suffix_);
  }
  lists_.suffixes.ForEachPrivate([this](std::string_view name) { AddAncestors(name, &above_suffix_); });
  for (const NameList* list : {&lists_.protected_names, &lists_.shared_hosts}) {
    for (const NameSet* set : {&list->exact, &list->under}) {
      for (const std::string& name : *set) AddAncestors(name, &above_protected_);
    }
  }
}

GuardVerdict Guard::CheckRegistered(std::string_view name, const PublicSuffixList::Suffix& suffix) const {
  if (suffix.is_private) return GuardVerdict::kEnforce;
  std::string_view front = name.substr(0, name.size() - suffix.name.size() - 1);
  if (front.starts_with("www.")) front.remove_prefix(4);
  if (front.find('.') != std::string_view::npos) return GuardVerdict::kEnforce;
  if (front.size() <= kShortLabel) return GuardVerdict::kShortName;
  return IsRestrictedSuffix(suffix.name) ? GuardVerdict::kRestrictedSuffix : GuardVerdict::kEnforce;
}

GuardVerdict Guard::Check(std::string_view name, ClaimKind kind) const {
  if (name.find('.') == std::string_view::npos) return GuardVerdict::kTopLevel;
  const PublicSuffixList::Suffix suffix = lists_.suffixes.SuffixOf(name);
  if (suffix.name.size() == name.size()) return GuardVerdict::kPublicSuffix;
  const std::string_view bare = name.starts_with("www.") ? name.substr(4) : name;  // the provider's own site
  if (lists_.tenant_suffixes.exact.contains(bare) || lists_.tenant_suffixes.under.contains(bare)) {
    return GuardVerdict::kTenantSuffix;
  }
  if (kind == ClaimKind::kSubtree) {
    if (above_suffix_.contains(name)) return GuardVerdict::kAboveSuffix;
    if (above_protected_.contains(name)) return GuardVerdict::kAboveProtected;
  }
  if (lists_.protected_names.Covers(name)) return GuardVerdict::kProtected;
  if (lists_.shared_hosts.Covers(name)) return GuardVerdict::kSharedHost;
  return CheckRegistered(name, suffix);
}

}  // namespace sekisho::blocklist
