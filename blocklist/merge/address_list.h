// AddressList: networks from a list file that the guard goes by, asked whether a prefix meets one of them.
//
//   plain:  one address or prefix a line, '#' comments
//   MISP:   {"name": …, "type": "cidr", "list": ["192.0.2.0/24", …]}
//
//   AddressList list;   list.AddFile(path, &error);   list.Seal();   list.Meets(prefix)
//
// Threads: immutable after Seal. Limits: files up to 256 MiB; entries that are no addresses are passed over
// and counted.
#ifndef SEKISHO_BLOCKLIST_MERGE_ADDRESS_LIST_H_
#define SEKISHO_BLOCKLIST_MERGE_ADDRESS_LIST_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proto/base/ip_address.h"

namespace sekisho::blocklist {

// By address, then wider before narrower: the order of stored claims and compiled rules.
struct PrefixOrder {
  bool operator()(const IpPrefix& a, const IpPrefix& b) const {
    return a.address() != b.address() ? a.address() < b.address() : a.mapped_length() < b.mapped_length();
  }
};
inline bool IsV4(const IpPrefix& prefix) { return prefix.mapped_length() >= 96 && prefix.address().is_v4(); }
// Bits of its own family.
inline int LengthOf(const IpPrefix& prefix) { return prefix.mapped_length() - (IsV4(prefix) ? 96 : 0); }

class AddressList {
 public:
  void Add(const IpPrefix& prefix) { prefixes_.push_back(prefix); }
  void AddEntry(std::string_view entry);
  // False when the text is JSON but no warning list; *error says why.
  bool AddText(std::string_view text, std::string* error);
  bool AddFile(const std::string& path, std::string* error);
  // Brings the entries into order; before the first Meets.
  void Seal();

  // The prefix lies in one of the list, or one of the list in it.
  bool Meets(const IpPrefix& prefix) const;
  size_t size() const { return prefixes_.size(); }
  size_t skipped() const { return skipped_; }

 private:
  std::vector<IpPrefix> prefixes_;  // sealed: in order, none within another
  size_t skipped_ = 0;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_ADDRESS_LIST_H_
