#include "blocklist/trie/trie_view.h"

#include <xxhash.h>

#include <algorithm>
#include <string>

#include "blocklist/trie/trie_format.h"

namespace sekisho::blocklist {
namespace {

bool ChecksumIsRight(std::span<const uint8_t> bytes, const TrieHeader& header) {
  TrieHeader blank = header;
  blank.checksum[0] = blank.checksum[1] = 0;
  XXH3_state_t* state = XXH3_createState();
  XXH3_128bits_reset(state);
  XXH3_128bits_update(state, &blank, sizeof(blank));
  XXH3_128bits_update(state, bytes.data() + sizeof(blank), bytes.size() - sizeof(blank));
  const XXH128_hash_t sum = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  return sum.low64 == header.checksum[0] && sum.high64 == header.checksum[1];
}

bool EndsAreRight(const uint8_t* ends, size_t count, uint64_t size) {
  uint32_t last = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t end = LoadLittle<uint32_t>(ends + 4 * i);
    if (end < last) return false;
    last = end;
  }
  return last == size;
}

}  // namespace

absl::StatusOr<TrieView> TrieView::Open(std::span<const uint8_t> bytes) {
  if (bytes.size() < sizeof(TrieHeader)) {
    return absl::DataLossError("trie file of " + std::to_string(bytes.size()) +
                               " bytes is shorter than its header");
  }
  const auto header = LoadLittle<TrieHeader>(bytes.data());
  if (header.magic != kTrieMagic) return absl::DataLossError("not a trie file: the magic bytes are others");
  if (header.version != kTrieVersion) {
    return absl::FailedPreconditionError("trie file of version " + std::to_string(header.version) +
                                         "; this program reads version " + std::to_string(kTrieVersion));
  }
  if (header.sources > (1u << 24) || header.rules > (1u << 27) || header.source_bytes_size > UINT32_MAX ||
      header.keys_size > UINT32_MAX) {
    return absl::DataLossError("trie file whose header has impossible sizes");
  }
  const uint64_t size = sizeof(TrieHeader) + uint64_t{12} * header.sources + header.source_bytes_size +
                        8 * header.rules + header.keys_size;
  if (size != bytes.size()) {
    return absl::DataLossError("trie file of " + std::to_string(bytes.size()) + " bytes; its header says " +
                               std::to_string(size));
  }
  if (!ChecksumIsRight(bytes, header))
    return absl::DataLossError("trie file with a wrong checksum: its bytes changed");
  TrieView view;
  view.rule_count_ = header.rules;
  view.source_count_ = header.sources;
  view.source_ends_ = bytes.data() + sizeof(TrieHeader);
  view.source_bytes_ = view.source_ends_ + uint64_t{12} * header.sources;
  view.key_ends_ = view.source_bytes_ + header.source_bytes_size;
  view.keys_ = view.key_ends_ + 4 * header.rules;
  view.attributes_ = view.keys_ + header.keys_size;
  if (!EndsAreRight(view.source_ends_, size_t{3} * header.sources, header.source_bytes_size) ||
      !EndsAreRight(view.key_ends_, header.rules, header.keys_size)) {
    return absl::DataLossError("trie file whose tables point outside of it");
  }
  return view;
}

RuleSource TrieView::source(uint32_t id) const {
  if (id >= source_count_) return {};
  std::string_view texts[3];
  for (uint32_t i = 0; i < 3; ++i) {
    const uint32_t at = 3 * id + i;
    const uint32_t begin = at == 0 ? 0 : LoadLittle<uint32_t>(source_ends_ + 4 * size_t{at - 1});
    const uint32_t end = LoadLittle<uint32_t>(source_ends_ + 4 * size_t{at});
    texts[i] = {reinterpret_cast<const char*>(source_bytes_) + begin, end - begin};
  }
  return {texts[0], texts[1], texts[2]};
}

std::string_view TrieView::KeyAt(size_t i) const {
  const uint32_t begin = i == 0 ? 0 : LoadLittle<uint32_t>(key_ends_ + 4 * (i - 1));
  const uint32_t end = LoadLittle<uint32_t>(key_ends_ + 4 * i);
  return {reinterpret_cast<const char*>(keys_) + begin, end - begin};
}

size_t TrieView::LowerBound(std::string_view key, size_t from) const {
  size_t to = rule_count_;
  while (from < to) {
    const size_t middle = from + (to - from) / 2;
    if (KeyAt(middle) < key) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return from;
}

std::span<const TrieHit> TrieView::Find(const NameQuery& query, TrieHits& out) const {
  size_t count = 0;
  size_t at = 0;
  for (int labels = 0; labels <= query.labels(); ++labels) {
    const std::string_view key = query.key().substr(0, query.KeyEnd(labels));
    at = LowerBound(key, at);
    for (size_t i = at; i < rule_count_ && i < at + 2 && KeyAt(i) == key; ++i) {
      const uint32_t attribute = LoadLittle<uint32_t>(attributes_ + 4 * i);
      const auto scope = static_cast<RuleScope>(attribute & 1);
      if (scope == RuleScope::kExact && labels != query.labels()) continue;
      if (count == out.size()) return {out.data(), count};
      out[count++] = {static_cast<RuleAction>(attribute >> 1 & 3), scope, static_cast<uint8_t>(labels),
                      attribute >> 3};
    }
  }
  return {out.data(), count};
}

bool TrieView::Cursor::Next() {
  if (next_ >= view_->rule_count_) return false;
  const uint32_t attribute = LoadLittle<uint32_t>(view_->attributes_ + 4 * next_);
  rule_.name_key = view_->KeyAt(next_);
  rule_.scope = static_cast<RuleScope>(attribute & 1);
  rule_.action = static_cast<RuleAction>(attribute >> 1 & 3);
  rule_.source = attribute >> 3;
  ++next_;
  return true;
}

}  // namespace sekisho::blocklist
