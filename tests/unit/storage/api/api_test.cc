#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "storage/api/api_service.h"
#include "storage/lookups/lookup_store.h"

namespace sekisho::api {
namespace {

// The document describes exactly the paths there are, each with exactly its parameters.
TEST(OpenApi, DescribesEveryRoute) {
  const auto document = nlohmann::json::parse(OpenApiDocument());
  EXPECT_EQ(document["openapi"], "3.1.0");
  std::set<std::string> described;
  for (const auto& [path, item] : document["paths"].items()) described.insert(path);
  std::set<std::string> routed;
  for (const Route& route : Routes()) {
    routed.emplace(route.path);
    const auto& get = document["paths"][std::string(route.path)]["get"];
    std::set<std::string> named;
    if (get.contains("parameters")) {
      for (const auto& p : get["parameters"]) named.insert(p["name"]);
    }
    EXPECT_EQ(named, std::set<std::string>(route.parameters.begin(), route.parameters.end())) << route.path;
  }
  EXPECT_EQ(described, routed);
}

TEST(FailureLimit, WaitsGrowAndOthersAreFree) {
  FailureLimit limit;
  MonoTime now{std::chrono::hours(1)};
  for (int i = 0; i < 5; ++i) limit.Failed("a", now);
  EXPECT_EQ(limit.Wait("a", now), Duration(0));
  limit.Failed("a", now);
  const Duration first = limit.Wait("a", now);
  EXPECT_GT(first, Duration(0));
  limit.Failed("a", now);
  EXPECT_GT(limit.Wait("a", now), first);
  EXPECT_EQ(limit.Wait("b", now), Duration(0));
  for (int i = 0; i < 100; ++i) limit.Failed("a", now);
  EXPECT_LE(limit.Wait("a", now), Duration(std::chrono::minutes(15)));
  for (size_t i = 0; i < 2 * kMaxFailing; ++i) limit.Failed(std::to_string(i), now);
  EXPECT_GT(limit.Wait("a", now), Duration(0));
}

class ApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir_ = ::testing::TempDir() + "api-" + std::to_string(getpid()) + "-" +
           ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(dir_);
    store_ = lookups::LookupStore::Open({.dir = dir_ + "/lookups", .seed = 1}, &error_);
    ASSERT_TRUE(store_) << error_;
    service_ = std::make_unique<ApiService>(
        *store_, ApiOptions{.token_file = dir_ + "/tokens", .search_dir = dir_ + "/searches"});
  }
  void TearDown() override {
    service_.reset();
    store_.reset();
    std::filesystem::remove_all(dir_);
  }
  std::string Token(access::Token token) {
    std::string text;
    token.name = "test";
    EXPECT_TRUE(tokens_.Add(std::move(token), rng_, &text, &error_)) << error_;
    EXPECT_TRUE(tokens_.Save(dir_ + "/tokens", &error_)) << error_;
    return text;
  }
  HttpResponse Get(const std::string& token, const std::string& path,
                   std::vector<std::pair<std::string, std::string>> parameters = {}) {
    return service_->Answer({.path = path,
                             .parameters = std::move(parameters),
                             .authorization = token.empty() ? "" : "Bearer " + token});
  }

  std::string dir_;
  std::string error_;
  KernelRng rng_;
  access::TokenStore tokens_;
  std::unique_ptr<lookups::LookupStore> store_;
  std::unique_ptr<ApiService> service_;
};

TEST_F(ApiTest, NobodyWithoutAToken) {
  for (const Route& route : Routes()) {
    EXPECT_EQ(Get("", std::string(route.path)).status, route.open ? 200 : 401) << route.path;
  }
  EXPECT_EQ(Get("", "/v1/nothing").status, 404);
}

TEST_F(ApiTest, GuessesAreSlowed) {
  const std::string good = Token({.role = access::Role::kAnalyst});
  const std::string bad = good.substr(0, good.size() - 1) + (good.back() == '0' ? "1" : "0");
  int statuses = 0;
  for (int i = 0; i < 7; ++i) statuses = Get(bad, "/v1/count").status;
  EXPECT_EQ(statuses, 429);
  const std::string other = Token({.role = access::Role::kAnalyst});
  EXPECT_EQ(Get(other, "/v1/count").status, 200);
}

