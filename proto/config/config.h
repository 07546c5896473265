// LoadConfig: the YAML file into the schema, complete with defaults, or an error that says where and what.
//
//   auto config = LoadConfig("/etc/sekisho/sekisho.yaml");
//   if (!config.ok()) → "/etc/sekisho/sekisho.yaml:12:5: resolver.tcp.max_conections: no such setting; do you
//   mean
//                        'max_connections'?"  (one line per problem)
//
// Keys are the field names of proto/schema/config.proto. A list in the file replaces the default list. Fields
// named
// *_bytes take sizes (256MiB, 4GB), fields named *_seconds, *_days and *_ttl take durations (10s, 5m, 12h,
// 90d).
//
// Threads: functions without state. Limits: kMaxConfigBytes, kMaxConfigDepth, kMaxConfigNodes; aliases and
// several documents are refused. Standards: YAML 1.2 core schema, as far as yaml-cpp has it.
#ifndef SEKISHO_PROTO_CONFIG_CONFIG_H_
#define SEKISHO_PROTO_CONFIG_CONFIG_H_

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "proto/schema/config.pb.h"

namespace sekisho::config {

inline constexpr size_t kMaxConfigBytes = 16 << 20;
inline constexpr int kMaxConfigDepth = 16;
inline constexpr size_t kMaxConfigNodes = 1'000'000;
inline constexpr size_t kMaxProblems = 20;  // told at once

// Every setting with its default. Whoever reads a loaded Config finds all optional fields set (a feed's as
// well).
Config DefaultConfig();

absl::StatusOr<Config> LoadConfig(const std::string& path);
// `origin` stands in messages where the file's name would.
absl::StatusOr<Config> ParseConfig(std::string_view yaml, std::string_view origin);

struct Problem {
  std::string path;  // "resolver.listen[2]"
  std::string what;
};
// What is wrong with the values, taken one by one and together; empty when all is well.
std::vector<Problem> Validate(const Config& config);

// DefaultConfig as a YAML file with the schema's comments; ParseConfig reads it back as the same.
std::string PrintDefaults();

}  // namespace sekisho::config

#endif  // SEKISHO_PROTO_CONFIG_CONFIG_H_
