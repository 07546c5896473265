// Zone: what an honest authoritative server answers from the text of a zone.
//
//   Zone zone("example.test.");
//   zone.Add("www 300 A 192.0.2.1", &error);          // relative owner, absolute names in the RDATA
//   ZoneReply reply = zone.Answer(qname, qtype);
//
// Referrals with the glue the zone holds, CNAME chains inside the zone, DNAME, wildcards, empty
// non-terminals, NXDOMAIN and NODATA with the SOA. A zone without an SOA gets one (TTL 3600, MINIMUM 300).
//
// Threads: one. Limits: for tests; a chain is followed for 16 links. Standards: RFC 1034 section 4.3.2, RFC
// 2308, RFC 4592, RFC 6672.
#ifndef SEKISHO_TESTS_REPLAY_ZONE_H_
#define SEKISHO_TESTS_REPLAY_ZONE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/dns/name.h"
#include "proto/dns/rrset.h"
#include "proto/dns/types.h"

namespace sekisho::replay {

// One record of a reply, ready to be written.
struct ReplyRecord {
  dns::Name owner;
  dns::RRType type = dns::RRType::kNone;
  dns::RRClass rrclass = dns::RRClass::kIN;
  uint32_t ttl = 0;
  std::string rdata;
};

struct ZoneReply {
  dns::Rcode rcode = dns::Rcode::kNoError;
  bool aa = true;
  std::vector<ReplyRecord> answer, authority, additional;
};

// "OWNER [TTL] [CLASS] TYPE RDATA…" with `origin` for "@" and relative owners. False: *error says why.
bool ParseReplyRecord(std::string_view line, const dns::Name& origin, ReplyRecord* out, std::string* error);

class Zone {
 public:
  explicit Zone(dns::Name origin) : origin_(std::move(origin)) {}

  bool Add(std::string_view line, std::string* error);
  void Add(ReplyRecord record);
  // After the last Add.
  void Finish();

  const dns::Name& origin() const { return origin_; }
  ZoneReply Answer(dns::NameView qname, dns::RRType qtype) const;

 private:
  using Node = std::map<dns::RRType, std::vector<ReplyRecord>>;

  const Node* Find(dns::NameView name) const;
  bool HasNamesBelow(dns::NameView name) const;
  bool Refer(dns::NameView qname, dns::RRType qtype, ZoneReply* reply) const;
  // Returns the next name of the chain when there is one.
  bool AnswerOne(const dns::Name& qname, dns::RRType qtype, ZoneReply* reply, dns::Name* next) const;
  bool AnswerFromNode(const Node& node, const dns::Name& owner, dns::RRType qtype, ZoneReply* reply,
                      dns::Name* next) const;
  void AddSoa(ZoneReply* reply) const;

  dns::Name origin_;
  std::map<std::string, Node> nodes_;  // by lower-cased wire form
};

}  // namespace sekisho::replay

#endif  // SEKISHO_TESTS_REPLAY_ZONE_H_
