#include "storage/api/api_service.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sekisho::api {
namespace {

// No agency has this name (names are identifiers), so an empty scope sees nothing instead of all.
constexpr char kNobody[] = "!nobody";

std::string Shown(const HttpRequest& request) {
  std::string text = request.path;
  char mark = '?';
  for (const auto& [name, value] : request.parameters) {
    if (name == "purpose") continue;
    text += mark + name + "=" + value;
    mark = '&';
  }
  return text;
}

std::string_view BearerOf(const std::string& header) {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view text = header;
  return text.starts_with(kBearer) ? text.substr(kBearer.size()) : std::string_view();
}

// Whether the condition asks about who asked.
bool AsksForClients(const query::Condition& c) {
  using Kind = query::Condition::Kind;
  if (c.kind == Kind::kTest)
    return c.test.field == query::Field::kClient || c.test.field == query::Field::kAgency;
  return std::ranges::any_of(c.parts, AsksForClients);
}

}  // namespace

HttpResponse Refusal(int status, std::string_view message) {
  const nlohmann::json j = {{"error", message}};
  return {.status = status, .body = j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

ApiService::ApiService(const lookups::LookupStore& store, ApiOptions options)
    : store_(store),
      options_(std::move(options)),
      tokens_(options_.token_file),
      searches_(options_.search_dir),
      scopes_(std::make_shared<const Scopes>()),
      turns_(options_.running, options_.waiting, options_.longest_wait) {}

void ApiService::SetScopes(Scopes scopes) {
  const std::lock_guard<std::mutex> lock(scopes_mutex_);
  scopes_ = std::make_shared<const Scopes>(std::move(scopes));
}

void ApiService::Stop() { stopping_ = true; }

query::Budget ApiService::Until(MonoTime end) const {
  return {[this, end] { return stopping_.load() || ReadClocks().mono >= end; }};
}

std::optional<HttpResponse> ApiService::Authenticate(const HttpRequest& request, access::Token* token) {
  const Now now = ReadClocks();
  const std::string_view text = BearerOf(request.authorization);
  const auto refuse = [](std::string_view why) {
    HttpResponse r = Refusal(401, why);
    r.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"sekisho\"");
    return r;
  };
  if (text.empty()) return refuse("a token is needed: Authorization: Bearer skt_…");
  const std::string key = request.peer.ToString() + " " + std::string(access::IdOfTokenText(text));
  if (const Duration wait = failures_.Wait(key, now.mono); wait > Duration(0)) {
    HttpResponse r = Refusal(429, "too many wrong tokens; wait before the next try");
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
    r.headers.emplace_back("Retry-After", std::to_string(seconds));
    return r;
  }
  std::string error;
  const auto store = tokens_.Current(&error);
  if (!store) return Refusal(503, "the tokens cannot be read; see the log of sekisho-logd");
  const access::Token* found = store->Find(text);
  if (found == nullptr || (found->expires_us != 0 && found->expires_us <= UnixMicros(now.wall))) {
    if (found == nullptr) failures_.Failed(key, now.mono);
    return refuse("this token is not known or has expired");
  }
  *token = *found;
  return std::nullopt;
}

std::optional<HttpResponse> ApiService::Confine(const Asked& asked, query::LookupFilter* filter) const {
  using access::Role;
  using access::Scope;
  switch (asked.token.role) {
    case Role::kAgency:
      filter->only_agencies = asked.token.agencies;
      break;
    case Role::kAnalyst: {
      if (asked.token.scope == Scope::kAll) return std::nullopt;
      const std::lock_guard<std::mutex> lock(scopes_mutex_);
      filter->only_agencies = asked.token.scope == Scope::kFirst ? scopes_->first : scopes_->second;
      break;
    }
    case Role::kFeedOperator: {
      const What what = asked.route->what;
      const auto by = asked.parameters.find("by");
      const bool counts = what == What::kCount || what == What::kTimeline || what == What::kNames ||
                          (what == What::kTop && by != asked.parameters.end() && by->second != "client" &&
                           by->second != "agency");
      if (!counts)
        return Refusal(403, "a feed operator's token sees counts, not lookups, clients or agencies");
      if (AsksForClients(query::ConditionOf(*filter)))
        return Refusal(403, "a feed operator's token cannot ask about clients or agencies");
      return std::nullopt;
    }
    case Role::kAuditor:
      return Refusal(403, "an auditor's token sees the searches, not the lookups");
  }
  if (filter->only_agencies.empty()) filter->only_agencies.emplace_back(kNobody);
  return std::nullopt;
}

HttpResponse ApiService::Answer(const HttpRequest& request) {
  if (stopping_) return Refusal(503, "sekisho-logd is stopping");
  const Route* route = FindRoute(request.path);
  if (route == nullptr) return Refusal(404, "no such path; /v1/openapi.json describes them");
  if (route->open) return {.body = std::string(OpenApiDocument())};
  Asked asked{.request = &request, .route = route, .parameters = {}, .token = {}, .search = {}};
  if (auto no = Authenticate(request, &asked.token)) return std::move(*no);
  std::string error;
  auto parameters = ReadParameters(request, route->parameters, &error);
  if (!parameters) return Refusal(400, error);
  asked.parameters = std::move(*parameters);
  const auto purpose = asked.parameters.find("purpose");
  access::Search& s = asked.search;
  s.time_us = UnixMicros(ReadClocks().wall);
  s.token = asked.token.id;
  s.who = asked.token.name;
  s.role = access::kRoleNames[static_cast<size_t>(asked.token.role)];
  s.address = request.peer.ToString();
  s.purpose = purpose != asked.parameters.end() ? purpose->second : request.purpose;
  s.what = Shown(request);
  if (!searches_.Begin(&s, &error))
    return Refusal(503, "the search cannot be recorded, so it is not answered");
  HttpResponse response = Dispatch(&asked);
  if (response.stream) return response;  // recorded at its end
  s.status = response.status;
  searches_.End(s, &error);
  return response;
}

HttpResponse ApiService::Dispatch(Asked* asked) {
  const What what = asked->route->what;
  if (what == What::kSearches) return AnswerSearches(asked);
  if (what == What::kEvents) return AnswerEvents(asked);
  if (what == What::kPassive) return AnswerPassive(asked);
  std::string error;
  const std::string form = asked->parameters.contains("format") ? asked->parameters["format"] : "";
  const bool streams = form == "ndjson" || form == "csv";
  auto question = ReadQuestion(asked->parameters, ReadClocks().wall,
                               streams ? options_.stream_cap : options_.page_cap, &error);
  if (!question) return Refusal(400, error);
  if (auto no = Confine(*asked, &question->filter)) return std::move(*no);
  if (what == What::kLookups && streams) return StreamLookups(asked, std::move(*question));
  const Turns::Turn turn(turns_);
  if (!turn) {
    HttpResponse busy = Refusal(503, "too many other questions are being answered; ask again");
    busy.headers.emplace_back("Retry-After", "2");
    return busy;
  }
  switch (what) {
    case What::kLookups:
      return AnswerLookups(asked, std::move(*question));
    case What::kCount:
      return AnswerCount(asked, *question);
    case What::kTimeline:
      return AnswerTimeline(asked, *question);
    case What::kTop: {
      const auto by = asked->parameters.find("by");
      return AnswerGroups(asked, *question, by == asked->parameters.end() ? "name" : by->second);
    }
    case What::kClients:
      return AnswerGroups(asked, *question, "client");
    case What::kNames:
      return AnswerGroups(asked, *question, "name");
    case What::kContacts:
      return AnswerGroups(asked, *question, "agency");
    case What::kEvents:
    case What::kPassive:
    case What::kSearches:
    case What::kOpenApi:
      break;
  }
  return Refusal(404, "no such path");
}

}  // namespace sekisho::api
