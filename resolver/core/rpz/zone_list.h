// ZoneList: the policy zones that one group of agencies is under, in the order in which they are asked, each
// with how its operator wants it used.
//
// ZoneConfig comes with the settings, the zones themselves from files that change at other times; Bind puts
// the two together whenever either has changed.
//
// Threads: immutable once bound. Limits: kMaxZones.
#ifndef SEKISHO_RESOLVER_CORE_RPZ_ZONE_LIST_H_
#define SEKISHO_RESOLVER_CORE_RPZ_ZONE_LIST_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/dns/name.h"
#include "proto/dns/types.h"
#include "resolver/core/rpz/zone.h"

namespace sekisho::resolver::rpz {

inline constexpr size_t kMaxZones = 64;

// What a zone's rules say, or what is done instead whatever they say.
enum class Override : uint8_t {
  kGiven,
  kDisabled,  // noted, and the next zone is asked
  kPassthru,
  kNxdomain,
  kNodata,
  kDrop,
  kTcpOnly,
  kCname,
};

struct ZoneConfig {
  std::string name;  // as records and status call it
  dns::Name origin;
  std::vector<IpAddress> primaries;  // whose word that the zone has changed is taken (NOTIFY)
  Override action = Override::kGiven;
  dns::Name cname;        // kCname
  bool log_only = false;  // what a rule would do is noted, and the next zone is asked
  bool signal_nxdomain_ra = false;
  uint32_t max_ttl = 0xffffffff;                               // of local data
  std::optional<dns::EdeCode> error = dns::EdeCode::kBlocked;  // none: clients are not told
};

// The zones in force, by name.
using Zones = std::map<std::string, std::shared_ptr<const Zone>>;

struct BoundZone {
  std::shared_ptr<const Zone> zone;
  std::shared_ptr<const ZoneConfig> config;
};

// In order. A zone that is not loaded is passed over.
using ZoneList = std::vector<BoundZone>;
ZoneList Bind(const std::vector<std::shared_ptr<const ZoneConfig>>& configs, const Zones& zones);

// Some rule is about this client's address, so its replies are for it alone.
bool HasClientRule(const ZoneList& list, const IpAddress& client);

}  // namespace sekisho::resolver::rpz

#endif  // SEKISHO_RESOLVER_CORE_RPZ_ZONE_LIST_H_
