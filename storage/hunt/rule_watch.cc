#include "storage/hunt/rule_watch.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <tuple>

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
        *out = {rule.name_key, rule.scope == RuleScope::kSubtree,
                std::string(view.source(rule.source).feeds)};
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
    const auto place = std::tuple<std::string_view, bool>(rule.name_key, rule.subtree);
    while (has_ && std::tuple(key_, subtree_) < place) Next();
    return has_ && std::tuple(key_, subtree_) == place;
  }

 private:
  void Next() {
    has_ = false;
    uint16_t size = 0;
    if (at_ == 0 || at_ + 3 > bytes_.size()) return;
    std::memcpy(&size, bytes_.data() + at_, 2);
    if (at_ + 3 + size > bytes_.size()) return;
    subtree_ = bytes_[at_ + 2] != 0;
    key_ = std::string_view(bytes_).substr(at_ + 3, size);
    at_ += size_t{3} + size;
    has_ = true;
  }

  std::string bytes_;
  uint64_t generation_ = 0;
  size_t at_ = 0;
  bool has_ = false;
  bool subtree_ = false;
  std::string_view key_;
};

void AppendEntry(const HuntRule& rule, std::string* out) {
  const auto size = static_cast<uint16_t>(rule.name_key.size());
  out->append(reinterpret_cast<const char*>(&size), 2);
  out->push_back(rule.subtree ? '\1' : '\0');
  out->append(rule.name_key);
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
  for (HuntRule rule; rules.Next(&rule);) {
    AppendEntry(rule, &text);
    if (!hunted.Knows(rule)) out.rules.push_back(std::move(rule));
  }
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