TEST_F(ApiTest, RolesSeeWhatTheyMay) {
  const std::string analyst = Token({.role = access::Role::kAnalyst});
  const std::string feeds = Token({.role = access::Role::kFeedOperator});
  const std::string auditor = Token({.role = access::Role::kAuditor});
  const std::string agency = Token({.role = access::Role::kAgency, .agencies = {"alpha"}});
  for (const char* path :
       {"/v1/lookups", "/v1/count", "/v1/timeline", "/v1/top", "/v1/clients", "/v1/names", "/v1/contacts"}) {
    EXPECT_EQ(Get(analyst, path).status, 200) << path;
    EXPECT_EQ(Get(agency, path).status, 200) << path;
    EXPECT_EQ(Get(auditor, path).status, 403) << path;
  }
  for (const char* path : {"/v1/lookups", "/v1/clients", "/v1/contacts"})
    EXPECT_EQ(Get(feeds, path).status, 403) << path;
  EXPECT_EQ(Get(feeds, "/v1/count").status, 200);
  EXPECT_EQ(Get(feeds, "/v1/count", {{"client", "192.0.2.1"}}).status, 403);
  EXPECT_EQ(Get(feeds, "/v1/count", {{"q", "not (name:x or client:192.0.2.1)"}}).status, 403);
  EXPECT_EQ(Get(feeds, "/v1/count", {{"q", "192.0.2.1"}}).status, 403);
  EXPECT_EQ(Get(feeds, "/v1/top", {{"by", "client"}}).status, 403);
  EXPECT_EQ(Get(feeds, "/v1/top", {{"by", "feed"}}).status, 200);
  EXPECT_EQ(Get(analyst, "/v1/searches").status, 403);
  const HttpResponse searches = Get(auditor, "/v1/searches", {{"limit", "1000"}});
  ASSERT_EQ(searches.status, 200);
  const auto list = nlohmann::json::parse(searches.body)["searches"];
  EXPECT_GE(list.size(), 20u);
  EXPECT_EQ(list[1]["what"], "/v1/searches");
  EXPECT_EQ(list[1]["status"], 403);
}

TEST_F(ApiTest, BadParametersAreNamed) {
  const std::string token = Token({.role = access::Role::kAnalyst});
  const std::vector<std::pair<std::string, std::string>> bad[] = {
      {{"limit", "0"}},    {{"limit", "99999999"}}, {{"since", "soon"}},
      {{"nme", "x"}},      {{"name", "a..b"}},      {{"client", "x"}},
      {{"q", "name:("}},   {{"cursor", "zz"}},      {{"limit", "1"}, {"limit", "2"}},
      {{"format", "xml"}}, {{"order", "up"}},       {{"zone", "Mars"}}};
  for (const auto& parameters : bad) {
    const HttpResponse r = Get(token, "/v1/lookups", parameters);
    EXPECT_EQ(r.status, 400) << parameters[0].first << "=" << parameters[0].second;
    EXPECT_FALSE(nlohmann::json::parse(r.body)["error"].get<std::string>().empty());
  }
  EXPECT_EQ(Get(token, "/v1/timeline", {{"step", "eon"}}).status, 400);
  EXPECT_EQ(Get(token, "/v1/top", {{"by", "luck"}}).status, 400);
}

TEST(HttpServer, PlainHttpStaysOnLoopback) {
  std::string error;
  EXPECT_EQ(HttpServer::Start(
                {.listen = *Endpoint::Parse("192.0.2.1:8453", std::nullopt)},
                [](const HttpRequest&) { return HttpResponse(); }, &error),
            nullptr);
  EXPECT_NE(error.find("TLS"), std::string::npos) << error;
}

}  // namespace
}  // namespace sekisho::api
