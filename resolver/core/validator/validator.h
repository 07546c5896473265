// Validator: judges a Response by the chain of trust and writes the verdict into it.
//
//   validator.Validate(&response, budget) →  response.security = kSecure | kInsecure | kBogus, with EDE
//   reasons
//
// The chain (trust anchor → DS → DNSKEY → … ) is walked with a RecordFetcher, which asks the DNS without
// validation; verdicts on zones are kept in a KeyCache of their own so that each zone's keys are checked
// once.
//
// Threads: one Validator per worker (KeyCache too). Limits: Budget and limits.h.
// Standards: RFC 4033–4035, 5155, 6840, 8198 (names only), 8624, 9276, 9364; EDE per RFC 8914.
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_VALIDATOR_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_VALIDATOR_H_

#include <memory>
#include <optional>
#include <vector>

#include "proto/base/now.h"
#include "resolver/core/budget.h"
#include "resolver/core/response.h"
#include "resolver/core/settings.h"
#include "resolver/core/task.h"

namespace sekisho::resolver {

// Gives the validator DS and DNSKEY RRsets. Responses come unvalidated (security kUnchecked), kFailure
// included.
class RecordFetcher {
 public:
  virtual ~RecordFetcher() = default;
  // `depth` counts how deep in sub-questions the caller is; pass it on plus one.
  virtual Task<ResponsePtr> Fetch(dns::Name name, dns::RRType type, Budget& budget, int depth) = 0;
  // The same from the network, from other servers than these: what they said does not validate.
  virtual Task<ResponsePtr> FetchElsewhere(dns::Name name, dns::RRType type, std::vector<IpAddress> avoid,
                                           Budget& budget, int depth) = 0;
  // What is cached and fresh, unvalidated; null when nothing is.
  virtual ResponsePtr Peek(dns::NameView name, dns::RRType type) const = 0;
  // The time now; moves on while a Task waits.
  virtual Now now() const = 0;
};

class Validator {
 public:
  explicit Validator(RecordFetcher* fetcher);
  ~Validator();

  // Anchors and negative anchors; may be called again after a reload (forgets what it knew of zones).
  void Configure(std::shared_ptr<const Settings> settings);

  // Why nothing at `name` can be validated whatever is said of it; nothing: it is to be seen.
  std::optional<dns::ExtendedError> Hopeless(dns::NameView name, dns::RRType type) const;

  // Always ends with a verdict other than kUnchecked. With no anchor above the name: kInsecure.
  // Returns whether it is bogus by its own data, so that another server may have better.
  Task<bool> Validate(Response* response, Budget& budget, int depth);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_VALIDATOR_H_
