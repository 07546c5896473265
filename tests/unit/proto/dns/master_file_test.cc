#include "proto/dns/master_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/base/bytes.h"

namespace sekisho::dns {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Read {
  std::vector<std::string> lines;
  std::string error;
  size_t line = 0;
};

Read ReadAll(std::string_view text, const char* origin = "zone.test.") {
  MasterFile file(text, *Name::Parse(origin));
  Read out;
  while (const auto r = file.Next()) {
    out.lines.push_back(r->owner.ToString() + " " + std::to_string(r->ttl) + " " + ToString(r->type) + " " +
                        RdataToText(r->type, AsBytes(r->rdata)));
  }
  out.error = file.error();
  out.line = file.line();
  return out;
}

TEST(MasterFileTest, RelativeNamesAndTheOwnerBefore) {
  const Read r = ReadAll(
      "@ 300 IN NS ns\n"
      "www IN 60 A 192.0.2.1\n"
      "\t AAAA 2001:db8::1\n"
      "$ORIGIN sub\n"
      "a CNAME b ; a comment\n"
      "c CNAME elsewhere.\n"
      "d MX 10 mail\n");
  EXPECT_THAT(r.error, IsEmpty());
  EXPECT_THAT(
      r.lines,
      ElementsAre("zone.test. 300 NS ns.zone.test.", "www.zone.test. 60 A 192.0.2.1",
                  "www.zone.test. 60 AAAA 2001:db8::1", "a.sub.zone.test. 60 CNAME b.sub.zone.test.",
                  "c.sub.zone.test. 60 CNAME elsewhere.", "d.sub.zone.test. 60 MX 10 mail.sub.zone.test."));
}

TEST(MasterFileTest, ParenthesesQuotesAndTtls) {
  const Read r = ReadAll(
      "$TTL 1h30m\n"
      "@ SOA ns host ( 1 ; serial\n"
      "    2 3\n"
      "    4 5 )\n"
      "\n"
      "; nothing\n"
      "t TXT \"a ; b ( c\" d\n"
      "u 5 A 192.0.2.2");
  EXPECT_THAT(r.error, IsEmpty());
  EXPECT_THAT(r.lines,
              ElementsAre("zone.test. 5400 SOA ns.zone.test. host.zone.test. 1 2 3 4 5",
                          "t.zone.test. 5400 TXT \"a ; b ( c\" \"d\"", "u.zone.test. 5 A 192.0.2.2"));
}

TEST(MasterFileTest, EscapedDotsStayInTheirLabel) {
  const Read r = ReadAll("a\\.b CNAME c\\.\nx\\\\. CNAME .\n", ".");
  EXPECT_THAT(r.error, IsEmpty());
  EXPECT_THAT(r.lines, ElementsAre("a\\.b. 3600 CNAME c\\..", "x\\\\. 3600 CNAME ."));
}

TEST(MasterFileTest, ErrorsTellTheLine) {
  const auto expect = [](std::string_view text, size_t line, const char* why) {
    const Read r = ReadAll(text);
    EXPECT_THAT(r.error, HasSubstr(why)) << text;
    EXPECT_EQ(r.line, line) << text;
  };
  expect("a A 192.0.2.1\nb A 2001:db8::1\n", 2, "the data of A");
  expect("a A 192.0.2.1\n\nb NONSENSE x\n", 3, "'NONSENSE' is not a record type");
  expect(" A 192.0.2.1\n", 1, "no owner");
  expect("a TXT \"open\nb A 192.0.2.1\n", 1, "quotation mark");
  expect("a SOA x y ( 1 2\n", 1, "not closed");
  expect("a A 192.0.2.1 )\n", 1, "do not match");
  expect("a CNAME b c\n", 1, "one name");
  expect("a..b CNAME c\n", 1, "is not a name");
  expect("$INCLUDE other\n", 1, "directive");
  expect("$TTL never\n", 1, "time to live");
  expect("a\n", 1, "no type");
  expect("a 300 IN\n", 1, "no type");
}

TEST(MasterFileTest, NothingAfterAnError) {
  MasterFile file("a NONSENSE\nb A 192.0.2.1\n", NameView());
  EXPECT_FALSE(file.Next());
  EXPECT_FALSE(file.Next());
}

}  // namespace
}  // namespace sekisho::dns
