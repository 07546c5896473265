// RunDaemon: resolverd's life from its configuration file to SIGTERM.
//
// Threads: the process's main thread. Limits: one process per run_dir (a lock file). Nothing here needs more
// than the right to bind the configured ports, so it runs as uid 0 of a user namespace as well.
#ifndef SEKISHO_RESOLVER_RESOLVERD_DAEMON_H_
#define SEKISHO_RESOLVER_RESOLVERD_DAEMON_H_

#include <string>

#include "proto/config/paths.h"

namespace sekisho::resolver {

// Returns the exit status.
int RunDaemon(const std::string& config_path);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_RESOLVERD_DAEMON_H_
