// NameScanner: checks names inside one packet without writing them out, remembering the ones already checked.
//
// Most names of a message are a pointer to one seen before; those cost one table look-up. A message made of
// pointer chains costs at most kMaxHops steps a name.
//
// Threads: values. Limits: pointers lead strictly backward (below the start of the run of labels they end)
// and never into the header; at most 127 hops; 255 bytes expanded. Standards: RFC 1035 section 4.1.4; attack
// rows M01, M02.
#ifndef SEKISHO_PROTO_DNS_NAME_SCANNER_H_
#define SEKISHO_PROTO_DNS_NAME_SCANNER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sekisho::dns {

inline constexpr int kMaxHops = 127;

class NameScanner {
 public:
  explicit NameScanner(std::span<const uint8_t> packet) : packet_(packet) {}

  std::span<const uint8_t> packet() const { return packet_; }
  // Expanded size of the name at `at`, labels before `limit`; 0 when it is not a name. *end: offset behind
  // it.
  size_t Scan(size_t at, size_t limit, size_t* end);
  // The same, refusing pointers. Does not use what was remembered.
  size_t ScanPlain(size_t at, size_t limit, size_t* end) const;

 private:
  struct Known {
    uint16_t at = 0;  // 0: empty, as no name starts in the header
    uint8_t size = 0;
    uint8_t hops = 0;
  };
  static constexpr size_t kSlots = 32;

  const Known* Find(size_t at) const {
    const Known& k = known_[(at ^ at >> 5) % kSlots];
    return k.at == at && at != 0 ? &k : nullptr;
  }
  void Remember(size_t at, size_t size, int hops);

  std::span<const uint8_t> packet_;
  std::array<Known, kSlots> known_{};
};

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_NAME_SCANNER_H_
