// The project's rules as data: who may include whom, what nobody may include or call, and how large things
// may grow.
#ifndef SEKISHO_TESTS_TIDY_RULES_H_
#define SEKISHO_TESTS_TIDY_RULES_H_

#include <map>
#include <set>
#include <string>
#include <vector>

namespace sekisho::tidy {

// Leaf folder → leaf folders whose headers it may include. What is reached through an allowed header is not
// free: each file names what it uses. A folder below a leaf belongs to the leaf.
inline const std::map<std::string, std::set<std::string>> kAllowed = {
    {"proto/base", {}},
    {"proto/dns", {"proto/base"}},
    {"proto/schema", {}},
    {"proto/frame", {"proto/base", "proto/schema"}},
    {"proto/record", {"proto/base", "proto/dns"}},
    {"proto/config", {"proto/base", "proto/dns", "proto/schema"}},
    {"proto/io", {"proto/base", "proto/frame", "proto/schema"}},
    {"blocklist/trie", {"proto/base", "proto/dns"}},
    {"blocklist/snapshot", {"proto/base", "proto/dns", "blocklist/trie"}},
    {"blocklist/feed", {"proto/base", "proto/dns", "blocklist/trie"}},
    {"blocklist/merge", {"proto/base", "proto/dns", "blocklist/feed", "blocklist/trie"}},
    {"storage/indicators",
     {"proto/base", "proto/dns", "proto/schema", "blocklist/feed", "blocklist/merge", "blocklist/trie"}},
    {"blocklist/feedd",
     {"proto/base", "proto/dns", "proto/frame", "proto/schema", "proto/io", "proto/config", "blocklist/feed",
      "blocklist/merge", "blocklist/trie", "blocklist/snapshot", "storage/indicators"}},
    {"resolver/core", {"proto/base", "proto/dns", "proto/record", "blocklist/trie"}},
    {"resolver/config", {"proto/base", "proto/dns", "proto/schema", "proto/config", "resolver/core"}},
    {"resolver/server",
     {"proto/base", "proto/dns", "proto/frame", "proto/schema", "proto/io", "proto/config", "proto/record",
      "blocklist/trie", "blocklist/snapshot", "resolver/core", "resolver/config", "resolver/transfer"}},
    {"resolver/transfer", {"proto/base", "proto/dns", "proto/io"}},
    {"resolver/resolverd",
     {"proto/base", "proto/schema", "proto/io", "proto/config", "resolver/config", "resolver/server"}},
    {"storage/passive", {"proto/base", "proto/dns", "proto/record"}},
    {"storage/lookups", {"proto/base", "proto/dns", "proto/record", "proto/schema", "storage/passive"}},
    {"storage/query",
     {"proto/base", "proto/dns", "proto/record", "proto/schema", "storage/lookups", "storage/passive"}},
    {"storage/output", {"proto/base", "proto/schema"}},
    {"storage/export",
     {"proto/base", "proto/dns", "proto/io", "proto/record", "proto/schema", "storage/query"}},
    {"storage/access", {"proto/base"}},
    {"storage/events", {"proto/base"}},
    {"storage/hunt",
     {"proto/base", "proto/dns", "proto/record", "proto/schema", "blocklist/snapshot", "blocklist/trie",
      "storage/lookups", "storage/query"}},
    {"storage/api",
     {"proto/base", "proto/record", "proto/schema", "storage/access", "storage/events", "storage/lookups",
      "storage/output", "storage/passive", "storage/query"}},
    {"storage/logd",
     {"proto/base", "proto/dns", "proto/frame", "proto/schema", "proto/io", "proto/config", "proto/record",
      "storage/access", "storage/api", "storage/events", "storage/export", "storage/hunt", "storage/lookups",
      "storage/passive", "storage/query"}},
    {"storage/cli",
     {"proto/base", "proto/dns", "proto/frame", "proto/schema", "proto/io", "proto/config", "storage/access",
      "storage/events", "storage/output"}},
};

// Text that may stand only in the folders or files named (prefixes of paths), and why.
struct Ban {
  std::string text;
  std::vector<std::string> except;
  std::string why;
};

inline const std::vector<Ban> kBans = {
    {"#include <ldns/",
     {"proto/dns/ldns_bridge.", "proto/dns/dnssec_crypto."},
     "ldns never sees raw network bytes; one file wraps it"},
    {"#include <uv.h>", {"proto/io/"}, "one folder owns the event loop"},
    {"#include <openssl/",
     {"proto/io/", "proto/dns/dnssec_crypto.", "proto/dns/tsig.", "proto/record/", "blocklist/feedd/",
      "storage/access/"},
     "cryptography stays where it is reviewed"},
    {"#include <rocksdb/", {"storage/"}, "one folder owns the database"},
    {"#include <absl/log", {}, "not in this version of abseil"},
    {"#include <curl/", {"blocklist/feed/"}, "one folder fetches"},
    {"#include <microhttpd.h>",
     {"storage/api/http_server.cc"},
     "one file speaks HTTP with clients of the log"},
    {"#include <yaml-cpp/", {"proto/config/"}, "one folder reads YAML"},
    {"#include <CLI/", {"storage/cli/main.cc"}, "a heavy header, in one file"},
    {"std::mt19937", {}, "unpredictable numbers come from an Rng (CVE-2025-40780)"},
    {"std::random_device", {}, "unpredictable numbers come from an Rng"},
    {" rand()", {}, "unpredictable numbers come from an Rng"},
    {"std::regex", {}, "backtracks without bound"},
    {"sleep_for", {}, "the product waits for events, not for time to pass"},
};

// Names that say nothing about what is inside.
inline const std::set<std::string> kBannedNames = {"util",   "utils",   "misc", "common",
                                                   "helper", "helpers", "stuff"};

inline constexpr int kMaxFileLines = 600;
inline constexpr int kMaxFunctionLines = 70;
// What is aimed at; the test prints what is above and does not fail.
inline constexpr int kWantedFileLines = 300;
inline constexpr int kWantedFunctionLines = 40;

// Words every header's opening comment must hold.
inline const std::vector<std::string> kHeaderWords = {"Threads:"};

}  // namespace sekisho::tidy

#endif  // SEKISHO_TESTS_TIDY_RULES_H_
