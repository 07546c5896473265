// file     := header source_ends sources branches map blocks long_keys prefixes4 prefixes6 end      each
// section at a multiple of 128 bytes header   := TrieHeader of trie_format.h source_ends := u32 * (3 *
// sources)      where each text ends among the texts: feeds, category, reference branches := BranchTable
// slots           map := LocatorMap slots            blocks, long_keys: block_writer.cc            prefixes4,
// prefixes6: prefix_table.h
#include "blocklist/trie/trie_builder.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <memory>
#include <utility>

#include "blocklist/trie/block_writer.h"
#include "blocklist/trie/branch_table.h"
#include "blocklist/trie/group_plan.h"
#include "blocklist/trie/locator_map.h"
#include "blocklist/trie/trie_format.h"
#include "proto/dns/name.h"
#include "proto/dns/name_key.h"

namespace sekisho::blocklist {
namespace {

std::string Shown(std::string_view key) {
  const auto name = dns::NameFromKey(key);
  return name ? name->ToString() : "(bytes that are not a name key)";
}

struct Index {
  std::string branches;
  std::string map;
  WrittenBlocks blocks;
};

// The branch table of these names; empty when one is hidden by another or a group's head would pass for a
// branch.
std::optional<std::string> BuildBranchTable(const std::vector<uint64_t>& branches,
                                            const std::vector<Located>& own_blocks,
                                            const std::vector<Located>& heads, uint32_t slots) {
  std::string bytes(size_t{8} * slots, '\0');
  const auto place = [&](uint64_t hash, uint32_t block) {
    const uint64_t entry = uint64_t{BranchTable::TagOf(hash)} << 32 | block;
    uint32_t slot = BranchTable::FirstSlot(hash, slots);
    for (uint32_t probe = 0; probe < BranchTable::kMaxProbes; ++probe, slot = (slot + 1) & (slots - 1)) {
      char* at = bytes.data() + size_t{8} * slot;
      const auto held = LoadLittle<uint64_t>(at);
      if (held >> 32 == entry >> 32 && block == 0) return false;  // two branches that look the same
      if (held != 0 && held >> 32 != entry >> 32) continue;
      std::memcpy(at, &entry, sizeof(entry));
      return true;
    }
    return false;
  };
  for (uint64_t hash : branches) {
    if (!place(hash, 0)) return std::nullopt;
  }
  for (const Located& own : own_blocks) {
    if (!place(own.hash, own.value)) return std::nullopt;
  }
  const BranchTable table(reinterpret_cast<const uint8_t*>(bytes.data()), slots);
  for (const Located& head : heads) {
    if (table.Find(head.hash)) return std::nullopt;
  }
  return bytes;
}

uint32_t BranchSlots(size_t branches) {
  return branches == 0 ? 0 : static_cast<uint32_t>(std::bit_ceil(2 * branches + 2));
}

// Fills `index` and the header for one seed; false when the hashes do not come apart under it.
bool TryIndex(const RuleTable& rules, TrieHeader& header, Index& index) {
  const GroupPlan plan = PlanGroups(rules, header.seed);
  index.blocks = WriteBlocks(rules, plan, header);
  std::vector<Located> heads;
  std::vector<Located> own_blocks;
  heads.reserve(plan.groups.size());
  const uint64_t root = HashRoot(header.seed);
  header.root_block = 0;
  for (size_t i = 0; i < plan.groups.size(); ++i) {
    const RuleGroup& group = plan.groups[i];
    const uint32_t block = index.blocks.group_blocks[i];
    if (!group.of_branch) {
      heads.push_back({group.hash, block});
    } else if (group.hash == root) {
      header.root_block = block + 1;
    } else {
      own_blocks.push_back({group.hash, block + 1});
    }
  }
  header.branch_slots = BranchSlots(plan.branches.size());
  auto branches = header.branch_slots == 0
                      ? std::string()
                      : BuildBranchTable(plan.branches, own_blocks, heads, header.branch_slots);
  if (!branches) return false;
  const auto block_bits = static_cast<uint32_t>(std::bit_width(std::max(header.blocks, 1u)));
  const LocatorShape shape = LocatorShape::For(heads.size(), block_bits + kCheckBits);
  auto map = BuildLocatorMap(heads, shape);
  if (!map) return false;
  index.branches = *std::move(branches);
  index.map = *std::move(map);
  header.map_slots = shape.slots;
  header.map_segment = shape.segment;
  header.map_value_bits = shape.value_bits;
  return true;
}

absl::StatusOr<Index> BuildIndex(const RuleTable& rules, TrieHeader& header) {
  constexpr uint64_t kSeeds = 100;
  for (header.seed = 1; header.seed <= kSeeds; ++header.seed) {
    Index index;
    if (TryIndex(rules, header, index)) return index;
  }
  return absl::InternalError("the rules' hashes collide under " + std::to_string(kSeeds) + " seeds");
}

// Lays the sections out with the zeros between them.
class FileWriter {
 public:
  explicit FileWriter(const TrieHeader& header)
      : header_(header), state_(XXH3_createState(), XXH3_freeState) {
    XXH3_128bits_reset(state_.get());
  }

