#include "proto/dns/name.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace sekisho::dns {
namespace {

constexpr uint8_t kRootWire[1] = {0};

// Eight bytes lower-cased at once: bytes with the top bit set stay as they are, and no lane carries into the
// next.
inline uint64_t Lowercase8(uint64_t w) {
  constexpr uint64_t kOnes = 0x0101010101010101ULL;
  const uint64_t low7 = w & (0x7f * kOnes);
  const uint64_t at_least_a = low7 + (0x80 - 'A') * kOnes;
  const uint64_t above_z = low7 + (0x80 - 'Z' - 1) * kOnes;
  const uint64_t upper = at_least_a & ~above_z & ~w & (0x80 * kOnes);
  return w | upper >> 2;
}

// Length bytes are at most 63, below 'A', so whole wire names can be compared bytewise.
inline bool EqualIgnoringCase(const uint8_t* a, const uint8_t* b, size_t n) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t x = 0;
    uint64_t y = 0;
    std::memcpy(&x, a + i, 8);
    std::memcpy(&y, b + i, 8);
    if (x != y && Lowercase8(x) != Lowercase8(y)) return false;
  }
  for (; i < n; ++i) {
    if (a[i] != b[i] && LowercaseByte(a[i]) != LowercaseByte(b[i])) return false;
  }
  return true;
}

// Where each label starts, from the left; returns how many there are.
int LabelStarts(NameView name, std::array<uint8_t, kMaxLabels>* starts) {
  int n = 0;
  for (size_t at = 0; name.data()[at] != 0; at += name.data()[at] + size_t{1}) {
    (*starts)[static_cast<size_t>(n++)] = static_cast<uint8_t>(at);
  }
  return n;
}

int CompareLabels(const uint8_t* a, const uint8_t* b) {
  const size_t common = std::min(a[0], b[0]);
  for (size_t i = 1; i <= common; ++i) {
    const int d = LowercaseByte(a[i]) - LowercaseByte(b[i]);
    if (d != 0) return d;
  }
  return a[0] - b[0];
}

bool NeedsBackslash(uint8_t c) {
  return c == '.' || c == '\\' || c == '"' || c == ';' || c == '@' || c == '$' || c == '(' || c == ')';
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads one byte of a label's text at *at, undoing an escape.
std::optional<uint8_t> TakeTextByte(std::string_view text, size_t* at) {
  const char c = text[(*at)++];
  if (c != '\\') return static_cast<uint8_t>(c);
  if (*at >= text.size()) return std::nullopt;
  if (!IsDigit(text[*at])) return static_cast<uint8_t>(text[(*at)++]);
  if (*at + 3 > text.size() || !IsDigit(text[*at + 1]) || !IsDigit(text[*at + 2])) return std::nullopt;
  const int v = (text[*at] - '0') * 100 + (text[*at + 1] - '0') * 10 + (text[*at + 2] - '0');
  if (v > 255) return std::nullopt;
  *at += 3;
  return static_cast<uint8_t>(v);
}

}  // namespace

NameView::NameView() : NameView(kRootWire, 1) {}

std::optional<NameView> NameView::FromWire(std::span<const uint8_t> wire) {
  if (wire.empty() || wire.size() > kMaxNameSize) return std::nullopt;
  size_t at = 0;
  while (at < wire.size() && wire[at] != 0) {
    if (wire[at] > kMaxLabelSize) return std::nullopt;
    at += wire[at] + size_t{1};
  }
  if (at + 1 != wire.size()) return std::nullopt;
  return NameView(wire.data(), wire.size());
}

NameView NameView::Trusted(const uint8_t* data, size_t size) { return {data, size}; }

int NameView::LabelCount() const {
  int n = 0;
  for (size_t at = 0; data_[at] != 0; at += data_[at] + size_t{1}) ++n;
  return n;
}

std::string_view NameView::FirstLabel() const { return {reinterpret_cast<const char*>(data_) + 1, data_[0]}; }

NameView NameView::Parent() const {
  if (IsRoot()) return *this;
  const size_t skip = data_[0] + size_t{1};
  return {data_ + skip, size_ - skip};
}

NameView NameView::Suffix(int labels) const {
  NameView out = *this;
  for (int n = LabelCount(); n > labels && !out.IsRoot(); --n) out = out.Parent();
  return out;
}

bool NameView::IsAtOrBelow(NameView ancestor) const {
  if (ancestor.size_ > size_) return false;
  const size_t skip = static_cast<size_t>(size_ - ancestor.size_);
  size_t at = 0;
  while (at < skip) at += data_[at] + size_t{1};
  return at == skip && EqualIgnoringCase(data_ + skip, ancestor.data_, ancestor.size_);
}

