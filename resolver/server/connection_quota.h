// ConnectionQuota: how many TCP clients there may be, over all workers, in all and from one address.
//
// Threads: any; the lock is taken when a connection opens or closes, never per question.
// Limits: the two bounds. Standards: RFC 7766 section 6.2.2, row D21 of the attack table.
#ifndef SEKISHO_RESOLVER_SERVER_CONNECTION_QUOTA_H_
#define SEKISHO_RESOLVER_SERVER_CONNECTION_QUOTA_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>

#include "proto/base/ip_address.h"

namespace sekisho::resolver {

class ConnectionQuota {
 public:
  // True: counted, to be given back with Release.
  bool Admit(const IpAddress& client, uint32_t max_total, uint32_t max_per_address) {
    std::lock_guard<std::mutex> lock(mutex_);
    const uint32_t total = total_.load(std::memory_order_relaxed);
    auto at = by_address_.try_emplace(client, 0).first;
    if (total >= max_total || at->second >= max_per_address) {
      if (at->second == 0) by_address_.erase(at);
      refused_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    ++at->second;
    total_.store(total + 1, std::memory_order_relaxed);
    return true;
  }

  void Release(const IpAddress& client) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto at = by_address_.find(client);
    if (at == by_address_.end()) return;
    if (--at->second == 0) by_address_.erase(at);
    total_.fetch_sub(1, std::memory_order_relaxed);
  }

  uint32_t total() const { return total_.load(std::memory_order_relaxed); }
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::map<IpAddress, uint32_t> by_address_;  // ordered: no hash for strangers to attack
  std::atomic<uint32_t> total_{0};
  std::atomic<uint64_t> refused_{0};
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_CONNECTION_QUOTA_H_
