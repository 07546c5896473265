// WriteBlocks: the rules of a plan as coded blocks, and where each group came to lie.
//
// Threads: values.
#ifndef SEKISHO_BLOCKLIST_TRIE_BLOCK_WRITER_H_
#define SEKISHO_BLOCKLIST_TRIE_BLOCK_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "blocklist/trie/group_plan.h"
#include "blocklist/trie/rule_table.h"
#include "blocklist/trie/trie_format.h"

namespace sekisho::blocklist {

struct WrittenBlocks {
  std::string blocks;
  std::string long_keys;
  std::vector<uint32_t> group_blocks;  // by group: the block its first rule lies in
};

// Also fills the header's codes.
WrittenBlocks WriteBlocks(const RuleTable& rules, const GroupPlan& plan, TrieHeader& header);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_BLOCK_WRITER_H_
