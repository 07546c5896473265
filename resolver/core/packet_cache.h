// PacketCache: whole replies to the questions a worker is asked most, ready but for ID, spelling and TTLs.
//
// An entry is made when a question came a second time and was answered from the record cache or refused by a
// rule on its name; it is used for questions whose name, type and flags are the same, of agencies under the
// same rules, in the epoch (settings and policy) it was made in. Replies that a rule about the client's
// address, an alias of policy or a tcp-only rule had a hand in are not kept. So a change of the lists ends
// all entries at once, and a hit costs no look-up in trie or record cache.
//
//   packets.Expect(batch)                              fetches from memory what these questions will need
//   if (const Entry* hit = packets.Find(message, in, max_udp, epoch, now, &reply)) …send reply, record hit
//
// An entry is one block of memory with all that a hit reads: the reply, and what is recorded of the question.
// On a busy worker neither is in the processor's caches, and waiting for memory is most of what a hit costs.
//
// Threads: one worker. Limits: kSets × kWays entries, kMaxBytes in all, kMaxEntry each.
// Standards: RFC 2181 section 8 (TTLs count down), RFC 8767 (nothing stale is kept here).
#ifndef SEKISHO_RESOLVER_CORE_PACKET_CACHE_H_
#define SEKISHO_RESOLVER_CORE_PACKET_CACHE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "proto/base/keyed_hash.h"
#include "proto/base/now.h"
#include "proto/dns/message.h"
#include "proto/record/lookup_event.h"
#include "resolver/core/core.h"
#include "resolver/core/question.h"

namespace sekisho::resolver {

class PacketCache {
 public:
  // Of settings and policy; anything else ends what was kept before.
  using Epoch = uint64_t;
  // For whom and for how long a reply holds: agencies of one policy group, until the next epoch.
  struct Scope {
    Epoch epoch = 0;
    uint16_t group = 0;
  };

  explicit PacketCache(Rng& rng) : hash_(rng), sets_(kSets) {}

  // How large a UDP reply may be, and the cookie that is put into it; null: none.
  struct Room {
    uint16_t max_udp = 512;
    const WholeCookie* cookie = nullptr;
  };

  // One question with its reply.
  struct Entry {
    Epoch epoch = 0;
    MonoTime stored{};
    MonoTime expires{};
    uint32_t bytes = 0;  // of the whole block
    uint16_t reply_size = 0;
    uint16_t ttl_count = 0;
    // Address records of equal size that stand one after the other: each client gets another first one.
    uint16_t run_at = 0;
    uint16_t run_size = 0;       // of one record
    uint16_t run_count = 0;      // 0: none
    uint16_t opt_length_at = 0;  // offset of the length of the OPT's options; 0: no OPT
    uint16_t group = 0;
    uint8_t bits = 0;  // what of the query shapes the reply
    bool by_policy = false;
    // What is recorded, but for the client, the time and the size of the reply. Its views point into this
    // block.
    record::LookupEvent event;
    // Behind it: AnswerView[], u16 offset of each TTL that counts down, the reply, names, RDATA and texts.
    const uint16_t* ttl_at = nullptr;
    const uint8_t* reply = nullptr;
  };

  // The reply to a well-formed question, written to `reply`, and the entry it came from; null on a miss.
  // Valid until the next call.
  const Entry* Find(const dns::ParsedMessage& message, const ClientQuestion& in, const Room& room,
                    Scope scope, Now now, std::vector<uint8_t>* reply);

  // These packets come next: begins to fetch from memory what Find will read for them.
  void Expect(std::span<const std::span<const uint8_t>> packets);

  // Keeps a finished question, what is recorded of it, and its reply, where that is allowed.
  void Store(const Question& question, const record::LookupEvent& event, std::span<const uint8_t> reply,
             bool rotate, Scope scope, Now now);

 private:
  static constexpr size_t kSets = 8192;  // a power of two
  static constexpr size_t kWays = 4;
  static constexpr size_t kMaxReply = 1232;
  static constexpr size_t kMaxEntry = 4096;
  static constexpr size_t kMaxBytes = size_t{24} << 20;
  static constexpr size_t kMaxExpected = 64;

  struct Free {
    void operator()(Entry* entry) const;
  };
  // A line of the processor's cache.
  struct alignas(64) Set {
    std::array<uint32_t, kWays> tags{};
    std::array<std::unique_ptr<Entry, Free>, kWays> ways;
    uint32_t once = 0;  // the tag of a question that came once: most names that come once come never again
    uint8_t victim = 0;
  };
  struct Expected {
    const uint8_t* packet = nullptr;
    uint64_t hash = 0;
  };

  uint64_t HashOf(dns::NameView qname, dns::RRType qtype) const;
  uint64_t HashOf(const ClientQuestion& in, const dns::ParsedMessage& message);
  Set& SetOf(uint64_t hash) { return sets_[hash & (kSets - 1)]; }
  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }
  static size_t Probe(const Set& set, uint32_t tag, dns::NameView qname, dns::RRType qtype, uint16_t group,
                      uint8_t bits);
  static size_t Victim(Set& set);
  std::unique_ptr<Entry, Free> Make(const record::LookupEvent& event, std::span<const uint8_t> reply,
                                    std::span<const uint16_t> ttl_at) const;
  void FindRun(Entry* entry) const;
  void Drop(Set& set, size_t way);
  void MakeRoom();

  KeyedHash hash_;
  std::vector<Set> sets_;
  size_t bytes_ = 0;
  size_t hand_ = 0;  // the set that gives up its entries next
  std::array<Expected, kMaxExpected> expected_{};
  size_t expected_count_ = 0;
  size_t expected_next_ = 0;
  dns::ParsedMessage parsed_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_PACKET_CACHE_H_
