// RuleWatch: which blocking rules are new in the snapshot folder since the last hunt.
//
//   if (auto fresh = watch.Look(&error)) { hunt for fresh->rules; watch.Done(&error); }
//
//   hunted := "sekisho hunted 1\n" | generation, 8 bytes | (size, 2 bytes | scope, 1 byte | key)*
//   key := name key, of scope 0 (the name alone) and 1 (and all below); address, 16 bytes, and length, of
//   scope 2
//
// The file names the rules that were hunted; it is replaced whole when a hunt is done, so a hunt that a crash
// cut off comes again, with the same `since`. A rule that went and came back is new.
//
// Threads: one.
#ifndef SEKISHO_STORAGE_HUNT_RULE_WATCH_H_
#define SEKISHO_STORAGE_HUNT_RULE_WATCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "blocklist/snapshot/current_file.h"
#include "blocklist/snapshot/durable_file.h"
#include "storage/hunt/hunt.h"

namespace sekisho::hunt {

struct FreshRules {
  uint64_t generation = 0;
  uint64_t since = 0;  // the generation of the last hunt
  std::vector<HuntRule> rules;
};

class RuleWatch {
 public:
  RuleWatch(std::string snapshots, std::string folder)
      : snapshots_(std::move(snapshots)), folder_(std::move(folder)) {}

  // A generation is given at the second look that finds it: what was looked up before it is in the log by
  // then. Nothing: no other generation than the one hunted, or *error.
  std::optional<FreshRules> Look(std::string* error);
  // What Look gave was hunted.
  bool Done(std::string* error);

 private:
  std::string snapshots_;
  std::string folder_;
  uint64_t hunted_ = 0;
  bool loaded_ = false;
  uint64_t looked_ = 0;
  uint64_t seen_ = 0;
  std::optional<blocklist::DurableFile> next_;
};

}  // namespace sekisho::hunt

#endif  // SEKISHO_STORAGE_HUNT_RULE_WATCH_H_
