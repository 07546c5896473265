// TcpLimits: what one client over TCP may take, and all of them together.
//
// Threads: values. Standards: RFC 7766 section 6.
#ifndef SEKISHO_RESOLVER_CONFIG_TCP_LIMITS_H_
#define SEKISHO_RESOLVER_CONFIG_TCP_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "proto/base/now.h"

namespace sekisho::resolver {

struct TcpLimits {
  uint32_t max_connections = 4096;
  uint32_t max_per_address = 32;
  uint32_t max_pipelined = 25;
  Duration idle = std::chrono::seconds(10);
  Duration message_time = std::chrono::seconds(5);  // from a message's first byte to its last
  Duration write_time = std::chrono::seconds(10);   // without the client taking any byte
  size_t max_buffered = 128 << 10;                  // bytes of answers waiting before reading stops
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CONFIG_TCP_LIMITS_H_
