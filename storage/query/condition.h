// Condition: what must be true of a lookup, as a tree of tests joined by and, or and not.
//
//   Condition c = Condition::All({Condition::Of(test), Condition::Not(Condition::Of(other))});
//
// Made by ParseQuery (query_text.h) or by hand; LookupFilter::where holds one, and the executor finds by
// itself which indexes help.
//
// Threads: values. Limits: kMaxConditions nodes, kMaxConditionDepth levels; ParseQuery keeps to them.
#ifndef SEKISHO_STORAGE_QUERY_CONDITION_H_
#define SEKISHO_STORAGE_QUERY_CONDITION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/base/ip_address.h"

namespace sekisho::query {

inline constexpr size_t kMaxConditions = 256;
inline constexpr size_t kMaxConditionDepth = 32;

enum class Field : uint8_t {
  kName,       // the query name, compared as a name
  kRule,       // the rule that decided: the name it is written for
  kAnswer,     // an address among the answers
  kTarget,     // a name among the answers (CNAME, DNAME, NS, PTR)
  kClient,     // the client's address
  kAgency,     // text
  kFeed,       // text; one of those behind the rule
  kCategory,   // text
  kAction,     // numbers of record::Action
  kTrigger,    // numbers of record::Trigger
  kRcode,      // numbers
  kType,       // numbers
  kSecurity,   // numbers of record::Security
  kOrigin,     // numbers of record::Origin
  kTransport,  // numbers of record::Transport
  kEde,        // numbers
};

struct Test {
  enum class Match : uint8_t {
    kExact,    // name_key, text, prefix or numbers
    kUnder,    // names: at or below name_key
    kBelow,    // names: below name_key, not itself
    kPattern,  // `text` with * for any run of characters, in lower case; names without the last dot
  };
  Field field = Field::kName;
  Match match = Match::kExact;
  std::string name_key = {};
  std::string text = {};
  IpPrefix prefix = {};
  std::vector<uint16_t> numbers = {};  // any of them
  friend bool operator==(const Test&, const Test&) = default;
};

struct Condition {
  enum class Kind : uint8_t { kTest, kAll, kAny, kNot };
  Kind kind = Kind::kAll;
  Test test;                     // of kTest
  std::vector<Condition> parts;  // of kAll (none: always true), kAny (none: never) and kNot (one)

  static Condition Of(Test t) { return {Kind::kTest, std::move(t), {}}; }
  static Condition All(std::vector<Condition> p) { return {Kind::kAll, {}, std::move(p)}; }
  static Condition Any(std::vector<Condition> p) { return {Kind::kAny, {}, std::move(p)}; }
  static Condition Not(Condition c) {
    Condition out{Kind::kNot, {}, {}};
    out.parts.push_back(std::move(c));
    return out;
  }
  friend bool operator==(const Condition&, const Condition&) = default;
};

// `text` with * for any run of characters.
bool MatchesPattern(std::string_view pattern, std::string_view text);

}  // namespace sekisho::query

#endif  // SEKISHO_STORAGE_QUERY_CONDITION_H_
