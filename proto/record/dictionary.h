// Dictionary: byte strings numbered in the order of their first appearance.
//
//   uint32_t id = names.Intern(key);  names.Get(id) == key
//
// Threads: one thread. Limits: 2^32 − 1 bytes and entries; strangers choose the strings, so the hash is
// seeded from outside (XXH3 with a secret seed).
#ifndef SEKISHO_PROTO_RECORD_DICTIONARY_H_
#define SEKISHO_PROTO_RECORD_DICTIONARY_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sekisho::record {

class Dictionary {
 public:
  explicit Dictionary(uint64_t seed) : seed_(seed) {}

  uint32_t Intern(std::string_view bytes);
  std::string_view Get(uint32_t id) const { return {heap_.data() + ends_[id], ends_[id + 1] - ends_[id]}; }
  uint32_t size() const { return static_cast<uint32_t>(ends_.size() - 1); }
  size_t bytes() const { return heap_.size(); }
  void Clear();

 private:
  // With all that a comparison needs: each further place to look at would be one more wait for memory.
  struct Slot {
    uint32_t hash = 0;
    uint32_t id_plus_one = 0;
    uint32_t begin = 0;
    uint32_t size = 0;
  };
  void Grow();

  uint64_t seed_;
  std::vector<char> heap_;
  std::vector<uint32_t> ends_{0};
  std::vector<Slot> slots_;
};

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_DICTIONARY_H_
