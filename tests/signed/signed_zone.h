// SignedZone: a zone in memory that answers as an authoritative server would, with signatures and proofs.
//
//   SignedZone zone("test.", {.algorithm = 13, .denial = DenialKind::kNsec3});
//   zone.Add("www.test. 300 IN A 192.0.2.1");
//   zone.Delegate(child);              // DS when the child is signed
//   zone.Sign();
//   std::optional<Response> r = zone.Query(N("nx.test."), RRType::kA);
//
// Threads: one. Limits: none; for tests. Standards: RFC 1034 section 4.3.2, RFC 4035 section 3.1, RFC 5155
// section 7, RFC 6672.
#ifndef SEKISHO_TESTS_SIGNED_SIGNED_ZONE_H_
#define SEKISHO_TESTS_SIGNED_SIGNED_ZONE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/dns/dnssec_crypto.h"
#include "proto/dns/name.h"
#include "proto/dns/rrset.h"
#include "resolver/core/response.h"
#include "tests/signed/signing_key.h"

namespace sekisho::signed_test {

enum class DenialKind : uint8_t { kNsec, kNsec3 };

struct ZoneOptions {
  uint8_t algorithm = 15;
  bool is_signed = true;
  DenialKind denial = DenialKind::kNsec;
  uint16_t iterations = 0;
  std::string salt = {};
  bool opt_out = false;
  SignOptions times = {};
};

class SignedZone {
 public:
  explicit SignedZone(std::string_view apex, ZoneOptions options = {});

  const dns::Name& apex() const { return apex_; }
  const SigningKey& key() const { return key_; }
  const ZoneOptions& options() const { return options_; }

  // A record in master file form.
  void Add(std::string_view line);
  void AddRdata(const dns::Name& owner, dns::RRType type, const std::string& rdata, uint32_t ttl = 300);
  // NS, and DS when the child is signed.
  void Delegate(const SignedZone& child, uint8_t digest_type = 2);
  // Makes the chain of denial and all signatures. Once, after everything is added.
  void Sign();
  // The zone as a master file.
  std::string ToText() const;
  // Signs an RRset that is not the zone's, or differently.
  void SignRRset(dns::RRset* rrset, const SignOptions& options) const;

  // What a server of this zone says; nothing for a name below a delegation (a referral).
  std::optional<resolver::Response> Query(const dns::Name& qname, dns::RRType qtype) const;

  dns::RRset* Find(const dns::Name& owner, dns::RRType type);
  // NSEC or NSEC3 records, for tests that put proofs together themselves.
  dns::RRsetPtr Matching(const dns::Name& name) const;
  dns::RRsetPtr Covering(const dns::Name& name) const;
  dns::Name HashedOwner(const dns::Name& name) const;
  // An NSEC3 of this zone's parameters, signed.
  dns::RRset MakeNsec3(const dns::Nsec3HashValue& owner, const dns::Nsec3HashValue& next,
                       const std::vector<dns::RRType>& types) const;
  dns::Nsec3HashValue Hash(const dns::Name& name) const;

 private:
  struct CanonicalLess {
    bool operator()(const dns::Name& a, const dns::Name& b) const { return a.view().CompareCanonical(b) < 0; }
  };
  using Node = std::map<dns::RRType, dns::RRset>;
  using Nodes = std::map<dns::Name, Node, CanonicalLess>;

  bool IsCut(const dns::Name& name) const;
  bool BelowCut(const dns::Name& name) const;
  bool NonTerminal(const dns::Name& name) const;
  void MakeNsecChain();
  void MakeNsec3Chain();
  std::vector<dns::RRType> TypesAt(const dns::Name& name) const;
  dns::Name ClosestEncloser(const dns::Name& name) const;
  dns::RRsetPtr Get(const dns::Name& owner, dns::RRType type) const;
  resolver::Response Start(const dns::Name& qname, dns::RRType qtype) const;
  void Negative(resolver::ResponseKind kind, resolver::Response* out) const;
  void Prove(const dns::RRsetPtr& proof, resolver::Response* out) const;
  bool AnswerFrom(const dns::Name& source, resolver::Response* out) const;
  bool AnswerDname(resolver::Response* out) const;

  dns::Name apex_;
  ZoneOptions options_;
  SigningKey key_;
  Nodes nodes_;
  Nodes denial_;  // NSEC or NSEC3 by owner
};

std::string TypeBitmap(std::vector<dns::RRType> types);

}  // namespace sekisho::signed_test

#endif  // SEKISHO_TESTS_SIGNED_SIGNED_ZONE_H_
