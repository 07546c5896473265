#include "blocklist/merge/normaliser.h"

#include <idn2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

namespace sekisho::blocklist {
namespace {

constexpr size_t kMaxAddressText = 100;
constexpr size_t kMaxText = 4096;
constexpr size_t kMaxName = 253;
constexpr size_t kMaxLabel = 63;

struct Freer {
  void operator()(char* p) const { std::free(p); }
};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'f'); }
bool IsNameCharacter(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_'; }
bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Undoes what keeps analysts from clicking by mistake.
std::string Refang(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kDefanged{
      {{"[.]", "."}, {"(.)", "."}, {"{.}", "."}, {"[dot]", "."}, {"(dot)", "."}, {"[:]", ":"}}};
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    bool replaced = false;
    if (text[0] == '[' || text[0] == '(' || text[0] == '{') {
      for (const auto& [from, to] : kDefanged) {
        if (!text.starts_with(from)) continue;
        out += to;
        text.remove_prefix(from.size());
        replaced = true;
        break;
      }
    }
    if (!replaced) {
      out.push_back(text[0]);
      text.remove_prefix(1);
    }
  }
  return out;
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A host whose last label is a number is an IPv4 address in one of its spellings, or nothing at all; never a
// name.
bool EndsInNumber(std::string_view name) {
  std::string_view last = name.substr(name.rfind('.') + 1);  // npos + 1 == 0: the whole name
  if (last.empty()) return false;
  if (last.starts_with("0x")) return std::all_of(last.begin() + 2, last.end(), IsHex);
  return std::all_of(last.begin(), last.end(), IsDigit);
}

std::optional<std::string> ToAscii(const std::string& text) {
  char* out = nullptr;
  const int result = idn2_lookup_u8(reinterpret_cast<const uint8_t*>(text.c_str()),
                                    reinterpret_cast<uint8_t**>(&out), IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
  const std::unique_ptr<char, Freer> owned(out);
  if (result != IDN2_OK || owned == nullptr) return std::nullopt;
  return std::string(owned.get());
}

std::optional<NameProblem> CheckLabels(std::string_view name) {
  size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return NameProblem::kBadLabel;
      label = 0;
    } else if (!IsNameCharacter(c)) {
      return NameProblem::kBadCharacter;
    } else if (++label > kMaxLabel) {
      return NameProblem::kBadLabel;
    }
  }
  return label == 0 ? std::optional(NameProblem::kBadLabel) : std::nullopt;
}

std::optional<std::string> PercentDecode(std::string_view text) {
  const auto value = [](char c) { return IsDigit(c) ? c - '0' : Lower(c) - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size() || !IsHex(text[i + 1]) || !IsHex(text[i + 2])) return std::nullopt;
    out.push_back(static_cast<char>(value(text[i + 1]) * 16 + value(text[i + 2])));
    i += 2;
  }
  return out;
}

bool IsPort(std::string_view port) {
  int value = 0;
  for (const char c : port) {
    if (!IsDigit(c)) return false;
    value = value * 10 + (c - '0');
    if (value > 65535) return false;
  }
  return true;
}

// Takes "scheme://" or "//" off the front; false when the scheme is not one of the web's.
bool TakeScheme(std::string_view& url) {
  static constexpr std::array<std::string_view, 6> kSchemes{"http", "https", "hxxp", "hxxps", "ftp", "ws"};
  const size_t colon = url.find("://");
  const size_t delimiter = url.find_first_of("/?#@");
  if (colon == std::string_view::npos || (delimiter != std::string_view::npos && delimiter < colon)) {
    if (url.starts_with("//")) url.remove_prefix(2);
    return true;
  }
  std::string scheme(url.substr(0, colon));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), Lower);
  url.remove_prefix(colon + 3);
  return std::find(kSchemes.begin(), kSchemes.end(), scheme) != kSchemes.end();
}

}  // namespace

std::string_view NameProblemText(NameProblem problem) {
  switch (problem) {
    case NameProblem::kEmpty:
      return "no name";
    case NameProblem::kAddress:
      return "an IP address, not a name";
    case NameProblem::kBadCharacter:
      return "a character that no host name has";
    case NameProblem::kBadLabel:
      return "a label is empty or longer than 63";
    case NameProblem::kTooLong:
      return "longer than a name may be";
    case NameProblem::kBadIdn:
      return "not a valid internationalised name";
    case NameProblem::kBadUrl:
      return "not a URL";
    case NameProblem::kBadScheme:
      return "not a web URL";
  }
  return "unknown";
}

