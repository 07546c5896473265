// file     := header source_ends source_bytes key_ends keys attributes
// header   := magic[8] u32 version u32 sources u64 rules u64 source_bytes_size u64 keys_size u64[2] checksum
// u64 zero source_ends := u32 * (3 * sources)    key_ends := u32 * rules    attribute := u32 (source << 3 |
// action << 1 | scope)
#include "blocklist/trie/trie_builder.h"

#include <xxhash.h>

#include <utility>

#include "blocklist/trie/trie_format.h"
#include "proto/dns/name.h"
#include "proto/dns/name_key.h"

namespace sekisho::blocklist {
namespace {

std::string Shown(std::string_view key) {
  const auto name = dns::NameFromKey(key);
  return name ? name->ToString() : "(bytes that are not a name key)";
}

template <typename T>
std::span<const uint8_t> BytesOf(const T& container) {
  return {reinterpret_cast<const uint8_t*>(container.data()), container.size() * sizeof(container[0])};
}

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
  if (!attributes_.empty()) {
    const int order = last_key_.compare(name_key);
    if (order > 0 || (order == 0 && last_scope_ >= scope)) {
      return absl::InvalidArgumentError("rule for " + Shown(name_key) + " comes after " + Shown(last_key_) +
                                        (order == 0 && last_scope_ == scope ? ": twice" : ": not in order"));
    }
  }
  if (attributes_.size() >= kMaxRules || keys_.size() + name_key.size() > UINT32_MAX) {
    return absl::ResourceExhaustedError("more rules than one trie file takes");
  }
  keys_ += name_key;
  key_ends_.push_back(static_cast<uint32_t>(keys_.size()));
  attributes_.push_back(source << 3 | static_cast<uint32_t>(action) << 1 | static_cast<uint32_t>(scope));
  last_key_ = name_key;
  last_scope_ = scope;
  return absl::OkStatus();
}

absl::Status TrieBuilder::Finish(const Writer& write) {
  std::vector<uint32_t> source_ends;
  std::string source_bytes;
  for (const std::string& text : source_texts_) {
    source_bytes += text;
    if (source_bytes.size() > UINT32_MAX) return absl::ResourceExhaustedError("source texts over 4 GiB");
    source_ends.push_back(static_cast<uint32_t>(source_bytes.size()));
  }
  TrieHeader header;
  header.sources = static_cast<uint32_t>(source_texts_.size() / 3);
  header.rules = attributes_.size();
  header.source_bytes_size = source_bytes.size();
  header.keys_size = keys_.size();
  const std::span<const uint8_t> sections[] = {BytesOf(source_ends), BytesOf(source_bytes),
                                               BytesOf(key_ends_), BytesOf(keys_), BytesOf(attributes_)};
  XXH3_state_t* state = XXH3_createState();
  XXH3_128bits_reset(state);
  XXH3_128bits_update(state, &header, sizeof(header));
  for (const auto& section : sections) XXH3_128bits_update(state, section.data(), section.size());
  const XXH128_hash_t checksum = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  header.checksum[0] = checksum.low64;
  header.checksum[1] = checksum.high64;
  if (auto s = write({reinterpret_cast<const uint8_t*>(&header), sizeof(header)}); !s.ok()) return s;
  for (const auto& section : sections) {
    if (section.empty()) continue;
    if (auto s = write(section); !s.ok()) return s;
  }
  return absl::OkStatus();
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
