// ByteReader and ByteWriter: bounds-checked cursors over a span, big-endian as on the wire.
//
// A reader that runs past its end turns bad and stays bad, reading zeros; a writer that runs out of room turns bad and
// writes nothing more. So a parser checks ok() once where it must decide, not after every field.
//
// Threads: values.
#ifndef SEKISHO_PROTO_BASE_BYTES_H_
#define SEKISHO_PROTO_BASE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace sekisho {

inline std::span<const uint8_t> AsBytes(std::string_view s) {
  return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
}
inline std::string_view AsText(std::span<const uint8_t> b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

class ByteReader {
 public:
  explicit ByteReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  uint8_t U8() { return static_cast<uint8_t>(Big(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Big(2)); }
  uint32_t U32() { return static_cast<uint32_t>(Big(4)); }
  uint64_t U64() { return Big(8); }
  std::span<const uint8_t> Take(size_t n) {
    if (!Has(n)) return {};
    auto out = bytes_.subspan(at_, n);
    at_ += n;
    return out;
  }
  void Skip(size_t n) { Take(n); }
  bool ok() const { return ok_; }
  size_t position() const { return at_; }
  size_t left() const { return ok_ ? bytes_.size() - at_ : 0; }

 private:
  bool Has(size_t n) {
    if (ok_ && bytes_.size() - at_ >= n) return true;
    ok_ = false;
    return false;
  }
  uint64_t Big(size_t n) {
    if (!Has(n)) return 0;
    uint64_t v = 0;
    for (size_t i = 0; i < n; ++i) v = v << 8 | bytes_[at_ + i];
    at_ += n;
    return v;
  }

  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

class ByteWriter {
 public:
  explicit ByteWriter(std::span<uint8_t> buffer) : buffer_(buffer) {}

  void U8(uint8_t v) { Big(v, 1); }
  void U16(uint16_t v) { Big(v, 2); }
  void U32(uint32_t v) { Big(v, 4); }
  void U64(uint64_t v) { Big(v, 8); }
  void Bytes(std::span<const uint8_t> b) {
    if (!Has(b.size())) return;
    if (!b.empty()) std::memcpy(buffer_.data() + at_, b.data(), b.size());
    at_ += b.size();
  }
  // Overwrites two bytes already written.
  void PatchU16(size_t at, uint16_t v) {
    if (at + 2 > at_) return;
    buffer_[at] = static_cast<uint8_t>(v >> 8);
    buffer_[at + 1] = static_cast<uint8_t>(v);
  }
  // Goes back to an earlier position and becomes good again.
  void Rewind(size_t position) {
    if (position > at_) return;
    at_ = position;
    ok_ = true;
  }
  bool ok() const { return ok_; }
  size_t size() const { return at_; }
  size_t room() const { return buffer_.size() - at_; }
  std::span<uint8_t> written() const { return buffer_.first(at_); }

 private:
  bool Has(size_t n) {
    if (ok_ && buffer_.size() - at_ >= n) return true;
    ok_ = false;
    return false;
  }
  void Big(uint64_t v, size_t n) {
    if (!Has(n)) return;
    for (size_t i = 0; i < n; ++i) buffer_[at_ + i] = static_cast<uint8_t>(v >> (8 * (n - 1 - i)));
    at_ += n;
  }

  std::span<uint8_t> buffer_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace sekisho

#endif  // SEKISHO_PROTO_BASE_BYTES_H_
