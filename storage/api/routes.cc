#include "storage/api/routes.h"

#include <algorithm>

namespace sekisho::api {
namespace {

constexpr std::string_view kLookupParameters[] = {
    "q",    "name", "under", "address", "client", "agency", "since", "until",  "verdict",
    "feed", "type", "rcode", "zone",    "limit",  "cursor", "order", "format", "purpose"};
constexpr std::string_view kCountParameters[] = {"q",      "name",  "under", "address", "client",
                                                 "agency", "since", "until", "verdict", "feed",
                                                 "type",   "rcode", "zone",  "purpose"};
constexpr std::string_view kTimelineParameters[] = {"q",      "name",  "under", "address", "client",
                                                    "agency", "since", "until", "verdict", "feed",
                                                    "type",   "rcode", "zone",  "step",    "purpose"};
constexpr std::string_view kTopParameters[] = {"q",     "name",  "under",   "address", "client", "agency",
                                               "since", "until", "verdict", "feed",    "type",   "rcode",
                                               "zone",  "by",    "limit",   "purpose"};
constexpr std::string_view kGroupParameters[] = {"q",      "name",  "under", "address", "client",
                                                 "agency", "since", "until", "verdict", "feed",
                                                 "type",   "rcode", "zone",  "limit",   "purpose"};
constexpr std::string_view kPassiveParameters[] = {"name",  "under",  "address", "target",
                                                   "type",  "since",  "until",   "zone",
                                                   "limit", "cursor", "format",  "purpose"};
constexpr std::string_view kEventsParameters[] = {"id", "limit", "purpose"};
constexpr std::string_view kSearchesParameters[] = {"since", "until", "zone", "limit"};

constexpr Route kRoutes[] = {
    {"/v1/lookups", What::kLookups, kLookupParameters},
    {"/v1/count", What::kCount, kCountParameters},
    {"/v1/timeline", What::kTimeline, kTimelineParameters},
    {"/v1/top", What::kTop, kTopParameters},
    {"/v1/clients", What::kClients, kGroupParameters},
    {"/v1/names", What::kNames, kGroupParameters},
    {"/v1/contacts", What::kContacts, kGroupParameters},
    {"/v1/pdns", What::kPassive, kPassiveParameters},
    {"/v1/events", What::kEvents, kEventsParameters},
    {"/v1/searches", What::kSearches, kSearchesParameters},
    {"/v1/openapi.json", What::kOpenApi, {}, true},
};

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

const Route* FindRoute(std::string_view path) {
  const auto* at = std::ranges::find(kRoutes, path, &Route::path);
  return at == std::end(kRoutes) ? nullptr : at;
}

}  // namespace sekisho::api
