// ApiService: what the HTTP API answers — who asks, whether he may, the record of the search, the question
// itself.
//
// Every role sees what it may and no more: a filter is confined (LookupFilter::only_agencies) before anything
// reads the store, and the store's executor applies that whatever else was asked.
//
// Threads: Answer on any number of threads; SetScopes on any. Limits: ApiOptions; a question that finds too
// many others running is refused (503) after a short wait, and none runs longer than its deadline. Standards:
// RFC 6750 (bearer tokens), RFC 9110 (ETag).
#ifndef SEKISHO_STORAGE_API_API_SERVICE_H_
#define SEKISHO_STORAGE_API_API_SERVICE_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/access/search_log.h"
#include "storage/access/token_store.h"
#include "storage/api/failure_limit.h"
#include "storage/api/http_server.h"
#include "storage/api/query_parameters.h"
#include "storage/api/routes.h"
#include "storage/api/turns.h"
#include "storage/lookups/lookup_store.h"
#include "storage/passive/passive_store.h"
#include "storage/query/executor.h"

namespace sekisho::api {

struct ApiOptions {
  std::string token_file = {};
  std::string search_dir = {};
  const passive::PassiveStore* passive = nullptr;
  std::string events = {};  // file
  size_t running = 2;       // questions at a time
  size_t waiting = 16;
  Duration longest_wait = std::chrono::seconds(5);
  Duration deadline = std::chrono::seconds(30);
  Duration stream_deadline = std::chrono::minutes(10);  // of a streamed answer as a whole
  uint64_t page_cap = 10'000;
  uint64_t stream_cap = 10'000'000;
};

// The agencies of each operation centre.
struct Scopes {
  std::vector<std::string> first;
  std::vector<std::string> second;
};

class ApiService {
 public:
  ApiService(const lookups::LookupStore& store, ApiOptions options);

  HttpResponse Answer(const HttpRequest& request);
  void SetScopes(Scopes scopes);
  // Ends what runs and refuses what comes; before the server is destroyed.
  void Stop();

 private:
  struct Asked {
    const HttpRequest* request;
    const Route* route;
    Parameters parameters;
    access::Token token;
    access::Search search;
  };
  // A response that says no, or nothing: the asker is who he says.
  std::optional<HttpResponse> Authenticate(const HttpRequest& request, access::Token* token);
  std::optional<HttpResponse> Confine(const Asked& asked, query::LookupFilter* filter) const;
  HttpResponse Dispatch(Asked* asked);
  HttpResponse AnswerLookups(Asked* asked, Question question);
  HttpResponse StreamLookups(Asked* asked, Question question);
  HttpResponse AnswerCount(Asked* asked, const Question& question);
  HttpResponse AnswerTimeline(Asked* asked, const Question& question);
  HttpResponse AnswerGroups(Asked* asked, const Question& question, std::string_view by);
  HttpResponse AnswerEvents(Asked* asked);
  HttpResponse AnswerPassive(Asked* asked);
  HttpResponse AnswerSearches(Asked* asked);
  query::Budget Until(MonoTime end) const;

  const lookups::LookupStore& store_;
  const ApiOptions options_;
  access::TokenWatch tokens_;
  access::SearchLog searches_;
  FailureLimit failures_;
  mutable std::mutex scopes_mutex_;
  std::shared_ptr<const Scopes> scopes_;
  std::atomic<bool> stopping_{false};
  Turns turns_;
};

// {"error": message}
HttpResponse Refusal(int status, std::string_view message);

}  // namespace sekisho::api

#endif  // SEKISHO_STORAGE_API_API_SERVICE_H_
