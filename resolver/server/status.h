// MakeStatus: what `sekisho status` shows of resolverd, with an alarm wherever an operator should look.
//
// Threads: the main thread; reads gauges of all others.
#ifndef SEKISHO_RESOLVER_SERVER_STATUS_H_
#define SEKISHO_RESOLVER_SERVER_STATUS_H_

#include "proto/base/now.h"
#include "proto/schema/control.pb.h"
#include "resolver/server/server.h"

namespace sekisho::resolver {

control::StatusReply MakeStatus(const Server& server, Now now);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_STATUS_H_
