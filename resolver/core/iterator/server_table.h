// ServerTable: what one worker has learnt of authoritative servers: round-trip times, timeouts in a row,
// whether they take EDNS, keep the case of names, and which zones they are lame for.
//
// Threads: one worker. Limits: at most kServers servers; the least recently used go first.
// Standards: RFC 6298 (smoothing), RFC 9520 section 2 (dead servers); attack rows P09, P10 (what may not
// count).
#ifndef SEKISHO_RESOLVER_CORE_ITERATOR_SERVER_TABLE_H_
#define SEKISHO_RESOLVER_CORE_ITERATOR_SERVER_TABLE_H_

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/base/keyed_hash.h"
#include "proto/base/now.h"
#include "proto/dns/name.h"

namespace sekisho::resolver {

enum class EdnsSupport : uint8_t { kUnknown, kYes, kNo };

struct ServerState {
  IpAddress address;
  Duration srtt{0};  // 0: never measured
  Duration rttvar{0};
  int timeouts = 0;  // in a row, one after the other
  MonoTime last_timeout{};
  MonoTime retry_after{};  // dead until then
  EdnsSupport edns = EdnsSupport::kUnknown;
  MonoTime edns_until{};  // kNo is believed until then
  bool keeps_case = true;
  std::vector<uint8_t> cookie;  // what it wants to see beside ours; empty: never got one (RFC 7873)
  MonoTime no_cookies_until{};  // it chokes on the option: left out until then
  std::vector<std::pair<std::string, MonoTime>> lame_for;  // lower-cased zone, until when

  // How long to wait for a reply of this server.
  Duration Timeout() const;
  bool IsLame(dns::NameView zone, MonoTime now) const;
};

class ServerTable {
 public:
  explicit ServerTable(KeyedHash hash) : servers_(0, Hasher{hash}) {}

  // The state of a server, made when it is new. Valid until the next Get.
  ServerState& Get(const IpAddress& address);
  // Null when nothing is known; does not count as use.
  const ServerState* Peek(const IpAddress& address) const;

  void OnReply(const IpAddress& address, Duration rtt);
  // A timeout or a network error; the server is left alone for a while after several in a row. A question
  // that was sent before the last timeout tells nothing new: a burst counts once.
  void OnTimeout(const IpAddress& address, MonoTime now, Duration waited = Duration(0));
  // What came with an accepted reply; over TCP a server may also take its cookie back.
  void NoteCookie(const IpAddress& address, const std::vector<uint8_t>& cookie, bool tcp);
  void RefusesCookies(const IpAddress& address, MonoTime now);
  void MarkLame(const IpAddress& address, dns::NameView zone, MonoTime now);

  size_t size() const { return servers_.size(); }

 private:
  static constexpr size_t kServers = 50'000;
  static constexpr size_t kLameZones = 16;

  struct Hasher {
    KeyedHash hash;
    size_t operator()(const IpAddress& a) const { return hash(a.mapped()); }
  };
  std::list<ServerState> recent_;  // newest first
  std::unordered_map<IpAddress, std::list<ServerState>::iterator, Hasher> servers_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_ITERATOR_SERVER_TABLE_H_
