#include "blocklist/feed/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/blocklist/feed/collecting_sink.h"

namespace sekisho::blocklist {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DomainList, TakesNamesWildcardsAndUrlsAndPassesOverComments) {
  const CollectingSink got =
      ParseAll(Format::kDomains,
               "# Title\r\n! note\n; note\n// note\n\n"
               "phish.example\r\n  spaced.example\t# why\n*.wild.example\n.dotted.example\n"
               "https://a.example/x?y=1\nb.example/path\n");
  EXPECT_THAT(got.indicators,
              ElementsAre("phish.example", "spaced.example", "wild.example subtree", "dotted.example subtree",
                          "url https://a.example/x?y=1", "url b.example/path"));
  EXPECT_THAT(got.error_lines, IsEmpty());
}

TEST(DomainList, AByteOrderMarkAndAMissingLastLineEndChangeNothing) {
  EXPECT_THAT(ParseAll(Format::kDomains,
                       "\xEF\xBB\xBF"
                       "a.example\nb.example")
                  .indicators,
              ElementsAre("a.example", "b.example"));
}

TEST(DomainList, TwoWordsInALineAreAnErrorWithItsNumber) {
  const CollectingSink got = ParseAll(Format::kDomains, "a.example\nlog in here\nb.example\n");
  EXPECT_THAT(got.indicators, ElementsAre("a.example", "b.example"));
  EXPECT_THAT(got.error_lines, ElementsAre(2));
}

TEST(Hosts, TakesEveryNameOfALineAndLeavesOutTheSystemsOwn) {
  const CollectingSink got =
      ParseAll(Format::kHosts,
               "127.0.0.1 localhost\n::1 localhost ip6-localhost\nfe80::1%lo0 localhost\n"
               "255.255.255.255 broadcasthost\n0.0.0.0 0.0.0.0\n"
               "0.0.0.0 a.example b.example # both\n::\tc.example\n127.0.0.1\td.example\n");
  EXPECT_THAT(got.indicators, ElementsAre("a.example", "b.example", "c.example", "d.example"));
  EXPECT_THAT(got.error_lines, IsEmpty());
}

TEST(Hosts, AMappingToARealAddressIsNoBlock) {
  const CollectingSink got =
      ParseAll(Format::kHosts, "192.0.2.7 intranet.example\nno.address.example\n0.0.0.0\n");
  EXPECT_THAT(got.indicators, IsEmpty());
  EXPECT_THAT(got.error_lines, ElementsAre(1, 2, 3));
}

TEST(UrlCsv, ReadsTheColumnsByTheirNames) {
  const CollectingSink got =
      ParseAll(Format::kUrlCsv,
               "date,URL,description\r\n"
               "2025/07/01 09:14:00,https://a.example/,みほん銀行\r\n"
               "2025/07/01 09:14:00,\"https://b.example/?q=\"\"x\"\",y\",\"Card, Co\"\r\n");
  EXPECT_THAT(got.indicators, ElementsAre("url https://a.example/ (みほん銀行)",
                                          "url https://b.example/?q=\"x\",y (Card, Co)"));
  // 2025-07-01T00:14:00Z
  EXPECT_THAT(got.times, ElementsAre(int64_t{1751328840} * 1000000, int64_t{1751328840} * 1000000));
}

TEST(UrlCsv, OtherColumnOrdersAndAListWithoutHeader) {
  EXPECT_THAT(ParseAll(Format::kUrlCsv, "description,url\nx,https://a.example/\n").indicators,
              ElementsAre("url https://a.example/ (x)"));
  EXPECT_THAT(ParseAll(Format::kUrlCsv, "2025/07/01 09:14:00,https://a.example/,x\n").indicators,
              ElementsAre("url https://a.example/ (x)"));
}

TEST(UrlCsv, AQuotedFieldMayHoldALineEnd) {
  const CollectingSink got = ParseAll(
      Format::kUrlCsv, "date,URL,description\n,https://a.example/,\"two\nlines\"\n,https://b.example/,z\n");
  EXPECT_THAT(got.indicators,
              ElementsAre("url https://a.example/ (two\nlines)", "url https://b.example/ (z)"));
}

