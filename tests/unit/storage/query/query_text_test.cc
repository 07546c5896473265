#include "storage/query/query_text.h"

#include <gtest/gtest.h>

#include "proto/dns/name_key.h"

namespace sekisho::query {
namespace {

std::string KeyOfName(const char* text) { return dns::NameKey(*dns::Name::Parse(text)); }

Condition Parsed(std::string_view text) {
  QueryError error;
  const auto c = ParseQuery(text, &error);
  EXPECT_TRUE(c.has_value()) << error.Show(text);
  return c.value_or(Condition::Any({}));
}

Condition Name(const char* name, query::Test::Match match = query::Test::Match::kExact) {
  return Condition::Of({.field = Field::kName, .match = match, .name_key = KeyOfName(name)});
}
Condition Text(Field field, const char* text, query::Test::Match match = query::Test::Match::kExact) {
  return Condition::Of({.field = field, .match = match, .text = text});
}

TEST(QueryText, ReadsTests) {
  EXPECT_EQ(Parsed("  "), Condition::All({}));
  EXPECT_EQ(Parsed("name:WWW.Example.com"), Name("www.example.com"));
  EXPECT_EQ(Parsed("www.example.com."), Name("www.example.com"));
  EXPECT_EQ(Parsed("name:*.example.com"), Name("example.com", query::Test::Match::kBelow));
  EXPECT_EQ(Parsed("under:example.com"), Name("example.com", query::Test::Match::kUnder));
  EXPECT_EQ(Parsed("name:Exa*ple.com"), Text(Field::kName, "exa*ple.com", query::Test::Match::kPattern));
  EXPECT_EQ(Parsed("agency:\"Ministry of \\\"X\\\"\""), Text(Field::kAgency, "Ministry of \"X\""));
  EXPECT_EQ(Parsed("client:2001:db8::/32"),
            Condition::Of({.field = Field::kClient, .prefix = *IpPrefix::Parse("2001:db8::/32")}));
  EXPECT_EQ(Parsed("type:aaaa"), Condition::Of({.field = Field::kType, .numbers = {28}}));
  EXPECT_EQ(Parsed("ede:15"), Condition::Of({.field = Field::kEde, .numbers = {15}}));
  EXPECT_EQ(Parsed("10.0.0.1"), Parsed("answer:10.0.0.1 or client:10.0.0.1"));
  EXPECT_EQ(Parsed("2001:db8::1"), Parsed("answer:2001:db8::1 or client:2001:db8::1"));
}

TEST(QueryText, JoinsTests) {
  const Condition a = Name("a");
  const Condition b = Name("b");
  const Condition c = Name("c");
  EXPECT_EQ(Parsed("a b"), Condition::All({a, b}));
  EXPECT_EQ(Parsed("a AND b"), Condition::All({a, b}));
  EXPECT_EQ(Parsed("a or b c"), Condition::Any({a, Condition::All({b, c})}));
  EXPECT_EQ(Parsed("(a or b) c"), Condition::All({Condition::Any({a, b}), c}));
  EXPECT_EQ(Parsed("-a"), Condition::Not(a));
  EXPECT_EQ(Parsed("not not a"), a);
  EXPECT_EQ(Parsed("a -(b or c)"), Condition::All({a, Condition::Not(Condition::Any({b, c}))}));
  EXPECT_EQ(Parsed("name:a,b"), Condition::Any({a, b}));
}

TEST(QueryText, ErrorsPointAtThePlace) {
  struct Case {
    const char* text;
    size_t at;
    size_t size;
    const char* words;
  };
  const Case cases[] = {
      {"name:a nmae:b", 7, 4, "no such field"},
      {"name:a (name:b", 7, 1, "never closed"},
      {"name:a)", 6, 1, "without an opening"},
      {"a or", 4, 0, "ends where"},
      {"or a", 0, 2, "before"},
      {"a and or b", 6, 2, "before"},
      {"client:10.0.0.1/8", 7, 10, "prefix"},
      {"type:A,BOGUS", 7, 5, "record type"},
      {"agency:\"x", 7, 1, "never closed"},
      {"verdict:bad", 8, 3, "blocked"},
      {"name:", 5, 0, "value"},
      {"name:a..b", 5, 4, "domain name"},
      {"()", 1, 1, "expected"},
      {"ede:70000", 4, 5, "65535"},
      {"under:*.a", 6, 3, "plain name"},
      {"action:block", 7, 5, "nxdomain"},
  };
  for (const Case& c : cases) {
    QueryError error;
    EXPECT_FALSE(ParseQuery(c.text, &error)) << c.text;
    EXPECT_EQ(error.at, c.at) << c.text << ": " << error.message;
    EXPECT_EQ(error.size, c.size) << c.text << ": " << error.message;
    EXPECT_NE(error.message.find(c.words), std::string::npos) << c.text << ": " << error.message;
  }
  QueryError error;
  ParseQuery("name:a nmae:b", &error);
  EXPECT_NE(error.Show("name:a nmae:b").find("\n         ^^^^"), std::string::npos)
      << error.Show("name:a nmae:b");
  EXPECT_EQ(QueryError({2, 1, "m"}).Show("a\nb"), "m\n  a\\x0ab\n       ^");
}

TEST(QueryText, IsBounded) {
  QueryError error;
  EXPECT_FALSE(ParseQuery(std::string(100'000, '('), &error));
  EXPECT_FALSE(ParseQuery(std::string(8'000, '('), &error));
  EXPECT_NE(error.message.find("deep"), std::string::npos);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "a ";
  EXPECT_FALSE(ParseQuery(many, &error));
  std::string values = "name:a";
  for (int i = 0; i < 1000; ++i) values += ",a";
  EXPECT_FALSE(ParseQuery(values, &error));
  EXPECT_TRUE(MatchesPattern("*a*a*a*a*b", std::string(2000, 'a') + "b"));
  EXPECT_FALSE(MatchesPattern("*a*a*a*a*b", std::string(2000, 'a')));
}

}  // namespace
}  // namespace sekisho::query