NameOrProblem NormaliseName(std::string_view text) {
  text = TrimBlanks(text);
  if (text.empty()) return NameProblem::kEmpty;
  if (text.size() > kMaxText) return NameProblem::kTooLong;
  std::string name = Refang(text);
  if (name.find('\0') != std::string::npos) return NameProblem::kBadCharacter;
  if (!IsAscii(name)) {
    std::optional<std::string> ascii = ToAscii(name);
    if (!ascii) return NameProblem::kBadIdn;
    name = std::move(*ascii);
  }
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();
  std::transform(name.begin(), name.end(), name.begin(), Lower);
  if (name.find(':') != std::string::npos) {
    const bool address = std::all_of(name.begin(), name.end(), [](char c) {
      return IsHex(c) || c == ':' || c == '.' || c == '[' || c == ']';
    });
    return address ? NameProblem::kAddress : NameProblem::kBadCharacter;
  }
  if (const auto problem = CheckLabels(name)) return *problem;
  if (EndsInNumber(name)) return NameProblem::kAddress;
  if (name.size() > kMaxName) return NameProblem::kTooLong;
  return name;
}

NameOrProblem NormaliseUrl(std::string_view url) {
  url = TrimBlanks(url);
  if (url.empty()) return NameProblem::kEmpty;
  if (url.size() > kMaxText) return NameProblem::kTooLong;
  const std::string refanged = Refang(url);
  std::string_view rest = refanged;
  if (!TakeScheme(rest)) return NameProblem::kBadScheme;
  // Browsers take a backslash for a slash, and so may a phishing URL.
  rest = rest.substr(0, rest.find_first_of("/\\?#"));
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  if (rest.starts_with('['))
    return rest.find(']') == std::string_view::npos ? NameProblem::kBadUrl : NameProblem::kAddress;
  if (const size_t colon = rest.find(':'); colon != std::string_view::npos) {
    if (!IsPort(rest.substr(colon + 1))) return NameProblem::kBadUrl;
    rest = rest.substr(0, colon);
  }
  if (rest.empty()) return NameProblem::kBadUrl;
  if (rest.find('%') == std::string_view::npos) return NormaliseName(rest);
  const std::optional<std::string> decoded = PercentDecode(rest);
  if (!decoded) return NameProblem::kBadUrl;
  return NormaliseName(*decoded);
}

std::optional<IpPrefix> NormaliseAddress(std::string_view text, bool* with_port) {
  text = TrimBlanks(text);
  if (with_port != nullptr) *with_port = false;
  if (text.empty() || text.size() > kMaxAddressText) return std::nullopt;
  const std::string refanged = Refang(text);
  std::string_view rest = refanged;
  std::string_view port;
  if (rest.starts_with('[')) {
    const size_t end = rest.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    port = rest.substr(end + 1);
    rest = rest.substr(1, end - 1);
    if (!port.empty() && port.front() != ':') return std::nullopt;
  } else if (const size_t colon = rest.find(':');
             colon != std::string_view::npos && colon == rest.rfind(':')) {
    port = rest.substr(colon);
    rest = rest.substr(0, colon);
  }
  if (!port.empty()) {
    if (!IsPort(port.substr(1))) return std::nullopt;
    if (with_port != nullptr) *with_port = true;
  }
  const size_t slash = rest.find('/');
  const std::optional<IpAddress> address = IpAddress::Parse(rest.substr(0, slash));
  if (!address) return std::nullopt;
  int length = address->is_v4() ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = rest.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  }
  return IpPrefix::Make(*address, length);
}

std::optional<IpPrefix> AddressOfUrl(std::string_view url) {
  url = TrimBlanks(url);
  if (url.empty() || url.size() > kMaxText) return std::nullopt;
  const std::string refanged = Refang(url);
  std::string_view rest = refanged;
  if (!TakeScheme(rest)) return std::nullopt;
  rest = rest.substr(0, rest.find_first_of("/\\?#"));
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  return NormaliseAddress(rest);
}

}  // namespace sekisho::blocklist
