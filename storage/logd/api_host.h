// ApiHost: the HTTP API as a part of logd — made from the configuration, with the agencies of each scope.
//
// When its port is taken or its certificate cannot be read, logd says so and goes on without it: taking
// lookups in matters more.
//
// Threads: one; the API has threads of its own. Limits: those of HttpServer and ApiService.
#ifndef SEKISHO_STORAGE_LOGD_API_HOST_H_
#define SEKISHO_STORAGE_LOGD_API_HOST_H_

#include <memory>

#include "proto/schema/config.pb.h"
#include "storage/api/api_service.h"
#include "storage/api/http_server.h"
#include "storage/lookups/lookup_store.h"
#include "storage/passive/passive_store.h"

namespace spdlog {
class logger;
}

namespace sekisho::logd {

class ApiHost {
 public:
  ApiHost(const lookups::LookupStore& store, const passive::PassiveStore& passive,
          const config::Config& config, spdlog::logger& log);
  ~ApiHost();
  ApiHost(const ApiHost&) = delete;
  ApiHost& operator=(const ApiHost&) = delete;

  // Which agencies belong to which scope; the address stays.
  void Reload(const config::Config& config);

 private:
  std::unique_ptr<api::ApiService> service_;
  std::unique_ptr<api::HttpServer> server_;  // last: its threads use the service
};

}  // namespace sekisho::logd

#endif  // SEKISHO_STORAGE_LOGD_API_HOST_H_
