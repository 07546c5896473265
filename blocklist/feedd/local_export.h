// LocalExport: the local blocks and allows as a text file beside the store, so that they outlive it.
//
//   ExportLocals(store, path);   …   ImportLocals(path, &new_store) → how many
//
// Threads: one call at a time per file. Limits: kMaxLocal entries; the file is whole or the one before.
#ifndef SEKISHO_BLOCKLIST_FEEDD_LOCAL_EXPORT_H_
#define SEKISHO_BLOCKLIST_FEEDD_LOCAL_EXPORT_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <string>

#include "storage/indicators/indicator_store.h"

namespace sekisho::feedd {

absl::Status ExportLocals(const indicators::IndicatorStore& store, const std::string& path);
// Nothing to do, and 0, when there is no such file.
absl::StatusOr<size_t> ImportLocals(const std::string& path, indicators::IndicatorStore* store);

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_LOCAL_EXPORT_H_