int NameView::CommonLabels(NameView other) const {
  std::array<uint8_t, kMaxLabels> mine;
  std::array<uint8_t, kMaxLabels> theirs;
  int i = LabelStarts(*this, &mine);
  int j = LabelStarts(other, &theirs);
  int common = 0;
  while (i > 0 && j > 0) {
    const uint8_t* a = data_ + mine[static_cast<size_t>(--i)];
    const uint8_t* b = other.data_ + theirs[static_cast<size_t>(--j)];
    if (a[0] != b[0] || !EqualIgnoringCase(a, b, a[0] + size_t{1})) break;
    ++common;
  }
  return common;
}

int NameView::CompareCanonical(NameView other) const {
  std::array<uint8_t, kMaxLabels> mine;
  std::array<uint8_t, kMaxLabels> theirs;
  int i = LabelStarts(*this, &mine);
  int j = LabelStarts(other, &theirs);
  while (i > 0 && j > 0) {
    const int d =
        CompareLabels(data_ + mine[static_cast<size_t>(--i)], other.data_ + theirs[static_cast<size_t>(--j)]);
    if (d != 0) return d;
  }
  return i - j;
}

bool NameView::EqualsWithCase(NameView other) const {
  return size_ == other.size_ && std::memcmp(data_, other.data_, size_) == 0;
}

bool operator==(NameView a, NameView b) {
  return a.size_ == b.size_ && EqualIgnoringCase(a.data_, b.data_, a.size_);
}

std::string NameView::ToString() const {
  if (IsRoot()) return ".";
  std::string out;
  out.reserve(size_ + size_t{8});
  for (size_t at = 0; data_[at] != 0; at += data_[at] + size_t{1}) {
    for (size_t i = at + 1; i <= at + data_[at]; ++i) {
      const uint8_t c = data_[i];
      if (c < 0x21 || c > 0x7e) {
        out += {'\\', static_cast<char>('0' + c / 100), static_cast<char>('0' + c / 10 % 10),
                static_cast<char>('0' + c % 10)};
        continue;
      }
      if (NeedsBackslash(c)) out += '\\';
      out += static_cast<char>(c);
    }
    out += '.';
  }
  return out;
}

Name NameView::Lowercase() const {
  uint8_t lower[kMaxNameSize];
  std::transform(data_, data_ + size_, lower, LowercaseByte);
  return Name(NameView(lower, size_));
}

std::optional<Name> Name::FromWire(std::span<const uint8_t> wire) {
  const auto view = NameView::FromWire(wire);
  if (!view) return std::nullopt;
  return Name(*view);
}

std::optional<Name> Name::Parse(std::string_view text) {
  if (text == ".") return Name();
  if (text.empty() || text.size() > 4 * kMaxNameSize) return std::nullopt;
  std::array<uint8_t, kMaxNameSize> wire;
  size_t label = 0;  // where the label's length goes
  size_t size = 1;   // bytes written, the open label's length byte included
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '.') {
      const size_t length = size - label - 1;
      if (length == 0 || size >= kMaxNameSize) return std::nullopt;
      wire[label] = static_cast<uint8_t>(length);
      label = size++;
      ++at;
      continue;
    }
    const auto byte = TakeTextByte(text, &at);
    if (!byte || size >= kMaxNameSize || size - label > kMaxLabelSize) return std::nullopt;
    wire[size++] = *byte;
  }
  if (size - label > 1) {  // no trailing dot
    if (size >= kMaxNameSize) return std::nullopt;
    wire[label] = static_cast<uint8_t>(size - label - 1);
    label = size++;
  }
  wire[label] = 0;
  return Name(NameView::Trusted(wire.data(), size));
}

std::optional<Name> Name::Prepend(std::string_view label, NameView parent) {
  const size_t size = 1 + label.size() + parent.size();
  if (label.empty() || label.size() > kMaxLabelSize || size > kMaxNameSize) return std::nullopt;
  std::array<uint8_t, kMaxNameSize> wire;
  wire[0] = static_cast<uint8_t>(label.size());
  std::memcpy(wire.data() + 1, label.data(), label.size());
  std::memcpy(wire.data() + 1 + label.size(), parent.data(), parent.size());
  return Name(NameView::Trusted(wire.data(), size));
}

std::optional<Name> Name::ReplaceSuffix(NameView name, NameView from, NameView to) {
  if (!name.IsAtOrBelow(from)) return std::nullopt;
  const size_t kept = name.size() - from.size();
  if (kept + to.size() > kMaxNameSize) return std::nullopt;
  std::array<uint8_t, kMaxNameSize> wire;
  std::memcpy(wire.data(), name.data(), kept);
  std::memcpy(wire.data() + kept, to.data(), to.size());
  return Name(NameView::Trusted(wire.data(), kept + to.size()));
}

std::string Name::LowercaseBytes() const {
  std::string out = wire_;
  for (char& c : out) c = static_cast<char>(LowercaseByte(static_cast<uint8_t>(c)));
  return out;
}

}  // namespace sekisho::dns
