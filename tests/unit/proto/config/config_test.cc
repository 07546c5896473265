#include "proto/config/config.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "proto/config/paths.h"

namespace sekisho::config {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Config, EmptyFileIsTheDefaults) {
  for (const char* yaml : {"", "# nothing\n", "resolver:\n", "{}"}) {
    auto config = ParseConfig(yaml, "f");
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*config, DefaultConfig())) << yaml;
  }
}

TEST(Config, DefaultsAreValid) { EXPECT_TRUE(Validate(DefaultConfig()).empty()); }

TEST(Config, PrintedDefaultsReadBackAsTheSame) {
  const std::string printed = PrintDefaults();
  auto config = ParseConfig(printed, "defaults");
  ASSERT_TRUE(config.ok()) << config.status() << "\n" << printed;
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*config, DefaultConfig())) << printed;
  EXPECT_THAT(printed, HasSubstr("  # Bytes of the record cache (default 256 MiB), accounted with overhead.\n"
                                 "  cache_bytes: 256MiB\n"));
}

TEST(Config, ReadsEveryKindOfSetting) {
  auto config = ParseConfig(R"(
data_dir: /srv/sekisho
node: 7
agencies:
  - name: moj
    networks: [192.0.2.0/24, "2001:db8::/32"]
resolver:
  listen: [127.0.0.1:5353, "[::1]:5353", 192.0.2.1]
  cache_bytes: 1GiB
  max_ttl: 1d
  ipv6: no
  tcp:
    idle_seconds: 2m
blocklist:
  feeds:
    - {name: local, url: /etc/list.txt}
    - {name: far, url: "https://example.test/list", interval_seconds: 6h, format: hosts, subtree: false}
log:
  retention_days: 365d
)",
                            "f");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->node(), 7u);
  EXPECT_EQ(config->agencies_size(), 1);  // the file's list replaces the default
  EXPECT_EQ(config->resolver().listen(1), "[::1]:5353");
  EXPECT_EQ(config->resolver().cache_bytes(), 1u << 30);
  EXPECT_EQ(config->resolver().max_ttl(), 86400u);
  EXPECT_FALSE(config->resolver().ipv6());
  EXPECT_TRUE(config->resolver().ipv4());
  EXPECT_EQ(config->resolver().tcp().idle_seconds(), 120u);
  EXPECT_EQ(config->resolver().tcp().max_connections(), 4096u);
  EXPECT_EQ(config->blocklist().feeds(0).interval_seconds(), 3600u);
  EXPECT_EQ(config->blocklist().feeds(0).format(), "auto");
  EXPECT_EQ(config->blocklist().feeds(1).interval_seconds(), 21600u);
  EXPECT_TRUE(config->blocklist().feeds(1).has_subtree());
  EXPECT_EQ(config->log().retention_days(), 365u);
  const Paths paths(*config);
  EXPECT_EQ(paths.ResolverdSocket(), "/srv/sekisho/run/resolverd.sock");
}

struct BadCase {
  const char* yaml;
  const char* message;  // a part of the error
};

class BadConfig : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadConfig, SaysWhereAndWhat) {
  auto config = ParseConfig(GetParam().yaml, "f.yaml");
  ASSERT_FALSE(config.ok()) << GetParam().yaml;
  EXPECT_THAT(std::string(config.status().message()), StartsWith("f.yaml:"));
  EXPECT_THAT(std::string(config.status().message()), HasSubstr(GetParam().message)) << GetParam().yaml;
}

