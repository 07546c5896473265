// Daemon: sekisho-logd's threads and their lifetimes — the loop with the control socket, the ingest, the
// upkeep.
//
// Threads: Run on the main thread; it returns after SIGTERM or SIGINT, and reads the configuration again on
// SIGHUP. Limits: those of the parts.
#ifndef SEKISHO_STORAGE_LOGD_DAEMON_H_
#define SEKISHO_STORAGE_LOGD_DAEMON_H_

#include <string>

#include "proto/schema/config.pb.h"

namespace sekisho::logd {

// The exit code. What goes wrong is said on stderr.
int Run(const std::string& config_path, const config::Config& config);

}  // namespace sekisho::logd

#endif  // SEKISHO_STORAGE_LOGD_DAEMON_H_
