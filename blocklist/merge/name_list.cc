#include "blocklist/merge/name_list.h"

#include <variant>

#include "blocklist/merge/normaliser.h"

namespace sekisho::blocklist {

void NameList::AddEntry(std::string_view entry) {
  const bool dotted = entry.size() > 1 && (entry.starts_with('.') || entry.starts_with("*."));
  if (dotted) entry.remove_prefix(entry.find('.') + 1);
  NameOrProblem name = NormaliseName(entry);
  if (auto* good = std::get_if<std::string>(&name)) {
    (dotted ? under : exact).insert(std::move(*good));
  } else {
    ++skipped;
  }
}

bool NameList::AddText(std::string_view text, std::string* error) {
  return ForEachEntry(text, [this](std::string_view entry) { AddEntry(entry); }, error);
}

bool NameList::AddFile(const std::string& path, std::string* error) {
  return ForEachEntryOfFile(path, [this](std::string_view entry) { AddEntry(entry); }, error);
}

bool NameList::Covers(std::string_view name) const {
  if (exact.contains(name) || under.contains(name)) return true;
  if (name.starts_with("www.") && exact.contains(name.substr(4))) return true;
  if (under.empty()) return false;
  for (std::string_view at = ParentName(name); !at.empty(); at = ParentName(at)) {
    if (under.contains(at)) return true;
  }
  return false;
}

}  // namespace sekisho::blocklist
