// TokenTable: clients that wait for an answer, found again by a token that is never valid twice.
//
//   token := kind (1 bit) | generation (31 bits) | slot (32 bits)
//
// Threads: one worker. Limits: a slot's generation repeats after 2^31 uses; the core answers or forgets a
// token long before. Does not allocate once it has grown to the number of clients that wait at the same time.
#ifndef SEKISHO_RESOLVER_SERVER_TOKEN_TABLE_H_
#define SEKISHO_RESOLVER_SERVER_TOKEN_TABLE_H_

#include <cstdint>
#include <utility>
#include <vector>

namespace sekisho::resolver {

inline constexpr uint64_t kTcpTokenBit = uint64_t{1} << 63;

template <typename T>
class TokenTable {
 public:
  explicit TokenTable(uint64_t kind_bit) : kind_bit_(kind_bit) {}

  // A new token, whose value is to be set through Find.
  uint64_t Reserve() {
    uint32_t slot;
    if (free_.empty()) {
      slot = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    slots_[slot].used = true;
    return TokenOf(slot);
  }

  // Null when the token was released.
  T* Find(uint64_t token) {
    const auto slot = static_cast<uint32_t>(token);
    if (slot >= slots_.size() || !slots_[slot].used || TokenOf(slot) != token) return nullptr;
    return &slots_[slot].value;
  }

  void Release(uint64_t token) {
    if (Find(token) == nullptr) return;
    const auto slot = static_cast<uint32_t>(token);
    slots_[slot].used = false;
    ++slots_[slot].generation;
    free_.push_back(slot);
  }

  size_t size() const { return slots_.size() - free_.size(); }

 private:
  struct Slot {
    T value{};
    uint32_t generation = 0;
    bool used = false;
  };
  uint64_t TokenOf(uint32_t slot) const {
    return kind_bit_ | uint64_t{slots_[slot].generation & 0x7fffffff} << 32 | slot;
  }

  uint64_t kind_bit_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_TOKEN_TABLE_H_