INSTANTIATE_TEST_SUITE_P(
    Shape, BadConfig,
    ::testing::ValuesIn(std::vector<BadCase>{
        {"resolvr:\n  workers: 2\n", "f.yaml:1:1: resolvr: no such setting; do you mean 'resolver'?"},
        {"resolver:\n  tcp:\n    max_conections: 5\n",
         "f.yaml:3:5: resolver.tcp.max_conections: no such setting; do you mean 'max_connections'?"},
        {"zzz: 1\n", "no such setting; known here: data_dir, run_dir, node"},
        {"node: 1\nnode: 2\n", "f.yaml:2:1: node: given twice, first at line 1"},
        {"resolver: {ipv4: true, ipv4: true}\n", "resolver.ipv4: given twice"},
        {"resolver: 5\n", "f.yaml:1:11: resolver: expected a section, found a single value"},
        {"resolver: [a]\n", "expected a section, found a list"},
        {"- a\n- b\n", "f.yaml:1:1: expected a section, found a list"},
        {"just text\n", "expected a section, found a single value"},
        {"agencies: {name: a}\n", "agencies: expected a list (lines that begin with '- '), found a section"},
        {"resolver:\n  listen: 127.0.0.1\n", "f.yaml:2:11: resolver.listen: expected a list"},
        {"resolver:\n  listen: [[127.0.0.1]]\n", "resolver.listen[0]: expected text, found a list"},
        {"resolver: {workers: two}\n",
         "resolver.workers: expected a whole number, zero or more, found 'two'"},
        {"resolver: {workers: -1}\n", "expected a whole number"},
        {"resolver: {workers: 1.5}\n", "expected a whole number"},
        {"resolver: {workers: \"2\"}\n", "expected a whole number"},
        {"resolver: {workers: 5000000000}\n", "resolver.workers: too large"},
        {"resolver: {workers: }\n", "resolver.workers: has no value"},
        {"resolver: {ipv4: 1}\n", "resolver.ipv4: expected true or false, found '1'"},
        {"resolver: {ipv4: \"true\"}\n", "expected true or false"},
        {"resolver: {cache_bytes: 5 apples}\n",
         "resolver.cache_bytes: expected a size such as 64MiB, found '5 apples'"},
        {"resolver: {cache_bytes: 10s}\n", "expected a size"},
        {"resolver: {cache_bytes: 99999999TiB}\n", "expected a size"},
        {"resolver: {max_ttl: 1MiB}\n", "resolver.max_ttl: expected a duration such as 30s or 2h"},
        {"log: {retention_days: 3h}\n", "expected a number of days"},
        {"data_dir: [a]\n", "data_dir: expected text, found a list"},
        {"data_dir: ~\n", "data_dir: has no value; expected text"},
        {"data_dir: \"/a\\0b\"\n", "data_dir: expected text"},
        {"? [a, b]\n: 1\n", "expected the name of a setting, found a list"},
        {"resolver:\n\tworkers: 2\n", "f.yaml:2:"},
        {"resolver: {workers: 2\n", "f.yaml:"},
        {"resolver: \"unterminated\n", "f.yaml:"},
        {"a: b: c\n", "f.yaml:1:"},
        {"resolver: &x {}\nlog: *x\n", "f.yaml:2:6: aliases ('*name') are not supported"},
        {"resolver: *nowhere\n", "f.yaml:1:"},
        {"node: 1\n---\nnode: 2\n", "more than one YAML document"},
        {"\x01\x02: 3\n", "f.yaml:"},
        {"resolver: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n", "nested deeper than 16 levels"},
        {"resolvr: 1\nlogg: 2\n", "f.yaml:2:1: logg"},
        {"<<: {node: 1}\n", "no such setting"},
    }));

