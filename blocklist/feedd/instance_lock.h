// InstanceLock: one daemon of its kind per run folder; the file holds the process id while it runs.
//
// Threads: one. Limits: flock(2), so a file on a network share may not exclude.
#ifndef SEKISHO_BLOCKLIST_FEEDD_INSTANCE_LOCK_H_
#define SEKISHO_BLOCKLIST_FEEDD_INSTANCE_LOCK_H_

#include <absl/status/statusor.h>

#include <string>

#include "proto/io/unique_fd.h"

namespace sekisho::feedd {

// kAlreadyExists when another process holds it. Released when the descriptor closes.
absl::StatusOr<io::UniqueFd> LockInstance(const std::string& path);

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_INSTANCE_LOCK_H_
