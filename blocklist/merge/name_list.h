// NameList: names from a list file that the guard goes by: plain text or a MISP warning list.
//
//   plain:  one name a line, '#' comments; ".name" means the name and everything under it
//   MISP:   {"name": …, "type": …, "list": ["example.test", ".example.test", …]}
//
// Threads: values. Limits: files up to 256 MiB; entries that are no names (addresses, hashes) are passed over
// and counted.
#ifndef SEKISHO_BLOCKLIST_MERGE_NAME_LIST_H_
#define SEKISHO_BLOCKLIST_MERGE_NAME_LIST_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "blocklist/merge/list_text.h"
#include "blocklist/merge/name_set.h"

namespace sekisho::blocklist {

struct NameList {
  NameSet exact;
  NameSet under;  // entries that began with a dot
  size_t skipped = 0;

  void AddEntry(std::string_view entry);
  // False when the text is JSON but no warning list; *error says why.
  bool AddText(std::string_view text, std::string* error);
  bool AddFile(const std::string& path, std::string* error);
  bool empty() const { return exact.empty() && under.empty(); }

  // The name itself, or its form without "www.", is listed; or it stands under a dotted entry.
  bool Covers(std::string_view name) const;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_NAME_LIST_H_
