#include "storage/api/query_parameters.h"

#include <algorithm>
#include <charconv>

#include "proto/schema/control.pb.h"

namespace sekisho::api {
namespace {

constexpr uint64_t kUsualLimit = 100;

bool TakeTime(const Parameters& p, std::string_view name, WallTime now, const TimeZone& zone, int64_t* out,
              std::string* error) {
  const std::string text = TextOf(p, name);
  if (text.empty()) return true;
  const auto time = ParseTime(text, now, zone);
  if (!time) {
    *error = std::string(name) +
             ": not a time; write 15m, 2h or 7d (ago), 2026-01-31, or 2026-01-31T09:00:00+09:00";
    return false;
  }
  *out = *time;
  return true;
}

}  // namespace

std::string TextOf(const Parameters& p, std::string_view name) {
  const auto at = p.find(name);
  return at == p.end() ? "" : at->second;
}

std::optional<Parameters> ReadParameters(const HttpRequest& request,
                                         std::span<const std::string_view> allowed, std::string* error) {
  Parameters out;
  for (const auto& [name, value] : request.parameters) {
    if (std::ranges::find(allowed, name) == allowed.end()) {
      *error = "no such parameter: \"" + name.substr(0, 64) + "\"; this path knows";
      for (const std::string_view known : allowed) *error += " " + std::string(known);
      return std::nullopt;
    }
    if (!out.emplace(name, value).second) {
      *error = name + ": given twice";
      return std::nullopt;
    }
  }
  return out;
}

std::optional<uint64_t> ReadNumber(const Parameters& parameters, std::string_view name, uint64_t fallback,
                                   uint64_t least, uint64_t most, std::string* error) {
  const std::string text = TextOf(parameters, name);
  if (text.empty()) return fallback;
  uint64_t n = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
  if (r.ec == std::errc() && r.ptr == text.data() + text.size() && n >= least && n <= most) return n;
  *error =
      std::string(name) + ": must be a number from " + std::to_string(least) + " to " + std::to_string(most);
  return std::nullopt;
}

std::optional<Span> ReadSpan(const Parameters& p, WallTime now, std::string* error) {
  Span out;
  if (const std::string text = TextOf(p, "zone"); !text.empty()) {
    const auto zone = ParseTimeZone(text);
    if (!zone) {
      *error = "zone: write +09:00 (%2B09:00 in a URL), UTC or local";
      return std::nullopt;
    }
    out.zone = *zone;
  }
  if (!TakeTime(p, "since", now, out.zone, &out.since_us, error) ||
      !TakeTime(p, "until", now, out.zone, &out.until_us, error))
    return std::nullopt;
  return out;
}

std::optional<Question> ReadQuestion(const Parameters& p, WallTime now, uint64_t rows_cap,
                                     std::string* error) {
  Question out;
  const auto span = ReadSpan(p, now, error);
  if (!span) return std::nullopt;
  out.zone = span->zone;
  const std::string form = TextOf(p, "format");
  if (form == "ndjson") {
    out.form = Form::kNdjson;
  } else if (form == "csv") {
    out.form = Form::kCsv;
  } else if (!form.empty() && form != "json") {
    *error = "format: must be json, ndjson or csv";
    return std::nullopt;
  }
  control::LogQuery q;
  q.set_name(TextOf(p, "name"));
  q.set_under(TextOf(p, "under"));
  q.set_address(TextOf(p, "address"));
  q.set_client(TextOf(p, "client"));
  q.set_agency(TextOf(p, "agency"));
  q.set_verdict(TextOf(p, "verdict"));
  q.set_feed(TextOf(p, "feed"));
  q.set_rcode(TextOf(p, "rcode"));
  q.set_type(TextOf(p, "type"));
  q.set_cursor(TextOf(p, "cursor"));
  q.set_query(TextOf(p, "q"));
  q.set_since_us(span->since_us);
  q.set_until_us(span->until_us);
  const auto limit = ReadNumber(p, "limit", std::min(kUsualLimit, rows_cap), 1, rows_cap, error);
  if (!limit) return std::nullopt;
  q.set_limit(*limit);
  if (const std::string order = TextOf(p, "order"); order == "oldest") {
    q.set_oldest_first(true);
  } else if (!order.empty() && order != "newest") {
    *error = "order: must be newest or oldest";
    return std::nullopt;
  }
  auto filter = query::MakeFilter(q, rows_cap, error);
  if (!filter) return std::nullopt;
  out.filter = std::move(*filter);
  return out;
}

}  // namespace sekisho::api
