// NameView and Name: a domain name in uncompressed wire form, kept exactly as it was spelt.
//
//   name  := label* root        label := u8 length (1..63) | bytes        root := 0x00        at most 255
//   bytes in all
//
// A NameView always points at a valid name; the only ways to make one check it or take it from another.
// Equality, order and "at or below" ignore ASCII case (RFC 4343); the spelling itself is kept for the echo to
// the client.
//
//   auto name = Name::Parse("www.example.test");
//   if (name->IsAtOrBelow(zone)) …
//
// Threads: values; a NameView does not own its bytes. Limits: 255 bytes, 127 labels.
// Standards: RFC 1035 section 3.1, RFC 2181 section 11, RFC 4343, RFC 4034 section 6.1 (order).
#ifndef SEKISHO_PROTO_DNS_NAME_H_
#define SEKISHO_PROTO_DNS_NAME_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sekisho::dns {

inline constexpr size_t kMaxNameSize = 255;
inline constexpr size_t kMaxLabelSize = 63;
inline constexpr int kMaxLabels = 127;

class Name;

class NameView {
 public:
  NameView();  // the root
  // The whole span must be exactly one uncompressed name.
  static std::optional<NameView> FromWire(std::span<const uint8_t> wire);
  // For bytes that are known to be a valid name.
  static NameView Trusted(const uint8_t* data, size_t size);

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }

  bool IsRoot() const { return size_ == 1; }
  // Labels without the root: 0 for ".".
  int LabelCount() const;
  // The leftmost label's bytes, without its length; empty for the root.
  std::string_view FirstLabel() const;
  bool IsWildcard() const { return size_ >= 3 && data_[0] == 1 && data_[1] == '*'; }
  // Without the leftmost label. The root is its own parent.
  NameView Parent() const;
  // The rightmost `labels` labels; the name itself when it has no more than that.
  NameView Suffix(int labels) const;

  bool IsAtOrBelow(NameView ancestor) const;
  bool IsBelow(NameView ancestor) const { return size_ != ancestor.size_ && IsAtOrBelow(ancestor); }
  // Labels shared from the right.
  int CommonLabels(NameView other) const;
  // <0, 0, >0 in canonical order: by labels from the right, each lower-cased and compared as bytes.
  int CompareCanonical(NameView other) const;
  bool EqualsWithCase(NameView other) const;
  friend bool operator==(NameView a, NameView b);

  // Master file form with a trailing dot; '.', '\\', '"', ';', '@', '$', '(' and ')' in a label escaped with
  // a backslash, everything outside 0x21–0x7e as \DDD (RFC 1035 section 5.1). Safe to print in a line of
  // text.
  std::string ToString() const;
  Name Lowercase() const;

 private:
  NameView(const uint8_t* data, size_t size) : data_(data), size_(static_cast<uint8_t>(size)) {}

  const uint8_t* data_;
  uint8_t size_;
};

class Name {
 public:
  Name() : wire_(1, '\0') {}  // the root
  explicit Name(NameView view) : wire_(reinterpret_cast<const char*>(view.data()), view.size()) {}
  static std::optional<Name> FromWire(std::span<const uint8_t> wire);
  // Master file form, escapes allowed; a missing trailing dot is taken as there. Empty text, empty labels,
  // labels over 63 and names over 255 bytes are refused.
  static std::optional<Name> Parse(std::string_view text);
  // `label` in front of `parent`; nothing when either grows too long or the label is empty.
  static std::optional<Name> Prepend(std::string_view label, NameView parent);
  // `name` with its suffix `from` replaced by `to` (DNAME, RFC 6672); name must be below or at `from`.
  static std::optional<Name> ReplaceSuffix(NameView name, NameView from, NameView to);

  NameView view() const {
    return NameView::Trusted(reinterpret_cast<const uint8_t*>(wire_.data()), wire_.size());
  }
  operator NameView() const { return view(); }  // NOLINT(google-explicit-constructor): a Name is a NameView
  std::span<const uint8_t> bytes() const { return view().bytes(); }
  size_t size() const { return wire_.size(); }
  bool IsRoot() const { return wire_.size() == 1; }
  std::string ToString() const { return view().ToString(); }
  // The wire bytes as a string, lower-cased: an equality key for tables. Not ordered; see name_key.h for
  // order.
  std::string LowercaseBytes() const;

  friend bool operator==(const Name& a, const Name& b) { return a.view() == b.view(); }

 private:
  std::string wire_;
};

inline uint8_t LowercaseByte(uint8_t c) { return c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c + 32) : c; }
// Copies a name's bytes in lower case, eight at a time: every look into a table begins with this. Lengths of
// labels are below 'A' and stay as they are.
inline void LowercaseCopy(const uint8_t* from, size_t size, uint8_t* to) {
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, from + i, 8);
    // In each byte: the top bit of x + (0x80 - 'A') says x >= 'A', that of x + (0x7f - 'Z') says x > 'Z'.
    constexpr uint64_t kEach = 0x0101010101010101;
    const uint64_t low = word & (0x7f * kEach);
    const uint64_t upper =
        (low + (0x80 - 'A') * kEach) & ~(low + (0x7f - 'Z') * kEach) & ~word & (0x80 * kEach);
    word |= upper >> 2;
    std::memcpy(to + i, &word, 8);
  }
  for (; i < size; ++i) to[i] = LowercaseByte(from[i]);
}

}  // namespace sekisho::dns

#endif  // SEKISHO_PROTO_DNS_NAME_H_
