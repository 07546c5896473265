// The normaliser: turns a name or URL as somebody wrote it into the one spelling that rules are made of.
//
//   NormaliseName("WWW.Müller.example.")            → "www.xn--mller-kva.example"
//   NormaliseUrl("hxxps://u:p@a%2Eexample[.]test:8443/x") → "a.example.test"
//
// The result is lower-case ASCII without a trailing dot: letters, digits, '-', '_' and dots. IDN labels
// become A-labels by IDNA2008 with the mapping of UTS 46, non-transitional. Defanged spellings ("hxxp",
// "[.]", "(.)", "[dot]", "[:]") are understood. Addresses are not names: they are told apart, also in their
// old spellings (0x7f.1, 2130706433).
//
// Threads: functions without state. Limits: 253 characters, labels of 63; text over 4 kB is refused.
// Standards: RFC 5890–5892, RFC 3492, UTS 46, RFC 3986 (authority), the URL Standard's host rules.
#ifndef SEKISHO_BLOCKLIST_MERGE_NORMALISER_H_
#define SEKISHO_BLOCKLIST_MERGE_NORMALISER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "proto/base/ip_address.h"

namespace sekisho::blocklist {

enum class NameProblem : uint8_t {
  kEmpty,
  kAddress,  // an IP address: no name, and no error
  kBadCharacter,
  kBadLabel,  // empty, or over 63
  kTooLong,
  kBadIdn,
  kBadUrl,
  kBadScheme,
};

std::string_view NameProblemText(NameProblem problem);

using NameOrProblem = std::variant<std::string, NameProblem>;

NameOrProblem NormaliseName(std::string_view text);
// The host of a URL; the scheme may be missing.
NameOrProblem NormaliseUrl(std::string_view url);

// "192.0.2.7", "192.0.2.0/24", "[2001:db8::1]:443", "192[.]0[.]2[.]7:8080"; a port is passed over, bits after
// the prefix are cleared. *with_port tells whether there was one.
std::optional<IpPrefix> NormaliseAddress(std::string_view text, bool* with_port = nullptr);
// The address that is a URL's host; nothing when the host is a name.
std::optional<IpPrefix> AddressOfUrl(std::string_view url);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_NORMALISER_H_
