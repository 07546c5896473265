// Cookie secrets: the file that nodes behind one address share.
//
//   line := 32 hexadecimal digits | '#' comment | empty
//
// Threads: functions without state. Limits: 1 to kMaxCookieSecrets secrets. Standards: RFC 9018 section 5.
#ifndef SEKISHO_RESOLVER_CONFIG_COOKIE_SECRETS_H_
#define SEKISHO_RESOLVER_CONFIG_COOKIE_SECRETS_H_

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "resolver/core/admission/server_cookies.h"

namespace sekisho::resolver {

inline constexpr size_t kMaxCookieSecrets = 4;

// Errors name the file and the line, and never what stands in it.
absl::StatusOr<std::vector<CookieSecret>> ReadCookieSecrets(const std::string& path);

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CONFIG_COOKIE_SECRETS_H_
