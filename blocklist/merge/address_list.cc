#include "blocklist/merge/address_list.h"

#include <algorithm>

#include "blocklist/merge/list_text.h"
#include "blocklist/merge/normaliser.h"

namespace sekisho::blocklist {

void AddressList::AddEntry(std::string_view entry) {
  if (const auto prefix = NormaliseAddress(entry)) {
    prefixes_.push_back(*prefix);
  } else {
    ++skipped_;
  }
}

bool AddressList::AddText(std::string_view text, std::string* error) {
  return ForEachEntry(text, [this](std::string_view entry) { AddEntry(entry); }, error);
}

bool AddressList::AddFile(const std::string& path, std::string* error) {
  return ForEachEntryOfFile(path, [this](std::string_view entry) { AddEntry(entry); }, error);
}

void AddressList::Seal() {
  std::sort(prefixes_.begin(), prefixes_.end(), PrefixOrder());
  std::vector<IpPrefix> outermost;
  for (const IpPrefix& prefix : prefixes_) {
    if (outermost.empty() || !outermost.back().Contains(prefix.address())) outermost.push_back(prefix);
  }
  prefixes_ = std::move(outermost);
}

bool AddressList::Meets(const IpPrefix& prefix) const {
  // The first that begins after the prefix's first address; the one before it is the only one that can hold
  // that.
  const auto after = std::upper_bound(prefixes_.begin(), prefixes_.end(), prefix.address(),
                                      [](const IpAddress& a, const IpPrefix& p) { return a < p.address(); });
  if (after != prefixes_.begin() && std::prev(after)->Contains(prefix.address())) return true;
  if (after != prefixes_.begin() && prefix.Contains(std::prev(after)->address())) return true;
  return after != prefixes_.end() && prefix.Contains(after->address());
}

}  // namespace sekisho::blocklist
