#include "storage/output/row_output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "proto/base/time_text.h"

namespace sekisho::output {
namespace {

constexpr int64_t kNoon = 1'769'860'800'000'000;  // 2026-01-31T12:00:00Z

TEST(TimeText, ReadsWhatPeopleWrite) {
  const WallTime now = WallFromMicros(kNoon);
  const TimeZone utc;
  const TimeZone tokyo = *ParseTimeZone("+09:00");
  EXPECT_EQ(ParseTime("now", now, utc), kNoon);
  EXPECT_EQ(ParseTime("15m", now, utc), kNoon - int64_t{15} * 60 * 1'000'000);
  EXPECT_EQ(ParseTime("7d", now, utc), kNoon - int64_t{7} * 86'400 * 1'000'000);
  EXPECT_EQ(ParseTime("2026-01-31T12:00Z", now, tokyo), kNoon);
  EXPECT_EQ(ParseTime("2026-01-31T21:00:00", now, tokyo), kNoon);
  EXPECT_EQ(ParseTime("2026-01-31T21:00:00+09:00", now, utc), kNoon);
  EXPECT_EQ(ParseTime("2026-01-31T12:00:00.25Z", now, utc), kNoon + 250'000);
  EXPECT_EQ(ParseTime("2026-01-31", now, utc), kNoon - int64_t{12} * 3600 * 1'000'000);
  for (const char* bad :
       {"", "x", "15", "m", "15y", "-5m", "2026-13-01", "2026-02-30", "2026-01-31T25:00", "2026-01-31T12",
        "2026-01-31T12:00:00.", "2026-01-31T12:00Zx", "99999999999999999d", "1969-01-01"}) {
    EXPECT_FALSE(ParseTime(bad, now, utc)) << bad;
  }
  for (const char* bad : {"", "9", "+9", "+24:00", "+09:60", "Tokyo", "+09:00x"})
    EXPECT_FALSE(ParseTimeZone(bad)) << bad;
}

TEST(TimeText, WritesRfc3339) {
  EXPECT_EQ(FormatTime(kNoon + 1234, {}, 6), "2026-01-31T12:00:00.001234Z");
  EXPECT_EQ(FormatTime(kNoon + 1234, {}, 3), "2026-01-31T12:00:00.001Z");
  EXPECT_EQ(FormatTime(kNoon, *ParseTimeZone("-03:30"), 0), "2026-01-31T08:30:00-03:30");
  EXPECT_EQ(FormatTime(-1, {}, 6), "1969-12-31T23:59:59.999999Z");
}

control::LookupRow SomeRow() {
  control::LookupRow row;
  row.set_time_us(kNoon);
  row.set_client("192.0.2.1");
  row.set_agency("=cmd|' /C calc'!A0");
  row.set_name(R"(a\"b\\c.example.test.)");
  row.set_type("A");
  row.set_rcode("NOERROR");
  row.set_action("nxdomain");
  row.set_trigger("qname");
  row.set_feeds("jpcert");
  row.set_ede(15);
  auto* answer = row.add_answers();
  answer->set_type("TXT");
  answer->set_data("\"x, y\"");
  return row;
}

TEST(RowOutput, CsvIsQuotedAndNoFormula) {
  EXPECT_EQ(CsvCell("plain"), "plain");
  EXPECT_EQ(CsvCell("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvCell("say \"x\""), "\"say \"\"x\"\"\"");
  for (const char* formula : {"=1+1", "+1", "-1", "@x", "\tx", "%x"})
    EXPECT_EQ(CsvCell(formula)[1], '\'') << formula;
  std::ostringstream out;
  const auto csv = MakeRowOutput(RowFormat::kCsv, {}, 80, out);
  csv->Row(SomeRow());
  csv->End();
  EXPECT_NE(out.str().find("\"'=cmd|' /C calc'!A0\""), std::string::npos) << out.str();
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(RowOutput, JsonLinesParseBack) {
  std::ostringstream out;
  const auto json = MakeRowOutput(RowFormat::kJsonLines, {}, 80, out);
  json->Row(SomeRow());
  json->End();
  const auto row = nlohmann::json::parse(out.str());
  EXPECT_EQ(row["time"], "2026-01-31T12:00:00.000000Z");
  EXPECT_EQ(row["name"], SomeRow().name());
  EXPECT_EQ(row["answers"][0]["data"], "\"x, y\"");
  EXPECT_EQ(row["feeds"], "jpcert");
  EXPECT_EQ(row["ede"], 15);
}

TEST(RowOutput, TheTableFitsItsWidth) {
  std::ostringstream out;
  const auto table = MakeRowOutput(RowFormat::kTable, {}, 100, out);
  control::LookupRow row = SomeRow();
  row.set_agency("総務省情報流通行政局");
  row.set_name(std::string(200, 'a') + ".test.");
  table->Row(row);
  table->End();
  std::istringstream lines(out.str());
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    size_t points = 0;
    for (const char c : line) points += (static_cast<uint8_t>(c) & 0xc0) != 0x80 ? 1 : 0;
    EXPECT_LE(points, 100u) << line;
    ++count;
  }
  EXPECT_EQ(count, 2);
  EXPECT_NE(out.str().find("総務"), std::string::npos);
  EXPECT_NE(out.str().find("2026-01-31T12:00:00.000Z"), std::string::npos);
}

}  // namespace
}  // namespace sekisho::output
