// Printable: untrusted text for a message or a log line: printable ASCII kept, the rest as \xHH, cut when
// long.
//
// Threads: functions without state.
#ifndef SEKISHO_PROTO_CONFIG_PRINTABLE_H_
#define SEKISHO_PROTO_CONFIG_PRINTABLE_H_

#include <string>
#include <string_view>

namespace sekisho::config {

inline std::string Printable(std::string_view text, size_t max = 100) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text.substr(0, max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  if (text.size() > max) out += "…";
  return out;
}

}  // namespace sekisho::config

#endif  // SEKISHO_PROTO_CONFIG_PRINTABLE_H_
