// PublicSuffixList: where names stop being one owner's and start being anybody's.
//
//   list->SuffixOf("a.b.example.co.uk").name          → "co.uk"
//   list->RegistrableDomain("a.b.example.co.uk")      → "example.co.uk"
//   list->SuffixOf("shop.pages.dev")                  → {"pages.dev", is_private}
//
// Names are in the normaliser's spelling. A name whose TLD the list does not know has its TLD as suffix (rule
// "*").
//
// Threads: immutable after Parse. Limits: a lookup probes one hash table per label, without allocation.
// Standards: publicsuffix.org, "Format" and "Algorithm".
#ifndef SEKISHO_BLOCKLIST_MERGE_PUBLIC_SUFFIX_LIST_H_
#define SEKISHO_BLOCKLIST_MERGE_PUBLIC_SUFFIX_LIST_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "blocklist/merge/name_set.h"

namespace sekisho::blocklist {

class PublicSuffixList {
 public:
  struct Suffix {
    std::string_view name;    // part of the name asked
    bool is_private = false;  // from the PRIVATE section: a provider's, e.g. github.io
    bool listed = false;
  };

  PublicSuffixList() = default;
  // The text of public_suffix_list.dat. Rules that are no names are passed over.
  static PublicSuffixList Parse(std::string_view text);

  Suffix SuffixOf(std::string_view name) const;
  bool IsSuffix(std::string_view name) const { return SuffixOf(name).name.size() == name.size(); }
  // The suffix and one label more; empty for a suffix itself.
  std::string_view RegistrableDomain(std::string_view name) const;
  size_t size() const { return rules_.size(); }
  // Calls for every rule's name of the PRIVATE section.
  void ForEachPrivate(const std::function<void(std::string_view)>& visit) const;

 private:
  enum : uint8_t { kRule = 1, kWildcard = 2, kException = 4, kPrivate = 8 };

  NameMap<uint8_t> rules_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_PUBLIC_SUFFIX_LIST_H_
