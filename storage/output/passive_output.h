// PassiveOutput: records of passive DNS in the Common Output Format, as a table, or as CSV.
//
// The Common Output Format is a JSON object a line: rrname, rrtype, rdata, time_first, time_last, count. Two
// fields of our own are added where they say something: x_blocked (of the count, lookups that were blocked)
// and x_collected (times it was found by asking for a blocked name). Names that were blocked before anybody
// resolved them have no data, and so no place in it.
//
// Threads: one thread. Limits: a table's lines are not cut. Standards: draft-dulaunoy-dnsop-passive-dns-cof,
// RFC 4180, RFC 8259.
#ifndef SEKISHO_STORAGE_OUTPUT_PASSIVE_OUTPUT_H_
#define SEKISHO_STORAGE_OUTPUT_PASSIVE_OUTPUT_H_

#include <iosfwd>
#include <memory>
#include <optional>
#include <string_view>

#include "proto/base/time_text.h"
#include "proto/schema/control.pb.h"

namespace sekisho::output {

enum class PassiveFormat : uint8_t { kCof, kTable, kCsv };
std::optional<PassiveFormat> ParsePassiveFormat(std::string_view text);

class PassiveOutput {
 public:
  virtual ~PassiveOutput() = default;
  virtual void Row(const control::PassiveRow& row) = 0;
  // After the last row.
  virtual void End() {}
};

std::unique_ptr<PassiveOutput> MakePassiveOutput(PassiveFormat format, const TimeZone& zone,
                                                 std::ostream& out);

}  // namespace sekisho::output

#endif  // SEKISHO_STORAGE_OUTPUT_PASSIVE_OUTPUT_H_
