// Budget: what one client question may still cost. One object per question, passed by reference to every
// sub-task, never reset (rows D05, D07, D08 of the attack table; CVE-2026-50045 is what resetting leads to).
//
// Each Take… says whether the cost may be had and has taken it if so.
//
// Threads: one. Limits: limits.h.
#ifndef SEKISHO_RESOLVER_CORE_BUDGET_H_
#define SEKISHO_RESOLVER_CORE_BUDGET_H_

#include <cstddef>
#include <set>
#include <string>

#include "proto/base/now.h"
#include "proto/dns/name.h"
#include "resolver/core/limits.h"

namespace sekisho::resolver {

class Budget {
 public:
  explicit Budget(MonoTime start) : deadline_(start + limits::kQuestionTime) {}

  bool TakeQuery() { return Take(&queries_, 1); }
  bool TakeBytes(size_t n) { return Take(&bytes_, n); }
  bool TakeSignature() { return Take(&signatures_, 1); }
  // A signature that did not verify.
  bool TakeSignatureFailure() { return Take(&signature_failures_, 1); }
  bool HasSignatureFailure() const { return signature_failures_ > 0; }
  bool TakeNsec3Hashes(int n) { return Take(&nsec3_hashes_, n); }
  // Marks a server name as being looked up; false when it already is, which would be a loop (TsuNAME, row
  // D03).
  bool EnterName(const dns::Name& name) { return names_.insert(name.LowercaseBytes()).second; }
  void LeaveName(const dns::Name& name) { names_.erase(name.LowercaseBytes()); }
  // What is left, for the same client's question under another name; names in progress stay behind.
  Budget Rest() const {
    Budget rest = *this;
    rest.names_.clear();
    return rest;
  }
  bool Expired(MonoTime now) const { return now >= deadline_; }
  MonoTime deadline() const { return deadline_; }

  int queries_used() const { return limits::kUpstreamQueries - queries_; }
  int signatures_used() const { return limits::kSignatureChecks - signatures_; }
  int nsec3_hashes_used() const { return limits::kNsec3Hashes - nsec3_hashes_; }

 private:
  template <typename N, typename A>
  static bool Take(N* left, A n) {
    if (*left < static_cast<N>(n)) {
      *left = 0;
      return false;
    }
    *left -= static_cast<N>(n);
    return true;
  }

  MonoTime deadline_;
  int queries_ = limits::kUpstreamQueries;
  size_t bytes_ = limits::kUpstreamBytes;
  int signatures_ = limits::kSignatureChecks;
  int signature_failures_ = limits::kSignatureFailures;
  int nsec3_hashes_ = limits::kNsec3Hashes;
  std::set<std::string> names_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_BUDGET_H_
