#include "resolver/core/iterator/server_table.h"

#include <algorithm>

#include "resolver/core/limits.h"

namespace sekisho::resolver {
namespace {

constexpr int kDeadAfter = 4;  // timeouts in a row
constexpr Duration kDeadFor = std::chrono::seconds(1);
constexpr Duration kDeadForMax = std::chrono::seconds(60);
constexpr Duration kLameFor = std::chrono::minutes(10);
constexpr Duration kNoCookiesFor = std::chrono::minutes(10);

}  // namespace

Duration ServerState::Timeout() const {
  if (srtt.count() == 0) return limits::kFirstTimeout;
  const Duration t = srtt + 4 * rttvar;
  return std::clamp(t, limits::kMinTimeout, limits::kMaxTimeout);
}

bool ServerState::IsLame(dns::NameView zone, MonoTime now) const {
  if (lame_for.empty()) return false;
  const std::string key = dns::Name(zone).LowercaseBytes();
  return std::any_of(lame_for.begin(), lame_for.end(),
                     [&](const auto& l) { return l.second > now && l.first == key; });
}

ServerState& ServerTable::Get(const IpAddress& address) {
  if (auto it = servers_.find(address); it != servers_.end()) {
    recent_.splice(recent_.begin(), recent_, it->second);
    return *it->second;
  }
  if (servers_.size() >= kServers) {
    servers_.erase(recent_.back().address);
    recent_.pop_back();
  }
  recent_.emplace_front();
  recent_.front().address = address;
  servers_.emplace(address, recent_.begin());
  return recent_.front();
}

const ServerState* ServerTable::Peek(const IpAddress& address) const {
  const auto it = servers_.find(address);
  return it == servers_.end() ? nullptr : &*it->second;
}

void ServerTable::OnReply(const IpAddress& address, Duration rtt) {
  ServerState& s = Get(address);
  rtt = std::max(rtt, Duration(1));
  if (s.srtt.count() == 0) {
    s.srtt = rtt;
    s.rttvar = rtt / 2;
  } else {
    const Duration delta = rtt > s.srtt ? rtt - s.srtt : s.srtt - rtt;
    s.rttvar = (3 * s.rttvar + delta) / 4;
    s.srtt = (7 * s.srtt + rtt) / 8;
  }
  s.timeouts = 0;
  s.retry_after = {};
}

void ServerTable::OnTimeout(const IpAddress& address, MonoTime now, Duration waited) {
  ServerState& s = Get(address);
  if (now - waited < s.last_timeout) return;
  s.last_timeout = now;
  ++s.timeouts;
  if (s.timeouts < kDeadAfter) return;
  const int doublings = std::min(s.timeouts - kDeadAfter, 6);
  s.retry_after = now + std::min(kDeadFor * (1 << doublings), kDeadForMax);
}

void ServerTable::NoteCookie(const IpAddress& address, const std::vector<uint8_t>& cookie, bool tcp) {
  if (cookie.empty() && !tcp) return;
  ServerState& s = Get(address);
  if (s.cookie != cookie) s.cookie = cookie;
}

void ServerTable::RefusesCookies(const IpAddress& address, MonoTime now) {
  ServerState& s = Get(address);
  s.cookie.clear();
  s.no_cookies_until = now + kNoCookiesFor;
}

void ServerTable::MarkLame(const IpAddress& address, dns::NameView zone, MonoTime now) {
  ServerState& s = Get(address);
  const std::string key = dns::Name(zone).LowercaseBytes();
  std::erase_if(s.lame_for, [&](const auto& l) { return l.second <= now || l.first == key; });
  if (s.lame_for.size() >= kLameZones) s.lame_for.erase(s.lame_for.begin());
  s.lame_for.emplace_back(key, now + kLameFor);
}

}  // namespace sekisho::resolver
