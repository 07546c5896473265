// The guard's lists that come with Sekisho: deploy/lists/{protected-names,shared-hosts,tenant-suffixes,
// protected-addresses,shared-addresses}.txt
// as they were at build time, so that no installation is without them.
//
// Threads: any; the texts live as long as the program.
#ifndef SEKISHO_BLOCKLIST_MERGE_BUILTIN_LISTS_H_
#define SEKISHO_BLOCKLIST_MERGE_BUILTIN_LISTS_H_

#include <string_view>

namespace sekisho::blocklist {

std::string_view BuiltinProtectedNames();
std::string_view BuiltinSharedHosts();
std::string_view BuiltinTenantSuffixes();
std::string_view BuiltinProtectedAddresses();
std::string_view BuiltinSharedAddresses();

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_BUILTIN_LISTS_H_
