#include "blocklist/trie/trie_view.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <string>

#include "blocklist/trie/entry_reader.h"
#include "blocklist/trie/name_code.h"
#include "blocklist/trie/query_key.h"

namespace sekisho::blocklist {
namespace {

bool ChecksumIsRight(std::span<const uint8_t> bytes, const TrieHeader& header) {
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  constexpr size_t kAt = offsetof(TrieHeader, checksum);
  constexpr uint64_t kZeros[2] = {0, 0};
  static_assert(sizeof(kZeros) == sizeof(header.checksum));
  XXH3_128bits_reset(state.get());
  XXH3_128bits_update(state.get(), bytes.data(), kAt);
  XXH3_128bits_update(state.get(), kZeros, sizeof(kZeros));
  XXH3_128bits_update(state.get(), bytes.data() + kAt + sizeof(kZeros), bytes.size() - kAt - sizeof(kZeros));
  const XXH128_hash_t sum = XXH3_128bits_digest(state.get());
  return sum.low64 == header.checksum[0] && sum.high64 == header.checksum[1];
}

bool SourceEndsAreRight(const uint8_t* ends, size_t count, uint64_t size) {
  uint32_t last = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto end = LoadLittle<uint32_t>(ends + 4 * i);
    if (end < last) return false;
    last = end;
  }
  return last == size;
}

LocatorShape ShapeOf(const TrieHeader& header) {
  LocatorShape shape;
  shape.slots = header.map_slots;
  shape.segment = header.map_segment;
  shape.value_bits = header.map_value_bits;
  return shape;
}

bool SizesAreSound(const TrieHeader& header) {
  return header.header_size == sizeof(TrieHeader) && header.rules <= kMaxTrieRules &&
         header.sources <= kMaxTrieSources && (header.branch_slots & (header.branch_slots - 1)) == 0 &&
         ShapeOf(header).IsSound() && header.prefixes4.IsSound() && header.prefixes6.IsSound();
}

// How many leading bits two bit strings share, at most `most`. Reads 16 bytes past the last bit.
size_t SharedBits(const uint8_t* a, size_t a_bit, const uint8_t* b, size_t b_bit, size_t most) {
  for (size_t done = 0; done < most; done += 57) {
    const uint64_t x = LoadLittle<uint64_t>(a + (a_bit + done) / 8) >> ((a_bit + done) % 8);
    const uint64_t y = LoadLittle<uint64_t>(b + (b_bit + done) / 8) >> ((b_bit + done) % 8);
    const uint64_t differ = (x ^ y) & ((uint64_t{1} << 57) - 1);
    if (differ != 0) return std::min(most, done + static_cast<size_t>(std::countr_zero(differ)));
  }
  return most;
}

}  // namespace

