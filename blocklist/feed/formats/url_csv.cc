// JPCERT/CC's list of phishing URLs, and CSV like it:
//
//   header := "date,URL,description"          columns in any order, found by these names; others are passed
//   over record := field ("," field)*              RFC 4180: "…" may hold commas, doubled quotes and line
//   ends date   := YYYY/MM/DD HH:MM:SS             Japan Standard Time (UTC+9), as JPCERT/CC writes it
#include <chrono>
#include <string>
#include <vector>

#include "blocklist/feed/formats/parsers.h"
#include "blocklist/feed/line_splitter.h"

namespace sekisho::blocklist {
namespace {

constexpr std::chrono::hours kJapanOffset{9};
constexpr size_t kMaxColumns = 64;

enum class CsvResult { kWhole, kOpenQuote, kBad };

// Cuts one record into fields; kOpenQuote when a quoted field goes on in the next line.
CsvResult SplitRecord(std::string_view record, std::vector<std::string>* fields) {
  fields->assign(1, {});
  size_t i = 0;
  while (i <= record.size()) {
    if (i < record.size() && record[i] == '"') {
      for (++i;; ++i) {
        if (i >= record.size()) return CsvResult::kOpenQuote;
        if (record[i] != '"') {
          fields->back().push_back(record[i]);
        } else if (i + 1 < record.size() && record[i + 1] == '"') {
          fields->back().push_back(record[i++]);
        } else {
          break;
        }
      }
      ++i;
      if (i < record.size() && record[i] != ',') return CsvResult::kBad;
    } else {
      const size_t end = std::min(record.find(',', i), record.size());
      fields->back().assign(record.substr(i, end - i));
      i = end;
    }
    if (i >= record.size()) return CsvResult::kWhole;
    if (fields->size() >= kMaxColumns) return CsvResult::kBad;
    fields->emplace_back();
    ++i;
  }
  return CsvResult::kWhole;
}

bool EqualsNoCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? x + 32 : x) == (y >= 'A' && y <= 'Z' ? y + 32 : y);
         });
}

// Takes a number of at most four digits off the front.
std::optional<int> TakeNumber(std::string_view& text) {
  size_t n = 0;
  int value = 0;
  while (n < text.size() && n < 4 && text[n] >= '0' && text[n] <= '9') value = value * 10 + (text[n++] - '0');
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return value;
}

// Microseconds of "2025/07/01 09:14:00" (also with '-', and without the time); 0 when it is no date.
int64_t ParseDate(std::string_view text) {
  int parts[6] = {0, 0, 0, 0, 0, 0};
  text = Trim(text);
  for (int i = 0; i < 6 && !text.empty(); ++i) {
    const std::optional<int> number = TakeNumber(text);
    if (!number) return 0;
    parts[i] = *number;
    if (!text.empty()) text.remove_prefix(1);
  }
  const std::chrono::year_month_day day{std::chrono::year(parts[0]),
                                        std::chrono::month(static_cast<unsigned>(parts[1])),
                                        std::chrono::day(static_cast<unsigned>(parts[2]))};
  if (!day.ok() || parts[0] < 1990 || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return 0;
  const std::chrono::seconds since = std::chrono::sys_days(day).time_since_epoch() +
                                     std::chrono::hours(parts[3]) + std::chrono::minutes(parts[4]) +
                                     std::chrono::seconds(parts[5]) - kJapanOffset;
  return std::chrono::microseconds(since).count();
}

class UrlCsvParser final : public FeedParser {
 public:
  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    if (held_.empty()) {
      if (Trim(line).empty() || line.starts_with('#')) return;
      start_ = number;
      Record(line, sink);
      return;
    }
    held_.push_back('\n');
    held_.append(line);
    if (held_.size() > kMaxLine) {
      sink.OnError(MakeError(start_, "a quoted field has no end", held_));
      held_.clear();
      return;
    }
    const std::string whole = std::move(held_);
    held_.clear();
    Record(whole, sink);
  }

  void Finish(IndicatorSink& sink) override {
    if (held_.empty()) return;
    sink.OnError(MakeError(start_, "a quoted field has no end", held_));
    held_.clear();
  }

 private:
  void Record(std::string_view record, IndicatorSink& sink) {
    switch (SplitRecord(record, &fields_)) {
      case CsvResult::kOpenQuote:
        held_.assign(record);
        return;
      case CsvResult::kBad:
        sink.OnError(MakeError(start_, "not CSV as RFC 4180 has it", record));
        return;
      case CsvResult::kWhole:
        break;
    }
    if (!seen_first_) {
      seen_first_ = true;
      if (TakeHeader()) return;
    }
    if (fields_.size() <= url_ || Trim(fields_[url_]).empty()) {
      sink.OnError(MakeError(start_, "no URL in the record", record));
      return;
    }
    Indicator indicator;
    indicator.kind = IndicatorKind::kUrl;
    indicator.text = Trim(fields_[url_]);
    if (description_ < fields_.size()) indicator.reference = Trim(fields_[description_]);
    if (date_ < fields_.size()) indicator.reported_us = ParseDate(fields_[date_]);
    indicator.line = start_;
    sink.OnIndicator(indicator);
  }

  // Learns the columns when the first record names them.
  bool TakeHeader() {
    bool found = false;
    for (size_t i = 0; i < fields_.size(); ++i) {
      const std::string_view name = Trim(fields_[i]);
      if (EqualsNoCase(name, "url")) {
        url_ = i;
        found = true;
      }
      if (EqualsNoCase(name, "date")) date_ = i;
      if (EqualsNoCase(name, "description")) description_ = i;
    }
    return found;
  }

  std::vector<std::string> fields_;
  std::string held_;  // a record whose quoted field goes on
  uint64_t start_ = 0;
  bool seen_first_ = false;
  size_t date_ = 0;
  size_t url_ = 1;
  size_t description_ = 2;
};

}  // namespace

std::unique_ptr<FeedParser> MakeUrlCsvParser() { return std::make_unique<UrlCsvParser>(); }

}  // namespace sekisho::blocklist
