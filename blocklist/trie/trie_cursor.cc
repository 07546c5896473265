#include "blocklist/trie/trie_cursor.h"

#include <algorithm>

#include "blocklist/trie/entry_reader.h"
#include "blocklist/trie/prefix_code.h"
#include "proto/dns/name_key.h"

namespace sekisho::blocklist {
namespace {

constexpr size_t kNameTable = size_t{1} << kNameBits;

constexpr auto kByteOf = [] {
  std::array<char, kClasses> bytes{};
  for (size_t byte = 0; byte < kClassOf.size(); ++byte) {
    if (kClassOf[byte] != kEscapeClass) bytes[kClassOf[byte]] = static_cast<char>(byte);
  }
  return bytes;
}();

void SetAttribute(Attribute attribute, Rule& rule) {
  rule.scope = static_cast<RuleScope>(attribute & 1);
  rule.action = static_cast<RuleAction>(attribute >> 1 & 3);
  rule.source = attribute >> 3;
}

}  // namespace

TrieCursor::TrieCursor(const TrieView& view) : view_(&view) {
  tables_.reserve(kClasses * kNameTable);
  for (size_t before = 0; before < kClasses; ++before) {
    const auto table =
        MakeDecodeTable({view.header_->name_code.data() + before * kClasses, kClasses}, kNameBits);
    tables_.insert(tables_.end(), table.begin(), table.end());
  }
}

bool TrieCursor::NextBlock() {
  if (block_ >= view_->block_count_) return false;
  bits_ = view_->blocks_ + size_t{kBlockSize} * block_++;
  left_ = bits_[0] & kBlockRules;
  bit_ = 8;
  first_ = true;
  return true;
}

void TrieCursor::TakeLong(const uint8_t* block) {
  const auto place = LoadLittle<uint32_t>(block + 4);
  SetAttribute(LoadLittle<uint32_t>(block + 8), rule_);
  rule_.name_key.clear();
  if (place > view_->long_bytes_ || view_->long_bytes_ - place < 2) return;
  const size_t size = LoadLittle<uint16_t>(view_->long_keys_ + place);
  if (size > view_->long_bytes_ - place - 2) return;
  rule_.name_key.assign(reinterpret_cast<const char*>(view_->long_keys_) + place + 2, size);
}

bool TrieCursor::Next() {
  if (left_ == 0) {
    if (!NextBlock()) return false;
    if (left_ == 0) {
      TakeLong(bits_);
      return true;
    }
  }
  EntryReader reader(*view_->header_, bits_, bit_);
  if (!reader.Next(first_) || reader.shared() > rule_.name_key.size()) {
    block_ = view_->block_count_;
    left_ = 0;
    return false;
  }
  first_ = false;
  --left_;
  SetAttribute(reader.attribute(), rule_);
  std::string& key = rule_.name_key;
  key.resize(reader.shared());
  const size_t end = reader.bit() + reader.suffix_bits();
  size_t before = key.empty() ? kEndClass : kClassOf[static_cast<uint8_t>(key.back())];
  size_t at = reader.bit();
  while (at < end && key.size() < dns::kMaxNameKeySize) {
    const uint64_t word = LoadLittle<uint64_t>(bits_ + (at >> 3)) >> (at & 7);
    const uint16_t entry = tables_[before * kNameTable + (word & (kNameTable - 1))];
    const int length = std::max(1, entry >> 8 & 15);
    before = std::min<size_t>(entry & 0xff, kEscapeClass);
    at += static_cast<size_t>(length);
    if (before == kEscapeClass) {
      key += static_cast<char>(word >> length & 0xff);
      at += 8;
    } else {
      key += kByteOf[before];
    }
  }
  bit_ = end;
  return true;
}

}  // namespace sekisho::blocklist
