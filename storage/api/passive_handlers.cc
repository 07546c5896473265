// Answers about passive DNS.
#include <nlohmann/json.hpp>
#include <sstream>

#include "storage/api/api_service.h"
#include "storage/output/passive_output.h"
#include "storage/query/passive_question.h"

namespace sekisho::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kUsualLimit = 100;

std::optional<control::PassiveQuery> ReadPassiveQuery(const Parameters& p, const Span& span, uint64_t cap,
                                                      std::string* error) {
  control::PassiveQuery q;
  q.set_name(TextOf(p, "name"));
  q.set_under(TextOf(p, "under"));
  q.set_address(TextOf(p, "address"));
  q.set_target(TextOf(p, "target"));
  q.set_type(TextOf(p, "type"));
  q.set_cursor(TextOf(p, "cursor"));
  q.set_since_us(span.since_us);
  q.set_until_us(span.until_us);
  const auto limit = ReadNumber(p, "limit", kUsualLimit, 1, cap, error);
  if (!limit) return std::nullopt;
  q.set_limit(*limit);
  return q;
}

Json RecordOf(const control::PassiveRow& r, const TimeZone& zone) {
  return {{"name", r.name()},
          {"type", r.type()},
          {"data", r.data().empty() ? Json(nullptr) : Json(r.data())},
          {"first", FormatTime(r.first_s() * 1'000'000, zone, 0)},
          {"last", FormatTime(r.last_s() * 1'000'000, zone, 0)},
          {"answered", r.answered()},
          {"blocked", r.blocked()},
          {"collected", r.collected()}};
}

}  // namespace

// Its counts are those of all agencies together: who sees but a part of them may not see what others asked
// for.
HttpResponse ApiService::AnswerPassive(Asked* asked) {
  using access::Role;
  const access::Token& token = asked->token;
  const bool all = token.role == Role::kFeedOperator ||
                   (token.role == Role::kAnalyst && token.scope == access::Scope::kAll);
  if (!all)
    return Refusal(403, "passive DNS is of all agencies together; this token sees only a part of them");
  if (options_.passive == nullptr) return Refusal(404, "there is no passive DNS here");
  std::string error;
  const auto span = ReadSpan(asked->parameters, ReadClocks().wall, &error);
  if (!span) return Refusal(400, error);
  const std::string form = TextOf(asked->parameters, "format");
  if (!form.empty() && form != "json" && form != "cof" && form != "csv")
    return Refusal(400, "format: must be json, cof or csv");
  const auto query = ReadPassiveQuery(asked->parameters, *span, options_.page_cap, &error);
  const auto question = query ? query::MakePassiveQuestion(*query, options_.page_cap, &error) : std::nullopt;
  if (!question) return Refusal(400, error);
  const Turns::Turn turn(turns_);
  if (!turn) return Refusal(503, "too many other questions are being answered; ask again");

  std::ostringstream lines;
  const auto output = output::MakePassiveOutput(
      form == "csv" ? output::PassiveFormat::kCsv : output::PassiveFormat::kCof, span->zone, lines);
  Json records = Json::array();
  const bool page = form.empty() || form == "json";
  const passive::Answer answer =
      options_.passive->Read(*question, Until(ReadClocks().mono + options_.deadline).stop,
                             [&](const passive::PassiveKey& key, const passive::Sum& sum) {
                               control::PassiveRow row;
                               query::FillPassiveRow(key, sum, &row);
                               if (page) {
                                 records.push_back(RecordOf(row, span->zone));
                               } else {
                                 output->Row(row);
                               }
                               return true;
                             });
  asked->search.rows = answer.records;
  const std::string cursor = answer.more ? query::PassiveCursor(answer) : "";
  HttpResponse response;
  if (!page) {
    output->End();
    response.body = lines.str();
    response.content_type = form == "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson";
    if (!cursor.empty()) response.headers.emplace_back("Sekisho-Next-Cursor", cursor);
    if (!answer.partial.empty()) response.headers.emplace_back("Sekisho-Partial", "yes");
    return response;
  }
  Json j = {{"records", std::move(records)}, {"next_cursor", cursor.empty() ? Json(nullptr) : Json(cursor)}};
  if (!answer.partial.empty()) j["partial"] = answer.partial;
  response.body = j.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return response;
}

}  // namespace sekisho::api
