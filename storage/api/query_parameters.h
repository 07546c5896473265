// QueryParameters: the parameters that all questions of the API share → a filter, a time zone, a form.
//
// Threads: functions without state. Limits: unknown and repeated parameters are refused by their names.
// Standards: RFC 3339 (times).
#ifndef SEKISHO_STORAGE_API_QUERY_PARAMETERS_H_
#define SEKISHO_STORAGE_API_QUERY_PARAMETERS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/now.h"
#include "proto/base/time_text.h"
#include "storage/api/http_server.h"
#include "storage/query/lookup_filter.h"

namespace sekisho::api {

using Parameters = std::map<std::string, std::string, std::less<>>;

// Each at most once, and all among `allowed`; else nothing and *error.
std::optional<Parameters> ReadParameters(const HttpRequest& request,
                                         std::span<const std::string_view> allowed, std::string* error);

enum class Form : uint8_t { kJson, kNdjson, kCsv };

struct Question {
  query::LookupFilter filter;
  TimeZone zone;
  Form form = Form::kJson;
};
// `rows_cap`: rows at most of one answer.
std::optional<Question> ReadQuestion(const Parameters& parameters, WallTime now, uint64_t rows_cap,
                                     std::string* error);
// A parameter's text; empty when it is missing.
std::string TextOf(const Parameters& parameters, std::string_view name);
// The parameters "zone", "since" and "until"; 0: no bound.
struct Span {
  TimeZone zone;
  int64_t since_us = 0;
  int64_t until_us = 0;
};
std::optional<Span> ReadSpan(const Parameters& parameters, WallTime now, std::string* error);
// A number from `least` to `most`; the fallback when the parameter is missing.
std::optional<uint64_t> ReadNumber(const Parameters& parameters, std::string_view name, uint64_t fallback,
                                   uint64_t least, uint64_t most, std::string* error);

}  // namespace sekisho::api

#endif  // SEKISHO_STORAGE_API_QUERY_PARAMETERS_H_
