// block    := u8 (rules | kBlockContinues) first entry*          kBlockSize bytes, bits lowest first, zeros
// after first    := length attribute suffix                            as an entry that shares nothing entry
// := shared length attribute suffix shared   := code of the bytes shared with the key before kSharedEscape: 9
// raw bits length   := code of the suffix's bits                          kLengthEscape: 10 raw bits
// attribute := code of its place in the header's table           kAttributeEscape: 27 raw bits
// suffix   := (code of a byte's class by the class before it · 8 raw bits after kEscapeClass)*
// long block := u8 kBlockContinues? u24 zero u32 place among the long keys u32 attribute zeros
// long key := u16 size key
#include "blocklist/trie/block_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <unordered_map>

#include "blocklist/trie/prefix_code.h"

namespace sekisho::blocklist {
namespace {

// One field's code, with the escape for what has no symbol.
struct FieldCode {
  std::vector<uint16_t> code;
  uint32_t escape;
  int raw_bits;

  bool IsEscaped(uint32_t value) const { return value >= escape || code[value] == 0; }
  size_t Bits(uint32_t value) const {
    if (!IsEscaped(value)) return static_cast<size_t>(CodeLength(code[value]));
    return static_cast<size_t>(CodeLength(code[escape]) + raw_bits);
  }
};

struct Codes {
  FieldCode shared;
  FieldCode length;
  FieldCode attribute;
  std::unordered_map<Attribute, uint32_t> attribute_symbols;
  std::array<uint16_t, kClasses * kClasses> name{};
};

size_t ClassBefore(std::string_view key, size_t i) {
  return i == 0 ? kEndClass : kClassOf[static_cast<uint8_t>(key[i - 1])];
}

// Calls with the code of each byte from `from` on, and the byte.
template <typename Each>
void ForEachCode(const Codes& codes, std::string_view key, size_t from, Each each) {
  size_t before = ClassBefore(key, from);
  for (size_t i = from; i < key.size(); ++i) {
    const auto byte = static_cast<uint8_t>(key[i]);
    const uint8_t klass = kClassOf[byte];
    each(codes.name[before * kClasses + klass], klass, byte);
    before = klass;
  }
}

size_t SuffixBits(const Codes& codes, std::string_view key, size_t from) {
  size_t bits = 0;
  ForEachCode(codes, key, from, [&bits](uint16_t code, uint8_t klass, uint8_t) {
    bits += static_cast<size_t>(CodeLength(code)) + (klass == kEscapeClass ? 8 : 0);
  });
  return bits;
}

void MakeNameCode(const RuleTable& rules, Codes& codes) {
  std::vector<uint64_t> weights(kClasses * kClasses, 0);
  for (size_t i = 0; i < rules.size(); ++i) {
    const std::string_view key = rules.key(i);
    const size_t from = rules.Shared(i);
    size_t before = ClassBefore(key, from);
    for (size_t at = from; at < key.size(); ++at) {
      const uint8_t klass = kClassOf[static_cast<uint8_t>(key[at])];
      ++weights[before * kClasses + klass];
      before = klass;
    }
  }
  for (size_t before = 0; before < kClasses; ++before) {
    const auto code = MakePrefixCode({weights.data() + before * kClasses, kClasses}, kNameBits);
    std::copy(code.begin(), code.end(), codes.name.begin() + static_cast<std::ptrdiff_t>(before * kClasses));
  }
}

void MakeAttributeCode(const RuleTable& rules, Codes& codes, TrieHeader& header) {
  std::map<Attribute, uint64_t> counts;
  for (size_t i = 0; i < rules.size(); ++i) ++counts[rules.attribute(i)];
  std::vector<std::pair<uint64_t, Attribute>> ranked;
  for (const auto& [attribute, count] : counts) ranked.emplace_back(count, attribute);
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<uint64_t> weights(kAttributeEscape + 1, 0);
  for (size_t i = 0; i < ranked.size(); ++i) {
    if (i < kAttributeEscape) {
      codes.attribute_symbols[ranked[i].second] = static_cast<uint32_t>(i);
      header.attributes[i] = ranked[i].second;
      weights[i] = ranked[i].first;
    } else {
      weights[kAttributeEscape] += ranked[i].first;
    }
  }
  codes.attribute = {std::vector<uint16_t>(weights.size(), 0), kAttributeEscape, kAttributeRawBits};
  // A lone attribute takes no bits at all: an empty code, and a table of zeros, which means the first.
  if (ranked.size() > 1) codes.attribute.code = MakePrefixCode(weights, kFieldBits);
}

void MakeSharedAndLengthCodes(const RuleTable& rules, Codes& codes) {
  std::vector<uint64_t> shared(kSharedEscape + 1, 0);
  std::vector<uint64_t> length(kLengthEscape + 1, 0);
  shared[kSharedEscape] = length[kLengthEscape] =
      1;  // the first rule of a block has a length that none had here
  for (size_t i = 0; i < rules.size(); ++i) {
    const size_t same = rules.Shared(i);
    ++shared[std::min<size_t>(same, kSharedEscape)];
    ++length[std::min<size_t>(SuffixBits(codes, rules.key(i), same), kLengthEscape)];
  }
  codes.shared = {MakePrefixCode(shared, kFieldBits), kSharedEscape, kSharedRawBits};
  codes.length = {MakePrefixCode(length, kFieldBits), kLengthEscape, kLengthRawBits};
}

Codes MakeCodes(const RuleTable& rules, TrieHeader& header) {
  Codes codes;
  MakeNameCode(rules, codes);
  MakeAttributeCode(rules, codes, header);
  MakeSharedAndLengthCodes(rules, codes);
  const auto put = [](const FieldCode& field, auto& table) {
    const auto made = MakeDecodeTable(field.code, kFieldBits);
    std::copy(made.begin(), made.end(), table.begin());
  };
  put(codes.shared, header.shared_table);
  put(codes.length, header.length_table);
  put(codes.attribute, header.attribute_table);
  header.name_code = codes.name;
  return codes;
}

class BlockWriter {
 public:
  BlockWriter(const Codes& codes, WrittenBlocks& out) : codes_(codes), out_(out) {}

