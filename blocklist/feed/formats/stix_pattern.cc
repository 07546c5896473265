#include "blocklist/feed/formats/stix_pattern.h"

#include <algorithm>
#include <optional>

namespace sekisho::blocklist {
namespace {

struct Token {
  enum Kind : uint8_t { kWord, kText, kSign, kEnd, kBad } kind = kEnd;
  std::string text;
};

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == ':' || c == '.' || c == '*';
}

class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) {}

  Token Next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    if (rest_.empty()) return {};
    if (rest_[0] == '\'') return Text();
    if (IsWordByte(rest_[0])) return Word();
    const bool two = rest_.starts_with("!=") || rest_.starts_with("<=") || rest_.starts_with(">=") ||
                     rest_.starts_with("<>");
    Token token{Token::kSign, std::string(rest_.substr(0, two ? 2 : 1))};
    rest_.remove_prefix(token.text.size());
    return token;
  }

 private:
  Token Word() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), IsWordByte);
    Token token{Token::kWord, std::string(rest_.begin(), end)};
    rest_.remove_prefix(token.text.size());
    // A text with a prefix letter, e.g. t'2020-01-01T00:00:00Z'.
    if (token.text.size() == 1 && rest_.starts_with('\'')) return Text();
    // A path may go on with quotes and indexes: file:hashes.'SHA-256', x[0].
    if (token.text.ends_with('.') && rest_.starts_with('\'')) {
      if (Text().kind == Token::kBad) return {Token::kBad, {}};
    }
    return token;
  }

  Token Text() {
    Token token{Token::kText, {}};
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\' && i + 1 < rest_.size()) {
        token.text.push_back(rest_[++i]);
      } else if (rest_[i] == '\'') {
        rest_.remove_prefix(i + 1);
        return token;
      } else {
        token.text.push_back(rest_[i]);
      }
    }
    return {Token::kBad, {}};
  }

  std::string_view rest_;
};

std::optional<IndicatorKind> KindOfPath(std::string_view path) {
  if (path == "domain-name:value") return IndicatorKind::kName;
  if (path == "url:value") return IndicatorKind::kUrl;
  if (path == "ipv4-addr:value" || path == "ipv6-addr:value") return IndicatorKind::kAddress;
  return std::nullopt;
}

// What makes a match need more than one of its comparisons.
bool NeedsMore(std::string_view word) { return word == "AND" || word == "FOLLOWEDBY" || word == "NOT"; }

class PatternReader {
 public:
  PatternReader(std::string_view pattern, std::vector<StixValue>* values)
      : tokens_(pattern), values_(*values) {}

  StixPattern Read() {
    bool brackets = false;
    for (token_ = tokens_.Next(); token_.kind != Token::kEnd;) {
      if (token_.kind == Token::kBad) return StixPattern::kInvalid;
      if (token_.kind == Token::kWord && NeedsMore(token_.text)) return StixPattern::kOther;
      brackets = brackets || token_.text == "[";
      const auto kind = token_.kind == Token::kWord ? KindOfPath(token_.text) : std::nullopt;
      token_ = tokens_.Next();
      if (kind && !Comparison(*kind)) return StixPattern::kInvalid;
      if (values_.size() > kMaxPatternValues) return StixPattern::kInvalid;
    }
    if (!brackets) return StixPattern::kInvalid;
    return values_.empty() ? StixPattern::kOther : StixPattern::kRead;
  }

 private:
  // Behind the path: operator and values. Operators that no rule can express leave the comparison out.
  bool Comparison(IndicatorKind kind) {
    const std::string sign = token_.text;
    if (sign == "=" || (sign == "ISSUBSET" && kind == IndicatorKind::kAddress)) {
      token_ = tokens_.Next();
      return Take(kind);
    }
    if (sign != "IN") return true;
    token_ = tokens_.Next();
    if (token_.text != "(") return false;
    do {
      token_ = tokens_.Next();
      if (!Take(kind)) return false;
    } while (token_.text == "," && token_.kind == Token::kSign && values_.size() <= kMaxPatternValues);
    return token_.text == ")";
  }

  bool Take(IndicatorKind kind) {
    if (token_.kind != Token::kText) return false;
    values_.push_back({kind, std::move(token_.text)});
    token_ = tokens_.Next();
    return true;
  }

  Tokens tokens_;
  std::vector<StixValue>& values_;
  Token token_;
};

}  // namespace

StixPattern ReadStixPattern(std::string_view pattern, std::vector<StixValue>* values) {
  values->clear();
  if (pattern.size() > kMaxPattern) return StixPattern::kInvalid;
  const StixPattern result = PatternReader(pattern, values).Read();
  if (result != StixPattern::kRead) values->clear();
  return result;
}

}  // namespace sekisho::blocklist