TEST(UrlCsv, BrokenRecordsAreErrorsAndAnOpenQuoteDoesNotEatTheListForEver) {
  const CollectingSink short_record = ParseAll(Format::kUrlCsv, "date,URL,description\nonly-one\n,,\n");
  EXPECT_THAT(short_record.error_lines, ElementsAre(2, 3));
  EXPECT_THAT(ParseAll(Format::kUrlCsv, "date,URL,description\n,\"https://a.example/\"x,y\n").error_lines,
              ElementsAre(2));
  std::string text = "date,URL,description\n,\"https://open.example/\n";
  for (int i = 0; i < 300; ++i) text += "2025/07/01 09:14:00,https://next.example/,y\n";
  const CollectingSink open = ParseAll(Format::kUrlCsv, text);
  EXPECT_THAT(open.error_lines, ElementsAre(2));
  EXPECT_GT(open.indicators.size(), 150u);
}

TEST(UrlCsv, ADateThatIsNoneLeavesTheTimeOut) {
  for (const char* date : {"", "yesterday", "2025/13/01 00:00:00", "2025/02/30", "0000/00/00", "99999/1/1"}) {
    EXPECT_THAT(ParseAll(Format::kUrlCsv, std::string(date) + ",https://a.example/,x\n").times,
                ElementsAre(0))
        << date;
  }
}

TEST(Adblock, TakesWholeNameRulesAndExceptions) {
  const CollectingSink got = ParseAll(Format::kAdblock,
                                      "[Adblock Plus 2.0]\n! note\n||a.example^\n||b.example^$important\n"
                                      "||*.c.example^\n@@||ok.a.example^\nplain.example\n||d.example^|\n");
  EXPECT_THAT(got.indicators,
              ElementsAre("a.example subtree", "b.example subtree", "c.example subtree",
                          "ok.a.example subtree allow", "plain.example", "d.example subtree"));
}

TEST(Adblock, RulesAboutPagesAndPathsAreErrors) {
  const CollectingSink got =
      ParseAll(Format::kAdblock,
               "||a.example^$third-party\n||a.example/ads/*\na.example##.banner\n/regex/\n"
               "||ads*.example^\n");
  EXPECT_THAT(got.indicators, IsEmpty());
  EXPECT_THAT(got.error_lines, ElementsAre(1, 2, 3, 4, 5));
}

TEST(Dnsmasq, TakesNamesBetweenSlashes) {
  const CollectingSink got = ParseAll(Format::kDnsmasq,
                                      "# note\naddress=/a.example/0.0.0.0\naddress=/b.example/c.example/\n"
                                      "server=/d.example/\nlocal=/e.example/\naddress=/f.example/#\n");
  EXPECT_THAT(got.indicators, ElementsAre("a.example subtree", "b.example subtree", "c.example subtree",
                                          "d.example subtree", "e.example subtree", "f.example subtree"));
}

TEST(Dnsmasq, ForwardingIsNoBlock) {
  EXPECT_THAT(
      ParseAll(Format::kDnsmasq, "server=/a.example/192.0.2.1\nserver=192.0.2.1\ncache-size=9\naddress=/\n")
          .error_lines,
      ElementsAre(1, 2, 3, 4));
}

TEST(Unbound, TakesZonesThatBlock) {
  const CollectingSink got =
      ParseAll(Format::kUnbound,
               "server:\n  local-zone: \"a.example\" always_nxdomain\nlocal-zone: b.example. static # x\n"
               "local-data: \"a.example A 0.0.0.0\"\nlocal-zone: \"c.example\" always_transparent\n"
               "local-zone: \"d.example\" transparent\ninterface: ::\n");
  EXPECT_THAT(got.indicators,
              ElementsAre("a.example subtree", "b.example. subtree", "c.example subtree allow"));
  EXPECT_THAT(got.error_lines, ElementsAre(6, 7));
}

