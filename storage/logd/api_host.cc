#include "storage/logd/api_host.h"

#include <spdlog/spdlog.h>

#include <fstream>
#include <iterator>

#include "proto/config/paths.h"

namespace sekisho::logd {
namespace {

bool ReadPem(const std::string& path, std::string* out, spdlog::logger& log) {
  if (path.empty()) return true;
  std::ifstream in(path, std::ios::binary);
  out->assign(std::istreambuf_iterator<char>(in), {});
  if (in && !out->empty()) return true;
  log.error("API: cannot read {}; going on without the API", path);
  return false;
}

}  // namespace

ApiHost::ApiHost(const lookups::LookupStore& store, const passive::PassiveStore& passive,
                 const config::Config& config, spdlog::logger& log) {
  const config::Api& api = config.log().api();
  if (api.listen() == "off") return;
  const config::Paths paths(config);
  service_ =
      std::make_unique<api::ApiService>(store, api::ApiOptions{.token_file = paths.Tokens(),
                                                               .search_dir = paths.Searches(),
                                                               .passive = &passive,
                                                               .events = paths.Events() + "/events.jsonl",
                                                               .running = api.running()});
  Reload(config);
  api::HttpOptions options;
  const auto listen = Endpoint::Parse(api.listen(), std::nullopt);
  if (!listen || !ReadPem(api.tls_certificate(), &options.tls_certificate, log) ||
      !ReadPem(api.tls_key(), &options.tls_key, log)) {
    return;
  }
  options.listen = *listen;
  std::string error;
  server_ = api::HttpServer::Start(
      options, [this](const api::HttpRequest& request) { return service_->Answer(request); }, &error);
  if (server_) {
    log.info("API on {}://{}", options.tls_certificate.empty() ? "http" : "https", listen->ToString());
  } else {
    log.error("API: {}; going on without it", error);
  }
}

ApiHost::~ApiHost() {
  if (service_) service_->Stop();
}

void ApiHost::Reload(const config::Config& config) {
  if (!service_) return;
  api::Scopes scopes;
  for (const config::Agency& agency : config.agencies()) {
    if (agency.gsoc() == "first") scopes.first.push_back(agency.name());
    if (agency.gsoc() == "second") scopes.second.push_back(agency.name());
  }
  service_->SetScopes(std::move(scopes));
}

}  // namespace sekisho::logd