  // Returns the block the rule lies in. `shared` is with the rule added before.
  uint32_t Add(std::string_view key, size_t shared, Attribute attribute, bool same_group) {
    if (rules_ > 0) {
      const size_t suffix = SuffixBits(codes_, key, shared);
      const size_t bits = codes_.shared.Bits(static_cast<uint32_t>(shared)) + RestBits(suffix, attribute);
      if (rules_ < kBlockRules && bit_ + bits <= kBlockBits) {
        Field(codes_.shared, static_cast<uint32_t>(shared), static_cast<uint32_t>(shared));
        Rest(key, shared, suffix, attribute);
        return number_;
      }
      EndBlock(same_group);
    }
    const size_t suffix = SuffixBits(codes_, key, 0);
    if (suffix >= (1u << kLengthRawBits) || 8 + RestBits(suffix, attribute) > kBlockBits) {
      return AddLong(key, attribute);
    }
    Rest(key, 0, suffix, attribute);
    return number_;
  }
  void Finish() {
    if (rules_ > 0) EndBlock(false);
  }

 private:
  uint32_t SymbolOf(Attribute attribute) const {
    const auto it = codes_.attribute_symbols.find(attribute);
    return it == codes_.attribute_symbols.end() ? kAttributeEscape : it->second;
  }
  size_t AttributeBits(Attribute attribute) const {
    const uint32_t symbol = SymbolOf(attribute);
    return static_cast<size_t>(CodeLength(codes_.attribute.code[symbol]) +
                               (symbol == kAttributeEscape ? kAttributeRawBits : 0));
  }
  size_t RestBits(size_t suffix, Attribute attribute) const {
    return codes_.length.Bits(static_cast<uint32_t>(suffix)) + AttributeBits(attribute) + suffix;
  }

  void Put(uint64_t value, int bits) {
    uint8_t* at = block_.data() + (bit_ >> 3);
    const uint64_t word = LoadLittle<uint64_t>(at) | value << (bit_ & 7);
    std::memcpy(at, &word, sizeof(word));
    bit_ += static_cast<size_t>(bits);
  }
  void Field(const FieldCode& field, uint32_t value, uint32_t raw) {
    const uint16_t code = field.code[field.IsEscaped(value) ? field.escape : value];
    Put(CodeBits(code), CodeLength(code));
    if (field.IsEscaped(value)) Put(raw, field.raw_bits);
  }
  void Rest(std::string_view key, size_t from, size_t suffix, Attribute attribute) {
    Field(codes_.length, static_cast<uint32_t>(suffix), static_cast<uint32_t>(suffix));
    const uint32_t symbol = SymbolOf(attribute);
    Put(CodeBits(codes_.attribute.code[symbol]), CodeLength(codes_.attribute.code[symbol]));
    if (symbol == kAttributeEscape) Put(attribute, kAttributeRawBits);
    ForEachCode(codes_, key, from, [this](uint16_t code, uint8_t klass, uint8_t byte) {
      Put(CodeBits(code), CodeLength(code));
      if (klass == kEscapeClass) Put(byte, 8);
    });
    ++rules_;
  }
  // The block is full at once, so that the next rule need not share with this one.
  uint32_t AddLong(std::string_view key, Attribute attribute) {
    const auto place = static_cast<uint32_t>(out_.long_keys.size());
    const auto size = static_cast<uint16_t>(key.size());
    out_.long_keys.append(reinterpret_cast<const char*>(&size), sizeof(size));
    out_.long_keys.append(key);
    std::memcpy(block_.data() + 4, &place, sizeof(place));
    std::memcpy(block_.data() + 8, &attribute, sizeof(attribute));
    is_long_ = true;
    rules_ = kBlockRules;
    return number_;
  }
  void EndBlock(bool continues) {
    block_[0] = static_cast<uint8_t>((is_long_ ? 0 : rules_) | (continues ? kBlockContinues : 0));
    out_.blocks.append(reinterpret_cast<const char*>(block_.data()), kBlockSize);
    block_.fill(0);
    bit_ = 8;
    rules_ = 0;
    is_long_ = false;
    ++number_;
  }

  const Codes& codes_;
  WrittenBlocks& out_;
  std::array<uint8_t, kBlockSize + 16> block_{};
  size_t bit_ = 8;
  uint32_t rules_ = 0;
  uint32_t number_ = 0;
  bool is_long_ = false;
};

}  // namespace

WrittenBlocks WriteBlocks(const RuleTable& rules, const GroupPlan& plan, TrieHeader& header) {
  const Codes codes = MakeCodes(rules, header);
  WrittenBlocks out;
  out.group_blocks.reserve(plan.groups.size());
  BlockWriter writer(codes, out);
  for (size_t i = 0; i < rules.size(); ++i) {
    const size_t group = out.group_blocks.size();
    const bool begins = group < plan.groups.size() && plan.groups[group].first_rule == i;
    const uint32_t block = writer.Add(rules.key(i), rules.Shared(i), rules.attribute(i), !begins);
    if (begins) out.group_blocks.push_back(block);
  }
  writer.Finish();
  header.blocks = static_cast<uint32_t>(out.blocks.size() / kBlockSize);
  header.long_bytes = static_cast<uint32_t>(out.long_keys.size());
  return out;
}

}  // namespace sekisho::blocklist
