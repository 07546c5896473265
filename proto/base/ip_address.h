// IpAddress, IpPrefix, Endpoint: IPv4 and IPv6 addresses as values.
//
// An address is kept as 16 bytes; IPv4 is kept in its mapped form (::ffff:a.b.c.d), so a mapped client compares equal
// to the IPv4 one and cannot slip past an access list (row M14 of the attack table).
//
// Threads: values. Standards: RFC 4291, RFC 5952 (text form).
#ifndef SEKISHO_PROTO_BASE_IP_ADDRESS_H_
#define SEKISHO_PROTO_BASE_IP_ADDRESS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sekisho {

class IpAddress {
 public:
  IpAddress() = default;  // ::
  static IpAddress V4(std::span<const uint8_t, 4> bytes);
  static IpAddress V6(std::span<const uint8_t, 16> bytes);
  // 4 or 16 bytes as in the RDATA of A and AAAA.
  static std::optional<IpAddress> FromRdata(std::span<const uint8_t> rdata);
  static std::optional<IpAddress> Parse(std::string_view text);

  bool is_v4() const;
  // 4 bytes of an IPv4 address, 16 of an IPv6 one.
  std::span<const uint8_t> bytes() const;
  const std::array<uint8_t, 16>& mapped() const { return bytes_; }
  std::string ToString() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<uint8_t, 16> bytes_{};
};

class IpPrefix {
 public:
  IpPrefix() = default;
  // `length` counts bits of the address's own family. Host bits are cleared.
  static std::optional<IpPrefix> Make(IpAddress address, int length);
  // "192.0.2.0/24", "2001:db8::/32", or a bare address (full length). Host bits set is an error.
  static std::optional<IpPrefix> Parse(std::string_view text);

  // `mapped_length` as below; nothing when it is over 128, or under 96 for IPv4.
  // Host bits are cleared.
  static std::optional<IpPrefix> FromMapped(IpAddress address, int mapped_length);

  bool Contains(const IpAddress& a) const;
  const IpAddress& address() const { return address_; }
  // Bits of the mapped 128-bit form: 96 + n for an IPv4 prefix of length n.
  int mapped_length() const { return mapped_length_; }
  std::string ToString() const;

  friend bool operator==(const IpPrefix&, const IpPrefix&) = default;

 private:
  IpAddress address_;
  int mapped_length_ = 0;
};

struct Endpoint {
  IpAddress address;
  uint16_t port = 0;

  static Endpoint FromSockaddr(const sockaddr* sa);
  // Fills a sockaddr_in for IPv4, a sockaddr_in6 for IPv6; returns its length.
  socklen_t ToSockaddr(sockaddr_storage* out) const;
  // "192.0.2.1:53" or "[2001:db8::1]:53"
  std::string ToString() const;
  // As ToString writes; the port may be missing when default_port is given ("192.0.2.1", "2001:db8::1").
  static std::optional<Endpoint> Parse(std::string_view text, std::optional<uint16_t> default_port);

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace sekisho

#endif  // SEKISHO_PROTO_BASE_IP_ADDRESS_H_
