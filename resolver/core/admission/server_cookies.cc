// cookie := client cookie (8) | version 1 (1) | reserved (3) | time (u32, big-endian) | hash (8,
// little-endian)
#include "resolver/core/admission/server_cookies.h"

#include <algorithm>

#include "proto/base/bytes.h"
#include "proto/base/keyed_hash.h"

namespace sekisho::resolver {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint32_t kLifetime = 3600;
constexpr uint32_t kRenewAfter = 1800;
constexpr uint32_t kFuture = 300;
constexpr uint32_t kDay = 86400;
constexpr size_t kTimeAt = 12;

uint64_t LittleEndian(const uint8_t* at) {
  uint64_t v = 0;
  for (int i = 7; i >= 0; --i) v = v << 8 | at[i];
  return v;
}

void PutLittleEndian(uint64_t v, uint8_t* at) {
  for (int i = 0; i < 8; ++i) at[i] = static_cast<uint8_t>(v >> (8 * i));
}

KeyedHash HashOf(const CookieSecret& secret) {
  return {LittleEndian(secret.data()), LittleEndian(secret.data() + 8)};
}

uint32_t TimeOf(std::span<const uint8_t> cookie) {
  return uint32_t{cookie[kTimeAt]} << 24 | uint32_t{cookie[kTimeAt + 1]} << 16 |
         uint32_t{cookie[kTimeAt + 2]} << 8 | cookie[kTimeAt + 3];
}

// Serial arithmetic: the 32-bit clock of cookies wraps in 2106 (RFC 9018 section 4.3).
int32_t Age(uint32_t made, WallTime now) {
  return static_cast<int32_t>(static_cast<uint32_t>(UnixSeconds(now)) - made);
}

}  // namespace

std::optional<CookieSecret> ParseCookieSecret(std::string_view text) {
  CookieSecret secret{};
  if (text.size() != 2 * secret.size()) return std::nullopt;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    secret[i / 2] = static_cast<uint8_t>(secret[i / 2] << 4 | digit);
  }
  return secret;
}

CookieSecret ServerCookies::OwnOfDay(uint32_t time) const {
  const KeyedHash hash = HashOf(own_);
  CookieSecret derived{};
  for (uint8_t half = 0; half < 2; ++half) {
    const uint32_t day = time / kDay;
    const std::array<uint8_t, 5> input = {half, static_cast<uint8_t>(day >> 24),
                                          static_cast<uint8_t>(day >> 16), static_cast<uint8_t>(day >> 8),
                                          static_cast<uint8_t>(day)};
    PutLittleEndian(hash.Strong(input), derived.data() + 8 * half);
  }
  return derived;
}

WholeCookie ServerCookies::Make(std::span<const uint8_t> client_cookie, std::span<const uint8_t, 3> reserved,
                                const IpAddress& client, uint32_t time, const CookieSecret& secret) {
  std::array<uint8_t, 16 + 16> input{};
  std::copy_n(client_cookie.begin(), kClientCookieSize, input.begin());
  input[8] = kVersion;
  std::copy(reserved.begin(), reserved.end(), input.begin() + 9);
  for (size_t i = 0; i < 4; ++i) input[kTimeAt + i] = static_cast<uint8_t>(time >> (24 - 8 * i));
  const auto address = client.bytes();
  std::copy(address.begin(), address.end(), input.begin() + 16);
  WholeCookie cookie{};
  std::copy_n(input.begin(), 16, cookie.begin());
  PutLittleEndian(HashOf(secret).Strong(std::span(input).first(16 + address.size())), cookie.data() + 16);
  return cookie;
}

bool ServerCookies::IsValid(std::span<const uint8_t> option, const IpAddress& client, WallTime now) const {
  if (option.size() != kWholeCookieSize || option[8] != kVersion) return false;
  const uint32_t time = TimeOf(option);
  const int32_t age = Age(time, now);
  if (age > static_cast<int32_t>(kLifetime) || age < -static_cast<int32_t>(kFuture)) return false;
  const auto matches = [&](const CookieSecret& secret) {
    const WholeCookie made = Make(option.first(8), option.subspan<9, 3>(), client, time, secret);
    uint8_t difference = 0;  // in constant time
    for (size_t i = 0; i < made.size(); ++i) difference |= static_cast<uint8_t>(made[i] ^ option[i]);
    return difference == 0;
  };
  if (secrets_.empty()) return matches(OwnOfDay(time));
  return std::any_of(secrets_.begin(), secrets_.end(), matches);
}

WholeCookie ServerCookies::Answer(std::span<const uint8_t> option, bool valid, const IpAddress& client,
                                  WallTime now) const {
  if (valid && Age(TimeOf(option), now) < static_cast<int32_t>(kRenewAfter)) {
    WholeCookie same{};
    std::copy(option.begin(), option.end(), same.begin());
    return same;
  }
  const auto time = static_cast<uint32_t>(UnixSeconds(now));
  static constexpr std::array<uint8_t, 3> kReserved{};
  return Make(option.first(8), kReserved, client, time, secrets_.empty() ? OwnOfDay(time) : secrets_.front());
}

}  // namespace sekisho::resolver
