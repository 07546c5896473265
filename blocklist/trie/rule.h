// Rule: one decision about one name, merged from the claims of all feeds.
//
// Threads: values. Limits: a source id is an index into the file's table of distinct sources.
#ifndef SEKISHO_BLOCKLIST_TRIE_RULE_H_
#define SEKISHO_BLOCKLIST_TRIE_RULE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace sekisho::blocklist {

enum class RuleAction : uint8_t { kBlock = 0, kAllow = 1, kLogOnly = 2, kRemoved = 3 /* delta only */ };
enum class RuleScope : uint8_t { kExact = 0, kSubtree = 1 /* the name and everything under it */ };

// What many rules share: who says so and why. `feeds` is what the client may be told; it names the feeds in
// rank order, joined by ", ". "local" is what people decide for all, "local@AGENCY" for one agency; "allow "
// stands before those that allow beside others that block.
struct RuleSource {
  std::string_view feeds;
  std::string_view category;   // "phishing", "malware", …; may be empty
  std::string_view reference;  // short text or URL for the analyst; may be empty
};

// A rule on its way into the compiler.
struct Rule {
  std::string name_key;  // proto/dns/name_key.h
  RuleScope scope = RuleScope::kExact;
  RuleAction action = RuleAction::kBlock;
  uint32_t source = 0;  // as given by TrieBuilder::AddSource
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_RULE_H_
