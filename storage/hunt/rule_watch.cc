#include "storage/hunt/rule_watch.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "blocklist/snapshot/mapped_trie.h"
#include "blocklist/snapshot/read_current.h"
#include "blocklist/trie/trie_cursor.h"
#include "proto/base/bytes.h"

namespace sekisho::hunt {
namespace {

using blocklist::MappedTrie;
using blocklist::Rule;
using blocklist::RuleAction;
using blocklist::RuleScope;
using blocklist::TrieCursor;

constexpr std::string_view kHead = "sekisho hunted 1\n";

auto PlaceOf(const Rule& rule) { return std::tie(rule.name_key, rule.scope); }

// "local@a, local@b": of these alone. Whoever else says it says it for all.
std::vector<std::string> AgenciesOf(std::string_view feeds) {
  constexpr std::string_view kBetween = ", ";
  constexpr std::string_view kLocalAt = "local@";
  std::vector<std::string> out;
  while (!feeds.empty()) {
    const size_t end = std::min(feeds.find(kBetween), feeds.size());
    if (!feeds.substr(0, end).starts_with(kLocalAt)) return {};
    out.emplace_back(feeds.substr(kLocalAt.size(), end - kLocalAt.size()));
    feeds.remove_prefix(std::min(end + kBetween.size(), feeds.size()));
  }
  return out;
}

HuntRule MakeRule(std::string name_key, bool subtree, std::string_view feeds) {
  return {std::move(name_key), subtree, std::string(feeds), std::nullopt, AgenciesOf(feeds)};
}

// Blocking rules about addresses, base and delta as one, in the order of address and length.
std::vector<HuntRule> AddressRulesInForce(const MappedTrie& base, const MappedTrie* delta) {
  std::map<std::pair<std::array<uint8_t, 16>, int>,
           std::pair<blocklist::AddressHit, const blocklist::TrieView*>>
      rules;
  for (const MappedTrie* trie : {&base, delta}) {
    if (trie == nullptr) continue;
    trie->view().ForEachAddress([&](const IpPrefix& prefix, const blocklist::AddressHit& hit) {
      rules[{prefix.address().mapped(), prefix.mapped_length()}] = {hit, &trie->view()};
    });
  }
  std::vector<HuntRule> out;
  for (const auto& [place, told] : rules) {
    const auto& [hit, view] = told;
    if (hit.action != RuleAction::kBlock) continue;
    out.push_back(MakeRule("", false, view->source(hit.source).feeds));
    out.back().prefix = IpPrefix::FromMapped(IpAddress::V6(place.first), place.second);
  }
  return out;
}

// The rules in force, base and delta as one.
class InForce {
 public:
  InForce(const MappedTrie& base, const MappedTrie* delta) : base_view_(base.view()), base_(base.view()) {
    has_base_ = base_.Next();
    if (delta == nullptr) return;
    delta_view_ = &delta->view();
    delta_.emplace(delta->view());
    has_delta_ = delta_->Next();
  }

  // The next blocking rule; false at the end.
  bool Next(HuntRule* out) {
    while (has_base_ || has_delta_) {
      const bool from_delta = has_delta_ && (!has_base_ || PlaceOf(delta_->rule()) <= PlaceOf(base_.rule()));
      const bool both = from_delta && has_base_ && PlaceOf(delta_->rule()) == PlaceOf(base_.rule());
      const Rule& rule = from_delta ? delta_->rule() : base_.rule();
      const bool blocks = rule.action == RuleAction::kBlock;
      if (blocks) {
        const auto& view = from_delta ? *delta_view_ : base_view_;
        *out = MakeRule(rule.name_key, rule.scope == RuleScope::kSubtree, view.source(rule.source).feeds);
      }
      if (both || !from_delta) has_base_ = base_.Next();
      if (from_delta) has_delta_ = delta_->Next();
      if (blocks) return true;
    }
    return false;
  }

