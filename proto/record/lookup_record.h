// LookupRecord: one client question and what became of it — the unit of the lookup log.
//
// The resolver fills one per question, blocks hold thousands of them by columns, the log's queries hand them
// out.
//
// Threads: values. Limits: at most kMaxAnswerItems answer items are kept; `answers_cut` counts the rest.
#ifndef SEKISHO_PROTO_RECORD_LOOKUP_RECORD_H_
#define SEKISHO_PROTO_RECORD_LOOKUP_RECORD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/base/now.h"
#include "proto/dns/name.h"
#include "proto/dns/types.h"

namespace sekisho::record {

inline constexpr size_t kMaxAnswerItems = 32;

enum class Transport : uint8_t { kUdp = 0, kTcp = 1, kTls = 2, kHttps = 3, kQuic = 4 };

// Where the answer came from.
enum class Origin : uint8_t {
  kCache = 0,     // everything needed was cached
  kUpstream = 1,  // at least one query was sent (or joined) for it
  kStale = 2,     // expired data, RFC 8767
  kPolicy = 3,    // made by policy before any lookup
  kLocal = 4,     // special-use names, local data, errors we decide alone (REFUSED, FORMERR, NOTIMP)
};

enum class Action : uint8_t {
  kNone = 0,  // no rule matched
  kAllow = 1,
  kNxdomain = 2,
  kNodata = 3,
  kSinkhole = 4,
  kRefused = 5,
  kDrop = 6,
  kTcpOnly = 7,
  kPassthru = 8,
  kLogOnly = 9,
};

enum class Trigger : uint8_t {
  kNone = 0,
  kClient = 1,
  kQname = 2,
  kCname = 3,
  kAnswerAddress = 4,
  kNsName = 5,
  kNsAddress = 6,
};

enum class Security : uint8_t { kUnchecked = 0, kInsecure = 1, kSecure = 2, kBogus = 3 };

// One record of the answer section that matters to an analyst.
struct AnswerItem {
  dns::RRType type = dns::RRType::kNone;  // A, AAAA, CNAME, DNAME, NS, MX, PTR, SRV, TXT, HTTPS, SVCB
  std::string rdata;                      // wire form, names uncompressed
  friend bool operator==(const AnswerItem&, const AnswerItem&) = default;
};

// Bits of LookupRecord::flags.
enum Flag : uint16_t {
  kFlagRd = 1 << 0,    // asked
  kFlagCd = 1 << 1,    // asked
  kFlagDo = 1 << 2,    // asked (EDNS DO)
  kFlagEdns = 1 << 3,  // asked with EDNS
  kFlagAdAsked = 1 << 4,
  kFlagTc = 1 << 5,        // answered truncated
  kFlagAd = 1 << 6,        // answered with AD
  kFlagAnswered = 1 << 7,  // a reply was sent (not dropped)
};

struct LookupRecord {
  // Identity: (node, boot, worker, sequence) never repeats. `sequence` starts at 1 and has no holes but
  // counted losses.
  uint32_t node = 0;
  uint64_t boot = 0;  // microseconds since 1970 at the start of the process
  uint16_t worker = 0;
  uint64_t sequence = 0;

  WallTime time{};  // when the question arrived
  uint32_t latency_us = 0;
  std::string agency;  // name from the configuration; empty when the client belongs to none
  Endpoint client;
  Transport transport = Transport::kUdp;
  dns::Name qname;
  dns::RRType qtype = dns::RRType::kNone;
  dns::RRClass qclass = dns::RRClass::kIN;
  uint16_t flags = 0;
  dns::Rcode rcode = dns::Rcode::kNoError;
  uint16_t ede = 0xffff;  // the first EDE INFO-CODE sent; 0xffff: none
  uint16_t response_size = 0;
  Origin origin = Origin::kCache;
  Security security = Security::kUnchecked;

  // For a blocked question: what the DNS said where it was resolved (the evidence), not what was sent.
  std::vector<AnswerItem> answers;
  uint16_t answers_cut = 0;

  Action action = Action::kNone;
  Trigger trigger = Trigger::kNone;
  // The name (qname or CNAME target) that matched; of an address the lists speak about its reverse name.
  dns::Name trigger_name;
  // The rule = the rightmost labels of trigger_name; of such an address its first bits.
  uint8_t rule_labels = 0;
  bool rule_subtree = false;
  std::string feeds;  // RuleSource::feeds of the rule
  std::string category;
  uint64_t generation = 0;  // of the snapshot the decision was made with; 0: none was loaded
};

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_LOOKUP_RECORD_H_
