// NameMap and NameSet: tables of normalised names, asked with string views; and the walk from a name to its
// ancestors.
//
// Threads: as the containers of the standard library.
#ifndef SEKISHO_BLOCKLIST_MERGE_NAME_SET_H_
#define SEKISHO_BLOCKLIST_MERGE_NAME_SET_H_

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <functional>
#include <string>
#include <string_view>

namespace sekisho::blocklist {

struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
};
struct NameEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

template <typename V>
using NameMap = absl::flat_hash_map<std::string, V, NameHash, NameEqual>;
using NameSet = absl::flat_hash_set<std::string, NameHash, NameEqual>;

// The name without its leftmost label; empty when it has one label only.
inline std::string_view ParentName(std::string_view name) {
  const size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_NAME_SET_H_
