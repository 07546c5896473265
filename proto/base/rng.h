// Randomness as an argument. Everything unpredictable (IDs, ports, cookies, hash keys, 0x20 case) comes from an Rng.
//
// KernelRng reads getrandom(2) in batches and forgets each byte once used; a forked child never repeats its parent's
// bytes. Tests pass a seeded one of their own.
//
// Threads: one Rng per thread. Standards: RFC 5452 section 9, CVE-2025-40780 (no statistical generators).
#ifndef SEKISHO_PROTO_BASE_RNG_H_
#define SEKISHO_PROTO_BASE_RNG_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sekisho {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual void Fill(std::span<uint8_t> out) = 0;

  uint16_t Uint16();
  uint64_t Uint64();
  // Uniform in [0, bound); bound must be positive.
  uint32_t Below(uint32_t bound);
};

class KernelRng final : public Rng {
 public:
  void Fill(std::span<uint8_t> out) override;

 private:
  void Refill();

  std::array<uint8_t, 1024> buffer_{};
  size_t used_ = sizeof(buffer_);
  uint64_t forks_ = 0;  // when the buffer was filled
};

}  // namespace sekisho

#endif  // SEKISHO_PROTO_BASE_RNG_H_
