// ReadVersion: a fetched list from its file into an import: sniffed, cut into lines, parsed, normalised.
//
// Threads: a function without state. Limits: LineSplitter's; kMaxSampleErrors samples of kMaxSampleText
// bytes; at most kMaxIndicatorLines lines.
#ifndef SEKISHO_BLOCKLIST_FEEDD_VERSION_READER_H_
#define SEKISHO_BLOCKLIST_FEEDD_VERSION_READER_H_

#include <absl/status/statusor.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "blocklist/merge/gate.h"
#include "blocklist/merge/guard.h"
#include "proto/schema/config.pb.h"
#include "storage/indicators/feed_import.h"

namespace sekisho::feedd {

inline constexpr size_t kMaxSampleErrors = 10;
inline constexpr size_t kMaxSampleText = 80;
inline constexpr uint64_t kMaxIndicatorLines = 50'000'000;

struct VersionContent {
  blocklist::VersionFacts facts;  // as far as reading tells: not before, added, removed
  std::string format;             // as found
  uint64_t addresses = 0;         // lines that name an IP address
  uint64_t not_enforced = 0;      // lines that the guard holds back
  uint64_t passed_over = 0;       // items that no resolver can act on
  std::vector<std::string> sample_errors;
};

// Fails when the file cannot be read or the import cannot take more; bad lines are counted only. `stopping`
// ends it.
absl::StatusOr<VersionContent> ReadVersion(const std::string& path, const config::Feed& feed,
                                           const blocklist::Guard& guard, const std::atomic<bool>& stopping,
                                           indicators::FeedImport* import);

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_VERSION_READER_H_
