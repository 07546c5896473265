// Columns: runs of numbers and of bytes, squeezed for blocks.
//
// A column of numbers is cut into byte planes (all lowest bytes, all next bytes, …), each compressed by
// itself or kept as it is; planes above the largest value are not written. A heap is one compressed run of
// bytes.
//
//   ColumnWriter w(level);  w.Numbers(times);  w.Heap(text);  Store(w.Take());
//   ColumnReader r(bytes);  r.Numbers(count, &times);  r.Heap(limit, &text);  if (!r.Done()) damaged
//
// Threads: one thread each. Limits: a reader never takes more memory than the caller's count or limit allows.
#ifndef SEKISHO_PROTO_RECORD_COLUMN_H_
#define SEKISHO_PROTO_RECORD_COLUMN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sekisho::record {

// LEB128.
void PutVarint(std::string* out, uint64_t v);
// Removes a varint from the front; false when there is none or it does not fit 64 bits.
bool TakeVarint(std::span<const uint8_t>* in, uint64_t* v);

inline uint64_t ZigZag(int64_t v) { return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63); }
inline int64_t UnZigZag(uint64_t v) { return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1); }

// zstd contexts, kept between uses; one per thread.
class Compressor {
 public:
  explicit Compressor(int level);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  // Appends a run: u8 mode | varint stored size | bytes. The plain size is known to the reader.
  void Run(std::string_view plain, std::string* out);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  std::string buffer_;
};

class ColumnWriter {
 public:
  explicit ColumnWriter(Compressor* compressor) : compressor_(compressor) {}
  void Count(size_t count) { PutVarint(&out_, count); }
  void Numbers(std::span<const uint64_t> values);
  void Heap(std::string_view bytes);
  std::string Take() { return std::move(out_); }

 private:
  Compressor* compressor_;
  std::string out_;
  std::string plane_;
};

// Numbers as they are kept, put together when one is asked for.
class PlaneColumn {
 public:
  uint64_t operator[](size_t i) const {
    uint64_t v = 0;
    for (size_t p = 0; p < width_; ++p) v |= static_cast<uint64_t>(planes_[p * count_ + i]) << (8 * p);
    return v;
  }

 private:
  friend class ColumnReader;
  size_t count_ = 0;
  size_t width_ = 0;
  std::vector<uint8_t> planes_;
};

class ColumnReader {
 public:
  explicit ColumnReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool Count(size_t limit, size_t* count);
  // Exactly `count` numbers, none above `max`.
  bool Numbers(size_t count, uint64_t max, std::vector<uint64_t>* values);
  // As Numbers, of numbers below 2^32.
  bool Small(size_t count, uint32_t max, std::vector<uint32_t>* values);
  bool Planes(size_t count, uint64_t max, PlaneColumn* values);
  // Passes over a column without unpacking it.
  bool SkipNumbers();
  bool Heap(size_t limit, std::string* bytes);
  // Everything was read and nothing is left.
  bool Done() const { return ok_ && bytes_.empty(); }

 private:
  bool Run(size_t plain_size, char* to);
  bool Fail() {
    ok_ = false;
    return false;
  }

  std::span<const uint8_t> bytes_;
  bool ok_ = true;
  std::string plane_;
};

}  // namespace sekisho::record

#endif  // SEKISHO_PROTO_RECORD_COLUMN_H_