  absl::Status Write(const TrieSections& places, const std::array<const std::string*, 8>& sections,
                     const TrieBuilder::Writer& write) {
    const uint64_t begins[] = {places.source_ends, places.sources,   places.branches,  places.map,
                               places.blocks,      places.long_keys, places.prefixes4, places.prefixes6};
    if (auto s = write({reinterpret_cast<const uint8_t*>(&header_), sizeof(header_)}); !s.ok()) return s;
    uint64_t at = sizeof(header_);
    const auto pad = [&](uint64_t to) {
      static constexpr std::array<uint8_t, 512> kZeros{};
      const auto gap = to - at;
      at = to;
      return gap == 0 ? absl::OkStatus() : write({kZeros.data(), gap});
    };
    for (size_t i = 0; i < sections.size(); ++i) {
      if (auto s = pad(begins[i]); !s.ok()) return s;
      const std::string& bytes = *sections[i];
      if (bytes.empty()) continue;
      if (auto s = write({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}); !s.ok()) return s;
      at += bytes.size();
    }
    return pad(places.size);
  }

  absl::Status Hash(std::span<const uint8_t> bytes) {
    XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  void SetChecksum(TrieHeader& header) const {
    const XXH128_hash_t sum = XXH3_128bits_digest(state_.get());
    header.checksum[0] = sum.low64;
    header.checksum[1] = sum.high64;
  }

 private:
  const TrieHeader& header_;
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state_;
};

}  // namespace

uint32_t TrieBuilder::AddSource(const RuleSource& source) {
  std::string identity;
  for (std::string_view text : {source.feeds, source.category, source.reference}) {
    text = text.substr(0, kMaxSourceTextSize);
    identity += std::to_string(text.size()) + ":";
    identity += text;
  }
  const auto [it, added] = source_ids_.try_emplace(identity, static_cast<uint32_t>(source_ids_.size()));
  if (added) {
    for (std::string_view text : {source.feeds, source.category, source.reference}) {
      source_texts_.emplace_back(text.substr(0, kMaxSourceTextSize));
    }
  }
  return it->second;
}

absl::Status TrieBuilder::Add(std::string_view name_key, RuleScope scope, RuleAction action,
                              uint32_t source) {
  if (source >= source_ids_.size()) {
    return absl::InvalidArgumentError("rule for " + Shown(name_key) + ": no source has the number " +
                                      std::to_string(source));
  }
  if (!dns::NameFromKey(name_key)) return absl::InvalidArgumentError("rule whose name key is not a name");
  if (rules_.size() > 0) {
    const int order = last_key_.compare(name_key);
    if (order > 0 || (order == 0 && last_scope_ >= scope)) {
      return absl::InvalidArgumentError("rule for " + Shown(name_key) + " comes after " + Shown(last_key_) +
                                        (order == 0 && last_scope_ == scope ? ": twice" : ": not in order"));
    }
  }
  const Attribute attribute = source << 3 | static_cast<uint32_t>(action) << 1 | static_cast<uint32_t>(scope);
  if (rules_.size() >= kMaxRules || !rules_.Add(name_key, attribute)) {
    return absl::ResourceExhaustedError("more rules than one trie file takes");
  }
  last_key_ = name_key;
  last_scope_ = scope;
  return absl::OkStatus();
}

absl::Status TrieBuilder::AddAddress(const IpPrefix& prefix, RuleAction action, uint32_t source) {
  if (source >= source_ids_.size()) {
    return absl::InvalidArgumentError("rule for " + prefix.ToString() + ": no source has the number " +
                                      std::to_string(source));
  }
  if (!addresses_.empty()) {
    const IpPrefix& last = addresses_.back().prefix;
    const auto order = prefix.address() <=> last.address();
    if (order < 0 || (order == 0 && prefix.mapped_length() <= last.mapped_length())) {
      return absl::InvalidArgumentError("rule for " + prefix.ToString() + " comes after " + last.ToString() +
                                        (prefix == last ? ": twice" : ": not in order"));
    }
  }
  if (addresses_.size() >= kMaxPrefixes)
    return absl::ResourceExhaustedError("more address rules than one trie file takes");
  const Attribute attribute =
      source << 3 | static_cast<uint32_t>(action) << 1 | static_cast<uint32_t>(RuleScope::kSubtree);
  addresses_.push_back({prefix, attribute});
  return absl::OkStatus();
}

absl::Status TrieBuilder::Finish(const Writer& write) {
  TrieHeader header;
  header.header_size = sizeof(TrieHeader);
  header.rules = rules_.size();
  header.sources = static_cast<uint32_t>(source_texts_.size() / 3);
  std::string source_ends;
  std::string sources;
  for (const std::string& text : source_texts_) {
    sources += text;
    if (sources.size() > UINT32_MAX) return absl::ResourceExhaustedError("source texts over 4 GiB");
    const auto end = static_cast<uint32_t>(sources.size());
    source_ends.append(reinterpret_cast<const char*>(&end), sizeof(end));
  }
  header.source_bytes = static_cast<uint32_t>(sources.size());
  std::vector<AddressRule> family;
  const auto table = [&](bool v4, PrefixShape* shape) {
    family.clear();
    std::copy_if(addresses_.begin(), addresses_.end(), std::back_inserter(family),
                 [v4](const AddressRule& r) {
                   return v4 == (r.prefix.mapped_length() >= 96 && r.prefix.address().is_v4());
                 });
    return WritePrefixTable(family, v4, shape);
  };
  const std::string prefixes4 = table(true, &header.prefixes4);
  const std::string prefixes6 = table(false, &header.prefixes6);
  auto index = BuildIndex(rules_, header);
  if (!index.ok()) return index.status();
  const TrieSections places(header);
  header.file_size = places.size;
  const std::array<const std::string*, 8> sections = {
      &source_ends, &sources,  &index->branches, &index->map, &index->blocks.blocks, &index->blocks.long_keys,
      &prefixes4,   &prefixes6};
  FileWriter counted(header);
  auto status =
      counted.Write(places, sections, [&](std::span<const uint8_t> bytes) { return counted.Hash(bytes); });
  if (!status.ok()) return status;
  counted.SetChecksum(header);
  return FileWriter(header).Write(places, sections, write);
}

absl::StatusOr<std::string> TrieBuilder::Finish() {
  std::string out;
  auto status = Finish([&out](std::span<const uint8_t> bytes) {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return out;
}

}  // namespace sekisho::blocklist
