#include "proto/base/bounded_ring.h"

#include <bit>
#include <cstring>

namespace sekisho {

BoundedRing::BoundedRing(size_t capacity)
    : buffer_(new uint8_t[std::bit_ceil(capacity < 4096 ? size_t{4096} : capacity)]),
      mask_(std::bit_ceil(capacity < 4096 ? size_t{4096} : capacity) - 1) {}

uint8_t* BoundedRing::Reserve(size_t size) {
  const size_t need = Framed(size);
  if (need > capacity() / 2) return nullptr;
  const uint64_t tail = tail_.load(std::memory_order_relaxed);
  const size_t at = static_cast<size_t>(tail) & mask_;
  const size_t to_end = capacity() - at;
  const size_t skipped =
      to_end < need ? to_end : 0;  // positions are multiples of 8, so a skip mark always fits
  if (tail + skipped + need - head_seen_ > capacity()) {
    head_seen_ = head_.load(std::memory_order_acquire);
    if (tail + skipped + need - head_seen_ > capacity()) return nullptr;
  }
  if (skipped > 0) std::memcpy(buffer_.get() + at, &kSkip, kHeader);
  reserved_at_ = tail + skipped;
  return buffer_.get() + (static_cast<size_t>(reserved_at_) & mask_) + kHeader;
}

void BoundedRing::Commit(size_t size) {
  if (size == 0) return;  // an empty record could not be told from an empty ring
  const uint32_t length = static_cast<uint32_t>(size);
  std::memcpy(buffer_.get() + (static_cast<size_t>(reserved_at_) & mask_), &length, kHeader);
  tail_.store(reserved_at_ + Framed(size), std::memory_order_release);
}

bool BoundedRing::Push(std::span<const uint8_t> record) {
  uint8_t* to = Reserve(record.size());
  if (to == nullptr) return false;
  if (!record.empty()) std::memcpy(to, record.data(), record.size());
  Commit(record.size());
  return true;
}

std::span<const uint8_t> BoundedRing::Front() {
  uint64_t head = head_.load(std::memory_order_relaxed);
  for (;;) {
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) return {};
    }
    const size_t at = static_cast<size_t>(head) & mask_;
    uint32_t length = 0;
    std::memcpy(&length, buffer_.get() + at, kHeader);
    if (length != kSkip) return {buffer_.get() + at + kHeader, length};
    head += capacity() - at;
    head_.store(head, std::memory_order_release);
  }
}

void BoundedRing::Pop() {
  const uint64_t head = head_.load(std::memory_order_relaxed);
  uint32_t length = 0;
  std::memcpy(&length, buffer_.get() + (static_cast<size_t>(head) & mask_), kHeader);
  head_.store(head + Framed(length), std::memory_order_release);
}

}  // namespace sekisho
