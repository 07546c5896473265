// JSON lists, as one document or an item a line:
//
//   document := array of items | object whose member at the map's `items` path, or else whose first array of
//   objects or
//               strings, is that array | object of id → item or array of items (ThreatFox)
//   line     := item
//   item     := string (a name, URL or address) | object whose members are found by the field map or usual
//   names
#include <array>
#include <string>

#include "blocklist/feed/formats/json_reader.h"
#include "blocklist/feed/formats/parsers.h"
#include "blocklist/feed/formats/record.h"

namespace sekisho::blocklist {
namespace {

class JsonParser final : public FeedParser {
 public:
  explicit JsonParser(FieldMap map) : map_(std::move(map)) {}

  void ParseLine(std::string_view line, uint64_t number, IndicatorSink& sink) override {
    line = Trim(line);
    if (line.empty() || line.starts_with('#')) return;
    const auto value = document_.Parse(std::string(line));
    if (!value) {
      sink.OnError(MakeError(number, document_.error(), line));
      return;
    }
    number_ = number;
    Item(*value, sink);
  }

  void ParseDocument(std::string text, IndicatorSink& sink) override {
    const auto root = document_.Parse(std::move(text));
    if (!root) {
      sink.OnError({.line = 1, .reason = document_.error(), .text = {}});
      return;
    }
    number_ = 0;
    const auto at = Member(*root, map_.items);
    if (!at || !Items(*at, sink))
      sink.OnError({.line = 1, .reason = "no list of items in the document", .text = {}});
  }

 private:
  // False when there is no list in it.
  bool Items(const JsonValue& value, IndicatorSink& sink) {
    simdjson::dom::array array;
    if (value.get(array) == simdjson::SUCCESS) {
      for (const JsonValue element : array) {
        ++number_;
        Item(element, sink);
      }
      return true;
    }
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return false;
    bool found = false;
    for (const auto& [key, member] : object) {
      (void)key;
      if (member.get(array) != simdjson::SUCCESS) continue;
      Items(member, sink);
      found = true;
      // One list; a document of lists by id has numbers for names.
      if (key.find_first_not_of("0123456789") != std::string_view::npos) return true;
    }
    return found;
  }

  void Item(const JsonValue& item, IndicatorSink& sink) {
    std::string_view text;
    if (item.get(text) == simdjson::SUCCESS) {
      Indicator indicator;
      indicator.line = number_;
      EmitByLooks(text, indicator, sink);
      return;
    }
    if (!item.is<simdjson::dom::object>()) {
      sink.OnError({.line = number_, .reason = "an item that is no object and no text", .text = {}});
      return;
    }
    FieldValues values;
    std::array<std::string, kFields> storage;
    for (size_t i = 0; i < kFields; ++i) values[i] = Value(item, static_cast<Field>(i), &storage[i]);
    const std::string shown = simdjson::minify(item);
    EmitRecord(values, map_.utc_offset_minutes, number_, shown, sink);
  }

  std::string_view Value(const JsonValue& item, Field field, std::string* storage) const {
    if (!map_[field].empty()) {
      const auto member = Member(item, map_[field]);
      return member ? ScalarText(*member, storage) : std::string_view();
    }
    for (const std::string_view usual : UsualNames(field)) {
      const auto member = Member(item, usual);
      if (member) return ScalarText(*member, storage);
    }
    return {};
  }

  const FieldMap map_;
  JsonDocument document_;
  uint64_t number_ = 0;
};

}  // namespace

std::unique_ptr<FeedParser> MakeJsonParser(const FieldMap& fields) {
  return std::make_unique<JsonParser>(fields);
}

}  // namespace sekisho::blocklist
