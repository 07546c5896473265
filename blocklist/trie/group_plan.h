// GroupPlan: how the rules of a file are cut into groups that are found by hash.
//
// A name with more than kMaxGroup rules at and below it is a branch. The highest names that are not branches
// each head a group: all rules at and below it. The rules of a branch's own name are a group too, found
// through the branch.
//
// Threads: values.
#ifndef SEKISHO_BLOCKLIST_TRIE_GROUP_PLAN_H_
#define SEKISHO_BLOCKLIST_TRIE_GROUP_PLAN_H_

#include <cstdint>
#include <vector>

#include "blocklist/trie/rule_table.h"

namespace sekisho::blocklist {

struct RuleGroup {
  uint64_t hash;        // of the name that heads it
  uint32_t first_rule;  // the group ends where the next begins
  bool of_branch;       // a branch's own rules
};

struct GroupPlan {
  std::vector<uint64_t> branches;  // hashes; the root, always a branch, is not among them
  std::vector<RuleGroup> groups;   // in the order of the rules
};

GroupPlan PlanGroups(const RuleTable& rules, uint64_t seed);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_GROUP_PLAN_H_
