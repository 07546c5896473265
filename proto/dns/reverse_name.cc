#include "proto/dns/reverse_name.h"

#include <array>
#include <charconv>
#include <string>
#include <string_view>

namespace sekisho::dns {
namespace {

constexpr std::string_view kV4 = ".in-addr.arpa.";
constexpr std::string_view kV6 = ".ip6.arpa.";
constexpr std::string_view kHex = "0123456789abcdef";

std::optional<IpAddress> ReadV4(std::string_view text) {
  std::array<uint8_t, 4> bytes{};
  for (size_t i = bytes.size(); i-- > 0;) {
    const size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == 0)) return std::nullopt;
    const std::string_view one = text.substr(0, dot);
    const auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), bytes[i]);
    if (error != std::errc() || end != one.data() + one.size()) return std::nullopt;
    text.remove_prefix(i == 0 ? 0 : dot + 1);
  }
  return IpAddress::V4(bytes);
}

std::optional<IpAddress> ReadV6(std::string_view text) {
  std::array<uint8_t, 16> bytes{};
  if (text.size() != 63) return std::nullopt;
  for (size_t i = 0; i < 32; ++i) {
    const size_t digit = kHex.find(text[2 * i]);
    if (digit == std::string_view::npos || (i < 31 && text[2 * i + 1] != '.')) return std::nullopt;
    uint8_t& byte = bytes[15 - i / 2];
    byte = static_cast<uint8_t>(byte | digit << (i % 2 == 0 ? 0 : 4));
  }
  return IpAddress::V6(bytes);
}

}  // namespace

Name ReverseName(const IpAddress& address) {
  const auto bytes = address.bytes();
  std::string text;
  for (size_t i = bytes.size(); i-- > 0;) {
    if (bytes.size() == 4) {
      text += std::to_string(bytes[i]);
      if (i > 0) text += '.';
    } else {
      text += {kHex[bytes[i] & 15], '.', kHex[bytes[i] >> 4]};
      if (i > 0) text += '.';
    }
  }
  text += bytes.size() == 4 ? kV4 : kV6;
  return Name::Parse(text).value_or(Name());
}

std::optional<IpAddress> AddressOfReverse(NameView name) {
  const std::string text = name.ToString();
  const std::string_view view = text;
  if (view.ends_with(kV4)) return ReadV4(view.substr(0, view.size() - kV4.size()));
  if (view.ends_with(kV6)) return ReadV6(view.substr(0, view.size() - kV6.size()));
  return std::nullopt;
}

}  // namespace sekisho::dns
