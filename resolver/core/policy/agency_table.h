// AgencyTable: which agency a client address belongs to; nobody else is served.
//
// Threads: immutable once filled. Limits: a look-up is one binary search per distinct prefix length in use.
#ifndef SEKISHO_RESOLVER_CORE_POLICY_AGENCY_TABLE_H_
#define SEKISHO_RESOLVER_CORE_POLICY_AGENCY_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/ip_address.h"

namespace sekisho::resolver {

class AgencyTable {
 public:
  // Index of an agency in the order added.
  using Id = uint16_t;

  Id Add(std::string name);
  // The longest prefix wins; returns false when the same prefix belongs to another agency already.
  bool AddNetwork(Id agency, const IpPrefix& prefix);

  std::optional<Id> Find(const IpAddress& client) const;
  const std::string& name(Id id) const { return names_[id]; }
  // Agencies of the same group are under the same rules: replies made for one serve the other, too.
  uint16_t policy_group(Id id) const { return id < groups_.size() ? groups_[id] : uint16_t{0}; }
  void SetPolicyGroup(Id id, uint16_t group) {
    groups_.resize(names_.size());
    groups_[id] = group;
  }
  size_t size() const { return names_.size(); }

 private:
  struct Level {
    int mapped_length;
    std::vector<std::pair<IpPrefix, Id>> networks;  // sorted by address
  };
  std::vector<std::string> names_;
  std::vector<uint16_t> groups_;  // empty: all are of one
  std::vector<Level> levels_;     // longest first
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_POLICY_AGENCY_TABLE_H_
