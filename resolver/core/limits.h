// Limits: every bound of the core, with its reason, its source, and the test that proves it. A bound is a
// default; what an operator may change stands in Settings. A bound without a test is refused by
// tests/replay/attack_rows_test.cc.
//
// Threads: constants. Standards: the RFCs and CVEs named at each line; rows (P…, D…, M…, S…) are those of
// tests/replay/attacks.tsv.
#ifndef SEKISHO_RESOLVER_CORE_LIMITS_H_
#define SEKISHO_RESOLVER_CORE_LIMITS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "proto/base/now.h"

namespace sekisho::resolver::limits {

// One client question, its whole tree of sub-questions (CAMP, CVE-2024-1737 class, CVE-2026-50045, row D05).
// Test: dos/D05_camp, dos/D05_honest_long_chain.
inline constexpr int kUpstreamQueries = 100;
// One sub-question (NXNSAttack, CVE-2020-8616, row D01).
// Test: dos/D01_nxns.
inline constexpr int kUpstreamQueriesPerFetch = 32;
// Bytes of replies for one client question (CVE-2026-24027, row D05).
// Test: dos/D05_bytes_of_one_question.
inline constexpr size_t kUpstreamBytes = 200'000;
// Nobody listens any longer; most clients have asked again by then (row D05).
// Test: Simulation.WhatMustHoldWhateverHappens, dos/question_outlives_its_servers.
inline constexpr Duration kQuestionTime = std::chrono::seconds(8);
// CNAME and DNAME links followed for one question (row D17).
// Test: chain/D17_chain_of_10, chain/D17_chain_of_12.
inline constexpr int kChainLinks = 11;
// Sub-questions inside sub-questions: addresses of servers of servers (CVE-2023-22617, row D36).
// Test: iterate/D36_glueless_too_deep.
inline constexpr int kDepth = 8;
// NS names kept of one delegation (NRDelegation, CVE-2022-3204, rows D02, D06).
// Test: dos/D02_1500_name_servers, LoadTest.D06CacheFlush.
inline constexpr size_t kNsNames = 13;
// Of those without glue, how many are looked up in vain (CVE-2020-12662, row D01).
// Test: dos/D01_nxns.
inline constexpr int kNsLookupFailures = 5;
// Addresses of one server name (CVE-2026-3592, row D04).
// Test: dos/D04_glue_that_overlaps.
inline constexpr size_t kAddressesPerNs = 6;
// Referrals followed for one sub-question; a name has at most 127 labels, and real ones few cuts (row D18).
// Test: dos/D18_minimisation_of_a_deep_name.
inline constexpr int kReferrals = 32;
// Records of one RRset that are kept (CVE-2024-1737, row D12).
// Test: dos/D12_rrset_of_200, dos/D12_rrset_of_400.
inline constexpr size_t kRecordsPerRrset = 256;
// One entry of the cache (CVE-2026-33258, row D34).
// Test: RrsetCacheTest.HugeEntryIsRefused.
inline constexpr size_t kMaxEntryBytes = 65536;

// Signatures verified for one client question, and those that may fail (KeyTrap, CVE-2023-50387, rows D07,
// D11). Test: AttackTest.D07KeyTrap, AttackTest.D11DenialPaddedWithSignedRecords.
inline constexpr int kSignatureChecks = 64;
inline constexpr int kSignatureFailures = 16;
// Signatures tried for one RRset, DS records of one zone, keys of one tag (row D07, CVE-2025-8677 row D10).
// Test: AttackTest.D07KeyTrapOnDataWithManySignatures, ZoneKeysTest.D07DigestsThatDoNotMatchAreCounted,
// AttackTest.D10MalformedKeyOfTheRightTag.
inline constexpr int kSignaturesPerRrset = 8;
inline constexpr int kDsPerZone = 4;
inline constexpr int kKeysPerTag = 2;
// Signatures of one reply that stand in another section than what they sign and are looked for there: each
// costs a walk over the others' records (row D11). Test: Classify.StraySignaturesAreBounded.
inline constexpr int kStraySignatures = 32;
// Above, a zone counts as unsigned, unless the settings say otherwise (RFC 9276 section 3.2, CVE-2026-1519,
// rows D08, D09). Test: AttackTest.D08IterationsAboveFiftyAreInsecure,
// AttackTest.D09HugeIterationsOnAnInsecureReferral.
inline constexpr int kNsec3Iterations = 50;
// Hashes of one client question (CVE-2023-50868, row D08).
// Test: Nsec3Test.D08HashesEndWithTheBudget, AttackTest.D08ClosestEncloserSearchIsBounded.
inline constexpr int kNsec3Hashes = 200;
// NSEC and NSEC3 records considered of one reply (CVE-2026-11605, row D11).
// Test: AttackTest.D11DenialPaddedWithSignedRecords.
inline constexpr int kDenialRecords = 8;

// QNAME minimisation: steps that add labels, and the first ones that add one each (RFC 9156 section 2.3, row
// D18).
// Test: dos/D18_minimisation_of_a_deep_name, dos/D18_deep_name_that_does_not_exist.
inline constexpr int kMinimiseSteps = 10;
inline constexpr int kMinimiseOneLabel = 4;

// First wait for a server never asked before, as peers have it; doubled for each further try.
// Test: servers/first_retry_after_a_third_of_a_second.
inline constexpr Duration kFirstTimeout = std::chrono::milliseconds(376);
// Shortest and longest wait for a server whose times are known.
// Test: servers/quick_server_that_pauses, servers/slow_server_is_waited_for.
inline constexpr Duration kMinTimeout = std::chrono::milliseconds(50);
inline constexpr Duration kMaxTimeout = std::chrono::milliseconds(3000);
// A whole exchange over TCP, its connection included (CVE-2023-46317, row D20).
// Test: tcp/D20_server_that_accepts_and_is_silent, tcp/slow_but_whole.
inline constexpr Duration kTcpTimeout = std::chrono::milliseconds(3000);
// Exchanges over TCP for one sub-question (row D20).
// Test: tcp/D20_server_that_closes, tcp/D20_truncated_on_tcp_too.
inline constexpr int kTcpTriesPerFetch = 6;

// A failure is remembered this long, doubled for each further one (RFC 9520 section 3.2, row D47).
// Test: servers/rfc9520_failure_is_cached, servers/rfc9520_failure_backs_off, servers/D47_no_retry_storm.
inline constexpr Duration kFailureTtl = std::chrono::seconds(5);
inline constexpr Duration kFailureTtlMax = std::chrono::seconds(60);
// Data that did not validate is not asked for again at once (RFC 4035 section 4.7).
// Test: client/bogus_stays_bogus_in_the_cache.
inline constexpr Duration kBogusTtl = std::chrono::seconds(60);

// Whether the root's servers must be asked for is looked at this often at most (RFC 9609).
// Test: iterate/rfc9609_priming.
inline constexpr Duration kPrimingPause = std::chrono::seconds(60);

// NSEC and NSEC3 records kept for RFC 8198: one for so many bytes of the record cache, of one zone, and the
// bytes that one may have with its signatures. So they take an eighth of the record cache's size at most,
// beside it (row D34). Test: DenialIndex.ZonesUsedLongestAgoGiveWay, DenialIndexTest.LargeRecordsAreNotKept.
inline constexpr size_t kCacheBytesPerDenial = 8 * 1536;
inline constexpr size_t kDenialsPerZone = 20'000;
inline constexpr size_t kDenialBytes = 1024;

// Other servers of the zone that are asked when data does not validate: it may be one server that is broken
// or lied (RFC 4035 section 4.7; row P24).
// Test: ChainTest.AnotherServerMayHaveTheRightKeys, ChainTest.ServersAreNotAskedWithoutEnd.
inline constexpr size_t kOtherServersWhenBogus = 3;

// Questions in progress in one worker. An agency may have as many as are still free, so that neither one nor
// a few can fill it (row S24). Test: dos/S24_one_agency_takes_no_more_than_half,
// LoadTest.S24OneAgencyFloodsWithSlowNames.
inline constexpr size_t kPendingQuestions = 20'000;
inline constexpr size_t kPendingPerAgencyLeast = 100;
// From one client address (row D21); ten times as many of one whose address is proven.
// Test: dos/D21_pending_of_one_client, dos/D23_full_and_young.
inline constexpr size_t kPendingPerClient = 1000;
inline constexpr size_t kVerifiedFactor = 10;
// When a bound is reached, the oldest question of whoever reached it makes room if it is older (row D23,
// CVE-2026-42534).
// Test: dos/D23_jostle, dos/D23_full_and_young.
inline constexpr Duration kJostleAfter = std::chrono::milliseconds(200);
// Fetches in progress for one zone: a tenth of the questions; where nothing answers the bound shrinks to the
// least (row D22). Test: LoadTest.D22WaterTortureOfADeadZone,
// FetchQuotaTest.ShrinksUnderSilenceAndGrowsWithReplies.
inline constexpr size_t kFetchesPerZone = kPendingQuestions / 10;
inline constexpr size_t kFetchesLeast = 10;
// With one server, whatever the zone (row D22).
// Test: dos/D22_many_zones_on_one_server.
inline constexpr size_t kFetchesPerServer = kPendingQuestions / 10;
inline constexpr size_t kFetchesPerServerLeast = 50;
// Answers that were waited for, to one unverified address: so many in any ten milliseconds, the rest follow
// evenly (DNSBomb, CVE-2024-33655, row D21).
// Test: dos/D21_no_pulse, ReplyPacer.NoWindowHoldsMoreThanThePulse.
inline constexpr int kPulse = 100;
inline constexpr Duration kPaceAfter = std::chrono::milliseconds(200);

// TTL of an answer that policy made (seconds): short, so that an exception soon helps (row F03).
// Test: policy/F03_nothing_of_the_original.
inline constexpr uint32_t kBlockTtl = 30;

}  // namespace sekisho::resolver::limits

#endif  // SEKISHO_RESOLVER_CORE_LIMITS_H_
