#include "proto/base/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sekisho {
namespace {

constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<int> ParseNumber(std::string_view text, int max) {
  int v = 0;
  auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (err != std::errc() || end != text.data() + text.size() || v < 0 || v > max) return std::nullopt;
  return v;
}

}  // namespace

IpAddress IpAddress::V4(std::span<const uint8_t, 4> bytes) {
  IpAddress a;
  std::copy(kMapped.begin(), kMapped.end(), a.bytes_.begin());
  std::copy(bytes.begin(), bytes.end(), a.bytes_.begin() + 12);
  return a;
}

IpAddress IpAddress::V6(std::span<const uint8_t, 16> bytes) {
  IpAddress a;
  std::copy(bytes.begin(), bytes.end(), a.bytes_.begin());
  return a;
}

std::optional<IpAddress> IpAddress::FromRdata(std::span<const uint8_t> rdata) {
  if (rdata.size() == 4) return V4(rdata.first<4>());
  if (rdata.size() == 16) return V6(rdata.first<16>());
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  // A NUL would end the text early for inet_pton and hide what follows.
  if (text.size() > 45 || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string z(text);
  std::array<uint8_t, 16> b{};
  if (inet_pton(AF_INET, z.c_str(), b.data()) == 1) return V4(std::span<const uint8_t>(b).first<4>());
  if (inet_pton(AF_INET6, z.c_str(), b.data()) == 1) return V6(b);
  return std::nullopt;
}

bool IpAddress::is_v4() const { return std::memcmp(bytes_.data(), kMapped.data(), kMapped.size()) == 0; }

std::span<const uint8_t> IpAddress::bytes() const {
  return is_v4() ? std::span<const uint8_t>(bytes_).subspan(12) : std::span<const uint8_t>(bytes_);
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN];
  const auto b = bytes();
  inet_ntop(b.size() == 4 ? AF_INET : AF_INET6, b.data(), text, sizeof(text));
  return text;
}

std::optional<IpPrefix> IpPrefix::Make(IpAddress address, int length) {
  const int base = address.is_v4() ? 96 : 0;
  if (length < 0 || base + length > 128) return std::nullopt;
  IpPrefix p;
  p.mapped_length_ = base + length;
  std::array<uint8_t, 16> b = address.mapped();
  for (int bit = p.mapped_length_; bit < 128; ++bit) {
    b[static_cast<size_t>(bit / 8)] =
        static_cast<uint8_t>(b[static_cast<size_t>(bit / 8)] & ~(0x80 >> (bit % 8)));
  }
  p.address_ = IpAddress::V6(b);
  return p;
}

std::optional<IpPrefix> IpPrefix::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::Parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int full = address->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return Make(*address, full);
  const auto length = ParseNumber(text.substr(slash + 1), full);
  if (!length) return std::nullopt;
  auto prefix = Make(*address, *length);
  if (prefix && prefix->address() != *address) return std::nullopt;
  return prefix;
}

std::optional<IpPrefix> IpPrefix::FromMapped(IpAddress address, int mapped_length) {
  const int base = address.is_v4() ? 96 : 0;
  if (mapped_length < base) return std::nullopt;
  return Make(address, mapped_length - base);
}

bool IpPrefix::Contains(const IpAddress& a) const {
  if (a.is_v4() != (mapped_length_ >= 96 && address_.is_v4())) return false;  // ::/0 does not let IPv4 in
  const size_t whole = static_cast<size_t>(mapped_length_ / 8);
  if (std::memcmp(a.mapped().data(), address_.mapped().data(), whole) != 0) return false;
  const int rest = mapped_length_ % 8;
  if (rest == 0) return true;
  const int mask = 0xff & (0xff << (8 - rest));
  return ((a.mapped()[whole] ^ address_.mapped()[whole]) & mask) == 0;
}

std::string IpPrefix::ToString() const {
  const int length = address_.is_v4() && mapped_length_ >= 96 ? mapped_length_ - 96 : mapped_length_;
  return address_.ToString() + "/" + std::to_string(length);
}

Endpoint Endpoint::FromSockaddr(const sockaddr* sa) {
  Endpoint e;
  if (sa->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, sa, sizeof(in));
    std::array<uint8_t, 4> b{};
    std::memcpy(b.data(), &in.sin_addr, 4);
    e.address = IpAddress::V4(b);
    e.port = ntohs(in.sin_port);
  } else if (sa->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, sa, sizeof(in));
    std::array<uint8_t, 16> b{};
    std::memcpy(b.data(), &in.sin6_addr, 16);
    e.address = IpAddress::V6(b);
    e.port = ntohs(in.sin6_port);
  }
  return e;
}

socklen_t Endpoint::ToSockaddr(sockaddr_storage* out) const {
  std::memset(out, 0, sizeof(*out));
  const auto b = address.bytes();
  if (b.size() == 4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, b.data(), 4);
    std::memcpy(out, &in, sizeof(in));
    return sizeof(in);
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  std::memcpy(&in.sin6_addr, b.data(), 16);
  std::memcpy(out, &in, sizeof(in));
  return sizeof(in);
}

std::string Endpoint::ToString() const {
  const std::string a = address.ToString();
  return (address.is_v4() ? a : "[" + a + "]") + ":" + std::to_string(port);
}

std::optional<Endpoint> Endpoint::Parse(std::string_view text, std::optional<uint16_t> default_port) {
  if (default_port) {
    if (auto bare = IpAddress::Parse(text)) return Endpoint{*bare, *default_port};
  }
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (rest.empty() && default_port) {
      auto a = IpAddress::Parse(host);
      return a ? std::optional(Endpoint{*a, *default_port}) : std::nullopt;
    }
    if (!rest.starts_with(':')) return std::nullopt;
    port = rest.substr(1);
  } else {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  const auto a = IpAddress::Parse(host);
  const auto n = ParseNumber(port, 65535);
  if (!a || !n) return std::nullopt;
  return Endpoint{*a, static_cast<uint16_t>(*n)};
}

}  // namespace sekisho
