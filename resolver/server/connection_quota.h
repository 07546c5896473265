// ConnectionQuota: how many TCP clients there may be, over all workers, in all, from one address and of one
// agency. An agency may have as many as are still free, so that whatever it does, others get in.
//
// Threads: any; the lock is taken when a connection opens or closes, never per question.
// Limits: the two bounds. Standards: RFC 7766 section 6.2.2, row D26 of the attack table.
#ifndef SEKISHO_RESOLVER_SERVER_CONNECTION_QUOTA_H_
#define SEKISHO_RESOLVER_SERVER_CONNECTION_QUOTA_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "proto/base/ip_address.h"

namespace sekisho::resolver {

class ConnectionQuota {
 public:
  // True: counted, to be given back with Release. An empty agency has no share of its own.
  bool Admit(const IpAddress& client, const std::string& agency, uint32_t max_total,
             uint32_t max_per_address) {
    std::lock_guard<std::mutex> lock(mutex_);
    const uint32_t total = total_.load(std::memory_order_relaxed);
    const uint32_t free = max_total - std::min(total, max_total);
    const bool full = free == 0 || CountOf(by_address_, client) >= max_per_address ||
                      (!agency.empty() && CountOf(by_agency_, agency) >= free);
    if (full) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    ++by_address_[client];
    if (!agency.empty()) ++by_agency_[agency];
    total_.store(total + 1, std::memory_order_relaxed);
    return true;
  }

  void Release(const IpAddress& client, const std::string& agency) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto at = by_address_.find(client);
    if (at == by_address_.end()) return;
    if (--at->second == 0) by_address_.erase(at);
    const auto of_agency = by_agency_.find(agency);
    if (of_agency != by_agency_.end() && --of_agency->second == 0) by_agency_.erase(of_agency);
    total_.fetch_sub(1, std::memory_order_relaxed);
  }

  uint32_t total() const { return total_.load(std::memory_order_relaxed); }
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  template <typename Key>
  static uint32_t CountOf(const std::map<Key, uint32_t>& counts, const Key& key) {
    const auto it = counts.find(key);
    return it == counts.end() ? 0 : it->second;
  }

  std::mutex mutex_;
  std::map<std::string, uint32_t> by_agency_;
  std::map<IpAddress, uint32_t> by_address_;  // ordered: no hash for strangers to attack
  std::atomic<uint32_t> total_{0};
  std::atomic<uint64_t> refused_{0};
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_CONNECTION_QUOTA_H_
