#include "proto/dns/master_file.h"

#include <algorithm>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/base/ip_address.h"

namespace sekisho::dns {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// "3600", "1h30m": seconds; RFC 2181 section 8 bounds them.
std::optional<uint32_t> ParseTtl(std::string_view text) {
  uint64_t sum = 0;
  uint64_t number = 0;
  bool digits = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      number = number * 10 + static_cast<uint64_t>(c - '0');
      digits = true;
      if (number > INT32_MAX) return std::nullopt;
      continue;
    }
    constexpr std::string_view kUnits = "smhdw";
    constexpr uint64_t kSeconds[] = {1, 60, 3600, 86400, 604800};
    const size_t unit = kUnits.find(static_cast<char>(c | 0x20));
    if (!digits || unit == std::string_view::npos) return std::nullopt;
    sum += number * kSeconds[unit];
    number = 0;
    digits = false;
  }
  sum += number;
  const bool bare_unit = !digits && sum == 0;
  if (text.empty() || bare_unit || sum > INT32_MAX) return std::nullopt;
  return static_cast<uint32_t>(sum);
}

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; },
      [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
}

// Ends with a dot that is not escaped.
bool IsAbsolute(std::string_view text) {
  if (!text.ends_with('.')) return false;
  size_t slashes = 0;
  while (slashes + 2 <= text.size() && text[text.size() - 2 - slashes] == '\\') ++slashes;
  return slashes % 2 == 0;
}

std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, 80)) out += c >= 0x20 && c <= 0x7e ? c : '?';
  return out + "'";
}

}  // namespace

bool MasterFile::Fail(std::string what) {
  error_ = std::move(what);
  return false;
}

// Blanks, comments and, inside parentheses, line ends. False: the entry ends here, or an error.
bool MasterFile::SkipBlank(int* depth) {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == ';') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '\n') {
      if (*depth == 0) return false;
      ++line_;
      ++at_;
    } else if (c == '(' || c == ')') {
      *depth += c == '(' ? 1 : -1;
      if (*depth < 0 || *depth > 1) return Fail("parentheses that do not match");
      ++at_;
    } else if (IsBlank(c)) {
      ++at_;
    } else {
      return true;
    }
  }
  if (*depth > 0) return Fail("a parenthesis is not closed");
  return false;
}

bool MasterFile::ReadWord() {
  const size_t begin = at_;
  bool quoted = false;
  for (; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
    const char c = text_[at_];
    if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') {
      ++at_;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (IsBlank(c) || c == ';' || c == '(' || c == ')')) {
      break;
    }
  }
  if (quoted) return Fail("a quotation mark is not closed");
  words_.push_back({text_.substr(begin, at_ - begin)});
  return true;
}

// The words of the next entry that is not empty; false at the end and on errors.
bool MasterFile::ReadEntry() {
  while (at_ < text_.size() && error_.empty()) {
    words_.clear();
    const size_t begin = at_;
    entry_line_ = line_;
    same_owner_ = text_[at_] == ' ' || text_[at_] == '\t';
    int depth = 0;
    while (SkipBlank(&depth)) {
      if (!ReadWord()) return false;
      if (at_ - begin > kMaxEntry) return Fail("an entry of more than 100000 bytes");
    }
    if (!error_.empty()) return false;
    if (at_ < text_.size()) {  // its line end
      ++at_;
      ++line_;
    }
    if (!words_.empty()) return true;
  }
  return false;
}

std::optional<Name> MasterFile::ToName(std::string_view text) {
  if (text == "@") return origin_;
  if (text.empty() || text.front() == '"') return std::nullopt;
  if (IsAbsolute(text)) return Name::Parse(text);
  std::string whole(text);
  if (!origin_.IsRoot()) whole += "." + origin_.ToString();
  return Name::Parse(whole);
}

bool MasterFile::Directive() {
  const std::string_view word = words_[0].text;
  if (EqualsIgnoringCase(word, "$origin") && words_.size() == 2) {
    auto name = ToName(words_[1].text);
    if (!name) return Fail(Quoted(words_[1].text) + " is not a name");
    origin_ = *std::move(name);
    return true;
  }
  if (EqualsIgnoringCase(word, "$ttl") && words_.size() == 2) {
    default_ttl_ = ParseTtl(words_[1].text);
    return default_ttl_ ? true : Fail(Quoted(words_[1].text) + " is not a time to live");
  }
  return Fail(Quoted(word) + " is not a directive that is known here, or lacks its value");
}

bool MasterFile::ReadOwner(size_t* at) {
  if (same_owner_) return owner_ ? true : Fail("no owner name was given yet");
  owner_ = ToName(words_[0].text);
  if (!owner_) return Fail(Quoted(words_[0].text) + " is not a name");
  *at = 1;
  return true;
}

// The RDATA in wire form. The types that such files are full of are read here, the others by ldns.
std::optional<std::string> MasterFile::Data(RRType type, size_t at) {
  const bool single = words_.size() == at + 1;
  switch (type) {
    case RRType::kCNAME:
    case RRType::kDNAME:
    case RRType::kNS:
    case RRType::kPTR: {
      const auto name = single ? ToName(words_[at].text) : std::nullopt;
      if (name) return std::string(AsText(name->bytes()));
      Fail("the data of " + ToString(type) + " is one name");
      return std::nullopt;
    }
    case RRType::kA:
    case RRType::kAAAA: {
      const auto address = single ? IpAddress::Parse(words_[at].text) : std::nullopt;
      const bool v6_text = words_.back().text.find(':') != std::string_view::npos;
      if (!address || v6_text != (type == RRType::kAAAA)) break;  // generic data, or wrong: ldns tells
      if (type == RRType::kA) return std::string(AsText(address->bytes()));
      return std::string(AsText(address->mapped()));
    }
    default:
      break;
  }
  std::string line = ". 0 IN " + ToString(type);
  for (; at < words_.size(); ++at) (line += ' ') += words_[at].text;
  std::string why;
  auto record = ParseRecord(line, &why, origin_);
  if (!record) {
    Fail("the data of " + ToString(type) + ": " + why);
    return std::nullopt;
  }
  return std::move(record->rdata);
}

std::optional<TextRecord> MasterFile::Record() {
  size_t at = 0;
  if (!ReadOwner(&at)) return std::nullopt;
  std::optional<uint32_t> ttl;
  bool classed = false;
  for (; at < words_.size(); ++at) {
    const std::string_view word = words_[at].text;
    if (!classed && EqualsIgnoringCase(word, "in")) {
      classed = true;
    } else if (const auto value = ttl ? std::nullopt : ParseTtl(word); value) {
      ttl = value;
    } else {
      break;
    }
  }
  const auto type = at < words_.size() ? ParseRRType(words_[at].text) : std::nullopt;
  if (!type) {
    Fail(at < words_.size() ? Quoted(words_[at].text) + " is not a record type" : "the record has no type");
    return std::nullopt;
  }
  auto rdata = Data(*type, at + 1);
  if (!rdata) return std::nullopt;
  last_ttl_ = ttl ? *ttl : default_ttl_.value_or(last_ttl_);
  return TextRecord{
      .owner = *owner_, .type = *type, .rrclass = RRClass::kIN, .ttl = last_ttl_, .rdata = *std::move(rdata)};
}

std::optional<TextRecord> MasterFile::Next() {
  while (error_.empty() && ReadEntry()) {
    if (!same_owner_ && words_[0].text.starts_with('$')) {
      if (!Directive()) return std::nullopt;
      continue;
    }
    return Record();
  }
  return std::nullopt;
}

}  // namespace sekisho::dns
