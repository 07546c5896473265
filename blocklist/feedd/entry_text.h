// What a stored entry is about, as text for people.
//
// Threads: functions without state.
#ifndef SEKISHO_BLOCKLIST_FEEDD_ENTRY_TEXT_H_
#define SEKISHO_BLOCKLIST_FEEDD_ENTRY_TEXT_H_

#include <string>

#include "storage/indicators/claim_key.h"

namespace sekisho::feedd {

const char* ScopeText(indicators::EntryKind kind);
// "name.example" or "192.0.2.0/24".
std::string SubjectText(const indicators::EntryParts& parts);

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_ENTRY_TEXT_H_
