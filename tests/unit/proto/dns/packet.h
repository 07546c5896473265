// Helpers of the wire tests: packets put together byte by byte, and a seeded Rng.
#ifndef SEKISHO_TESTS_UNIT_PROTO_DNS_PACKET_H_
#define SEKISHO_TESTS_UNIT_PROTO_DNS_PACKET_H_

#include <cstdint>
#include <initializer_list>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "proto/base/rng.h"
#include "proto/dns/name.h"

namespace sekisho::dns {

using Wire = std::vector<uint8_t>;

inline Wire operator+(Wire a, const Wire& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline Wire U16(unsigned v) { return {static_cast<uint8_t>(v >> 8), static_cast<uint8_t>(v)}; }
inline Wire U32(uint32_t v) { return U16(v >> 16) + U16(v & 0xffff); }
inline Wire NameWire(std::string_view text) {
  const auto name = Name::Parse(text);
  const auto bytes = name->bytes();
  return {bytes.begin(), bytes.end()};
}
// A response header with the four counts.
inline Wire HeaderWire(unsigned qd, unsigned an, unsigned ns, unsigned ar) {
  return U16(0x1234) + U16(0x8180) + U16(qd) + U16(an) + U16(ns) + U16(ar);
}
inline Wire Question(std::string_view name, unsigned type) { return NameWire(name) + U16(type) + U16(1); }
inline Wire RecordWire(const Wire& owner, unsigned type, const Wire& rdata, uint32_t ttl = 300,
                       unsigned rrclass = 1) {
  return owner + U16(type) + U16(rrclass) + U32(ttl) + U16(static_cast<unsigned>(rdata.size())) + rdata;
}
inline Wire Pointer(unsigned at) { return U16(0xc000 | at); }

class SeededRng final : public Rng {
 public:
  explicit SeededRng(uint64_t seed) : engine_(seed) {}
  void Fill(std::span<uint8_t> out) override {
    for (uint8_t& b : out) b = static_cast<uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

// Few letters, so that random names often share labels; also bytes that need escapes.
inline Name RandomName(Rng& rng) {
  static constexpr uint8_t kBytes[] = {'a', 'A', 'b', 'Z', 0, 1, 2, '.', 0xff, '-'};
  Wire wire;
  const uint32_t labels = rng.Below(6);
  for (uint32_t i = 0; i < labels; ++i) {
    const uint32_t length = 1 + rng.Below(4);
    wire.push_back(static_cast<uint8_t>(length));
    for (uint32_t j = 0; j < length; ++j) wire.push_back(kBytes[rng.Below(std::size(kBytes))]);
  }
  wire.push_back(0);
  return *Name::FromWire(wire);
}

}  // namespace sekisho::dns

#endif  // SEKISHO_TESTS_UNIT_PROTO_DNS_PACKET_H_
