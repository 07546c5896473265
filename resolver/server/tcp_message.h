// DNS messages over TCP: each behind its length.
//
//   message := u16 length (big-endian) | bytes
//
// Threads: functions without state. Standards: RFC 1035 section 4.2.2.
#ifndef SEKISHO_RESOLVER_SERVER_TCP_MESSAGE_H_
#define SEKISHO_RESOLVER_SERVER_TCP_MESSAGE_H_

#include <cstdint>
#include <span>
#include <vector>

namespace sekisho::resolver {

// `message` has at most 65535 bytes.
inline void AppendMessage(std::vector<uint8_t>* out, std::span<const uint8_t> message) {
  out->push_back(static_cast<uint8_t>(message.size() >> 8));
  out->push_back(static_cast<uint8_t>(message.size()));
  out->insert(out->end(), message.begin(), message.end());
}

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_TCP_MESSAGE_H_
