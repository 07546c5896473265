// PacketCache: whole replies to the questions a worker is asked most, ready but for ID, spelling and TTLs.
//
// An entry is made when a question was answered from the record cache or refused by a rule on its name; it is
// used for questions whose name, type and flags are the same, of agencies under the same rules, in the epoch
// (settings and policy) it was made in. Replies that a rule about the client's address, an alias of policy or
// a tcp-only rule had a hand in are not kept. So a change of the lists ends all entries at once, and a hit
// costs no look-up in trie or record cache.
//
//   if (Question* hit = packets.Find(message, in, max_udp, epoch, now, &reply)) …send reply, record *hit
//
// Threads: one worker. Limits: kSets × kWays entries, replies of at most kMaxReply bytes.
// Standards: RFC 2181 section 8 (TTLs count down), RFC 8767 (nothing stale is kept here).
#ifndef SEKISHO_RESOLVER_CORE_PACKET_CACHE_H_
#define SEKISHO_RESOLVER_CORE_PACKET_CACHE_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "proto/base/keyed_hash.h"
#include "proto/base/now.h"
#include "proto/dns/message.h"
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

  // The reply to a well-formed question, written to `reply`, and the Question that the entry was made from
  // with this client's particulars; null on a miss. Valid until the next call.
  Question* Find(const dns::ParsedMessage& message, const ClientQuestion& in, const Room& room, Scope scope,
                 Now now, std::vector<uint8_t>* reply);

  // Keeps a finished question and its reply where that is allowed.
  void Store(const Question& question, std::span<const uint8_t> reply, bool rotate, Scope scope, Now now);

 private:
  static constexpr size_t kSets = 8192;  // a power of two
  static constexpr size_t kWays = 2;
  static constexpr size_t kMaxReply = 1232;

  // Lower-cased name, type, policy group, and the bits of the query that shape the reply.
  struct Key {
    std::array<uint8_t, dns::kMaxNameSize + 5> bytes;
    size_t size = 0;
    std::span<const uint8_t> span() const { return {bytes.data(), size}; }
  };
  struct Entry {
    uint64_t hash = 0;
    Epoch epoch = 0;
    MonoTime stored{};
    MonoTime expires{};
    std::string key;
    std::vector<uint8_t> reply;
    std::vector<uint16_t> ttl_at;  // offsets of TTLs that count down
    // Address records of equal size that stand one after the other: each client gets another first one.
    uint16_t run_at = 0;
    uint16_t run_size = 0;       // of one record
    uint16_t run_count = 0;      // 0: none
    uint16_t opt_length_at = 0;  // offset of the length of the OPT's options; 0: no OPT
    std::string feeds;           // what question.verdict views
    std::string category;
    Question question;
  };
  struct Set {
    std::array<Entry, kWays> ways;
    uint8_t victim = 0;
  };

  static Key MakeKey(dns::NameView qname, dns::RRType qtype, uint16_t group, uint8_t bits);
  void FindRun(Entry* entry) const;
  Entry* Probe(const Key& key, uint64_t hash);

  KeyedHash hash_;
  std::vector<Set> sets_;
  dns::ParsedMessage parsed_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_PACKET_CACHE_H_
