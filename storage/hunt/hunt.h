// Hunt: which of the lookups kept had asked for names that rules newly block, or been given addresses, before
// they were blocked.
//
//   Findings found = HuntLookups(store, rules, generation, stop);
//
// Rules are joined with each block's sorted names, so a block where none was asked for costs its dictionary
// alone; rows are read only in the chunks that can have one. Addresses are looked for in each different set
// of answers once. Lookups decided under `generation` or a later one are not of the past and are left out.
//
// Threads: any; one call is one thread. Limits: kMaxClients clients of an agency and kMaxAddresses addresses
// are listed, the others are counted. Limitations: looks at the names asked for, not at aliases' targets.
#ifndef SEKISHO_STORAGE_HUNT_HUNT_H_
#define SEKISHO_STORAGE_HUNT_HUNT_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proto/base/ip_address.h"
#include "storage/lookups/lookup_store.h"

namespace sekisho::hunt {

inline constexpr size_t kMaxClients = 1000;
inline constexpr size_t kMaxAddresses = 100;

struct HuntRule {
  std::string name_key;
  bool subtree = false;
  std::string feeds = {};
  std::optional<IpPrefix> prefix = {};     // instead of the name
  std::vector<std::string> agencies = {};  // whom it holds for; empty: all
};

struct Contact {
  uint64_t lookups = 0;
  uint64_t answered = 0;  // got records, unblocked
  int64_t first_us = INT64_MAX;
  int64_t last_us = INT64_MIN;
};

struct AgencyFinding {
  Contact sum;
  std::map<std::array<uint8_t, 16>, Contact> clients;
  uint64_t lookups_of_others = 0;  // of clients beyond kMaxClients
  std::set<std::array<uint8_t, 16>> addresses;
};

using Finding = std::map<std::string, AgencyFinding>;  // by agency
using Findings = std::map<size_t, Finding>;  // by the rule's place; rules that were not met are not in it

// Nothing when it was stopped; *partial says what of the log could not be read.
std::optional<Findings> HuntLookups(const lookups::LookupStore& store, const std::vector<HuntRule>& rules,
                                    uint64_t generation, const std::function<bool()>& stop,
                                    std::string* partial);

// The finding as an event's line.
std::string EventLine(const HuntRule& rule, const Finding& finding, uint64_t generation, int64_t now_us,
                      const std::string& id, const std::string& partial);

}  // namespace sekisho::hunt

#endif  // SEKISHO_STORAGE_HUNT_HUNT_H_
