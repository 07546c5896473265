// Formats that say more than a name: CSV with columns, JSON, MISP, STIX, Maltrail, address lists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "blocklist/feed/formats/stix_pattern.h"
#include "blocklist/feed/formats/timestamp.h"
#include "tests/unit/blocklist/feed/collecting_sink.h"

namespace sekisho::blocklist {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Timestamp, ReadsTheFormsListsUse) {
  constexpr int64_t kWant = int64_t{1751328840} * 1'000'000;  // 2025-07-01T00:14:00Z
  for (const char* text : {"2025-07-01T00:14:00Z", "2025-07-01T00:14:00.123456Z", "2025-07-01 00:14:00",
                           "2025/07/01 00:14:00", "2025-07-01T09:14:00+09:00", "2025-06-30T19:14:00-0500",
                           "1751328840", "1751328840000", " 2025-07-01 00:14:00 UTC"}) {
    EXPECT_EQ(ParseTimestamp(text, 0), kWant) << text;
  }
  EXPECT_EQ(ParseTimestamp("2025-07-01 09:14:00", 540), kWant);
  EXPECT_EQ(ParseTimestamp("2025-07-01T00:14:00Z", 540), kWant);
  for (const char* text : {"", "never", "2025-13-01", "12", "2025-02-30T00:00:00Z", "99999999999999999999"}) {
    EXPECT_EQ(ParseTimestamp(text, 0), 0) << text;
  }
}

TEST(Csv, UrlhausHasItsHeaderInAComment) {
  const CollectingSink got =
      ParseAll(Format::kUrlhausCsv,
               "################\n# abuse.ch URLhaus Database Dump (CSV - recent URLs only)\n#\n"
               "# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n"
               "\"3\",\"2025-07-01 00:14:00\",\"http://a.example/x.exe\",\"online\",\"2025-07-01 "
               "00:14:00\",\"malware_download\","
               "\"exe,redline\",\"https://u.example/3/\",\"who\"\n");
  EXPECT_THAT(got.indicators, ElementsAre("url http://a.example/x.exe (exe,redline) {malware_download}"));
  EXPECT_THAT(got.times, ElementsAre(int64_t{1751328840} * 1'000'000));
  EXPECT_THAT(got.links, ElementsAre("https://u.example/3/"));
  EXPECT_THAT(got.error_lines, IsEmpty());
}

TEST(Csv, ThreatFoxMixesKindsAndPutsBlanksBeforeQuotes) {
  const CollectingSink got = ParseAll(Format::kThreatfoxCsv,
                                      "# "
                                      "\"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_"
                                      "type\",\"fk_malware\",\"malware_alias\","
                                      "\"malware_printable\",\"last_seen_utc\",\"confidence_level\","
                                      "\"reference\",\"tags\",\"anonymous\",\"reporter\"\n"
                                      "\"2025-07-01 00:14:00\", \"1\", \"192.0.2.7:443\", \"ip:port\", "
                                      "\"botnet_cc\", \"win.x\", \"None\", \"X RAT\", \"\", "
                                      "\"75\", \"https://r.example/\", \"x\", \"0\", \"who\"\n"
                                      "\"2025-07-01 00:14:00\", \"2\", \"c2.example\", \"domain\", "
                                      "\"botnet_cc\", \"win.x\", \"\", \"X RAT\", \"\", \"100\", "
                                      "\"\", \"\", \"0\", \"who\"\n"
                                      "\"2025-07-01 00:14:00\", \"3\", \"00aa\", \"md5_hash\", \"payload\", "
                                      "\"win.x\", \"\", \"X RAT\", \"\", \"100\", \"\", "
                                      "\"\", \"0\", \"who\"\n");
  EXPECT_THAT(got.indicators,
              ElementsAre("ip 192.0.2.7:443 (X RAT) {botnet_cc} 75%", "c2.example (X RAT) {botnet_cc} 100%"));
  EXPECT_EQ(got.passed_over, 1u);
  EXPECT_THAT(got.error_lines, IsEmpty());
}

