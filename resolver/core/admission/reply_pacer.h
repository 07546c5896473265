// ReplyPacer: spreads answers that were waited for, so that nobody can collect a thousand of them and have
// them released at one instant against somebody else (DNSBomb).
//
// Only for replies to addresses that are not proven, after a wait long enough to collect anything. Nothing is
// lost: what goes over the rate leaves a little later, evenly.
//
// Threads: one worker. Limits: kPulse replies in any ten milliseconds; clients are remembered for as long as
// their pace holds. Standards: CVE-2024-33655, row D21 of the attack table.
#ifndef SEKISHO_RESOLVER_CORE_ADMISSION_REPLY_PACER_H_
#define SEKISHO_RESOLVER_CORE_ADMISSION_REPLY_PACER_H_

#include <algorithm>
#include <unordered_map>

#include "proto/base/ip_address.h"
#include "proto/base/keyed_hash.h"
#include "proto/base/now.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {

class ReplyPacer {
 public:
  explicit ReplyPacer(KeyedHash hash) : next_(0, Hasher{hash}) {}

  // The instant, now or later, at which one more reply may leave for that address.
  MonoTime When(const IpAddress& client, MonoTime now) {
    if (next_.size() >= sweep_at_) {
      std::erase_if(next_, [&](const auto& n) { return n.second <= now; });
      sweep_at_ = std::max<size_t>(kSweep, 2 * next_.size());
    }
    MonoTime& next = next_[client];
    next = std::max(next, now) + kInterval;
    return std::max(now, next - kWindow);
  }

  size_t size() const { return next_.size(); }

 private:
  // Half of the pulse at once, the other half evenly over the same window.
  static constexpr Duration kWindow = std::chrono::milliseconds(10);
  static constexpr Duration kInterval = kWindow / (limits::kPulse / 2);
  static constexpr size_t kSweep = 1024;

  struct Hasher {
    KeyedHash hash;
    size_t operator()(const IpAddress& a) const { return hash(a.mapped()); }
  };
  std::unordered_map<IpAddress, MonoTime, Hasher> next_;
  size_t sweep_at_ = kSweep;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_ADMISSION_REPLY_PACER_H_
