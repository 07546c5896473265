// Sockets as the resolver wants them: non-blocking, close-on-exec, with the options that DNS over UDP and TCP
// needs.
//
// Threads: functions without state. Standards: RFC 8899 and draft-ietf-dnsop-avoid-fragmentation (path MTU is
// not trusted: IP_PMTUDISC_OMIT), RFC 7766 (TCP).
#ifndef SEKISHO_PROTO_IO_SOCKET_H_
#define SEKISHO_PROTO_IO_SOCKET_H_

#include <absl/status/statusor.h>

#include "proto/base/ip_address.h"
#include "proto/base/rng.h"
#include "proto/io/unique_fd.h"

namespace sekisho::io {

// Bound, one of several that share the address (SO_REUSEPORT). A wildcard address also gets IP_PKTINFO, so
// that replies can leave from the address that was asked.
absl::StatusOr<UniqueFd> BindUdp(const Endpoint& local);
// Bound but not listening, so that a port is only seen open when everything behind it is ready.
absl::StatusOr<UniqueFd> BindTcp(const Endpoint& local);
absl::Status Listen(int fd, const Endpoint& local);
// OK when nobody holds the UDP port; SO_REUSEPORT alone would silently share it with another daemon of the
// same user.
absl::Status CheckUdpPortFree(const Endpoint& local);

enum class ConnectOutcome : uint8_t { kOk, kUnreachable, kNoSocket };
// A UDP socket on an unpredictable source port (1024–65535, uniform), connected to `server`. The port is
// found by binding at random, so no two sockets of the machine share it (RFC 5452 section 9.2).
ConnectOutcome ConnectUdp(const Endpoint& server, Rng& rng, UniqueFd* out);
// A TCP socket whose connection is under way.
ConnectOutcome ConnectTcp(const Endpoint& server, UniqueFd* out);
// The pending error of a socket (SO_ERROR).
int PendingError(int fd);
// Errors that are our own shortage of descriptors, memory or ports, not the peer's doing.
bool IsOwnShortage(int error);

}  // namespace sekisho::io

#endif  // SEKISHO_PROTO_IO_SOCKET_H_
