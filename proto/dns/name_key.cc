// key   := (label 0x00)*      label := (byte | 0x01 0x01 for 0x00 | 0x01 0x02 for 0x01)*
#include "proto/dns/name_key.h"

#include <array>
#include <cstring>

namespace sekisho::dns {

size_t WriteNameKey(NameView name, char* out) {
  std::array<uint8_t, kMaxLabels> starts;
  size_t labels = 0;
  const uint8_t* wire = name.data();
  for (size_t at = 0; wire[at] != 0; at += wire[at] + size_t{1}) starts[labels++] = static_cast<uint8_t>(at);
  char* to = out;
  while (labels > 0) {
    const uint8_t* label = wire + starts[--labels];
    for (size_t i = 1; i <= label[0]; ++i) {
      const uint8_t c = label[i];
      if (c > 1) {
        *to++ = static_cast<char>(LowercaseByte(c));
      } else {
        *to++ = 1;
        *to++ = static_cast<char>(c + 1);
      }
    }
    *to++ = 0;
  }
  return static_cast<size_t>(to - out);
}

std::string NameKey(NameView name) {
  char buffer[kMaxNameKeySize];
  return {buffer, WriteNameKey(name, buffer)};
}

std::optional<Name> NameFromKey(std::string_view key) {
  if (key.empty()) return Name();
  if (key.size() > kMaxNameKeySize || key.back() != '\0') return std::nullopt;
  // Labels come root first, so the wire form is filled from its end.
  std::array<uint8_t, kMaxNameSize> wire;
  size_t start = kMaxNameSize - 1;
  wire[start] = 0;
  for (size_t at = 0; at < key.size();) {
    std::array<uint8_t, kMaxLabelSize> label;
    size_t length = 0;
    for (; at < key.size() && key[at] != '\0'; ++at) {
      auto c = static_cast<uint8_t>(key[at]);
      if (c == 1) {
        if (++at >= key.size() || (key[at] != 1 && key[at] != 2)) return std::nullopt;
        c = static_cast<uint8_t>(key[at] - 1);
      }
      if (length == kMaxLabelSize || LowercaseByte(c) != c) return std::nullopt;
      label[length++] = c;
    }
    ++at;  // the label's end mark; the last byte is one, so it is there
    if (length == 0 || start < length + 1) return std::nullopt;
    start -= length;
    std::memcpy(wire.data() + start, label.data(), length);
    wire[--start] = static_cast<uint8_t>(length);
  }
  return Name(NameView::Trusted(wire.data() + start, kMaxNameSize - start));
}

}  // namespace sekisho::dns
