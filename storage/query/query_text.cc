#include "storage/query/query_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "proto/dns/name_key.h"
#include "proto/dns/types.h"
#include "proto/record/lookup_record.h"
#include "storage/query/row_text.h"
#include "storage/query/value_names.h"

namespace sekisho::query {
namespace {

using record::Action;

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

enum class Kind : uint8_t { kName, kUnder, kAddress, kText, kVerdict, kWord, kType, kRcode, kNumber };

struct FieldEntry {
  std::string_view word;
  Kind kind;
  Field field;
  std::span<const std::string_view> words;  // of kWord, in the order of their numbers
};

constexpr FieldEntry kFields[] = {
    {"name", Kind::kName, Field::kName, {}},
    {"under", Kind::kUnder, Field::kName, {}},
    {"target", Kind::kName, Field::kTarget, {}},
    {"rule", Kind::kName, Field::kRule, {}},
    {"answer", Kind::kAddress, Field::kAnswer, {}},
    {"address", Kind::kAddress, Field::kAnswer, {}},
    {"client", Kind::kAddress, Field::kClient, {}},
    {"agency", Kind::kText, Field::kAgency, {}},
    {"feed", Kind::kText, Field::kFeed, {}},
    {"category", Kind::kText, Field::kCategory, {}},
    {"verdict", Kind::kVerdict, Field::kAction, {}},
    {"action", Kind::kWord, Field::kAction, kActionNames},
    {"trigger", Kind::kWord, Field::kTrigger, kTriggerNames},
    {"security", Kind::kWord, Field::kSecurity, kSecurityNames},
    {"origin", Kind::kWord, Field::kOrigin, kOriginNames},
    {"transport", Kind::kWord, Field::kTransport, kTransportNames},
    {"type", Kind::kType, Field::kType, {}},
    {"rcode", Kind::kRcode, Field::kRcode, {}},
    {"ede", Kind::kNumber, Field::kEde, {}},
};

const FieldEntry* FindField(std::string_view word) {
  const std::string lower = Lower(word);
  for (const FieldEntry& f : kFields) {
    if (f.word == lower) return &f;
  }
  return nullptr;
}

std::string FieldList() {
  std::string out;
  for (const FieldEntry& f : kFields) out += (out.empty() ? "" : ", ") + std::string(f.word);
  return out;
}

bool ReadName(std::string_view value, Test* test, std::string* error) {
  if (value == "*") {
    test->match = Test::Match::kUnder;  // of the root: any name
    return true;
  }
  const bool below = value.starts_with("*.") && value.find('*', 1) == std::string_view::npos;
  if (!below && value.find('*') != std::string_view::npos) {
    test->match = Test::Match::kPattern;
    test->text = Lower(value);
    if (test->text.size() > 1 && test->text.ends_with('.')) test->text.pop_back();
    return true;
  }
  const auto name = dns::Name::Parse(std::string(below ? value.substr(2) : value));
  if (!name) {
    *error = "not a domain name";
    return false;
  }
  test->name_key = dns::NameKey(*name);
  test->match = below ? Test::Match::kBelow : Test::Match::kExact;
  return true;
}

bool ReadWord(const FieldEntry& field, std::string_view value, Test* test, std::string* error) {
  const std::string lower = Lower(value);
  const auto it = std::find(field.words.begin(), field.words.end(), lower);
  if (it != field.words.end()) {
    test->numbers = {static_cast<uint16_t>(it - field.words.begin())};
    return true;
  }
  *error = "expected ";
  for (size_t i = 0; i < field.words.size(); ++i) {
    *error += (i == 0 ? "" : i + 1 == field.words.size() ? " or " : ", ") + std::string(field.words[i]);
  }
  return false;
}

bool ReadNumber(std::string_view value, Test* test, std::string* error) {
  uint16_t number = 0;
  const auto r = std::from_chars(value.data(), value.data() + value.size(), number);
  if (value.empty() || r.ec != std::errc() || r.ptr != value.data() + value.size()) {
    *error = "expected a number from 0 to 65535";
    return false;
  }
  test->numbers = {number};
  return true;
}

bool ReadCode(const FieldEntry& field, std::string_view value, Test* test, std::string* error) {
  const std::string text(value);
  if (field.kind == Kind::kType) {
    if (const auto type = dns::ParseRRType(text)) {
      test->numbers = {static_cast<uint16_t>(*type)};
      return true;
    }
    *error = "not a record type like A, AAAA or TYPE65";
    return false;
  }
  if (const auto rcode = dns::ParseRcode(text)) {
    test->numbers = {static_cast<uint16_t>(*rcode)};
    return true;
  }
  *error = "not a response code like NOERROR or NXDOMAIN";
  return false;
}

bool ReadVerdict(std::string_view value, Test* test, std::string* error) {
  std::vector<Action> actions;
  if (!ActionsOfVerdict(Lower(value), &actions)) {
    *error = "expected blocked, allowed, log-only or none";
    return false;
  }
  for (const Action a : actions) test->numbers.push_back(static_cast<uint16_t>(a));
  return true;
}

bool ReadValue(const FieldEntry& field, std::string_view value, Test* test, std::string* error) {
  test->field = field.field;
  switch (field.kind) {
    case Kind::kName:
      return ReadName(value, test, error);
    case Kind::kUnder: {
      if (!ReadName(value, test, error)) return false;
      if (test->match != Test::Match::kExact) {
        *error = "under takes a plain name; it means the name and all below";
        return false;
      }
      test->match = Test::Match::kUnder;
      return true;
    }
    case Kind::kAddress: {
      const auto prefix = IpPrefix::Parse(value);
      if (!prefix) {
        *error =
            "not an address or prefix like 192.0.2.0/24 or 2001:db8::1 (bits after the prefix must be zero)";
        return false;
      }
      test->prefix = *prefix;
      return true;
    }
    case Kind::kText:
      test->text = value;
      test->match = value.find('*') == std::string_view::npos ? Test::Match::kExact : Test::Match::kPattern;
      return true;
    case Kind::kVerdict:
      return ReadVerdict(value, test, error);
    case Kind::kWord:
      return ReadWord(field, value, test, error);
    case Kind::kNumber:
      return ReadNumber(value, test, error);
    case Kind::kType:
    case Kind::kRcode:
      return ReadCode(field, value, test, error);
  }
  return false;
}

// A word alone: an address means answers and clients, anything else a name.
std::optional<Condition> BareWord(std::string_view value, std::string* error) {
  if (IpPrefix::Parse(value)) {
    return Condition::Any({*ParseTest("answer", value, error), *ParseTest("client", value, error)});
  }
  return ParseTest("name", value, error);
}

class Parser {
 public:
  Parser(std::string_view text, QueryError* error) : text_(text), error_(error) {}

