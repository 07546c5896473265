// LocalZones: names that are answered here and never asked for: special-use names and the operator's own
// data.
//
//   LocalZones zones;
//   zones.AddSpecialUse();
//   zones.AddRecord(record);
//   if (auto answer = zones.Find(qname, qtype)) …
//
// The deepest zone that holds a name decides. A name inside a zone with data of other types is NODATA;
// without any it is NXDOMAIN (static) or, in a transparent zone, resolved as usual. Reverse zones
// are delegated in the public DNS, too, and their parents say there that they are not signed: DS at their
// apex is resolved, so that validators behind us learn it.
//
// Threads: immutable once filled. Limits: a look-up costs one probe per label.
// Standards: RFC 6761, RFC 6303, RFC 7686 (onion), RFC 8375 (home.arpa), RFC 8880 (ipv4only.arpa), RFC 9462
// (resolver.arpa), RFC 9476 (alt).
#ifndef SEKISHO_RESOLVER_CORE_LOCAL_ZONES_H_
#define SEKISHO_RESOLVER_CORE_LOCAL_ZONES_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proto/dns/name.h"
#include "proto/dns/presentation.h"
#include "proto/dns/rrset.h"
#include "proto/dns/types.h"

namespace sekisho::resolver {

enum class LocalZoneKind : uint8_t {
  kStatic,       // what is not in it does not exist
  kTransparent,  // what is not in it is resolved
  kRefuse,       // refused
};

struct LocalAnswer {
  dns::Rcode rcode = dns::Rcode::kNoError;
  bool authoritative = false;  // of a zone that is served here, not of records put beside the DNS
  std::vector<dns::RRsetPtr> answer;
  std::vector<dns::RRsetPtr> authority;  // SOA of a negative answer
};

class LocalZones {
 public:
  // The zones of the RFCs above. To be called first: what the operator says later replaces them.
  void AddSpecialUse();
  // Nothing at the names that ask whether the network's resolver may be gone around. Likewise.
  void AddCanaries();
  void AddZone(const dns::Name& zone, LocalZoneKind kind);
  // Takes a special-use zone out again, so that its names are resolved.
  void RemoveZone(const dns::Name& zone);
  // Puts a record into the deepest zone that holds it; a transparent zone of its own name when there is none.
  void AddRecord(const dns::TextRecord& record);

  // Nothing: the name is resolved as usual.
  std::optional<LocalAnswer> Find(dns::NameView name, dns::RRType type) const;
  bool empty() const { return zones_.empty(); }

 private:
  struct Zone {
    dns::Name name;
    LocalZoneKind kind = LocalZoneKind::kStatic;
    bool in_public = false;  // delegated in the public DNS as well (RFC 6303, RFC 7534)
    bool declared = true;    // false: made to hold a record that belongs to no zone
  };
  using Node = std::map<dns::RRType, std::shared_ptr<dns::RRset>>;

  const Zone* ZoneOf(dns::NameView name) const;
  LocalAnswer Negative(const Zone& zone, dns::Rcode rcode) const;

  // Looked up by views of a name's suffixes, so that a question costs no allocation.
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  std::unordered_map<std::string, Zone, Hash, std::equal_to<>> zones_;  // by lower-cased wire name
  // Ordered by name key, so that an empty non-terminal is seen by what follows it.
  std::map<std::string, Node> nodes_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_LOCAL_ZONES_H_
