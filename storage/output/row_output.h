// RowOutput: lookups as a table for people, as JSON lines or CSV for programs.
//
// Threads: one thread. Limits: a table fits the width given; texts are cut with "…", never the time. CSV
// cells that a spreadsheet would take for a formula get an apostrophe in front. Standards: RFC 4180, RFC
// 8259, RFC 3339.
#ifndef SEKISHO_STORAGE_OUTPUT_ROW_OUTPUT_H_
#define SEKISHO_STORAGE_OUTPUT_ROW_OUTPUT_H_

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/time_text.h"
#include "proto/schema/control.pb.h"

namespace sekisho::output {

enum class RowFormat : uint8_t { kTable, kJsonLines, kCsv };
std::optional<RowFormat> ParseRowFormat(std::string_view text);

class RowOutput {
 public:
  virtual ~RowOutput() = default;
  virtual void Row(const control::LookupRow& row) = 0;
  // After the last row.
  virtual void End() {}
};

// `width`: columns of the terminal; for the table only.
std::unique_ptr<RowOutput> MakeRowOutput(RowFormat format, const TimeZone& zone, size_t width,
                                         std::ostream& out);

// One CSV cell, quoted where needed.
std::string CsvCell(std::string_view text);

}  // namespace sekisho::output

#endif  // SEKISHO_STORAGE_OUTPUT_ROW_OUTPUT_H_
