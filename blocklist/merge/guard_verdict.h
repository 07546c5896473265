// GuardVerdict: why a claim is kept as evidence and not enforced.
//
// Threads: values.
#ifndef SEKISHO_BLOCKLIST_MERGE_GUARD_VERDICT_H_
#define SEKISHO_BLOCKLIST_MERGE_GUARD_VERDICT_H_

#include <cstdint>
#include <string_view>

namespace sekisho::blocklist {

enum class GuardVerdict : uint8_t {
  kEnforce,
  kTopLevel,
  kPublicSuffix,
  kTenantSuffix,
  kAboveSuffix,
  kProtected,
  kAboveProtected,
  kSharedHost,
  kShortName,
  kRestrictedSuffix,
  kSpecialAddress,
  kPrivateAddress,
  kWidePrefix,
  kOwnNetwork,
  kSharedAddress,
  kUrlOnAddress,
};

// Short text for people; empty for kEnforce.
std::string_view GuardVerdictText(GuardVerdict verdict);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_GUARD_VERDICT_H_
