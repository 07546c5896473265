// OpenStore: the indicator store, or a new one in its place when it is damaged.
//
// A damaged store is moved aside, never deleted; local rules come back from their export, feeds from their
// publishers. Until every feed has been read again the rules in force stay (SyncService::Rebuilding).
//
// Threads: a function without state. Standards: reliability rows S07, S18.
#ifndef SEKISHO_BLOCKLIST_FEEDD_OPEN_STORE_H_
#define SEKISHO_BLOCKLIST_FEEDD_OPEN_STORE_H_

#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "storage/indicators/indicator_store.h"

namespace sekisho::feedd {

struct OpenedStore {
  std::unique_ptr<indicators::IndicatorStore> store;
  // Not empty: what was wrong with the one before, where it is now, and what came back.
  std::string damage;
};

// A file of this name beside the folder asks for a new store at the next start: damage was met while reading.
std::string RebuildMark(const std::string& folder);

absl::StatusOr<OpenedStore> OpenStore(const std::string& folder, const std::string& local_export);

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_OPEN_STORE_H_
