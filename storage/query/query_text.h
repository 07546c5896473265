// QueryText: the small language in which people ask the log.
//
//   name:*.evil.example -client:10.1.0.0/16 (verdict:blocked or rcode:NXDOMAIN,SERVFAIL)
//
//   query  := or                                   tests side by side are joined by "and"
//   or     := and ("or" and)*
//   and    := not (["and"] not)*
//   not    := ("not" | "-")? (test | "(" or ")")
//   test   := field ":" value ("," value)*         any of the values
//   value  := word | '"' characters '"'            \" and \\ inside quotes
//
//   field               value
//   name target rule    www.example.com: that name · *.example.com: all below it · exa*: with * anywhere
//   under               example.com: that name and all below
//   answer client       address or prefix: 192.0.2.1, 2001:db8::/32
//   agency feed category   text, * for any run of characters
//   verdict             blocked allowed log-only none
//   action trigger type rcode security origin transport ede      their names, or a number for ede
//
// A word without a field is a name (or, when it is an address, an answer or client). Words are not sensitive
// to case.
//
// Threads: functions without state. Limits: kMaxQueryText bytes, kMaxConditions tests, kMaxConditionDepth
// levels of brackets.
#ifndef SEKISHO_STORAGE_QUERY_QUERY_TEXT_H_
#define SEKISHO_STORAGE_QUERY_QUERY_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "storage/query/condition.h"

namespace sekisho::query {

inline constexpr size_t kMaxQueryText = 8192;

struct QueryError {
  size_t at = 0;    // byte of the text where the offending part begins
  size_t size = 0;  // of that part; 0: the end of the text
  std::string message;

  // Three lines: the message, the text (made printable) and a mark under the offending part.
  std::string Show(std::string_view text) const;
};

// An empty text is a condition that is always true. Nothing and *error when the text is no query.
std::optional<Condition> ParseQuery(std::string_view text, QueryError* error);

// One test from a field's name and a value, as the language reads `field:value`; for single parameters of a
// tool or an API. *error names what was expected.
std::optional<Condition> ParseTest(std::string_view field, std::string_view value, std::string* error);

}  // namespace sekisho::query

#endif  // SEKISHO_STORAGE_QUERY_QUERY_TEXT_H_
