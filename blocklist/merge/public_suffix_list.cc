#include "blocklist/merge/public_suffix_list.h"

#include <variant>

#include "blocklist/merge/normaliser.h"

namespace sekisho::blocklist {

PublicSuffixList PublicSuffixList::Parse(std::string_view text) {
  PublicSuffixList list;
  bool in_private = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    if (line.find("BEGIN PRIVATE DOMAINS") != std::string_view::npos) in_private = true;
    if (line.find("END PRIVATE DOMAINS") != std::string_view::npos) in_private = false;
    line = line.substr(0, line.find_first_of(" \t\r"));
    if (line.empty() || line.starts_with("//")) continue;
    uint8_t kind = kRule;
    if (line.starts_with("!")) {
      kind = kException;
      line.remove_prefix(1);
    } else if (line.starts_with("*.")) {
      kind = kWildcard;
      line.remove_prefix(2);
    }
    const NameOrProblem name = NormaliseName(line);
    if (const auto* good = std::get_if<std::string>(&name)) {
      list.rules_[*good] |= static_cast<uint8_t>(kind | (in_private ? kPrivate : 0));
    }
  }
  return list;
}

PublicSuffixList::Suffix PublicSuffixList::SuffixOf(std::string_view name) const {
  // From the longest candidate to the shortest: the first rule that speaks is the prevailing one.
  for (std::string_view at = name; !at.empty(); at = ParentName(at)) {
    const auto found = rules_.find(at);
    const uint8_t flags = found == rules_.end() ? uint8_t{0} : found->second;
    if ((flags & kException) != 0) return {ParentName(at), (flags & kPrivate) != 0, true};
    if ((flags & kRule) != 0) return {at, (flags & kPrivate) != 0, true};
    const auto parent = rules_.find(ParentName(at));
    if (parent != rules_.end() && (parent->second & kWildcard) != 0) {
      return {at, (parent->second & kPrivate) != 0, true};
    }
  }
  const size_t dot = name.rfind('.');
  return {dot == std::string_view::npos ? name : name.substr(dot + 1), false, false};
}

std::string_view PublicSuffixList::RegistrableDomain(std::string_view name) const {
  const std::string_view suffix = SuffixOf(name).name;
  if (suffix.size() == name.size()) return {};
  const std::string_view front = name.substr(0, name.size() - suffix.size() - 1);
  return name.substr(front.rfind('.') + 1);  // npos + 1 == 0: the whole name
}

void PublicSuffixList::ForEachPrivate(const std::function<void(std::string_view)>& visit) const {
  for (const auto& [name, flags] : rules_) {
    if ((flags & kPrivate) != 0) visit(name);
  }
}

}  // namespace sekisho::blocklist
