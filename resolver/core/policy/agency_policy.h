// AgencyPolicy: what the rules come to for the agencies under it: which feeds count, what is done, in which
// words it is told.
//
// Threads: immutable once filled.
#ifndef SEKISHO_RESOLVER_CORE_POLICY_AGENCY_POLICY_H_
#define SEKISHO_RESOLVER_CORE_POLICY_AGENCY_POLICY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proto/dns/rrset.h"
#include "proto/record/lookup_record.h"

namespace sekisho::blocklist {
class PolicySnapshot;
}

namespace sekisho::resolver {

// What one feed's word counts.
struct FeedTerm {
  bool counts = true;
  record::Action action = record::Action::kNxdomain;
  uint32_t rank = UINT32_MAX;  // the lowest decides
  std::string category;
};

// How a client is told that something is blocked (RFC 8914).
struct BlockText {
  enum class Structured : uint8_t { kNever, kWhenAsked, kAlways };
  // With {feeds}, {category}, {reference}, {name}; empty: in `language`.
  std::string pattern;
  std::string language = "en";  // en, ja
  Structured structured = Structured::kNever;
  std::vector<std::string> contacts;  // URIs
  std::string organization;
};

struct AgencyPolicy {
  std::string name;
  bool log_only = false;  // nothing is blocked, all is recorded
  // Of what is blocked by hand or by the agency's own list.
  record::Action action = record::Action::kNxdomain;
  std::map<std::string, FeedTerm, std::less<>> feeds;
  FeedTerm unknown_feed;  // feeds that the configuration does not know (yet, or any more)
  // kSinkhole: address sets, or one CNAME; under the root, in place of the name asked.
  std::vector<dns::RRsetPtr> sinkhole;
  std::shared_ptr<const blocklist::PolicySnapshot> own;  // own allow and block lists; null: none
  std::string own_feed;                                  // what records call the own lists
  BlockText text;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_POLICY_AGENCY_POLICY_H_
