// LdnsLeak: while one lives, the leak checker does not count what is allocated; around calls with malformed
// text, of which ldns 1.8.3 loses a few bytes when it refuses it (see proto/dns/ldns_bridge.h).
//
// Threads: the calling thread's allocations. Limits: does nothing without the sanitizer.
#ifndef SEKISHO_TESTS_UNIT_PROTO_DNS_LDNS_LEAK_H_
#define SEKISHO_TESTS_UNIT_PROTO_DNS_LDNS_LEAK_H_

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEKISHO_LEAK_CHECKER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SEKISHO_LEAK_CHECKER 1
#endif

#ifdef SEKISHO_LEAK_CHECKER
#include <sanitizer/lsan_interface.h>
#endif

namespace sekisho::dns {

class LdnsLeak {
 public:
#ifdef SEKISHO_LEAK_CHECKER
  LdnsLeak() { __lsan_disable(); }
  ~LdnsLeak() { __lsan_enable(); }
#else
  LdnsLeak() {}
  ~LdnsLeak() {}
#endif
  LdnsLeak(const LdnsLeak&) = delete;
  LdnsLeak& operator=(const LdnsLeak&) = delete;
};

}  // namespace sekisho::dns

#endif  // SEKISHO_TESTS_UNIT_PROTO_DNS_LDNS_LEAK_H_
