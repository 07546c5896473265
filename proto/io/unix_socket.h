// BindUnixSocket: a listening Unix socket at a path, taking over a stale file but never a living daemon's.
//
// Threads: functions without state. Limits: the path has at most 107 bytes. Standards: unix(7).
#ifndef SEKISHO_PROTO_IO_UNIX_SOCKET_H_
#define SEKISHO_PROTO_IO_UNIX_SOCKET_H_

#include <absl/status/statusor.h>

#include <string>

#include "proto/io/unique_fd.h"

namespace sekisho::io {

// Non-blocking, listening, mode 0660. Fails with the path and the reason; kAlreadyExists when somebody
// listens there or when the path is something else than a socket.
absl::StatusOr<UniqueFd> BindUnixSocket(const std::string& path);

}  // namespace sekisho::io

#endif  // SEKISHO_PROTO_IO_UNIX_SOCKET_H_
