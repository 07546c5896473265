#include "blocklist/merge/guard_sources.h"

#include <utility>

#include "blocklist/merge/builtin_lists.h"

namespace sekisho::blocklist {
namespace {

constexpr size_t kMaxSuffixList = size_t{16} << 20;
// Fewer rules than this and the file is not the list.
constexpr size_t kLeastSuffixes = 1000;
constexpr int kNarrowestEverybody = 8;

template <typename List>
absl::Status AddFiles(const std::vector<std::string>& files, List* list) {
  for (const std::string& file : files) {
    std::string error;
    if (!list->AddFile(file, &error)) return absl::InvalidArgumentError(error);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LoadedGuard> LoadGuard(const GuardSources& sources) {
  GuardLists lists;
  LoadedGuard loaded;
  std::string error;
  if (sources.builtin_lists) {
    // Our own files: their being well-formed is a unit test's business.
    (void)lists.protected_names.AddText(BuiltinProtectedNames(), &error);
    (void)lists.shared_hosts.AddText(BuiltinSharedHosts(), &error);
    (void)lists.tenant_suffixes.AddText(BuiltinTenantSuffixes(), &error);
    (void)lists.addresses.protected_addresses.AddText(BuiltinProtectedAddresses(), &error);
    (void)lists.addresses.shared_addresses.AddText(BuiltinSharedAddresses(), &error);
  }
  std::string text;
  const bool own = !sources.public_suffix_list.empty();
  const std::string path = own ? sources.public_suffix_list : kDebianSuffixList;
  if (ReadWholeFile(path, kMaxSuffixList, &text, &error)) {
    lists.suffixes = PublicSuffixList::Parse(text);
    if (lists.suffixes.size() < kLeastSuffixes) error = path + ": not a public suffix list";
  }
  if (!error.empty()) {
    if (own) return absl::InvalidArgumentError(error);
    loaded.warnings.push_back("no public suffix list, only top-level domains count as suffixes: " + error);
  }
  absl::Status status = AddFiles(sources.protected_names, &lists.protected_names);
  if (status.ok()) status = AddFiles(sources.shared_hosts, &lists.shared_hosts);
  if (status.ok()) status = AddFiles(sources.tenant_suffixes, &lists.tenant_suffixes);
  if (status.ok()) status = AddFiles(sources.protected_addresses, &lists.addresses.protected_addresses);
  if (status.ok()) status = AddFiles(sources.shared_addresses, &lists.addresses.shared_addresses);
  if (!status.ok()) return status;
  lists.addresses.block_private = sources.block_private_addresses;
  for (const IpPrefix& network : sources.own_networks) {
    // Who serves everybody has no networks of his own.
    if (LengthOf(network) >= kNarrowestEverybody) lists.addresses.own_networks.Add(network);
  }
  loaded.guard = std::make_shared<const Guard>(std::move(lists));
  return loaded;
}

}  // namespace sekisho::blocklist
