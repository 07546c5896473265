// Answers about the searches themselves, for auditors.
#include <nlohmann/json.hpp>

#include "storage/api/api_service.h"

namespace sekisho::api {

HttpResponse ApiService::AnswerSearches(Asked* asked) {
  if (asked->token.role != access::Role::kAuditor)
    return Refusal(403, "only an auditor's token sees the searches");
  std::string error;
  const auto question = ReadQuestion(asked->parameters, ReadClocks().wall, access::kMaxListed, &error);
  if (!question) return Refusal(400, error);
  const auto searches =
      searches_.List(question->filter.from_us, question->filter.end_us, question->filter.limit, &error);
  if (!error.empty()) return Refusal(500, "the record of searches cannot be read");
  asked->search.rows = searches.size();
  auto list = nlohmann::ordered_json::array();
  for (const access::Search& s : searches) {
    nlohmann::ordered_json j = {{"id", s.id},           {"time", FormatTime(s.time_us, question->zone, 3)},
                                {"token", s.token},     {"who", s.who},
                                {"role", s.role},       {"address", s.address},
                                {"purpose", s.purpose}, {"what", s.what}};
    j["status"] = s.status == 0 ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(s.status);
    j["rows"] = s.rows;
    list.push_back(std::move(j));
  }
  const nlohmann::ordered_json body = {{"searches", std::move(list)}};
  return {.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

}  // namespace sekisho::api
