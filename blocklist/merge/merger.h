// Merger: what all feeds claim of a name, in the order of name keys, becomes that name's rules.
//
//   Merger merger(feeds, guard, &builder);
//   for (claim in key order) merger.Add(name_key, {.kind = …, .feed = i});
//   merger.Finish();
//
// Claims about addresses come first (AddAddress, in the order of PrefixOrder) and become address rules the
// same way: one rule per prefix.
//
// One rule per name and scope. A feed's own exception (allow) takes back that feed's blocks of the same name
// and nothing else: no feed may open what another one blocks. Feeds that only log give way to feeds that
// enforce. The rule's source names the feeds in rank order, with the first one's category and the first
// reference. Claims that the guard does not let pass are counted.
//
// Limitations: a feed's exception below its own subtree block has no effect.
//
// Threads: one. Limits: beyond kMaxDetailedSources distinct sources references are left out of new ones; the
// claims keep them.
#ifndef SEKISHO_BLOCKLIST_MERGE_MERGER_H_
#define SEKISHO_BLOCKLIST_MERGE_MERGER_H_

#include <absl/status/status.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blocklist/merge/guard.h"
#include "blocklist/trie/trie_builder.h"
#include "proto/base/ip_address.h"

namespace sekisho::blocklist {

inline constexpr size_t kMaxDetailedSources = 65'536;
inline constexpr size_t kMaxSourceReference = 64;

struct MergeFeed {
  std::string name;
  std::string category{};
  bool log_only = false;
};

struct MergeClaim {
  ClaimKind kind = ClaimKind::kExact;
  bool allow = false;
  uint32_t feed = 0;  // index into the feeds
  std::string_view reference{};
};

// Text of a key made from a normalised name, whose bytes a key never escapes: "test\0a\0" → "a.test".
std::string NameTextFromKey(std::string_view name_key);
// The key of a normalised name.
std::string KeyFromNameText(std::string_view name);

class Merger {
 public:
  // `feeds` in rank order; `guard` and `builder` must outlive the merger.
  Merger(std::vector<MergeFeed> feeds, const Guard& guard, TrieBuilder* builder);

  absl::Status Add(std::string_view name_key, const MergeClaim& claim);
  absl::Status AddAddress(const IpPrefix& prefix, const MergeClaim& claim);
  absl::Status Finish() { return Flush(); }

  uint64_t rules() const { return rules_; }
  uint64_t not_enforced() const { return not_enforced_; }

 private:
  struct Held {
    ClaimKind kind;
    bool allow;
    uint32_t feed;
    std::string reference;
  };
  // What the claims of one scope come to.
  struct Group {
    std::vector<const Held*> blocks;
    std::vector<const Held*> logs;
  };

  absl::Status Take(const MergeClaim& claim);
  absl::Status Flush();
  absl::Status FlushAddress();
  absl::Status FlushOne(const std::string& name);
  uint32_t SourceOfOne(const Held& held);
  // The feed of `held` has an exception for it.
  bool TakenBack(const Held& held) const;
  absl::Status Emit(RuleScope scope, Group group);
  uint32_t SourceOf(std::vector<const Held*> claims);

  std::vector<MergeFeed> feeds_;
  const Guard& guard_;
  TrieBuilder* builder_;
  std::string key_;
  std::optional<IpPrefix> prefix_;  // instead of the key
  std::vector<Held> held_;
  uint64_t rules_ = 0;
  uint64_t not_enforced_ = 0;
  size_t sources_ = 0;
  std::vector<std::optional<uint32_t>> plain_sources_;  // by feed: the source without a reference
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_MERGE_MERGER_H_