absl::StatusOr<TrieView> TrieView::Open(std::span<const uint8_t> bytes) {
  constexpr size_t kStart = 16;  // magic and version
  if (bytes.size() < kStart) {
    return absl::DataLossError("trie file of " + std::to_string(bytes.size()) + " bytes is shorter than any");
  }
  if (!std::equal(kTrieMagic.begin(), kTrieMagic.end(), bytes.begin())) {
    return absl::DataLossError("not a trie file: the magic bytes are others");
  }
  const auto version = LoadLittle<uint32_t>(bytes.data() + kTrieMagic.size());
  if (version != kTrieVersion) {
    return absl::FailedPreconditionError("trie file of version " + std::to_string(version) +
                                         "; this program reads version " + std::to_string(kTrieVersion));
  }
  if (bytes.size() < sizeof(TrieHeader)) {
    return absl::DataLossError("trie file of " + std::to_string(bytes.size()) +
                               " bytes is shorter than its header");
  }
  const auto header = LoadLittle<TrieHeader>(bytes.data());
  if (header.file_size != bytes.size()) {
    return absl::DataLossError("trie file of " + std::to_string(bytes.size()) + " bytes; its header says " +
                               std::to_string(header.file_size));
  }
  if (!ChecksumIsRight(bytes, header)) {
    return absl::DataLossError("trie file with a wrong checksum: its bytes changed");
  }
  if (!SizesAreSound(header)) return absl::DataLossError("trie file whose header has impossible sizes");
  const TrieSections places(header);
  if (places.size != bytes.size()) return absl::DataLossError("trie file whose sections do not fill it");
  if (!SourceEndsAreRight(bytes.data() + places.source_ends, size_t{3} * header.sources,
                          header.source_bytes)) {
    return absl::DataLossError("trie file whose source texts point outside of it");
  }
  TrieView view;
  view.rule_count_ = header.rules;
  view.source_count_ = header.sources;
  view.root_block_ = header.root_block;
  view.block_count_ = header.blocks;
  view.long_bytes_ = header.long_bytes;
  view.root_hash_ = HashRoot(header.seed);
  view.block_mask_ = (uint64_t{1} << (header.map_value_bits - kCheckBits)) - 1;
  view.header_ = reinterpret_cast<const TrieHeader*>(bytes.data());
  view.source_ends_ = bytes.data() + places.source_ends;
  view.sources_ = bytes.data() + places.sources;
  view.blocks_ = bytes.data() + places.blocks;
  view.long_keys_ = bytes.data() + places.long_keys;
  view.branches_ = BranchTable(bytes.data() + places.branches, header.branch_slots);
  view.map_ = LocatorMap(ShapeOf(header), bytes.data() + places.map);
  if (header.prefixes4.count != 0)
    view.prefixes4_ = PrefixTable4(header.prefixes4, bytes.data() + places.prefixes4);
  if (header.prefixes6.count != 0)
    view.prefixes6_ = PrefixTable6(header.prefixes6, bytes.data() + places.prefixes6);
  return view;
}

RuleSource TrieView::source(uint32_t id) const {
  if (id >= source_count_) return {};
  std::string_view texts[3];
  for (uint32_t i = 0; i < 3; ++i) {
    const size_t at = size_t{3} * id + i;
    const auto begin = at == 0 ? 0 : LoadLittle<uint32_t>(source_ends_ + 4 * (at - 1));
    const auto end = LoadLittle<uint32_t>(source_ends_ + 4 * at);
    texts[i] = {reinterpret_cast<const char*>(sources_) + begin, end - begin};
  }
  return {texts[0], texts[1], texts[2]};
}

// One query in one file, once a group is found that may hold rules for it.
class TrieView::Search {
 public:
  Search(const TrieView& view, const NameQuery& query, TrieHits& out, size_t count)
      : view_(view),
        query_(query.name()),
        name_(view.header_->name_code.data(), query_.key()),
        out_(out),
        count_(count) {}

  // Takes the rules for the first `limit` bytes of the key from the group in `block` whose head is `head`
  // bytes long.
  void ScanGroup(uint32_t block, int head_labels, int limit_labels) {
    const size_t head = query_.KeyEnd(head_labels);
    const size_t limit = std::min(query_.KeyEnd(limit_labels), name_.size());
    // A group has at most kMaxGroup rules, and a block at least one.
    for (uint32_t last = block + kMaxGroup; block < view_.block_count_ && block <= last; ++block) {
      const uint8_t* bytes = view_.blocks_ + size_t{kBlockSize} * block;
      __builtin_prefetch(bytes + kBlockSize);
      const bool in_group =
          (bytes[0] & kBlockRules) == 0 ? ScanLong(bytes, head, limit) : ScanBlock(bytes, head, limit);
      if (!in_group || (bytes[0] & kBlockContinues) == 0) return;
    }
  }
  size_t count() const { return count_; }

