// Published<T>: one writer publishes immutable values, many readers pick up the newest.
//
// A reader keeps its own shared_ptr and compares one atomic number per use; the lock is taken only when the number
// has moved, so a swap costs readers nothing in the steady state and never blocks them behind the writer's work.
//
//   Published<const PolicySnapshot>::Reader reader(published);   // one per thread
//   const PolicySnapshot* policy = reader.Get();                 // valid until this thread's next Get()
//
// Threads: Publish from any thread; one Reader per thread.
#ifndef SEKISHO_PROTO_BASE_PUBLISHED_H_
#define SEKISHO_PROTO_BASE_PUBLISHED_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace sekisho {

template <typename T>
class Published {
 public:
  void Publish(std::shared_ptr<T> value) {
    std::shared_ptr<T> old;  // destroyed outside the lock
    {
      std::lock_guard<std::mutex> lock(mutex_);
      old = std::exchange(value_, std::move(value));
      version_.fetch_add(1, std::memory_order_release);
    }
  }

  std::shared_ptr<T> Current() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return value_;
  }

  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  class Reader {
   public:
    explicit Reader(const Published& source) : source_(&source) {}

    // The newest value, or null when nothing was published yet.
    T* Get() {
      const uint64_t v = source_->version();
      if (v != seen_) {
        seen_ = v;
        held_ = source_->Current();
      }
      return held_.get();
    }
    const std::shared_ptr<T>& Held() const { return held_; }

   private:
    const Published* source_;
    uint64_t seen_ = 0;
    std::shared_ptr<T> held_;
  };

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<T> value_;
  std::atomic<uint64_t> version_{0};
};

}  // namespace sekisho

#endif  // SEKISHO_PROTO_BASE_PUBLISHED_H_
