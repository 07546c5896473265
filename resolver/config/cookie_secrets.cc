#include "resolver/config/cookie_secrets.h"

#include <string_view>

#include "resolver/config/record_file.h"

namespace sekisho::resolver {

absl::StatusOr<std::vector<CookieSecret>> ReadCookieSecrets(const std::string& path) {
  auto text = ReadTextFile(path);
  if (!text.ok()) return text.status();
  std::vector<CookieSecret> secrets;
  size_t number = 0;
  for (size_t at = 0; at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    std::string_view line = std::string_view(*text).substr(at, end - at);
    at = end + 1;
    ++number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const auto secret = ParseCookieSecret(line);
    if (!secret) {
      return absl::InvalidArgumentError(path + ":" + std::to_string(number) +
                                        ": a secret is 32 hexadecimal digits");
    }
    secrets.push_back(*secret);
  }
  if (secrets.empty()) return absl::InvalidArgumentError(path + ": holds no secret");
  if (secrets.size() > kMaxCookieSecrets) {
    return absl::InvalidArgumentError(path + ": more than " + std::to_string(kMaxCookieSecrets) + " secrets");
  }
  return secrets;
}

}  // namespace sekisho::resolver
