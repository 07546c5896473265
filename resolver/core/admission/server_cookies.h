// ServerCookies: the DNS cookies that clients get from us, and the proof of address that they bring back.
//
//   cookie := client cookie (8) | version (1) | reserved (3) | time (u32) | hash (8)
//   hash   := SipHash-2-4(client cookie | version | reserved | time | client address, secret)
//
// Secrets given by the operator are used as they are: the first makes cookies, all are accepted, so that one
// can be rolled over on many nodes. Without any, the key of each day is derived from a random one of the
// process; which day's key a cookie needs stands in the cookie itself, so rolling over costs nothing and
// forgets nothing.
//
// Threads: values. Limits: a cookie is good for an hour, and five minutes into the future.
// Standards: RFC 7873 section 5.2, RFC 9018.
#ifndef SEKISHO_RESOLVER_CORE_ADMISSION_SERVER_COOKIES_H_
#define SEKISHO_RESOLVER_CORE_ADMISSION_SERVER_COOKIES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/base/now.h"

namespace sekisho::resolver {

using CookieSecret = std::array<uint8_t, 16>;
inline constexpr size_t kClientCookieSize = 8;
inline constexpr size_t kWholeCookieSize = 24;
using WholeCookie = std::array<uint8_t, kWholeCookieSize>;

// 32 hexadecimal digits.
std::optional<CookieSecret> ParseCookieSecret(std::string_view text);

class ServerCookies {
 public:
  // `secrets` as the operator gave them; `own` is used when there are none.
  ServerCookies(std::vector<CookieSecret> secrets, const CookieSecret& own)
      : secrets_(std::move(secrets)), own_(own) {}

  // Does this option data prove that `client` has heard from us?
  bool IsValid(std::span<const uint8_t> option, const IpAddress& client, WallTime now) const;
  // What the reply to a question with that option carries: the same cookie while it is young, else a new one.
  WholeCookie Answer(std::span<const uint8_t> option, bool valid, const IpAddress& client,
                     WallTime now) const;

 private:
  CookieSecret OwnOfDay(uint32_t time) const;
  static WholeCookie Make(std::span<const uint8_t> client_cookie, std::span<const uint8_t, 3> reserved,
                          const IpAddress& client, uint32_t time, const CookieSecret& secret);

  std::vector<CookieSecret> secrets_;
  CookieSecret own_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_ADMISSION_SERVER_COOKIES_H_