 private:
  // True when the block's last rule is of the group whose head the query shares.
  bool ScanBlock(const uint8_t* bytes, size_t head, size_t limit) {
    EntryReader entry(*view_.header_, bytes);
    size_t same = 0;  // bytes that the key before shares with the query
    const uint32_t rules = bytes[0] & kBlockRules;
    for (uint32_t i = 0; i < rules; ++i) {
      if (!entry.Next(i == 0)) return false;
      if (entry.shared() < same) return false;  // this key and all after it come after the query
      if (entry.shared() == same) {
        const size_t begin = name_.BitEnd(same);
        const size_t most = std::min<size_t>(entry.suffix_bits(), name_.BitEnd(limit) - begin);
        const size_t bits = begin + SharedBits(bytes, entry.bit(), name_.bits(), begin, most);
        while (same < limit && name_.BitEnd(same + 1) <= bits) ++same;
        // Rules above the head lie in other groups, though perhaps in this block.
        if (bits == begin + entry.suffix_bits() && same >= head) Take(same, entry.attribute());
      }
      entry.SkipSuffix();
    }
    return same >= head;
  }

  bool ScanLong(const uint8_t* bytes, size_t head, size_t limit) {
    const auto place = LoadLittle<uint32_t>(bytes + 4);
    if (place > view_.long_bytes_ || view_.long_bytes_ - place < 2) return false;
    const size_t size = LoadLittle<uint16_t>(view_.long_keys_ + place);
    if (size > view_.long_bytes_ - place - 2) return false;
    const std::string_view key(reinterpret_cast<const char*>(view_.long_keys_) + place + 2, size);
    const std::string_view asked = query_.key().substr(0, limit);
    if (asked.starts_with(key) && size >= head) Take(size, LoadLittle<uint32_t>(bytes + 8));
    return key.substr(0, head) == asked.substr(0, head);
  }

  // The rule whose key is the first `size` bytes of the query's.
  void Take(size_t size, Attribute attribute) {
    int labels = 0;
    while (labels < query_.labels() && query_.KeyEnd(labels) < size) ++labels;
    const auto scope = static_cast<RuleScope>(attribute & 1);
    if (query_.KeyEnd(labels) != size || (scope == RuleScope::kExact && labels != query_.labels())) return;
    if (count_ == out_.size()) return;
    out_[count_++] = {static_cast<RuleAction>(attribute >> 1 & 3), scope, static_cast<uint8_t>(labels),
                      attribute >> 3};
  }

  const TrieView& view_;
  QueryKey query_;
  EncodedName name_;
  TrieHits& out_;
  size_t count_;
};

// Out of line: names without a rule, nearly all, never need its room.
[[gnu::noinline]] size_t TrieView::Scan(const NameQuery& query, uint32_t block, int head, int limit,
                                        TrieHits& out, size_t count) const {
  if (block >= block_count_) return count;
  // The block comes from memory while the name is being encoded.
  const uint8_t* bytes = blocks_ + size_t{kBlockSize} * block;
  __builtin_prefetch(bytes);
  __builtin_prefetch(bytes + kBlockSize / 2);
  Search search(*this, query, out, count);
  search.ScanGroup(block, head, limit);
  return search.count();
}

std::span<const TrieHit> TrieView::Find(const NameQuery& query, TrieHits& out) const {
  size_t count = 0;
  if (root_block_ != 0) count = Scan(query, root_block_ - 1, 0, 0, out, count);
  uint64_t hash = root_hash_;
  for (int labels = 1; labels <= query.labels(); ++labels) {
    hash = query.Hash(hash, labels);
    const std::optional<uint32_t> own_block = branches_.Find(hash);
    if (own_block) {
      if (*own_block != 0) count = Scan(query, *own_block - 1, labels, labels, out, count);
      continue;
    }
    const uint64_t located = map_.Get(hash);
    if ((located & ((1u << kCheckBits) - 1)) == CheckOf(hash)) {
      count = Scan(query, static_cast<uint32_t>(located >> kCheckBits & block_mask_), labels, query.labels(),
                   out, count);
    }
    break;
  }
  return {out.data(), count};
}

}  // namespace sekisho::blocklist