TEST(Csv, TheFieldMapNamesColumnsByHeaderOrPlace) {
  FieldMap map;
  map[Field::kName] = "bad host";
  map[Field::kConfidence] = "trust";
  map.separator = ';';
  EXPECT_THAT(ParseAll(Format::kCsv, "id;Bad Host;trust\n1;a.example;0.4\n", map).indicators,
              ElementsAre("a.example 40%"));
  FieldMap places;
  places[Field::kIndicator] = "#2";
  places[Field::kCategory] = "#1";
  places.separator = '\t';
  EXPECT_THAT(
      ParseAll(Format::kCsv, "c2\t192.0.2.0/24\nphish\thttps://a.example/\nphish\tb.example\n", places)
          .indicators,
      ElementsAre("ip 192.0.2.0/24 {c2}", "url https://a.example/ {phish}", "b.example {phish}"));
  // Nothing tells where anything stands.
  EXPECT_THAT(ParseAll(Format::kCsv, "1,2,3\n4,5,6\n").error_lines, ElementsAre(1, 2));
}

TEST(IpList, TakesAddressesPrefixesAndNotes) {
  const CollectingSink got =
      ParseAll(Format::kIpList,
               "; Spamhaus DROP\n192.0.2.0/24 ; SBL1\n198.51.100.7\n2001:db8::/32 # x\n192.0.2.9:80,y\n");
  EXPECT_THAT(got.indicators, ElementsAre("ip 192.0.2.0/24 (SBL1)", "ip 198.51.100.7", "ip 2001:db8::/32 (x)",
                                          "ip 192.0.2.9:80 (y)"));
}

TEST(WildcardList, EveryLineIsASubtree) {
  EXPECT_THAT(ParseAll(Format::kWildcards, "# t\n*.a.example\n.b.example\nc.example # x\n").indicators,
              ElementsAre("a.example subtree", "b.example subtree", "c.example subtree"));
}

TEST(Maltrail, TellsTrailsApartAndNamesTheFamilyByTheFile) {
  const CollectingSink got =
      ParseAll(Format::kMaltrail,
               "\x1c./malware/x_rat.txt\n# Copyright\n# Reference: https://r.example/1\n"
               "# Reference: https://r.example/2\n\n192.0.2.7:8080\nc2.example\n"
               "http://192.0.2.8\nhost.example/gate.php\n\n# Generic\n\n/gate.php\n"
               "\x1cother.txt\nb.example   # B\n");
  EXPECT_THAT(got.indicators,
              ElementsAre("ip 192.0.2.7:8080 (x_rat)", "c2.example (x_rat)", "url http://192.0.2.8 (x_rat)",
                          "url host.example/gate.php (x_rat)", "b.example (other)"));
  EXPECT_THAT(got.links, ElementsAre("https://r.example/1", "https://r.example/1", "https://r.example/1",
                                     "https://r.example/1", ""));
  EXPECT_EQ(got.passed_over, 1u);
  EXPECT_THAT(got.error_lines, IsEmpty());
}

