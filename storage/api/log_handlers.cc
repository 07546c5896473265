// Answers about lookups: pages, streams, counts, groups.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "storage/api/api_service.h"
#include "storage/output/row_output.h"
#include "storage/query/grouping.h"
#include "storage/query/row_text.h"

namespace sekisho::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kRowsOfChunk = 1000;

std::string Dump(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

// Entities are small and the hash is of their bytes, so one that is equal is the same page.
HttpResponse WithTag(const HttpRequest& request, HttpResponse response) {
  const std::string tag = "\"" + access::Sha256Hex(response.body).substr(0, 32) + "\"";
  response.headers.emplace_back("ETag", tag);
  response.headers.emplace_back("Cache-Control", "private, no-cache");
  if (request.if_none_match.find(tag) == std::string::npos && request.if_none_match != "*") return response;
  response.status = 304;
  response.body.clear();
  return response;
}

void SayLosses(const query::LookupFilter& filter, uint64_t lost, const std::string& partial, Json* j) {
  // Losses are counted for all agencies together.
  if (filter.only_agencies.empty()) (*j)["lost"] = lost;
  if (!partial.empty()) (*j)["partial"] = partial;
}

}  // namespace

HttpResponse ApiService::AnswerLookups(Asked* asked, Question question) {
  std::ostringstream rows;
  const auto output = output::MakeRowOutput(output::RowFormat::kJsonLines, question.zone, 0, rows);
  const query::Answer answer = query::Executor(store_).Run(
      question.filter, Until(ReadClocks().mono + options_.deadline), [&](const record::LookupRecord& record) {
        control::LookupRow row;
        query::FillRow(record, &row);
        output->Row(row);
        return true;
      });
  output->End();
  asked->search.rows = answer.rows;
  // Lines are objects already: parted by commas they are an array.
  std::string array = rows.str();
  if (!array.empty()) array.pop_back();
  std::ranges::replace(array, '\n', ',');
  Json rest = Json::object();
  rest["next_cursor"] = answer.more ? Json(query::EncodeCursor(answer.last)) : Json(nullptr);
  SayLosses(question.filter, answer.lost, answer.partial, &rest);
  HttpResponse response{.body = "{\"lookups\":[" + array + "]," + Dump(rest).substr(1)};
  return answer.partial.empty() ? WithTag(*asked->request, std::move(response)) : response;
}

HttpResponse ApiService::StreamLookups(Asked* asked, Question question) {
  struct State {
    Question question;
    access::Search search;
    MonoTime end;
    uint64_t left = 0;
    std::ostringstream text;
    std::unique_ptr<output::RowOutput> output;
  };
  const bool csv = question.form == Form::kCsv;
  auto state = std::make_shared<State>();
  state->search = asked->search;
  state->search.status = 200;
  state->end = ReadClocks().mono + options_.stream_deadline;
  state->left = asked->parameters.contains("limit") ? question.filter.limit : options_.stream_cap;
  state->output = output::MakeRowOutput(csv ? output::RowFormat::kCsv : output::RowFormat::kJsonLines,
                                        question.zone, 0, state->text);
  state->question = std::move(question);
  HttpResponse response;
  response.content_type = csv ? "text/csv; charset=utf-8" : "application/x-ndjson";
  if (csv) response.headers.emplace_back("Content-Disposition", "attachment; filename=\"lookups.csv\"");
  response.stream = [this, state, csv](std::string* chunk) {
    query::LookupFilter& filter = state->question.filter;
    filter.limit = std::min(state->left, kRowsOfChunk);
    std::string partial = "too many other questions are being answered";
    bool more = false;
    if (const Turns::Turn turn(turns_); turn) {
      const MonoTime end = std::min(state->end, ReadClocks().mono + options_.deadline);
      const query::Answer answer =
          query::Executor(store_).Run(filter, Until(end), [&](const record::LookupRecord& record) {
            control::LookupRow row;
            query::FillRow(record, &row);
            state->output->Row(row);
            return true;
          });
      partial = answer.partial;
      more = answer.more && partial.empty();
      filter.after = answer.last;
      state->left -= std::min(state->left, answer.rows);
      state->search.rows += answer.rows;
    }
    const bool last = !more || state->left == 0 || ReadClocks().mono >= state->end;
    if (last) state->output->End();
    *chunk = state->text.str();
    state->text.str("");
    if (!last) return true;
    if (more && partial.empty() && state->left > 0) partial = "the time for the answer was over";
    if (!csv) {
      // The last line says how it ended; a stream without it was cut off on the way.
      Json end_line = {{"end", true}, {"rows", state->search.rows}};
      end_line["next_cursor"] = more ? Json(query::EncodeCursor(*filter.after)) : Json(nullptr);
      if (!partial.empty()) end_line["partial"] = partial;
      *chunk += Dump(end_line);
    } else if (!partial.empty()) {
      *chunk += "# not complete: " + output::CsvCell(partial) + "\r\n";
    }
    return false;
  };
  response.done = [this, state] {
    std::string error;
    searches_.End(state->search, &error);
  };
  return response;
}

