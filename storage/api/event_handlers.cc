// Answers about events, each agency's part to who may see it.
#include "storage/api/api_service.h"
#include "storage/events/event_log.h"

namespace sekisho::api {

HttpResponse ApiService::AnswerEvents(Asked* asked) {
  using access::Role;
  if (asked->token.role != Role::kAgency && asked->token.role != Role::kAnalyst)
    return Refusal(403, "events name clients: only tokens of agencies and analysts see them");
  std::string error;
  const auto limit = ReadNumber(asked->parameters, "limit", 1000, 1, options_.page_cap, &error);
  if (!limit) return Refusal(400, error);
  query::LookupFilter filter;
  if (auto no = Confine(*asked, &filter)) return std::move(*no);
  const std::set<std::string, std::less<>> only(filter.only_agencies.begin(), filter.only_agencies.end());
  const Turns::Turn turn(turns_);
  if (!turn) return Refusal(503, "too many other questions are being answered; ask again");
  const std::string id = TextOf(asked->parameters, "id");
  HttpResponse response;
  response.content_type = "application/x-ndjson";
  const bool good = events::EventLog::Read(options_.events, [&](std::string_view line) {
    const bool wanted = id.empty() || line.starts_with("{\"id\":\"" + id + "\"");
    const std::string seen = !wanted        ? ""
                             : only.empty() ? std::string(line)
                                            : events::ConfineEvent(line, only);
    if (seen.empty()) return true;
    response.body += seen + "\n";
    return ++asked->search.rows < *limit;
  });
  if (!good) return Refusal(500, "the events cannot be read");
  return response;
}

}  // namespace sekisho::api
