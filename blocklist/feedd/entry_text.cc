#include "blocklist/feedd/entry_text.h"

#include "blocklist/merge/merger.h"

namespace sekisho::feedd {

using indicators::EntryKind;

const char* ScopeText(EntryKind kind) {
  switch (kind) {
    case EntryKind::kExact:
      return "name";
    case EntryKind::kSubtree:
      return "name and all below";
    case EntryKind::kUrlHost:
      return "host of a URL";
    case EntryKind::kAddress:
      return "address in answers";
    case EntryKind::kUrlAddress:
      return "address of a URL or port";
    case EntryKind::kNsName:
      return "name server";
    case EntryKind::kNsSubtree:
      return "name servers at or below it";
    case EntryKind::kNsAddress:
      return "address of name servers";
    case EntryKind::kClientAddress:
      return "client";
  }
  return "";
}

std::string SubjectText(const indicators::EntryParts& parts) {
  if (!indicators::IsAddressKind(parts.kind)) return blocklist::NameTextFromKey(parts.name_key);
  return parts.prefix.ToString();
}

}  // namespace sekisho::feedd
