// RrsetCache: what the DNS said, shared by all workers. Policy never writes here.
//
// Entries are RRsets, proofs that a type or name does not exist, and failures, each under (owner name, type).
// The table is split into shards by a keyed hash; a hit holds a shard's lock for a probe and a reference
// count. Eviction is SIEVE per shard; every entry is charged with its overhead, and the sum never exceeds the
// bound.
//
// Threads: any. Limits: `max_bytes` in all; one entry at most kMaxEntryBytes (limits.h).
// Standards: RFC 2181 section 5.4.1 (ranking), RFC 2308, RFC 8767, RFC 9520.
#ifndef SEKISHO_RESOLVER_CORE_CACHE_RRSET_CACHE_H_
#define SEKISHO_RESOLVER_CORE_CACHE_RRSET_CACHE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "proto/base/keyed_hash.h"
#include "proto/base/now.h"
#include "proto/base/rng.h"
#include "proto/dns/edns.h"
#include "proto/dns/rrset.h"
#include "proto/record/lookup_record.h"
#include "resolver/core/beside.h"
#include "resolver/core/validator/denial_index.h"

namespace sekisho::resolver {

using record::Security;

// How far an RRset may be trusted, weakest first (RFC 2181 section 5.4.1).
enum class Rank : uint8_t {
  kGlue = 0,           // additional section of a referral; only for asking servers
  kDelegation = 1,     // NS of a referral
  kAnswerNonAuth = 2,  // answer without AA
  kAuthority = 3,      // authority section of an authoritative answer
  kAnswer = 4,         // answer section of an authoritative answer
  kSecure = 5,         // validated
};

enum class CacheKind : uint8_t {
  kRrset,
  kNodata,    // the name exists, the type does not
  kNxdomain,  // the name does not exist
  kFailure,   // resolution failed; `errors` say why
};

struct CacheEntry {
  CacheKind kind = CacheKind::kRrset;
  Rank rank = Rank::kGlue;
  Security security = Security::kUnchecked;
  dns::RRsetPtr rrset;               // kRrset
  std::vector<dns::RRsetPtr> proof;  // negative: SOA, then NSEC/NSEC3; wildcard expansion: NSEC/NSEC3
  std::vector<dns::RRsetPtr> glue;   // delegation: addresses of its servers, for asking them and nothing else
  std::shared_ptr<const Beside> beside;    // what came with it, where that is handed on
  dns::Name zone;                          // the zone the data came from
  std::vector<dns::ExtendedError> errors;  // why a failure or a bogus answer is one
  int failures = 0;                        // kFailure: how many in a row
  MonoTime stored{};
  MonoTime expires{};
};

using CacheEntryPtr = std::shared_ptr<const CacheEntry>;

// What an entry is about, beside its name and type.
enum class Slot : uint8_t {
  kData,        // the RRset of that type, or that it does not exist
  kNxdomain,    // the name does not exist; type kNone
  kDelegation,  // NS and glue as the parent gave them, apart from the zone's own NS RRset; type kNS
  kReferral,    // that a delegation has no DS, as a referral proved it: for the validator, without SOA; type
                // kDS
  kFailure,     // resolving failed (RFC 9520); beside the data, which may still serve when stale
};

class RrsetCache {
 public:
  struct Stats {
    uint64_t entries = 0;
    uint64_t bytes = 0;
    uint64_t max_bytes = 0;
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t evictions = 0;
  };

  RrsetCache(size_t max_bytes, size_t shards, Rng& rng);
  ~RrsetCache();

  // Fresh or expired; the caller compares `expires`. Null when there is nothing.
  CacheEntryPtr Find(dns::NameView name, dns::RRType type, Slot slot = Slot::kData);
  // Keeps a fresh entry of higher rank; otherwise replaces. Returns false when the old one was kept or the
  // entry is too large.
  bool Store(dns::NameView name, dns::RRType type, Slot slot, CacheEntry entry, Now now);
  void Remove(dns::NameView name, dns::RRType type, Slot slot);
  // Everything at or below `name`; returns how many. Visits every entry.
  size_t RemoveUnder(dns::NameView name);

  Stats stats() const;
  // What is known not to exist, for names that were not asked for yet (RFC 8198).
  dnssec::DenialIndex& denials() { return denials_; }

 private:
  class Shard;
  Shard& ShardOf(uint64_t hash) const;

  KeyedHash hash_;
  std::vector<std::unique_ptr<Shard>> shards_;
  dnssec::DenialIndex denials_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_CACHE_RRSET_CACHE_H_
