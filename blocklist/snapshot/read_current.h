// ReadCurrent: CURRENT of a snapshot folder as it lies on disk now.
//
// Threads: any.
#ifndef SEKISHO_BLOCKLIST_SNAPSHOT_READ_CURRENT_H_
#define SEKISHO_BLOCKLIST_SNAPSHOT_READ_CURRENT_H_

#include <string>

#include "absl/status/statusor.h"
#include "blocklist/snapshot/current_file.h"

namespace sekisho::blocklist {

// NotFound when there is no CURRENT (nothing was published yet); DataLoss when it cannot be trusted.
absl::StatusOr<CurrentFile> ReadCurrent(const std::string& folder);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_SNAPSHOT_READ_CURRENT_H_