  std::optional<Condition> Whole() {
    if (text_.size() > kMaxQueryText) return Fail(0, 0, "the query is too long");
    Skip();
    if (Ended()) return Condition::All({});
    auto out = Or(0);
    if (!out) return std::nullopt;
    if (!Ended()) return Fail(at_, 1, "a closing bracket without an opening one");
    return out;
  }

 private:
  struct Value {
    std::string text = {};
    size_t at = 0;
    size_t size = 0;
  };

  std::nullopt_t Fail(size_t at, size_t size, std::string message) {
    *error_ = {at, size, std::move(message)};
    return std::nullopt;
  }
  bool Ended() const { return at_ >= text_.size(); }
  static bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  void Skip() {
    while (!Ended() && IsSpace(text_[at_])) ++at_;
  }
  static bool EndsWord(char c) { return IsSpace(c) || c == '(' || c == ')' || c == '"' || c == ','; }
  // The word at the place, not taken.
  std::string_view Peek() const {
    size_t end = at_;
    while (end < text_.size() && !EndsWord(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  bool TakeKeyword(std::string_view word) {
    const std::string_view next = Peek();
    if (Lower(next) != word) return false;
    at_ += next.size();
    Skip();
    return true;
  }

  std::optional<Condition> Or(size_t depth) {
    std::vector<Condition> parts;
    do {
      auto part = And(depth);
      if (!part) return std::nullopt;
      parts.push_back(std::move(*part));
    } while (TakeKeyword("or"));
    return parts.size() == 1 ? std::move(parts[0]) : Condition::Any(std::move(parts));
  }

  std::optional<Condition> And(size_t depth) {
    std::vector<Condition> parts;
    for (;;) {
      auto part = Not(depth);
      if (!part) return std::nullopt;
      parts.push_back(std::move(*part));
      if (TakeKeyword("and")) continue;
      if (Ended() || text_[at_] == ')' || Lower(Peek()) == "or") break;
    }
    return parts.size() == 1 ? std::move(parts[0]) : Condition::All(std::move(parts));
  }

  std::optional<Condition> Not(size_t depth) {
    bool negative = false;
    for (;;) {
      if (TakeKeyword("not")) {
        negative = !negative;
      } else if (!Ended() && text_[at_] == '-') {
        ++at_;
        negative = !negative;
      } else {
        break;
      }
    }
    auto part = Part(depth);
    if (!part || !negative) return part;
    return Condition::Not(std::move(*part));
  }

  std::optional<Condition> Part(size_t depth) {
    if (Ended())
      return Fail(text_.size(), 0, "the query ends where a test like name:example.com should stand");
    if (++nodes_ > kMaxConditions)
      return Fail(at_, Peek().size(), "more than " + std::to_string(kMaxConditions) + " tests");
    const size_t open = at_;
    if (text_[at_] != '(') return TestHere();
    if (depth + 1 >= kMaxConditionDepth) return Fail(at_, 1, "brackets nested too deep");
    ++at_;
    Skip();
    auto inner = Or(depth + 1);
    if (!inner) return std::nullopt;
    if (Ended()) return Fail(open, 1, "this bracket is never closed");
    ++at_;
    Skip();
    return inner;
  }

  std::optional<Condition> TestHere() {
    const size_t begin = at_;
    const std::string_view word = Peek();
    if (word.empty() && text_[at_] != '"') {
      return Fail(at_, 1, "expected a test like name:example.com");
    }
    const std::string lower = Lower(word);
    if (lower == "and" || lower == "or")
      return Fail(begin, word.size(), "a test must stand before \"" + lower + "\"");
    const size_t colon = word.find(':');
    const FieldEntry* field = colon == std::string_view::npos ? nullptr : FindField(word.substr(0, colon));
    if (field == nullptr && colon != std::string_view::npos && !IpPrefix::Parse(word)) {
      return Fail(begin, colon, "there is no such field; there are " + FieldList());
    }
    if (field != nullptr) at_ += colon + 1;
    std::vector<Condition> any;
    do {
      const auto value = TakeValue();
      if (!value) return std::nullopt;
      std::string why;
      auto one = field == nullptr ? BareWord(value->text, &why) : ParseTest(field->word, value->text, &why);
      if (!one) return Fail(value->at, value->size, std::move(why));
      any.push_back(std::move(*one));
      if (any.size() > 1 && ++nodes_ > kMaxConditions)
        return Fail(value->at, value->size, "more than " + std::to_string(kMaxConditions) + " tests");
    } while (TakeComma());
    Skip();
    return any.size() == 1 ? std::move(any[0]) : Condition::Any(std::move(any));
  }

  bool TakeComma() {
    if (Ended() || text_[at_] != ',') return false;
    ++at_;
    return true;
  }

  std::optional<Value> TakeValue() {
    Value value{.at = at_};
    if (!Ended() && text_[at_] == '"') {
      for (++at_; !Ended() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        value.text.push_back(text_[at_]);
      }
      if (Ended()) return Fail(value.at, 1, "this quotation mark is never closed");
      ++at_;
    } else {
      value.text = Peek();
      at_ += value.text.size();
    }
    value.size = at_ - value.at;
    if (value.size == 0) return Fail(value.at, 0, "a value must stand here");
    return value;
  }

  std::string_view text_;
  QueryError* error_;
  size_t at_ = 0;
  size_t nodes_ = 0;
};

}  // namespace

std::optional<Condition> ParseTest(std::string_view field, std::string_view value, std::string* error) {
  const FieldEntry* entry = FindField(field);
  if (entry == nullptr) {
    *error = "there is no such field; there are " + FieldList();
    return std::nullopt;
  }
  Test test;
  if (!ReadValue(*entry, value, &test, error)) return std::nullopt;
  return Condition::Of(std::move(test));
}

std::optional<Condition> ParseQuery(std::string_view text, QueryError* error) {
  return Parser(text, error).Whole();
}

std::string QueryError::Show(std::string_view text) const {
  const std::string before = PrintableUtf8(text.substr(0, at));
  const std::string bad = PrintableUtf8(text.substr(std::min(at, text.size()), size));
  const std::string after = at + size < text.size() ? PrintableUtf8(text.substr(at + size)) : "";
  const auto width = [](const std::string& s) {  // characters, not bytes
    return static_cast<size_t>(
        std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
  };
  return message + "\n  " + before + bad + after + "\n  " + std::string(width(before), ' ') +
         std::string(std::max<size_t>(width(bad), 1), '^');
}

}  // namespace sekisho::query
