// RuleModel: the plainest possible truth about a set of rules, for tests to compare the trie with.
//
// Threads: one. Limits: a std::map and a walk over all ancestors.
#ifndef SEKISHO_TESTS_UNIT_BLOCKLIST_TRIE_RULE_MODEL_H_
#define SEKISHO_TESTS_UNIT_BLOCKLIST_TRIE_RULE_MODEL_H_

#include <map>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "blocklist/trie/policy_snapshot.h"
#include "blocklist/trie/trie_builder.h"
#include "proto/dns/name.h"
#include "proto/dns/name_key.h"

namespace sekisho::blocklist {

class RuleModel {
 public:
  struct Verdict {
    RuleAction action;
    uint32_t source;
  };
  using Map = std::map<std::pair<std::string, RuleScope>, Verdict>;

  void Set(dns::NameView name, RuleScope scope, RuleAction action, uint32_t source) {
    rules_[{dns::NameKey(name), scope}] = {action, source};
  }
  const Map& rules() const { return rules_; }

  // The bytes of a trie with these rules; sources 0..sources-1 are named after their number.
  std::string Compile(uint32_t sources) const {
    TrieBuilder builder;
    for (uint32_t i = 0; i < sources; ++i) builder.AddSource({"feed-" + std::to_string(i), "malware", ""});
    for (const auto& [key, verdict] : rules_) {
      const auto status = builder.Add(key.first, key.second, verdict.action, verdict.source);
      if (!status.ok()) return "";
    }
    auto bytes = builder.Finish();
    return bytes.ok() ? *std::move(bytes) : "";
  }

  // What covers `name`, shortest first, exact before subtree.
  std::vector<TrieHit> Find(dns::NameView name) const {
    std::vector<TrieHit> hits;
    for (int labels = 0; labels <= name.LabelCount(); ++labels) {
      const std::string key = dns::NameKey(name.Suffix(labels));
      for (RuleScope scope : {RuleScope::kExact, RuleScope::kSubtree}) {
        if (scope == RuleScope::kExact && labels != name.LabelCount()) continue;
        const auto it = rules_.find({key, scope});
        if (it == rules_.end()) continue;
        hits.push_back({it->second.action, scope, static_cast<uint8_t>(labels), it->second.source});
      }
    }
    return hits;
  }

 private:
  Map rules_;
};

inline bool operator==(const TrieHit& a, const TrieHit& b) {
  return a.action == b.action && a.scope == b.scope && a.labels == b.labels && a.source == b.source;
}

inline std::span<const uint8_t> AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Names that share labels, prefixes and depths, with bytes of every kind.
class NameMaker {
 public:
  explicit NameMaker(uint32_t seed) : random_(seed) {}

  size_t Below(size_t n) { return random_() % n; }

  std::string Label() {
    const size_t kind = Below(20);
    std::string label;
    if (kind < 8) {  // few values, so that names meet
      return std::string(1 + Below(2), static_cast<char>('a' + Below(3)));
    }
    const size_t size = kind == 19 ? 63 : 1 + Below(12);
    for (size_t i = 0; i < size; ++i) {
      label +=
          kind >= 17 ? static_cast<char>(Below(256)) : "abcdefghijklmnopqrstuvwxyz0123456789-_AZ*"[Below(41)];
    }
    return label;
  }

  dns::Name Make() {
    const size_t kind = Below(100);
    size_t labels = kind == 0 ? 0 : kind == 1 ? 127 : kind < 5 ? 4 + Below(20) : 1 + Below(4);
    dns::Name name;
    while (labels-- > 0) {
      auto longer = dns::Name::Prepend(kind == 1 ? Label().substr(0, 1) : Label(), name);
      if (!longer) break;
      name = *longer;
    }
    return name;
  }

  // A name with its letters' case changed at random.
  dns::Name Respell(dns::NameView name) {
    std::string wire(reinterpret_cast<const char*>(name.data()), name.size());
    for (size_t at = 0; wire[at] != 0; at += static_cast<uint8_t>(wire[at]) + size_t{1}) {
      for (size_t i = 1; i <= static_cast<uint8_t>(wire[at]); ++i) {
        char& c = wire[at + i];
        if (c >= 'a' && c <= 'z' && Below(2) == 0) c = static_cast<char>(c - 32);
      }
    }
    return dns::Name(dns::NameView::Trusted(reinterpret_cast<const uint8_t*>(wire.data()), wire.size()));
  }

 private:
  std::mt19937 random_;
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_TESTS_UNIT_BLOCKLIST_TRIE_RULE_MODEL_H_
