#include "resolver/core/rpz/zone.h"

namespace sekisho::resolver::rpz {

size_t Zone::bytes() const {
  size_t n = sizeof(Zone);
  for (const NameRules& rules : names_) n += rules.bytes();
  for (const PrefixRules& rules : prefixes_) n += rules.bytes();
  for (const auto& sets : data_) {
    n += sizeof(sets);
    for (const auto& set : sets) n += sizeof(dns::RRset) + 48 + set->rdata.packed_size();
  }
  return n;
}

}  // namespace sekisho::resolver::rpz
