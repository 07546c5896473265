// Routes: every path of the API with its parameters, as data; the OpenAPI document is held against it by a
// test.
//
// Threads: constants. Limits: none.
#ifndef SEKISHO_STORAGE_API_ROUTES_H_
#define SEKISHO_STORAGE_API_ROUTES_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace sekisho::api {

enum class What : uint8_t {
  kLookups,
  kCount,
  kTimeline,
  kTop,
  kClients,
  kNames,
  kContacts,
  kPassive,
  kEvents,
  kSearches,
  kOpenApi
};

struct Route {
  std::string_view path;
  What what;
  std::span<const std::string_view> parameters;
  bool open = false;  // without a token
};

std::span<const Route> Routes();
const Route* FindRoute(std::string_view path);

// The document that describes them, in JSON.
std::string_view OpenApiDocument();

}  // namespace sekisho::api

#endif  // SEKISHO_STORAGE_API_ROUTES_H_
