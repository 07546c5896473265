// TrieBuilder: compiles rules that come in the order of their name keys into the bytes of one trie file.
//
//   TrieBuilder builder;
//   const uint32_t source = builder.AddSource({.feeds = "feed-a", .category = "phishing", .reference = ""});
//   if (auto s = builder.Add({.name_key = dns::NameKey(name), .source = source}); !s.ok()) …
//   auto status = builder.Finish([&](std::span<const uint8_t> bytes) { return file.Append(bytes); });
//
// The same rules and sources give the same bytes. Rules are unique by name and scope, in the order of their
// key, exact before subtree; anything else is refused with the name that broke the order. Address rules are
// unique by prefix and have an order of their own.
//
// Threads: one. Limits: kMaxRules rules, kMaxSources distinct sources; memory grows with the rules' names
// (about 60 bytes a rule while finishing). Standards: FORMAT.md.
#ifndef SEKISHO_BLOCKLIST_TRIE_TRIE_BUILDER_H_
#define SEKISHO_BLOCKLIST_TRIE_TRIE_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "blocklist/trie/prefix_table.h"
#include "blocklist/trie/rule.h"
#include "blocklist/trie/rule_table.h"

namespace sekisho::blocklist {

class TrieBuilder {
 public:
  static constexpr size_t kMaxRules = kMaxTrieRules;
  static constexpr size_t kMaxSources = kMaxTrieSources;
  static constexpr size_t kMaxSourceTextSize = 4096;

  // Takes the file's bytes in order, piece by piece; an error ends the build and is handed on.
  using Writer = std::function<absl::Status(std::span<const uint8_t>)>;

  // The id of this source; equal sources share one. Texts longer than kMaxSourceTextSize are cut.
  uint32_t AddSource(const RuleSource& source);
  absl::Status Add(const Rule& rule) { return Add(rule.name_key, rule.scope, rule.action, rule.source); }
  absl::Status Add(std::string_view name_key, RuleScope scope, RuleAction action, uint32_t source);
  // In the order of the mapped address, wider prefixes first; before, after or between the names.
  absl::Status AddAddress(const IpPrefix& prefix, RuleAction action, uint32_t source);
  size_t rule_count() const { return rules_.size() + addresses_.size(); }
  // Ends the build; the builder is spent.
  absl::Status Finish(const Writer& write);
  absl::StatusOr<std::string> Finish();

 private:
  RuleTable rules_;
  std::vector<AddressRule> addresses_;
  std::vector<std::string> source_texts_;  // three per source
  std::unordered_map<std::string, uint32_t> source_ids_;
  std::string last_key_;
  RuleScope last_scope_ = RuleScope::kExact;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_TRIE_TRIE_BUILDER_H_
