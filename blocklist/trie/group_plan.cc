#include "blocklist/trie/group_plan.h"

#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "proto/dns/name.h"

namespace sekisho::blocklist {
namespace {

struct Node {
  uint64_t hash;
  size_t end;  // of its key
  uint32_t rules = 0;
  bool is_branch = false;
};

// The hash goes over the label as it is on the wire: without the key's escapes.
uint64_t HashKeyLabel(uint64_t parent, std::string_view escaped) {
  uint8_t label[dns::kMaxLabelSize];
  size_t size = 0;
  for (size_t i = 0; i < escaped.size() && size < dns::kMaxLabelSize; ++i) {
    auto byte = static_cast<uint8_t>(escaped[i]);
    if (byte == 1 && i + 1 < escaped.size()) byte = static_cast<uint8_t>(escaped[++i] - 1);
    label[size++] = byte;
  }
  return HashLabel(parent, label, size, label, label + size);
}

// The names from the root down to the rule at hand.
class Path {
 public:
  explicit Path(uint64_t seed) { nodes_.push_back({HashRoot(seed), 0, 0, true}); }

  std::vector<Node>& nodes() { return nodes_; }
  // Goes up to where `shared` bytes of the next key still hold, telling of every name left.
  template <typename Left>
  void Leave(size_t shared, Left left) {
    while (nodes_.size() > 1 && nodes_.back().end > shared) {
      const Node node = nodes_.back();
      nodes_.pop_back();
      nodes_.back().rules += node.rules;
      left(node);
    }
  }
  // Goes down to `key`, telling of every name entered.
  template <typename Entered>
  void Enter(std::string_view key, Entered entered) {
    while (nodes_.back().end < key.size()) {
      const size_t begin = nodes_.back().end;
      const size_t end = key.find('\0', begin) + 1;
      nodes_.push_back({HashKeyLabel(nodes_.back().hash, key.substr(begin, end - begin - 1)), end});
      entered(nodes_[nodes_.size() - 2], nodes_.back());
    }
  }

 private:
  std::vector<Node> nodes_;
};

std::vector<uint64_t> FindBranches(const RuleTable& rules, uint64_t seed) {
  std::vector<uint64_t> branches;
  Path path(seed);
  const auto left = [&branches](const Node& node) {
    if (node.rules > kMaxGroup) branches.push_back(node.hash);
  };
  for (size_t i = 0; i < rules.size(); ++i) {
    path.Leave(rules.Shared(i), left);
    path.Enter(rules.key(i), [](const Node&, const Node&) {});
    ++path.nodes().back().rules;
  }
  path.Leave(0, left);
  return branches;
}

}  // namespace

GroupPlan PlanGroups(const RuleTable& rules, uint64_t seed) {
  GroupPlan plan;
  plan.branches = FindBranches(rules, seed);
  const absl::flat_hash_set<uint64_t> branches(plan.branches.begin(), plan.branches.end());
  Path path(seed);
  size_t head = 0;  // depth of the name that heads the group at hand; 0: none
  for (size_t i = 0; i < rules.size(); ++i) {
    path.Leave(rules.Shared(i), [](const Node&) {});
    bool new_group = i == 0;
    if (path.nodes().size() <= head) head = 0;
    path.Enter(rules.key(i), [&](const Node& parent, Node& node) {
      node.is_branch = parent.is_branch && branches.contains(node.hash);
      if (parent.is_branch) new_group = true;
      if (parent.is_branch && !node.is_branch) head = path.nodes().size() - 1;
    });
    if (!new_group) continue;
    const Node& header = head != 0 ? path.nodes()[head] : path.nodes().back();
    plan.groups.push_back({header.hash, static_cast<uint32_t>(i), head == 0});
  }
  return plan;
}

}  // namespace sekisho::blocklist
