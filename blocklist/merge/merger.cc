#include "blocklist/merge/merger.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

namespace sekisho::blocklist {
namespace {

// Cut where a character begins, without control characters: the text ends up in records and on terminals.
std::string CleanReference(std::string_view text) {
  if (text.size() > kMaxSourceReference) {
    size_t end = kMaxSourceReference;
    while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;
    text = text.substr(0, end);
  }
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

}  // namespace

std::string NameTextFromKey(std::string_view name_key) {
  std::string out;
  out.reserve(name_key.size());
  while (!name_key.empty()) {
    const std::string_view rest = name_key.substr(0, name_key.size() - 1);  // without the last label's end
    const size_t begin = rest.rfind('\0') + 1;                              // npos + 1 == 0: the first label
    if (!out.empty()) out.push_back('.');
    out.append(rest.substr(begin));
    name_key = name_key.substr(0, begin);
  }
  return out;
}

std::string KeyFromNameText(std::string_view name) {
  std::string out;
  out.reserve(name.size() + 1);
  while (!name.empty()) {
    const size_t begin = name.rfind('.') + 1;
    out.append(name.substr(begin));
    out.push_back('\0');
    name = name.substr(0, begin == 0 ? 0 : begin - 1);
  }
  return out;
}

Merger::Merger(std::vector<MergeFeed> feeds, const Guard& guard, TrieBuilder* builder)
    : feeds_(std::move(feeds)), guard_(guard), builder_(builder), plain_sources_(feeds_.size()) {}

absl::Status Merger::Add(std::string_view name_key, const MergeClaim& claim) {
  if (prefix_ || name_key != key_) {
    if (absl::Status status = Flush(); !status.ok()) return status;
    key_ = name_key;
    prefix_.reset();
  }
  return Take(claim);
}

absl::Status Merger::AddAddress(const IpPrefix& prefix, const MergeClaim& claim) {
  if (prefix_ != prefix) {
    if (absl::Status status = Flush(); !status.ok()) return status;
    prefix_ = prefix;
  }
  return Take(claim);
}

absl::Status Merger::Take(const MergeClaim& claim) {
  if (claim.feed >= feeds_.size()) return absl::InvalidArgumentError("a claim of an unknown feed");
  held_.push_back({claim.kind, claim.allow, claim.feed, CleanReference(claim.reference)});
  return absl::OkStatus();
}

bool Merger::TakenBack(const Held& held) const {
  return std::any_of(held_.begin(), held_.end(), [&held](const Held& other) {
    return other.allow && other.feed == held.feed &&
           (other.kind == ClaimKind::kSubtree || held.kind != ClaimKind::kSubtree);
  });
}

absl::Status Merger::Flush() {
  if (held_.empty()) return absl::OkStatus();
  if (prefix_) return FlushAddress();
  const std::string name = NameTextFromKey(key_);
  if (held_.size() == 1) return FlushOne(name);
  std::array<std::optional<GuardVerdict>, 3> verdicts;  // by kind, asked once
  Group exact;
  Group subtree;
  for (const Held& held : held_) {
    if (held.allow || TakenBack(held)) continue;
    std::optional<GuardVerdict>& verdict = verdicts[static_cast<size_t>(held.kind)];
    if (!verdict) verdict = guard_.Check(name, held.kind);
    if (*verdict != GuardVerdict::kEnforce) {
      ++not_enforced_;
      continue;
    }
    Group& group = held.kind == ClaimKind::kSubtree ? subtree : exact;
    (feeds_[held.feed].log_only ? group.logs : group.blocks).push_back(&held);
  }
  // Who lists the subtree lists the name too: an exact rule speaks for both.
  if (!exact.blocks.empty() || !exact.logs.empty()) {
    exact.blocks.insert(exact.blocks.end(), subtree.blocks.begin(), subtree.blocks.end());
    exact.logs.insert(exact.logs.end(), subtree.logs.begin(), subtree.logs.end());
  }
  absl::Status status = Emit(RuleScope::kExact, std::move(exact));
  if (status.ok()) status = Emit(RuleScope::kSubtree, std::move(subtree));
  held_.clear();
  return status;
}

absl::Status Merger::FlushAddress() {
  Group group;
  for (const Held& held : held_) {
    if (held.allow || TakenBack(held)) continue;
    if (guard_.CheckAddress(*prefix_, held.kind) != GuardVerdict::kEnforce) {
      ++not_enforced_;
      continue;
    }
    (feeds_[held.feed].log_only ? group.logs : group.blocks).push_back(&held);
  }
  absl::Status status;
  const bool enforce = !group.blocks.empty();
  if (enforce || !group.logs.empty()) {
    ++rules_;
    status = builder_->AddAddress(*prefix_, enforce ? RuleAction::kBlock : RuleAction::kLogOnly,
                                  SourceOf(std::move(enforce ? group.blocks : group.logs)));
  }
  held_.clear();
  return status;
}

// Nearly all names have one claim; this is the compile's inner loop.
absl::Status Merger::FlushOne(const std::string& name) {
  const Held held = std::move(held_.front());
  held_.clear();
  if (held.allow) return absl::OkStatus();
  if (guard_.Check(name, held.kind) != GuardVerdict::kEnforce) {
    ++not_enforced_;
    return absl::OkStatus();
  }
  ++rules_;
  return builder_->Add(key_, held.kind == ClaimKind::kSubtree ? RuleScope::kSubtree : RuleScope::kExact,
                       feeds_[held.feed].log_only ? RuleAction::kLogOnly : RuleAction::kBlock,
                       SourceOfOne(held));
}

uint32_t Merger::SourceOfOne(const Held& held) {
  if (!held.reference.empty() && sources_ < kMaxDetailedSources) return SourceOf({&held});
  std::optional<uint32_t>& known = plain_sources_[held.feed];
  if (!known) {
    Held plain = held;
    plain.reference.clear();
    known = SourceOf({&plain});
  }
  return *known;
}

absl::Status Merger::Emit(RuleScope scope, Group group) {
  const bool enforce = !group.blocks.empty();
  if (!enforce && group.logs.empty()) return absl::OkStatus();
  ++rules_;
  return builder_->Add(key_, scope, enforce ? RuleAction::kBlock : RuleAction::kLogOnly,
                       SourceOf(std::move(enforce ? group.blocks : group.logs)));
}

uint32_t Merger::SourceOf(std::vector<const Held*> claims) {
  std::sort(claims.begin(), claims.end(), [](const Held* a, const Held* b) {
    return a->feed != b->feed ? a->feed < b->feed : std::less<const Held*>()(a, b);  // in the order they came
  });
  std::string feeds;
  std::string_view reference;
  const Held* before = nullptr;
  for (const Held* claim : claims) {
    if (before == nullptr || before->feed != claim->feed) {
      if (!feeds.empty()) feeds += ", ";
      feeds += feeds_[claim->feed].name;
    }
    before = claim;
    if (reference.empty()) reference = claim->reference;
  }
  if (sources_ >= kMaxDetailedSources) reference = {};
  const uint32_t source = builder_->AddSource(
      {.feeds = feeds, .category = feeds_[claims.front()->feed].category, .reference = reference});
  sources_ = std::max(sources_, size_t{source} + 1);
  return source;
}

}  // namespace sekisho::blocklist
