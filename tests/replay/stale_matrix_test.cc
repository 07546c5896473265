// Serve-stale with every policy and every way in which servers fail (row D41): one code path, one table.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "tests/replay/scenario.h"

namespace sekisho::replay {
namespace {

using Cell = std::tuple<const char*, const char*, const char*>;  // serve-stale, policy, servers

class D41StaleMatrix : public testing::TestWithParam<Cell> {};

std::string StaleSetting(const std::string& stale) {
  if (stale == "off") return "config serve-stale off\n";
  return "config serve-stale on\nconfig stale-client-timeout " + stale + "\n";
}

std::string Policy(const std::string& policy) {
  if (policy == "name") return "block alias.good.test exact\n";
  if (policy == "alias") return "block www.good.test exact\n";
  if (policy == "allow") return "block good.test\nallow alias.good.test\n";
  if (policy == "log") return "logonly good.test\n";
  return "";
}

std::string Servers(const std::string& servers) {
  if (servers == "dead") return "server 10.0.0.3 down\n";
  if (servers == "slow") return "server 10.0.0.3 delay=700ms\n";
  return "on 10.0.0.3\n  reply SERVFAIL\nend\n";
}

std::string Expected(const std::string& stale, const std::string& policy, const std::string& servers) {
  if (policy == "name")
    return "expect rcode NXDOMAIN\nexpect ede 15\nexpect answers == 0\nexpect upstream == 0\n";
  const bool from_servers = servers == "slow" && stale != "0ms";
  const bool from_stale = !from_servers && stale != "off";
  if (!from_servers && !from_stale)
    return "expect rcode SERVFAIL\nexpect answers == 0\nexpect absent 192.0.2.80\n";
  if (policy == "alias") return "expect rcode NXDOMAIN\nexpect ede 15\nexpect absent 192.0.2.80\n";
  const std::string ttl = from_stale ? "30" : "300";
  return "expect rcode NOERROR\nexpect answer www.good.test. " + ttl + " A 192.0.2.80\n" +
         (from_stale ? "expect ede 3\nexpect time <= 2600ms\nexpect record origin=stale\n"
                     : "expect no-ede\n");
}

TEST_P(D41StaleMatrix, Cell) {
  const auto [stale, policy, servers] = GetParam();
  Scenario scenario("use internet\n" + StaleSetting(stale) +
                        "ask alias.good.test A\nask www.good.test A\nadvance 301s\n" + Policy(policy) +
                        Servers(servers) + "mark\nask alias.good.test A\n" +
                        Expected(stale, policy, servers) + "settle\nexpect inflight 0\n",
                    SEKISHO_SCENARIOS);
  if (scenario.Run()) return;
  std::string failures;
  for (const auto& f : scenario.failures()) failures += "\n    " + f;
  ADD_FAILURE() << failures << "\n" << scenario.Trace();
}

INSTANTIATE_TEST_SUITE_P(All, D41StaleMatrix,
                         testing::Combine(testing::Values("off", "0ms", "1800ms"),
                                          testing::Values("none", "name", "alias", "allow", "log"),
                                          testing::Values("dead", "slow", "servfail")));

}  // namespace
}  // namespace sekisho::replay