TEST(Json, ListsOfObjectsAndOfTexts) {
  EXPECT_THAT(
      ParseAll(Format::kJson, R"([{"url": "https://a.example/", "target": "Bank"}, {"domain": "b.example"}])")
          .indicators,
      ElementsAre("url https://a.example/ (Bank)", "b.example"));
  EXPECT_THAT(ParseAll(Format::kJson, R"(["a.example", "192.0.2.1", "https://b.example/x"])").indicators,
              ElementsAre("a.example", "ip 192.0.2.1", "url https://b.example/x"));
  EXPECT_THAT(ParseAll(Format::kJson,
                       R"({"1": [{"ioc_value": "a.example", "ioc_type": "domain", "confidence_level": 75}],
                                          "2": [{"ioc_value": "00", "ioc_type": "sha256_hash"}]})")
                  .indicators,
              ElementsAre("a.example 75%"));
}

TEST(Json, TheFieldMapIsAPathInEachItem) {
  FieldMap map;
  map.items = "data.list";
  map[Field::kName] = "attributes.host";
  map[Field::kValidUntil] = "until";
  const CollectingSink got =
      ParseAll(Format::kJson,
               R"({"data": {"list": [{"attributes": {"host": "a.example"}, "until": 1751328840}]}})", map);
  EXPECT_THAT(got.indicators, ElementsAre("a.example"));
  EXPECT_THAT(got.valid_until, ElementsAre(int64_t{1751328840} * 1'000'000));
}

TEST(Json, WhatIsNoListIsAnError) {
  for (const char* text :
       {R"({"error": "forbidden"})", "{", "[1, 2]", "", R"([{"x": 1}])", "\"a.example\""}) {
    const CollectingSink got = ParseAll(Format::kJson, text);
    EXPECT_THAT(got.indicators, IsEmpty()) << text;
    EXPECT_FALSE(got.error_lines.empty()) << text;
  }
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_THAT(ParseAll(Format::kJson, deep).error_lines, SizeIs(1));
}

TEST(JsonLines, ABadLineIsAnErrorOfItsOwn) {
  const CollectingSink got =
      ParseAll(Format::kJsonLines,
               "{\"host\": \"a.example\"}\n{\"host\": \n\n{\"ip\": \"192.0.2.1\", \"score\": 90}\n");
  EXPECT_THAT(got.indicators, ElementsAre("a.example", "ip 192.0.2.1 90%"));
  EXPECT_THAT(got.error_lines, ElementsAre(2));
}

constexpr char kMispEvent[] = R"({"Event": {"uuid": "u-1", "info": "Campaign", "date": "2025-07-01",
  "Tag": [{"name": "tlp:green"}, {"name": "misp-galaxy:threat-actor=\"Bear\""}],
  "Attribute": [
    {"type": "domain", "value": "a.example", "to_ids": true, "timestamp": "1751328840"},
    {"type": "hostname", "value": "h.b.example", "to_ids": true,
     "Tag": [{"name": "misp-galaxy:malpedia=\"X RAT\""}, {"name": "misp:confidence-level=\"usually-confident\""}]},
    {"type": "domain", "value": "old.example", "to_ids": true, "deleted": true},
    {"type": "domain", "value": "seen.example", "to_ids": false},
    {"type": "md5", "value": "00", "to_ids": true},
    {"type": "ip-dst|port", "value": "2001:db8::1|443", "to_ids": true}],
  "Object": [{"name": "url", "Attribute": [{"type": "url", "value": "https://c.example/x", "to_ids": true},
    {"type": "domain|ip", "value": "d.example|192.0.2.3", "to_ids": true}]}]}})";

TEST(Misp, ReadsAnEventWithItsTagsAndObjects) {
  const CollectingSink got = ParseAll(Format::kMisp, kMispEvent);
  EXPECT_THAT(got.indicators, ElementsAre("a.example subtree (Campaign) by Bear tlp:green",
                                          "h.b.example exact (X RAT) by Bear 75% tlp:green",
                                          "ip [2001:db8::1]:443 (Campaign) by Bear tlp:green",
                                          "url https://c.example/x (Campaign) by Bear tlp:green",
                                          "d.example subtree (Campaign) by Bear tlp:green",
                                          "ip 192.0.2.3 (Campaign) by Bear tlp:green"));
  EXPECT_EQ(got.times[0], int64_t{1751328840} * 1'000'000);
  EXPECT_EQ(got.passed_over, 2u);
  EXPECT_THAT(got.links, Each("misp:u-1"));
}

TEST(Misp, ReadsExportsOfManyEventsAndOfAttributes) {
  EXPECT_THAT(ParseAll(Format::kMisp, std::string("{\"response\": [") + kMispEvent + "," + kMispEvent + "]}")
                  .indicators,
              SizeIs(12));
  EXPECT_THAT(ParseAll(Format::kMisp, R"({"response": {"Attribute": [
      {"type": "domain", "value": "a.example", "to_ids": "1", "Event": {"info": "From"}}]}})")
                  .indicators,
              ElementsAre("a.example subtree (From)"));
  EXPECT_THAT(ParseAll(Format::kMisp, R"({"errors": "no"})").error_lines, SizeIs(1));
}

TEST(StixPattern, TakesWhatAloneIsEnough) {
  std::vector<StixValue> values;
  const auto read = [&values](std::string_view pattern) { return ReadStixPattern(pattern, &values); };
  EXPECT_EQ(read("[domain-name:value = 'a.test']"), StixPattern::kRead);
  ASSERT_EQ(values.size(), 1u);
  EXPECT_EQ(values[0].text, "a.test");
  EXPECT_EQ(read("[domain-name:value IN ('a.test', 'it\\'s.test')] OR [url:value = 'https://b.test/'] START "
                 "t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'"),
            StixPattern::kRead);
  ASSERT_EQ(values.size(), 3u);
  EXPECT_EQ(values[1].text, "it's.test");
  EXPECT_EQ(read("[ipv4-addr:value ISSUBSET '192.0.2.0/24' OR file:hashes.'SHA-256' = 'ab']"),
            StixPattern::kRead);
  EXPECT_EQ(values.size(), 1u);
}

