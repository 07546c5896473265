// Limits: every bound of the core, with its reason and its source. A bound is a default; what an operator may
// change stands in Settings.
//
// Threads: constants. Standards: the RFCs and CVEs named at each line; rows (P…, D…, M…) are those of the
// attack table.
#ifndef SEKISHO_RESOLVER_CORE_LIMITS_H_
#define SEKISHO_RESOLVER_CORE_LIMITS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "proto/base/now.h"

namespace sekisho::resolver::limits {

// One client question, its whole tree of sub-questions (CAMP, CVE-2024-1737 class, row D05).
inline constexpr int kUpstreamQueries = 100;
// One sub-question (NXNSAttack, CVE-2020-8616, row D01).
inline constexpr int kUpstreamQueriesPerFetch = 32;
inline constexpr size_t kUpstreamBytes = 200'000;
inline constexpr Duration kQuestionTime = std::chrono::seconds(8);
// CNAME and DNAME links followed for one question (row D17).
inline constexpr int kChainLinks = 11;
// Sub-questions inside sub-questions: addresses of servers of servers (row D36).
inline constexpr int kDepth = 8;
// NS names kept of one delegation, and of those without glue how many are looked up in vain (rows D01, D02).
inline constexpr size_t kNsNames = 13;
inline constexpr int kNsLookupFailures = 5;
inline constexpr size_t kAddressesPerNs = 6;
// Referrals followed for one sub-question.
inline constexpr int kReferrals = 32;
// Records of one RRset that are kept, and types at one name (CVE-2024-1737, row D12).
inline constexpr size_t kRecordsPerRrset = 256;
inline constexpr size_t kMaxEntryBytes = 65536;

// DNSSEC work of one client question (KeyTrap, CVE-2023-50387, rows D07–D11).
inline constexpr int kSignatureChecks = 64;
inline constexpr int kSignatureFailures = 16;
inline constexpr int kSignaturesPerRrset = 8;
inline constexpr int kDsPerZone = 4;
inline constexpr int kKeysPerTag = 2;
inline constexpr int kNsec3Iterations = 50;  // RFC 9276 section 3.2
inline constexpr int kNsec3Hashes = 200;     // CVE-2023-50868
inline constexpr int kDenialRecords = 8;

// QNAME minimisation: steps that add labels, and the first ones that add one each (RFC 9156 section 2.3, row
// D18).
inline constexpr int kMinimiseSteps = 10;
inline constexpr int kMinimiseOneLabel = 4;

// First wait for a server never asked before; doubled for each further try.
inline constexpr Duration kFirstTimeout = std::chrono::milliseconds(376);
inline constexpr Duration kMinTimeout = std::chrono::milliseconds(50);
inline constexpr Duration kMaxTimeout = std::chrono::milliseconds(3000);
inline constexpr Duration kTcpTimeout = std::chrono::milliseconds(3000);
inline constexpr int kTcpTriesPerFetch = 6;  // row D20

// A failure is remembered this long, doubled for each further one (RFC 9520 section 3.2, row D47).
inline constexpr Duration kFailureTtl = std::chrono::seconds(5);
inline constexpr Duration kFailureTtlMax = std::chrono::seconds(60);
inline constexpr Duration kBogusTtl = std::chrono::seconds(60);

// Other servers of the zone that are asked when data does not validate: it may be one server that is broken
// or lied (RFC 4035 section 4.7; row P24).
inline constexpr size_t kOtherServersWhenBogus = 3;

// Questions in progress in one worker, and from one client address (row D21); ten times as many of one whose
// address is proven. An agency may have as many as are still free (row S24).
inline constexpr size_t kPendingQuestions = 20'000;
inline constexpr size_t kPendingPerClient = 1000;
inline constexpr size_t kVerifiedFactor = 10;
inline constexpr size_t kPendingPerAgencyLeast = 100;
// When a bound is reached, the oldest question of whoever reached it makes room if it is older (row D23,
// CVE-2026-42534).
inline constexpr Duration kJostleAfter = std::chrono::milliseconds(200);
// Fetches in progress for one zone and with one server: a tenth of the questions; where nothing answers the
// bound shrinks to these (row D22).
inline constexpr size_t kFetchesPerZone = kPendingQuestions / 10;
inline constexpr size_t kFetchesLeast = 10;
inline constexpr size_t kFetchesPerServer = kPendingQuestions / 10;
inline constexpr size_t kFetchesPerServerLeast = 50;
// Answers that were waited for, to one unverified address: so many in any ten milliseconds, the rest follow
// evenly (DNSBomb, CVE-2024-33655, row D21).
inline constexpr int kPulse = 100;
inline constexpr Duration kPaceAfter = std::chrono::milliseconds(200);

// TTL of an answer that policy made (seconds).
inline constexpr uint32_t kBlockTtl = 30;

}  // namespace sekisho::resolver::limits

#endif  // SEKISHO_RESOLVER_CORE_LIMITS_H_