INSTANTIATE_TEST_SUITE_P(
    Values, BadConfig,
    ::testing::ValuesIn(std::vector<BadCase>{
        {"data_dir: here\n", "f.yaml:1:11: data_dir: 'here': must be an absolute path"},
        {"data_dir: \"\"\n", "data_dir: is missing"},
        {"run_dir: ./run\n", "run_dir: './run': must be an absolute path"},
        {"agencies: []\n", "agencies: is empty: nobody would be served"},
        {"agencies:\n  - networks: [192.0.2.0/24]\n", "agencies[0].name: is missing"},
        {"agencies:\n  - {name: \"a b\", networks: [192.0.2.0/24]}\n",
         "agencies[0].name: 'a b': 1 to 64 letters"},
        {"agencies:\n  - {name: \"a\\e[31m\", networks: [192.0.2.0/24]}\n", "'a\\x1b[31m'"},
        {"agencies:\n  - {name: a}\n", "agencies[0].networks: is missing"},
        {"agencies:\n  - name: a\n    networks:\n      - 192.0.2.0/24\n      - 192.0.2.1/24\n",
         "f.yaml:5:9: agencies[0].networks[1]: '192.0.2.1/24' is not a network"},
        {"agencies:\n  - {name: a, networks: [10.0.0.0/33]}\n", "is not a network"},
        {"agencies:\n  - {name: a, networks: [10.0.0.0/8]}\n  - {name: a, networks: [11.0.0.0/8]}\n",
         "f.yaml:3:12: agencies[1].name: 'a' is the name of another one already"},
        {"agencies:\n  - {name: a, networks: [10.0.0.0/8]}\n  - {name: b, networks: [10.0.0.0/8]}\n",
         "10.0.0.0/8 was given already, for agency 'a'"},
        {"resolver: {listen: []}\n", "resolver.listen: is empty"},
        {"resolver: {listen: [localhost]}\n", "resolver.listen[0]: 'localhost' is not an address"},
        {"resolver: {listen: [127.0.0.1:70000]}\n", "is not an address"},
        {"resolver: {listen: [127.0.0.1, 127.0.0.1:53]}\n",
         "resolver.listen[1]: 127.0.0.1:53 was given already"},
        {"resolver: {workers: 1000}\n", "resolver.workers: must be from 0 to 256, is 1000"},
        {"resolver: {root_hints: hints}\n", "must be an absolute path"},
        {"resolver:\n  root_hints: /hints\n  root_servers: [{name: a., addresses: [192.0.2.1]}]\n",
         "exclude each other"},
        {"resolver: {root_servers: [{name: a., addresses: [nowhere]}]}\n", "'nowhere' is not an address"},
        {"resolver: {root_servers: [{name: a.}]}\n", "root_servers[0].addresses: is missing"},
        {"resolver: {upstream_port: 0}\n", "must be from 1 to 65535"},
        {"resolver: {ipv4: false, ipv6: false}\n", "ipv4 and ipv6 are both off"},
        {"resolver: {cache_bytes: 1KiB}\n", "resolver.cache_bytes: must be from"},
        {"resolver: {edns_size: 100}\n", "must be from 512 to 4096, is 100"},
        {"resolver: {max_ttl: 10, min_ttl: 20}\n", "resolver.min_ttl: must not exceed max_ttl"},
        {"resolver: {tcp: {idle_seconds: 0}}\n", "must be from 1 to 3600"},
        {"resolver: {spool: {quota_bytes: 1MiB}}\n",
         "resolver.spool.quota_bytes: must be at least segment_bytes"},
        {"blocklist: {feeds: [{name: a}]}\n", "blocklist.feeds[0].url: '': must be a path"},
        {"blocklist: {feeds: [{name: a, url: \"ftp://x/\"}]}\n",
         "must be a path, file:///, http:// or https:// URL"},
        {"blocklist: {feeds: [{name: a, url: /x, format: xml}]}\n",
         "'xml': must be domains, wildcards, hosts,"},
        {"blocklist: {feeds: [{name: a, url: /x}, {name: a, url: /y}]}\n",
         "feeds[1].name: 'a' is the name of another"},
        {"blocklist: {feeds: [{name: a, url: /x, interval_seconds: 0}]}\n",
         "interval_seconds: must be from 1"},
        {"blocklist: {feeds: [{name: ../a, url: /x}]}\n", "'../a': 1 to 64 letters"},
        {"resolver: {cookies: {answer: false, require: true}}\n", "resolver.cookies.require: needs"},
        {"resolver: {cookies: {secret_file: secrets}}\n", "secret_file: 'secrets': must be an absolute path"},
        {"resolver: {bounds: {pending: 99}}\n", "resolver.bounds.pending: must be from 100"},
        {"resolver: {bounds: {pending_per_client: 20001}}\n", "pending_per_client: must be from 1 to 20000"},
        {"resolver: {rate_limit: {ipv4_prefix: 33}}\n", "rate_limit.ipv4_prefix: must be from 8 to 32"},
        {"resolver: {rate_limit: {exempt: [192.0.2.0/24, x]}}\n", "exempt[1]: 'x' is not a network"},
        {"log: {retention_days: 0}\n", "log.retention_days: must be from 1"},
        {"log: {pseudonymise_after: 1}\n", "log.pseudonymise_after: must be from 2"},
        {"log: {passive_dns: {retention_days: 0}}\n", "log.passive_dns.retention_days: must be from 1"},
        {"resolver: {rpz: [{name: r.test}]}\n", "resolver.rpz[0].file: is missing"},
        {"resolver: {rpz: [{name: r.test, file: zone}]}\n", "rpz[0].file: 'zone': must be an absolute path"},
        {"resolver: {rpz: [{name: ., file: /z}]}\n", "rpz[0].name: '.' is not a zone's name"},
        {"resolver:\n  rpz:\n    - {name: r.test, file: /z}\n    - {name: R.test., file: /y}\n",
         "f.yaml:4:14: resolver.rpz[1].name: 'R.test.' is another zone's name already"},
        {"resolver: {rpz: [{name: r.test, file: /z, agencies: [nobody]}]}\n",
         "rpz[0].agencies[0]: 'nobody' is not the name of an agency"},
        {"resolver: {rpz: [{name: r.test, file: /z, action: block}]}\n",
         "rpz[0].action: 'block': must be given"},
        {"resolver: {rpz: [{name: r.test, file: /z, action: cname}]}\n", "rpz[0].cname: '' is not a name"},
        {"resolver: {rpz: [{name: r.test, file: /z, cname: a.test}]}\n", "rpz[0].cname: needs action: cname"},
        {"resolver: {rpz: [{name: r.test, file: /z, primaries: [here]}]}\n", "primaries[0]: 'here' is not"},
        {"resolver: {rpz: [{name: r.test, file: /z, tsig: {name: k., secret_file: /k, algorithm: md5}}]}\n",
         "tsig.algorithm: 'md5': must be hmac-sha256"},
        {"resolver: {rpz: [{name: r.test, file: /z, tsig: {name: k.}}]}\n", "tsig.secret_file: is missing"},
        {"resolver: {rpz: [{name: r.test, file: /z, ede: loud}]}\n", "rpz[0].ede: 'loud': must be blocked"},
        {"log: {exports: [{name: a, format: csv, to: 'file:/x'}]}\n", "log.exports[0].format: 'csv'"},
        {"log: {exports: [{name: a, format: ocsf, to: 'x'}]}\n", "must begin with file:, unix:"},
        {"log: {exports: [{name: a, format: ocsf, to: 'file:x'}]}\n", "log.exports[0].to"},
        {"log: {exports: [{name: a, format: ocsf, to: 'tcp:127.0.0.1'}]}\n", "is not an address with port"},
        {"log: {exports: [{name: a, format: dnstap, to: 'syslog:127.0.0.1:1'}]}\n", "dnstap does not go"},
        {"log: {exports: [{name: a, format: ocsf, to: 'syslog-tls:127.0.0.1:1'}]}\n", "log.exports[0].tls_ca"},
    }));

