#include "blocklist/feed/sniff.h"

#include <algorithm>

namespace sekisho::blocklist {

BodyKind Sniff(std::string_view start) {
  start = start.substr(0, kSniffBytes);
  if (start.starts_with("\xEF\xBB\xBF")) start.remove_prefix(3);
  const size_t first = start.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return BodyKind::kEmpty;
  const auto is_control = [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\t' && c != '\r' && c != '\n' && c != '\f') || u == 0x7f;
  };
  if (start.find('\0') != std::string_view::npos) return BodyKind::kBinary;
  // A stray control byte in a long list is a bad line, not another kind of file.
  if (std::count_if(start.begin(), start.end(), is_control) * 50 > static_cast<int64_t>(start.size())) {
    return BodyKind::kBinary;
  }
  const std::string_view body = start.substr(first);
  if (body.starts_with('<')) return BodyKind::kMarkup;
  if (body.starts_with('{')) return BodyKind::kJson;
  if (body.starts_with('[') && !body.starts_with("[Adblock") && !body.starts_with("[uBlock"))
    return BodyKind::kJson;
  return BodyKind::kText;
}

std::string_view BodyKindName(BodyKind kind) {
  switch (kind) {
    case BodyKind::kText:
      return "text";
    case BodyKind::kEmpty:
      return "an empty body";
    case BodyKind::kMarkup:
      return "HTML or XML";
    case BodyKind::kJson:
      return "JSON";
    case BodyKind::kBinary:
      return "binary data";
  }
  return "unknown";
}

}  // namespace sekisho::blocklist
