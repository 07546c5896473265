// NSEC3 proofs over records whose signatures have been verified.
//
//   Nsec3Prover prover(zone, records, crypto, budget);      records of one zone, one salt, one iteration
//   count prover.NameError(qname) == Proof::kProven
//
// Threads: one; holds the hashes it made. Limits: iterations ≤ kNsec3Iterations, else kTooManyIterations
// before any hash is made (rows D08, D09); each hash is taken from the budget, those with iterations at a
// higher price. Standards: RFC 5155 section 8, RFC 6840 sections 4.1–4.3, RFC 9276 section 3.2; rows P22,
// P24.
#ifndef SEKISHO_RESOLVER_CORE_VALIDATOR_NSEC3_H_
#define SEKISHO_RESOLVER_CORE_VALIDATOR_NSEC3_H_

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "proto/dns/dnssec_crypto.h"
#include "proto/dns/name.h"
#include "proto/dns/rdata.h"
#include "resolver/core/budget.h"
#include "resolver/core/validator/nsec.h"

namespace sekisho::resolver::dnssec {

struct Nsec3Record {
  dns::Nsec3HashValue owner_hash{};
  dns::Nsec3View data;
};

// The hash in an NSEC3 owner's first label: 32 characters of base32hex in any case.
std::optional<dns::Nsec3HashValue> Nsec3OwnerHash(dns::NameView owner);

// Form a validator may use: hash algorithm 1, no unknown flags, a whole next hash (RFC 5155
// sections 8.1, 8.2).
bool IsUsableNsec3(const dns::Nsec3View& data);
bool SameParameters(const dns::Nsec3View& a, const dns::Nsec3View& b);

class Nsec3Prover {
 public:
  Nsec3Prover(dns::NameView zone, std::span<const Nsec3Record> records, dns::DnssecCrypto& crypto,
              Budget& budget, int max_iterations = limits::kNsec3Iterations)
      : zone_(zone), records_(records), crypto_(crypto), budget_(budget), max_iterations_(max_iterations) {}

  Proof NameError(dns::NameView qname);
  Proof Nodata(dns::NameView qname, dns::RRType type, bool* delegation);
  Proof WildcardAnswer(dns::NameView qname, int encloser_labels);

 private:
  // RFC 5155 section 8.3.
  struct Encloser {
    int labels = 0;                     // of the closest encloser
    const Nsec3Record* next = nullptr;  // covers the next closer name
  };
  bool TooManyIterations() const;
  std::optional<Encloser> FindEncloser(dns::NameView qname);
  const Nsec3Record* Matching(dns::NameView name);
  const Nsec3Record* Covering(dns::NameView name);
  // Null when the budget has ended.
  const dns::Nsec3HashValue* Hash(dns::NameView name);
  Proof Failed() const { return over_budget_ ? Proof::kOverBudget : Proof::kNotProven; }

  dns::NameView zone_;
  std::span<const Nsec3Record> records_;
  dns::DnssecCrypto& crypto_;
  Budget& budget_;
  const int max_iterations_;
  // The last name hashed: match and cover of one name are asked for one after the other.
  std::optional<dns::Name> hashed_name_;
  dns::Nsec3HashValue hashed_{};
  bool over_budget_ = false;
};

}  // namespace sekisho::resolver::dnssec

#endif  // SEKISHO_RESOLVER_CORE_VALIDATOR_NSEC3_H_
