#include "storage/cli/feedd_call.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <ostream>

#include "proto/config/config.h"
#include "proto/config/paths.h"
#include "proto/io/frame_client.h"

namespace sekisho::cli {
namespace {

// Length of the well-formed UTF-8 character at the front; 0 when there is none.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xc2 && first < 0xe0 ? 2
                        : (first & 0xf0) == 0xe0        ? 3
                        : first >= 0xf0 && first < 0xf5 ? 4
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && byte(1) < 0xa0) return 0;   // overlong
  if (first == 0xed && byte(1) >= 0xa0) return 0;  // surrogates
  if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90)) return 0;
  return length;
}

// Controls, and characters that reorder or hide what follows them.
bool IsTreacherous(std::string_view character) {
  if (character.size() == 1) return static_cast<uint8_t>(character[0]) < 0x20 || character[0] == 0x7f;
  if (character.size() == 2) return character[0] == '\xc2' && static_cast<uint8_t>(character[1]) < 0xa0;
  if (character.starts_with("\xe2\x80")) {
    const auto last = static_cast<uint8_t>(character[2]);
    return (last >= 0x8b && last <= 0x8f) || (last >= 0xa8 && last <= 0xae);
  }
  if (character.starts_with("\xe2\x81")) return static_cast<uint8_t>(character[2]) >= 0xa0;
  return character == "\xef\xbb\xbf";
}

}  // namespace

absl::StatusOr<control::Response> CallDaemon(const Context& context, const std::string& daemon,
                                             const control::Request& request, Duration patience) {
  std::string run_dir = context.run_dir;
  if (run_dir.empty()) {
    const auto config = config::LoadConfig(context.config_path);
    if (!config.ok()) return config.status();
    run_dir = config::Paths(*config).run_dir;
  }
  auto client = io::FrameClient::Connect(run_dir + "/" + daemon + ".sock", patience);
  if (!client.ok()) return client.status();
  return client->Call(request);
}

std::optional<control::Response> CallFeedd(const Context& context, const control::Request& request,
                                           Duration patience) {
  auto response = CallDaemon(context, "feedd", request, patience);
  if (response.ok()) return *std::move(response);
  context.err << SafeText(std::string(response.status().message()), 1000) << "\n";
  return std::nullopt;
}

std::string CallerName() {
  if (const char* sudo = std::getenv("SUDO_USER"); sudo != nullptr && ::geteuid() == 0) return sudo;
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(::getuid());
}

std::string SafeText(std::string_view text, size_t max) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    if (out.size() >= max) return out + "…";
    const size_t length = CharacterLength(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    if (length == 0 || IsTreacherous(character)) {
      for (const char c : character) {
        const auto byte = static_cast<uint8_t>(c);
        out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
      }
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

}  // namespace sekisho::cli
