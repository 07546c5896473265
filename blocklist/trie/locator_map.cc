#include "blocklist/trie/locator_map.h"

#include <algorithm>
#include <array>

namespace sekisho::blocklist {
namespace {

// Slots as they are while keys are taken out one by one: how many keys touch each, and the XOR of their
// numbers.
struct Peeling {
  explicit Peeling(size_t slots) : count(slots, 0), keys(slots, 0) {}
  std::vector<uint8_t> count;
  std::vector<uint32_t> keys;
};

struct Taken {
  uint32_t key;
  uint8_t place;  // which of the key's three slots was its alone
};

bool Fill(const std::vector<Located>& keys, const LocatorShape& shape, Peeling& peeling) {
  for (size_t i = 0; i < keys.size(); ++i) {
    for (uint64_t slot : shape.SlotsOf(keys[i].hash)) {
      if (++peeling.count[slot] == 0) return false;  // 256 keys in one slot: not a hash's doing
      peeling.keys[slot] ^= static_cast<uint32_t>(i);
    }
  }
  return true;
}

// The order in which every key at its turn has a slot of its own.
std::vector<Taken> Peel(const std::vector<Located>& keys, const LocatorShape& shape, Peeling& peeling) {
  std::vector<Taken> taken;
  taken.reserve(keys.size());
  std::vector<uint32_t> alone;
  for (size_t start = 0; start < peeling.count.size(); ++start) {
    if (peeling.count[start] == 1) alone.push_back(static_cast<uint32_t>(start));
    while (!alone.empty()) {
      const uint32_t slot = alone.back();
      alone.pop_back();
      if (peeling.count[slot] != 1) continue;
      const uint32_t key = peeling.keys[slot];
      const auto slots = shape.SlotsOf(keys[key].hash);
      for (uint8_t place = 0; place < 3; ++place) {
        if (slots[place] == slot) taken.push_back({key, place});
        peeling.keys[slots[place]] ^= key;
        if (--peeling.count[slots[place]] == 1) alone.push_back(static_cast<uint32_t>(slots[place]));
      }
    }
  }
  return taken;
}

class SlotWriter {
 public:
  explicit SlotWriter(const LocatorShape& shape)
      : bits_(shape.value_bits), bytes_((shape.slots * shape.value_bits + 7) / 8 + 8, '\0') {}

  uint64_t Get(uint64_t slot) const {
    const uint64_t bit = slot * bits_;
    return (LoadLittle<uint64_t>(bytes_.data() + (bit >> 3)) >> (bit & 7)) & ((uint64_t{1} << bits_) - 1);
  }
  // The slot must hold zero.
  void Set(uint64_t slot, uint64_t value) {
    const uint64_t bit = slot * bits_;
    char* at = bytes_.data() + (bit >> 3);
    const uint64_t word = LoadLittle<uint64_t>(at) | value << (bit & 7);
    std::memcpy(at, &word, sizeof(word));
  }
  std::string Take() { return std::move(bytes_); }

 private:
  uint32_t bits_;
  std::string bytes_;
};

}  // namespace

LocatorShape LocatorShape::For(size_t keys, uint32_t value_bits) {
  LocatorShape shape;
  shape.value_bits = value_bits;
  // floor(log(keys) / log(3.33) + 2.25), as the paper has it, without a logarithm that differs between
  // machines.
  int exponent = 2;
  for (double reach = 2.49; reach <= static_cast<double>(keys) && exponent < 18; reach *= 3.33) ++exponent;
  shape.segment = 1u << exponent;
  const double factor = keys >= 1'000'000 ? 1.125 : keys >= 100'000 ? 1.18 : keys >= 10'000 ? 1.26 : 1.7;
  const auto capacity = static_cast<uint64_t>(static_cast<double>(keys) * factor) + 32;
  shape.slots = std::max<uint64_t>(3, (capacity + shape.segment - 1) / shape.segment) * shape.segment;
  return shape;
}

std::optional<std::string> BuildLocatorMap(std::vector<Located>& keys, const LocatorShape& shape) {
  // In the order of their hashes neighbours touch neighbouring slots, which keeps the work in the CPU's
  // caches.
  std::sort(keys.begin(), keys.end(), [](const Located& a, const Located& b) { return a.hash < b.hash; });
  for (size_t i = 1; i < keys.size(); ++i) {
    if (keys[i - 1].hash == keys[i].hash) return std::nullopt;
  }
  std::vector<Taken> taken;
  {
    Peeling peeling(shape.slots);
    if (!Fill(keys, shape, peeling)) return std::nullopt;
    taken = Peel(keys, shape, peeling);
  }
  if (taken.size() != keys.size()) return std::nullopt;
  SlotWriter writer(shape);
  for (size_t i = taken.size(); i-- > 0;) {
    const Located& key = keys[taken[i].key];
    const auto slots = shape.SlotsOf(key.hash);
    uint64_t value = uint64_t{key.value} << kCheckBits | CheckOf(key.hash);
    for (size_t place = 0; place < 3; ++place) {
      if (place != taken[i].place) value ^= writer.Get(slots[place]);
    }
    writer.Set(slots[taken[i].place], value);
  }
  return writer.Take();
}

}  // namespace sekisho::blocklist