TEST(StixPattern, LeavesWhatNeedsMoreOrIsBroken) {
  std::vector<StixValue> values;
  for (const char* other : {"[domain-name:value = 'a.test' AND network-traffic:dst_port = 443]",
                            "[domain-name:value = 'a.test'] FOLLOWEDBY [url:value = 'x']",
                            "[file:name = 'x']", "[domain-name:value LIKE '%.test']",
                            "[domain-name:value != 'a.test']", "[NOT domain-name:value = 'a.test']"}) {
    EXPECT_EQ(ReadStixPattern(other, &values), StixPattern::kOther) << other;
    EXPECT_THAT(values, IsEmpty()) << other;
  }
  for (const char* bad :
       {"", "domain-name:value", "[domain-name:value = 'a.test", "[domain-name:value = ]",
        "[domain-name:value IN 'a']", "[domain-name:value IN ('a'", "[domain-name:value = 7]"}) {
    EXPECT_EQ(ReadStixPattern(bad, &values), StixPattern::kInvalid) << bad;
  }
}

constexpr char kBundle[] = R"({"type": "bundle", "id": "bundle--1", "objects": [
  {"type": "indicator", "id": "indicator--1", "created": "2025-07-01T00:14:00.000Z", "modified": "2025-07-02T00:00:00.000Z",
   "pattern": "[domain-name:value = 'a.test']", "pattern_type": "stix", "valid_from": "2025-07-01T00:00:00Z",
   "valid_until": "2025-07-01T00:14:00Z", "confidence": 80, "indicator_types": ["malicious-activity"],
   "object_marking_refs": ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"]},
  {"type": "indicator", "id": "indicator--1", "created": "2025-07-01T00:14:00.000Z", "modified": "2025-07-01T00:00:00.000Z",
   "pattern": "[domain-name:value = 'old.test']", "pattern_type": "stix", "valid_from": "2025-07-01T00:00:00Z"},
  {"type": "indicator", "id": "indicator--2", "name": "gone", "revoked": true, "pattern": "[url:value = 'https://b.test/']",
   "pattern_type": "stix"},
  {"type": "indicator", "id": "indicator--3", "name": "sigma rule", "pattern": "title: x", "pattern_type": "sigma"},
  {"type": "indicator", "id": "indicator--4", "name": "address", "pattern": "[ipv4-addr:value = '192.0.2.1']",
   "pattern_type": "stix"},
  {"type": "malware", "id": "malware--1", "name": "X RAT"},
  {"type": "threat-actor", "id": "threat-actor--1", "name": "Bear"},
  {"type": "relationship", "id": "r--1", "source_ref": "indicator--1", "target_ref": "malware--1"},
  {"type": "relationship", "id": "r--2", "source_ref": "malware--1", "target_ref": "threat-actor--1"}]})";

TEST(Stix, ReadsABundleAlongItsRelationships) {
  const CollectingSink got = ParseAll(Format::kStix, kBundle);
  EXPECT_THAT(got.indicators, ElementsAre("a.test (X RAT) by Bear {malicious-activity} 80% TLP:AMBER",
                                          "ip 192.0.2.1 (address)"));
  EXPECT_THAT(got.valid_until, ElementsAre(int64_t{1751328840} * 1'000'000, 0));
  EXPECT_EQ(got.passed_over, 1u);
  EXPECT_THAT(got.error_lines, IsEmpty());
}

TEST(Stix, ReadsPagesOfACollection) {
  const std::string page =
      R"({"more": true, "objects": [{"type": "indicator", "id": "indicator--9", "name": "n",
    "pattern": "[domain-name:value = 'p.test']", "pattern_type": "stix"}]})";
  EXPECT_THAT(ParseAll(Format::kStix, "[" + page + ",{},{\"objects\": []}]").indicators,
              ElementsAre("p.test (n)"));
  EXPECT_THAT(ParseAll(Format::kStix, R"({"title": "Not found"})").error_lines, SizeIs(1));
}

}  // namespace
}  // namespace sekisho::blocklist
