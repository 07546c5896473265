// LatencyHistogram: times in µs, each kept to 1/64 of itself, in constant memory.
//
// Threads: one. Limits: times above an hour count as an hour.
#ifndef SEKISHO_BENCH_LOAD_LATENCY_HISTOGRAM_H_
#define SEKISHO_BENCH_LOAD_LATENCY_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace sekisho::bench {

class LatencyHistogram {
 public:
  void Add(int64_t us) {
    const auto v = static_cast<uint64_t>(std::clamp<int64_t>(us, 0, kMax));
    ++counts_[Slot(v)];
    ++total_;
    max_ = std::max(max_, static_cast<int64_t>(v));
  }
  // The time that a share `q` of all stayed within.
  int64_t At(double q) const {
    const auto wanted = static_cast<uint64_t>(q * static_cast<double>(total_));
    uint64_t seen = 0;
    for (size_t slot = 0; slot < counts_.size(); ++slot) {
      seen += counts_[slot];
      if (seen > wanted) return std::min(max_, Upper(slot));
    }
    return max_;
  }
  int64_t max() const { return max_; }

 private:
  static constexpr int64_t kMax = 3'600'000'000;
  static constexpr int kBits = 6;
  // Below 2^kBits each value has a slot; above, each power of two has 2^kBits.
  static size_t Slot(uint64_t v) {
    if (v < (1u << kBits)) return v;
    const int shift = static_cast<int>(std::bit_width(v)) - 1 - kBits;
    return (static_cast<size_t>(shift + 1) << kBits) + ((v >> shift) & ((1u << kBits) - 1));
  }
  static int64_t Upper(size_t slot) {
    if (slot < (1u << kBits)) return static_cast<int64_t>(slot);
    const size_t shift = (slot >> kBits) - 1;
    return static_cast<int64_t>((((slot & ((1u << kBits) - 1)) + (1u << kBits) + 1) << shift) - 1);
  }

  std::array<uint64_t, static_cast<size_t>(32 - kBits + 1) << kBits> counts_{};
  uint64_t total_ = 0;
  int64_t max_ = 0;
};

}  // namespace sekisho::bench

#endif  // SEKISHO_BENCH_LOAD_LATENCY_HISTOGRAM_H_