HttpResponse ApiService::AnswerCount(Asked* asked, const Question& question) {
  const query::Answer answer =
      query::Executor(store_).Count(question.filter, Until(ReadClocks().mono + options_.deadline));
  asked->search.rows = answer.rows;
  Json j = {{"count", answer.rows}};
  SayLosses(question.filter, answer.lost, answer.partial, &j);
  return {.body = Dump(j)};
}

HttpResponse ApiService::AnswerTimeline(Asked* asked, const Question& question) {
  const auto at = asked->parameters.find("step");
  const std::string step = at == asked->parameters.end() ? "hour" : at->second;
  const int64_t seconds = step == "minute" ? 60 : step == "hour" ? 3600 : step == "day" ? 86'400 : 0;
  if (seconds == 0) return Refusal(400, "step: must be minute, hour or day");
  if (question.zone.local) return Refusal(400, "zone: a timeline needs an offset such as +09:00");
  const query::Timeline t = query::CountOverTime(store_, question.filter, seconds * 1'000'000,
                                                 int64_t{question.zone.offset_minutes} * 60'000'000,
                                                 Until(ReadClocks().mono + options_.deadline));
  asked->search.rows = t.lookups;
  Json steps = Json::array();
  for (const query::Bucket& b : t.buckets) {
    steps.push_back({{"start", FormatTime(b.start_us, question.zone, 0)},
                     {"lookups", b.lookups},
                     {"blocked", b.blocked}});
  }
  Json j = {{"step", step}, {"lookups", t.lookups}, {"steps", std::move(steps)}};
  if (!t.partial.empty()) j["partial"] = t.partial;
  return {.body = Dump(j)};
}

HttpResponse ApiService::AnswerGroups(Asked* asked, const Question& question, std::string_view by) {
  const auto field = query::ParseGroupField(by);
  if (!field) {
    std::string known = "by: must be one of";
    for (const std::string_view name : query::kGroupFieldNames) known += " " + std::string(name);
    return Refusal(400, known);
  }
  const query::Groups g =
      query::GroupBy(store_, question.filter, *field, Until(ReadClocks().mono + options_.deadline));
  asked->search.rows = g.groups.size();
  Json groups = Json::array();
  for (const query::Group& group : g.groups) {
    groups.push_back({{"value", group.value},
                      {"lookups", group.lookups},
                      {"blocked", group.blocked},
                      {"answered", group.answered},
                      {"first", FormatTime(group.first_us, question.zone, 6)},
                      {"last", FormatTime(group.last_us, question.zone, 6)}});
  }
  Json j = {{"by", by}, {"distinct", g.distinct}, {"lookups", g.lookups}, {"groups", std::move(groups)}};
  if (!g.partial.empty()) j["partial"] = g.partial;
  return {.body = Dump(j)};
}

}  // namespace sekisho::api
