#include "proto/record/dictionary.h"

#include <xxhash.h>

namespace sekisho::record {

uint32_t Dictionary::Intern(std::string_view bytes) {
  if (slots_.size() < 2 * ends_.size()) Grow();
  const auto hash = static_cast<uint32_t>(XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed_));
  const size_t mask = slots_.size() - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    Slot& slot = slots_[i];
    if (slot.id_plus_one == 0) {
      slot = {hash, static_cast<uint32_t>(ends_.size()), static_cast<uint32_t>(heap_.size()),
              static_cast<uint32_t>(bytes.size())};
      heap_.insert(heap_.end(), bytes.begin(), bytes.end());
      ends_.push_back(static_cast<uint32_t>(heap_.size()));
      return slot.id_plus_one - 1;
    }
    if (slot.hash == hash && std::string_view(heap_.data() + slot.begin, slot.size) == bytes) {
      return slot.id_plus_one - 1;
    }
  }
}

void Dictionary::Grow() {
  std::vector<Slot> old = std::move(slots_);
  slots_.assign(old.empty() ? 64 : old.size() * 2, Slot{});
  const size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.id_plus_one == 0) continue;
    size_t i = slot.hash & mask;
    while (slots_[i].id_plus_one != 0) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

void Dictionary::Clear() {
  heap_.clear();
  ends_.assign(1, 0);
  slots_.assign(slots_.size(), Slot{});
}

}  // namespace sekisho::record