 private:
  const blocklist::TrieView& base_view_;
  const blocklist::TrieView* delta_view_ = nullptr;
  TrieCursor base_;
  std::optional<TrieCursor> delta_;
  bool has_base_ = false;
  bool has_delta_ = false;
};

constexpr char kAddressScope = '\2';

// Scope and key of a rule's entry.
std::pair<char, std::string> EntryOf(const HuntRule& rule) {
  if (!rule.prefix) return {rule.subtree ? '\1' : '\0', rule.name_key};
  const auto& mapped = rule.prefix->address().mapped();
  std::string key(mapped.begin(), mapped.end());
  key.push_back(static_cast<char>(rule.prefix->mapped_length()));
  return {kAddressScope, key};
}

// The rules hunted before, in the same order.
class Hunted {
 public:
  explicit Hunted(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
    if (!bytes_.starts_with(kHead) || bytes_.size() < kHead.size() + 8) return;
    std::memcpy(&generation_, bytes_.data() + kHead.size(), 8);
    at_ = kHead.size() + 8;
    Next();
  }
  uint64_t generation() const { return generation_; }
  // Whether the rule was hunted; must be asked in order.
  bool Knows(const HuntRule& rule) {
    const auto [scope, key] = EntryOf(rule);
    const Place place{scope == kAddressScope, key, scope};
    while (has_ && place_ < place) Next();
    return has_ && place_ == place;
  }

 private:
  // Names first.
  using Place = std::tuple<bool, std::string, char>;

  void Next() {
    has_ = false;
    uint16_t size = 0;
    if (at_ == 0 || at_ + 3 > bytes_.size()) return;
    std::memcpy(&size, bytes_.data() + at_, 2);
    if (at_ + 3 + size > bytes_.size()) return;
    const char scope = bytes_[at_ + 2];
    place_ = {scope == kAddressScope, bytes_.substr(at_ + 3, size), scope};
    at_ += size_t{3} + size;
    has_ = true;
  }

  std::string bytes_;
  uint64_t generation_ = 0;
  size_t at_ = 0;
  bool has_ = false;
  Place place_;
};

void AppendEntry(const HuntRule& rule, std::string* out) {
  const auto [scope, key] = EntryOf(rule);
  const auto size = static_cast<uint16_t>(key.size());
  out->append(reinterpret_cast<const char*>(&size), 2);
  out->push_back(scope);
  out->append(key);
}

}  // namespace

std::optional<FreshRules> RuleWatch::Look(std::string* error) {
  const auto current = blocklist::ReadCurrent(snapshots_);
  if (!current.ok()) {
    if (!absl::IsNotFound(current.status())) *error = std::string(current.status().message());
    return std::nullopt;
  }
  if (loaded_ && current->now.generation == hunted_) return std::nullopt;
  if (current->now.generation != seen_) {
    seen_ = current->now.generation;
    return std::nullopt;
  }
  Hunted hunted(folder_ + "/hunted");
  hunted_ = hunted.generation();
  loaded_ = true;
  if (current->now.generation == hunted_ || current->now.base == 0) return std::nullopt;
  const auto open = [this](const std::string& name) {
    return MappedTrie::Open(snapshots_ + "/" + name, blocklist::TrieResidence::kMapped);
  };
  const auto base = open(blocklist::BaseFileName(current->now.base));
  const auto delta = current->now.delta == 0 ? absl::StatusOr<std::shared_ptr<const MappedTrie>>(nullptr)
                                             : open(blocklist::DeltaFileName(current->now.delta));
  if (!base.ok() || !delta.ok()) {
    *error = std::string((base.ok() ? delta.status() : base.status()).message());
    return std::nullopt;
  }
  next_.reset();
  auto next = blocklist::DurableFile::Create(folder_, "hunted");
  if (!next.ok()) {
    *error = std::string(next.status().message());
    return std::nullopt;
  }
  FreshRules out{current->now.generation, hunted_, {}};
  std::string text(kHead);
  text.append(reinterpret_cast<const char*>(&out.generation), 8);
  InForce rules(**base, delta->get());
  const auto take = [&](HuntRule rule) {
    AppendEntry(rule, &text);
    if (!hunted.Knows(rule)) out.rules.push_back(std::move(rule));
  };
  for (HuntRule rule; rules.Next(&rule);) take(std::move(rule));
  for (HuntRule& rule : AddressRulesInForce(**base, delta->get())) take(std::move(rule));
  const absl::Status written = next->Append(AsBytes(text));
  if (!written.ok()) {
    *error = std::string(written.message());
    return std::nullopt;
  }
  next_.emplace(std::move(*next));
  looked_ = out.generation;
  return out;
}

bool RuleWatch::Done(std::string* error) {
  if (!next_) return true;
  const absl::Status status = next_->Commit();
  next_.reset();
  if (!status.ok()) {
    *error = std::string(status.message());
    loaded_ = false;
    return false;
  }
  hunted_ = looked_;
  return true;
}

}  // namespace sekisho::hunt
