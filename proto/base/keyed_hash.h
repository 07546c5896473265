// SipHash-1-3 with a random key: the hash of every table that strangers can fill (caches, in-flight,
// limiters).
//
// Threads: values. Standards: Aumasson and Bernstein, "SipHash: a fast short-input PRF"; CVE class: unkeyed
// rate-limiter hash (row D35 of the attack table).
#ifndef SEKISHO_PROTO_BASE_KEYED_HASH_H_
#define SEKISHO_PROTO_BASE_KEYED_HASH_H_

#include <cstdint>
#include <span>

#include "proto/base/rng.h"

namespace sekisho {

class KeyedHash {
 public:
  KeyedHash(uint64_t k0, uint64_t k1) : k0_(k0), k1_(k1) {}
  explicit KeyedHash(Rng& rng) : k0_(rng.Uint64()), k1_(rng.Uint64()) {}

  uint64_t operator()(std::span<const uint8_t> bytes) const { return Compute<1, 3>(bytes); }
  // SipHash-2-4, for values that leave the process (server cookies, RFC 9018).
  uint64_t Strong(std::span<const uint8_t> bytes) const { return Compute<2, 4>(bytes); }

 private:
  template <int kPerWord, int kAtEnd>
  uint64_t Compute(std::span<const uint8_t> bytes) const;

  uint64_t k0_;
  uint64_t k1_;
};

}  // namespace sekisho

#endif  // SEKISHO_PROTO_BASE_KEYED_HASH_H_
