// DenialIndex: NSEC and NSEC3 records that were proven, ordered so that those are found which may deny
// another name.
//
//   index.Add(zone, soa, nsec, ttl, now);               // from an answer that is secure
//   index.Find(name, start, now, crypto, budget)   →   SOA and the records that may deny `name`, and what
//   they would say
//
// What Find gives is a candidate: the caller has it judged like any reply, so nothing here needs to be right
// for an answer to be. Records with opt-out are not used for names that they cover.
//
// Threads: safe from several; zones are spread over locked shards. Limits: `max_records` in all, kDenialBytes
// each, limits::kDenialsPerZone in a zone; the zones used longest ago give way. Standards: RFC 8198, RFC 4034
// section 6.1, RFC 5155, RFC 9077 (TTL).
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_DENIAL_INDEX_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_DENIAL_INDEX_H_

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/now.h"
#include "proto/dns/dnssec_crypto.h"
#include "proto/dns/name.h"
#include "proto/dns/rrset.h"
#include "resolver/core/budget.h"

namespace sekisho::resolver::dnssec {

class DenialIndex {
 public:
  explicit DenialIndex(size_t max_records) : max_per_shard_(max_records / kShards + 1) {}

  struct Found {
    dns::Name zone;
    bool nxdomain = false;                 // else NODATA
    std::vector<dns::RRsetPtr> authority;  // SOA first
    uint32_t ttl = 0;                      // seconds that all of them are still good
  };

  // `denial` is an NSEC or NSEC3 RRset of `zone` with its signatures; `ttl` bounds it, in seconds. The SOA
  // may be missing (null): then it proves nothing until one comes, but that a wildcard may answer.
  void Add(const dns::Name& zone, dns::RRsetPtr soa, dns::RRsetPtr denial, uint32_t ttl, MonoTime now);
  // Looks in the deepest zone at or above `start`; for most types that is the name, for DS its parent.
  // Nothing when the type is there for all that is known.
  std::optional<Found> Find(dns::NameView name, dns::RRType type, dns::NameView start, MonoTime now,
                            dns::DnssecCrypto& crypto, Budget& budget);
  // The record that proves that no name between `name` and the wildcard below its last `encloser_labels`
  // labels exists, so that the wildcard answers for it (RFC 8198 section 5.3); no SOA.
  std::optional<Found> FindCover(dns::NameView name, int encloser_labels, MonoTime now,
                                 dns::DnssecCrypto& crypto, Budget& budget);
  // Forgets the zones at, below and above `name`.
  void RemoveAround(dns::NameView name);
  size_t size() const;

 private:
  static constexpr size_t kShards = 16;
  struct Record {
    dns::RRsetPtr rrset;
    MonoTime expires{};
  };
  struct CanonicalOrder {
    bool operator()(const dns::Name& a, const dns::Name& b) const { return a.view().CompareCanonical(b) < 0; }
  };
  struct Zone {
    dns::Name name;
    Record soa;
    std::map<dns::Name, Record, CanonicalOrder> nsec;
    std::map<dns::Nsec3HashValue, Record> nsec3;
    std::string salt;
    uint16_t iterations = 0;
    MonoTime used{};
    size_t size() const { return nsec.size() + nsec3.size(); }
  };
  struct Shard {
    mutable std::mutex mutex;
    std::map<std::string, Zone> zones;  // by lower-cased wire form; a tree: no hash for others to collide
    size_t records = 0;
  };

  Shard& ShardOf(const std::string& zone);
  void MakeRoom(Shard& shard);
  static bool AddNsec3(Zone& zone, dns::RRsetPtr denial, MonoTime expires);
  static std::optional<Found> FindNsec(const Zone& zone, dns::NameView name, dns::RRType type, MonoTime now);
  static std::optional<Found> FindNsec3(const Zone& zone, dns::NameView name, dns::RRType type, MonoTime now,
                                        dns::DnssecCrypto& crypto, Budget& budget);

  std::array<Shard, kShards> shards_;
  const size_t max_per_shard_;
};

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_DENIAL_INDEX_H_