TEST(Rpz, TakesAllTriggersAndActions) {
  const CollectingSink got = ParseAll(
      Format::kRpz,
      "$TTL 60\n$ORIGIN rpz.example.\n@ IN SOA ns.example. h.example. (\n 1 2 3\n 4 5 )\n"
      "  IN NS ns.example.\na.test CNAME .\n*.a.test IN CNAME .\nb.test 30 IN CNAME *.\n"
      "c.test CNAME rpz-passthru.\nd.test.rpz.example. CNAME rpz-drop.\ne.test A 192.0.2.9\n"
      "24.0.2.0.192.rpz-ip CNAME .\nf.test CNAME rpz-tcp-only. ; note\n"
      "48.zz.2.2001.rpz-nsip CNAME .\n128.1.zz.2.2001.rpz-ip CNAME .\nns.bad.test.rpz-nsdname CNAME .\n"
      "32.7.2.0.192.rpz-client-ip CNAME rpz-drop.\n33.7.2.0.192.rpz-ip CNAME .\n");
  EXPECT_THAT(got.indicators,
              ElementsAre("a.test exact", "a.test subtree", "b.test exact", "c.test exact allow",
                          "d.test exact", "e.test exact [A 192.0.2.9]", "ip 192.0.2.0/24 exact",
                          "f.test exact", "ns-ip 2001:2::/48 exact", "ip 2001:2::1/128 exact",
                          "ns ns.bad.test exact", "client-ip 192.0.2.7/32 exact"));
  using A = IndicatorAction;
  EXPECT_THAT(got.actions,
              ElementsAre(A::kNxdomain, A::kNxdomain, A::kNodata, A::kPassthru, A::kDrop, A::kLocalData,
                          A::kNxdomain, A::kTcpOnly, A::kNxdomain, A::kNxdomain, A::kNxdomain, A::kDrop));
  EXPECT_THAT(got.error_lines, ElementsAre(19));
}

TEST(DetectFormat, TellsEachFormatByItsFirstLines) {
  EXPECT_EQ(DetectFormat("# Title\n\na.example\nb.example\n"), Format::kDomains);
  EXPECT_EQ(DetectFormat("# Title\n0.0.0.0 a.example\n0.0.0.0 b.example\n"), Format::kHosts);
  EXPECT_EQ(DetectFormat("date,URL,description\n2025/07/01 09:14:00,https://a.example/,x\n"),
            Format::kUrlCsv);
  EXPECT_EQ(DetectFormat("! Title\n||a.example^\n||b.example^\n"), Format::kAdblock);
  EXPECT_EQ(DetectFormat("# t\nserver=/a.example/\nserver=/b.example/\n"), Format::kDnsmasq);
  EXPECT_EQ(DetectFormat("server:\nlocal-zone: \"a.example\" static\n"), Format::kUnbound);
  EXPECT_EQ(DetectFormat("$TTL 60\n@ SOA a. b. 1 2 3 4 5\na.test CNAME .\n"), Format::kRpz);
  EXPECT_EQ(DetectFormat("# only comments\n\n"), std::nullopt);
  EXPECT_EQ(DetectFormat("*.a.example\n*.b.example\n"), Format::kWildcards);
  EXPECT_EQ(DetectFormat("*.a.example\nb.example\nc.example\n"), Format::kDomains);
  EXPECT_EQ(DetectFormat("# drop\n192.0.2.0/24 ; SBL1\n198.51.100.7\n"), Format::kIpList);
  EXPECT_EQ(DetectFormat("id,domain\n1,a.example\n"), Format::kCsv);
  EXPECT_EQ(DetectFormat("# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n"),
            Format::kUrlhausCsv);
  EXPECT_EQ(DetectFormat("# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\"\n"),
            Format::kThreatfoxCsv);
  EXPECT_EQ(DetectFormat("# (https://github.com/stamparm/maltrail/)\na.example\n"), Format::kMaltrail);
  EXPECT_EQ(DetectFormat("[{\"url\": \"https://a.example/\"}]"), Format::kJson);
  EXPECT_EQ(DetectFormat("{\"url\": \"https://a.example/\"}\n{\"url\": \"https://b.example/\"}\n"),
            Format::kJsonLines);
  EXPECT_EQ(DetectFormat("{\"type\": \"bundle\", \"id\": \"bundle--1\", \"objects\": []}"), Format::kStix);
  EXPECT_EQ(DetectFormat("{\"Event\": {\"Attribute\": []}}"), Format::kMisp);
}

TEST(Format, NamesGoBothWays) {
  for (size_t i = 0; i < kFormats; ++i) {
    const auto format = static_cast<Format>(i);
    EXPECT_EQ(FormatFromName(FormatName(format)), format);
  }
  EXPECT_EQ(FormatFromName("auto"), std::nullopt);
}

}  // namespace
}  // namespace sekisho::blocklist
