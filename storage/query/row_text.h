// RowText: a lookup as text for people and programs — every field in its presentation form and safe to print.
//
// Threads: functions without state. Limits: text that strangers choose is escaped to printable characters.
#ifndef SEKISHO_STORAGE_QUERY_ROW_TEXT_H_
#define SEKISHO_STORAGE_QUERY_ROW_TEXT_H_

#include <string>
#include <string_view>

#include "proto/record/lookup_record.h"
#include "proto/schema/control.pb.h"

namespace sekisho::query {

void FillRow(const record::LookupRecord& record, control::LookupRow* row);

// UTF-8 as it is, but controls, line and direction marks and broken sequences as \xHH, and a backslash
// doubled.
std::string PrintableUtf8(std::string_view text);

}  // namespace sekisho::query

#endif  // SEKISHO_STORAGE_QUERY_ROW_TEXT_H_
