#include "proto/dns/rrset.h"

#include <cstring>

namespace sekisho::dns {

bool RdataList::Contains(std::span<const uint8_t> rdata) const {
  for (const auto r : *this) {
    if (r.size() == rdata.size() && (r.empty() || std::memcmp(r.data(), rdata.data(), r.size()) == 0))
      return true;
  }
  return false;
}

}  // namespace sekisho::dns
