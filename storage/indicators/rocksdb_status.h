// RocksDB's outcomes as absl::Status: damage, a full disk and a lock held by another process told apart.
//
// Threads: functions without state.
#ifndef SEKISHO_STORAGE_INDICATORS_ROCKSDB_STATUS_H_
#define SEKISHO_STORAGE_INDICATORS_ROCKSDB_STATUS_H_

#include <absl/status/status.h>
#include <rocksdb/status.h>

#include <string>

namespace sekisho::indicators {

inline absl::Status FromRocks(const rocksdb::Status& status, const char* what) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = std::string(what) + ": " + status.ToString();
  if (status.IsCorruption()) return absl::DataLossError(text);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(text);
  return absl::UnavailableError(text);
}

}  // namespace sekisho::indicators

#endif  // SEKISHO_STORAGE_INDICATORS_ROCKSDB_STATUS_H_
