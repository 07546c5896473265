// LookupFilter: what is asked of the log, checked and typed; made from a control.LogQuery.
//
// Threads: values. Limits: texts of a query are bounded by the frame that brings them; every bad value is
// refused with the field's name and what was expected.
#ifndef SEKISHO_STORAGE_QUERY_LOOKUP_FILTER_H_
#define SEKISHO_STORAGE_QUERY_LOOKUP_FILTER_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/ip_address.h"
#include "proto/dns/name.h"
#include "proto/dns/types.h"
#include "proto/record/lookup_record.h"
#include "proto/schema/control.pb.h"
#include "storage/query/condition.h"

namespace sekisho::query {

// The place of a row in the one order that all answers have: by time, then by identity.
struct RowKey {
  int64_t time_us = 0;
  uint32_t node = 0;
  uint64_t boot = 0;
  uint16_t worker = 0;
  uint64_t sequence = 0;
  friend auto operator<=>(const RowKey&, const RowKey&) = default;
};
RowKey KeyOf(const record::LookupRecord& row);
std::string EncodeCursor(const RowKey& key);
std::optional<RowKey> DecodeCursor(std::string_view text);

struct LookupFilter {
  std::optional<std::string> name_key;   // exactly this name
  std::optional<std::string> under_key;  // this name and all below
  std::optional<IpPrefix> address;
  std::optional<IpPrefix> client;
  std::optional<std::string> agency;
  int64_t from_us = INT64_MIN;
  int64_t end_us = INT64_MAX;
  std::vector<record::Action> actions;  // empty: any
  std::optional<std::string> feed;
  std::optional<dns::Rcode> rcode;
  std::optional<dns::RRType> type;
  std::optional<Condition> where;  // must hold as well
  // Not empty: only rows of these agencies are seen, whatever else is asked; for askers who may see no
  // others.
  std::vector<std::string> only_agencies;
  uint64_t limit = 0;
  bool oldest_first = false;
  std::optional<RowKey> after;  // only rows that come after this one in the order asked for
};

// All that must hold of a row but its time and its place, as one condition.
Condition ConditionOf(const LookupFilter& filter);

// Nothing and *error when a field does not hold what it should.
std::optional<LookupFilter> MakeFilter(const control::LogQuery& query, uint64_t limit_cap,
                                       std::string* error);

}  // namespace sekisho::query

#endif  // SEKISHO_STORAGE_QUERY_LOOKUP_FILTER_H_