TEST(Config, DeepNestingEndsWithAnError) {
  EXPECT_FALSE(ParseConfig("a: " + std::string(100000, '['), "f").ok());
  std::string steps;
  for (int i = 0; i < 5000; ++i) steps += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  EXPECT_FALSE(ParseConfig(steps, "f").ok());
}

TEST(Config, ProblemsAreToldTogetherUpToABound) {
  std::string yaml;
  for (int i = 0; i < 100; ++i) yaml += "unknown" + std::to_string(i) + ": 1\n";
  auto config = ParseConfig(yaml, "f");
  ASSERT_FALSE(config.ok());
  const std::string message(config.status().message());
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n') + 1, static_cast<long>(kMaxProblems));
}

TEST(Config, MissingFileNamesItself) {
  auto config = LoadConfig("/nonexistent/sekisho.yaml");
  EXPECT_EQ(config.status().message(), "/nonexistent/sekisho.yaml: cannot open: No such file or directory");
}

TEST(Config, EmptyFileOnDiskIsAnError) {
  const std::string path = testing::TempDir() + "empty-" + std::to_string(getpid()) + ".yaml";
  std::ofstream(path) << "\n";
  const auto config = LoadConfig(path);
  unlink(path.c_str());
  ASSERT_FALSE(config.ok());
  EXPECT_NE(std::string(config.status().message()).find("is empty"), std::string::npos);
}

TEST(Config, FolderInsteadOfFileIsAnError) { EXPECT_FALSE(LoadConfig("/").ok()); }

TEST(Config, WrongPoliciesAreNamed) {
  const char* head = "agencies: [{name: a, networks: [192.0.2.0/24], policy: p}]\n";
  const std::pair<const char*, const char*> kCases[] = {
      {"", "policies: [{name: q}]"},
      {"agencies[0].policy: no policy is 'p'", "policies: [{name: q}]"},
      {"policies[0].action: 'block': must be nxdomain", "policies: [{name: p, action: block}]"},
      {"policies[0].mode: 'off': must be enforce or log-only", "policies: [{name: p, mode: \"off\"}]"},
      {"policies[0].sinkhole: is missing", "policies: [{name: p, action: sinkhole}]"},
      {"must be addresses, or one name alone", "policies: [{name: p, sinkhole: [192.0.2.1, x.example]}]"},
      {"policies[0].feeds[0]: no feed is 'f'", "policies: [{name: p, feeds: [f]}]"},
      {"policies[0].actions[0]: must name either", "policies: [{name: p, actions: [{action: drop}]}]"},
      {"policies[0].allow[0].reason: is missing", "policies: [{name: p, allow: [{what: x.example}]}]"},
      {"policies[0].block[0].what: '192.0.2.1/24' is not a name",
       "policies: [{name: p, block: [{what: 192.0.2.1/24, reason: r}]}]"},
      {"is not a time", "policies: [{name: p, allow: [{what: x.example, reason: r, until: soon}]}]"},
      {"'fr': must be en or ja", "policies: [{name: p, message: {language: fr}}]"},
      {"must begin with mailto:", "policies: [{name: p, message: {contacts: [\"https://x\"]}}]"},
      {"blocklist.never_block[0]", "blocklist: {never_block: [\"a b/c\"]}\npolicies: [{name: p}]"},
      {"blocklist.feeds[0].action",
       "blocklist: {feeds: [{name: f, url: /f, action: x}]}\npolicies: [{name: p}]"},
      {"is the name of another one already", "policies: [{name: p}, {name: p}]"},
  };
  for (const auto& [wanted, yaml] : kCases) {
    const auto config = ParseConfig(head + std::string(yaml), "f");
    ASSERT_FALSE(config.ok()) << yaml;
    EXPECT_THAT(std::string(config.status().message()), HasSubstr(wanted)) << yaml;
  }
  EXPECT_TRUE(ParseConfig(head + std::string("policies: [{name: p, mode: log-only}]"), "f").ok());
}

}  // namespace
}  // namespace sekisho::config
