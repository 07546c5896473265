// CSV lists whose columns are told by their header, by their place, or by the feed's field map:
//
//   list   := [ header ] record*        the header may stand in a comment, as URLhaus and ThreatFox have it
//   record := field (separator field)*  RFC 4180: "…" may hold separators, doubled quotes and line ends
//
// Presets: JPCERT/CC's phishing URLs (date,URL,description in Japan Standard Time), URLhaus and ThreatFox
// (UTC).
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "blocklist/feed/formats/parsers.h"
#include "blocklist/feed/formats/record.h"
#include "blocklist/feed/line_splitter.h"

namespace sekisho::blocklist {
namespace {

constexpr int kJapanMinutes = 9 * 60;
constexpr size_t kMaxColumns = 64;
constexpr size_t kNoColumn = ~size_t{0};

enum class CsvResult { kWhole, kOpenQuote, kBad };

// Cuts one record into fields; kOpenQuote when a quoted field goes on in the next line.
CsvResult SplitRecord(std::string_view record, char separator, std::vector<std::string>* fields) {
  fields->assign(1, {});
  size_t i = 0;
  while (i <= record.size()) {
    // Some write a blank between separator and quote.
    const size_t text = record.find_first_not_of(' ', i);
    if (text != std::string_view::npos && record[text] == '"') i = text;
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
      if (i < record.size() && record[i] != separator) return CsvResult::kBad;
    } else {
      const size_t end = std::min(record.find(separator, i), record.size());
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

// Where each field stands.
using Places = std::array<size_t, kFields>;

// "#3" → 2.
std::optional<size_t> ColumnNumber(std::string_view text) {
  if (!text.starts_with('#')) return std::nullopt;
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0 || number > kMaxColumns)
    return std::nullopt;
  return number - 1;
}

class CsvParser final : public FeedParser {
 public:
  CsvParser(FieldMap map, Places places) : map_(std::move(map)), places_(places) {
    for (size_t i = 0; i < kFields; ++i) {
      if (const auto number = ColumnNumber(map_.columns[i])) places_[i] = *number;
    }
  }

  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    if (held_.empty()) {
      if (Trim(line).empty()) return;
      if (line.starts_with('#')) {
        if (!seen_first_) TakeHeaderInComment(line.substr(1));
        return;
      }
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
    switch (SplitRecord(record, map_.separator, &fields_)) {
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
    FieldValues values;
    for (size_t i = 0; i < kFields; ++i) {
      if (places_[i] < fields_.size()) values[i] = fields_[places_[i]];
    }
    EmitRecord(values, map_.utc_offset_minutes, start_, record, sink);
  }

  void TakeHeaderInComment(std::string_view comment) {
    comment = Trim(comment);
    if (SplitRecord(comment, map_.separator, &fields_) == CsvResult::kWhole && fields_.size() > 1)
      TakeHeader();
  }

  std::optional<size_t> ColumnNamed(std::string_view name) const {
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (EqualsNoCase(Trim(fields_[i]), name)) return i;
    }
    return std::nullopt;
  }

  // The column of a field by the map's name for it, else by a usual name.
  std::optional<size_t> ColumnOf(Field field) const {
    const std::string& name = map_[field];
    if (ColumnNumber(name)) return std::nullopt;  // its place is known
    if (!name.empty()) return ColumnNamed(name);
    for (const std::string_view usual : UsualNames(field)) {
      if (const auto found = ColumnNamed(usual)) return found;
    }
    return std::nullopt;
  }

  // Learns the columns when the record is a header: one of those that hold the indicator is named in it.
  bool TakeHeader() {
    Places places = places_;
    bool found = false;
    for (size_t i = 0; i < kFields; ++i) {
      const auto field = static_cast<Field>(i);
      const std::optional<size_t> column = ColumnOf(field);
      if (!column) continue;
      places[i] = *column;
      found = found || field == Field::kIndicator || field == Field::kUrl || field == Field::kName ||
              field == Field::kAddress;
    }
    if (found) places_ = places;
    return found;
  }

  const FieldMap map_;
  Places places_;
  std::vector<std::string> fields_;
  std::string held_;  // a record whose quoted field goes on
  uint64_t start_ = 0;
  bool seen_first_ = false;
};

Places PlacesOf(std::initializer_list<std::pair<Field, size_t>> known) {
  Places places;
  places.fill(kNoColumn);
  for (const auto& [field, column] : known) places[static_cast<size_t>(field)] = column;
  return places;
}

}  // namespace

std::unique_ptr<FeedParser> MakeCsvParser(Format preset, const FieldMap& fields) {
  FieldMap map = fields;
  switch (preset) {
    case Format::kUrlCsv:
      map.utc_offset_minutes = kJapanMinutes;
      return std::make_unique<CsvParser>(
          std::move(map), PlacesOf({{Field::kReported, 0}, {Field::kUrl, 1}, {Field::kReference, 2}}));
    case Format::kUrlhausCsv:
      if (map[Field::kReference].empty()) map[Field::kReference] = "tags";
      return std::make_unique<CsvParser>(std::move(map), PlacesOf({{Field::kReported, 1},
                                                                   {Field::kUrl, 2},
                                                                   {Field::kCategory, 5},
                                                                   {Field::kReference, 6},
                                                                   {Field::kLink, 7}}));
    case Format::kThreatfoxCsv:
      return std::make_unique<CsvParser>(std::move(map), PlacesOf({{Field::kReported, 0},
                                                                   {Field::kIndicator, 2},
                                                                   {Field::kType, 3},
                                                                   {Field::kCategory, 4},
                                                                   {Field::kReference, 7},
                                                                   {Field::kConfidence, 9},
                                                                   {Field::kLink, 10}}));
    default:
      return std::make_unique<CsvParser>(std::move(map), PlacesOf({}));
  }
}

}  // namespace sekisho::blocklist
