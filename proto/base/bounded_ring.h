// BoundedRing: a single-producer single-consumer queue of byte records in a fixed buffer.
//
// The producer never waits: when the ring is full, Push says so and the caller counts the loss. Records are kept
// whole and in order.
//
//   layout of a record:  u32 length | bytes | padding to 8;   length 0xffffffff = skip to the start of the buffer
//
// Threads: one producer thread, one consumer thread. Limits: a record may take at most half of the buffer.
#ifndef SEKISHO_PROTO_BASE_BOUNDED_RING_H_
#define SEKISHO_PROTO_BASE_BOUNDED_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace sekisho {

class BoundedRing {
 public:
  // `capacity` in bytes, rounded up to a power of two, at least 4096.
  explicit BoundedRing(size_t capacity);

  // Producer. Reserves `size` bytes to be written in place; null when the ring is full or the record too large.
  // Nothing is visible to the consumer before Commit.
  uint8_t* Reserve(size_t size);
  // Makes the first `size` bytes (not more than reserved) of the last reservation visible; 0 gives it up, so there
  // are no empty records.
  void Commit(size_t size);
  bool Push(std::span<const uint8_t> record);

  // Consumer. The oldest record, or an empty span when there is none; valid until Pop.
  std::span<const uint8_t> Front();
  void Pop();

  size_t capacity() const { return mask_ + 1; }
  // Bytes in use, as seen at some instant; for gauges.
  size_t used() const {
    return static_cast<size_t>(tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed));
  }

 private:
  static constexpr size_t kHeader = 4;
  static constexpr uint32_t kSkip = 0xffffffff;
  static constexpr size_t Framed(size_t size) { return (kHeader + size + 7) & ~size_t{7}; }

  std::unique_ptr<uint8_t[]> buffer_;
  size_t mask_;
  alignas(64) std::atomic<uint64_t> tail_{0};  // written by the producer
  uint64_t reserved_at_ = 0;
  uint64_t head_seen_ = 0;
  alignas(64) std::atomic<uint64_t> head_{0};  // written by the consumer
  uint64_t tail_seen_ = 0;
};

}  // namespace sekisho

#endif  // SEKISHO_PROTO_BASE_BOUNDED_RING_H_
