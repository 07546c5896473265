// PassiveQuestion: what is asked of passive DNS, checked and typed, and its records as text.
//
// Threads: functions without state. Limits: every bad value is refused with the field's name and what was
// expected. Text that strangers choose is escaped to printable characters.
#ifndef SEKISHO_STORAGE_QUERY_PASSIVE_QUESTION_H_
#define SEKISHO_STORAGE_QUERY_PASSIVE_QUESTION_H_

#include <optional>
#include <string>

#include "proto/schema/control.pb.h"
#include "storage/passive/passive_store.h"

namespace sekisho::query {

// Nothing and *error when a field does not hold what it should, or when none says what is looked for.
std::optional<passive::Question> MakePassiveQuestion(const control::PassiveQuery& query, uint64_t limit_cap,
                                                     std::string* error);
void FillPassiveRow(const passive::PassiveKey& key, const passive::Sum& sum, control::PassiveRow* row);
std::string PassiveCursor(const passive::Answer& answer);

}  // namespace sekisho::query

#endif  // SEKISHO_STORAGE_QUERY_PASSIVE_QUESTION_H_
