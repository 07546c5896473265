#include "blocklist/feed/formats/json_reader.h"

#include <algorithm>
#include <utility>

#include "blocklist/feed/format.h"
#include "blocklist/feed/line_splitter.h"

namespace sekisho::blocklist {

// The depth holds for later, larger allocations too.
JsonDocument::JsonDocument() : parser_(kMaxDocument) {
  if (parser_.allocate(kMaxLine, kMaxJsonDepth) != simdjson::SUCCESS) error_ = "no memory";
}

std::optional<JsonValue> JsonDocument::Parse(std::string text) {
  if (text.size() > kMaxDocument) {
    error_ = "larger than a JSON document may be";
    return std::nullopt;
  }
  text_ = std::move(text);
  const size_t size = text_.size();
  text_.resize(size + simdjson::SIMDJSON_PADDING);
  JsonValue root;
  const auto error = parser_.parse(text_.data(), size, false).get(root);
  if (error != simdjson::SUCCESS) {
    error_ = simdjson::error_message(error);
    return std::nullopt;
  }
  return root;
}

std::optional<JsonValue> Member(const JsonValue& value, std::string_view path) {
  JsonValue at = value;
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    simdjson::dom::object object;
    if (at.get(object) != simdjson::SUCCESS || object.at_key(name).get(at) != simdjson::SUCCESS)
      return std::nullopt;
  }
  return at;
}

std::string_view ScalarText(const JsonValue& value, std::string* storage) {
  std::string_view text;
  switch (value.type()) {
    case simdjson::dom::element_type::STRING:
      return value.get(text) == simdjson::SUCCESS ? text : std::string_view();
    case simdjson::dom::element_type::INT64:
    case simdjson::dom::element_type::UINT64:
    case simdjson::dom::element_type::DOUBLE:
    case simdjson::dom::element_type::BOOL:
      *storage = simdjson::minify(value);
      return *storage;
    case simdjson::dom::element_type::ARRAY: {
      simdjson::dom::array array;
      if (value.get(array) != simdjson::SUCCESS) return {};
      for (const JsonValue element : array) {
        if (element.get(text) == simdjson::SUCCESS) return text;
      }
      return {};
    }
    default:
      return {};
  }
}

std::string_view StringMember(const JsonValue& value, std::string_view name) {
  simdjson::dom::object object;
  std::string_view text;
  if (value.get(object) != simdjson::SUCCESS || object.at_key(name).get(text) != simdjson::SUCCESS) return {};
  return text;
}

void ForEachIn(const JsonValue& value, std::string_view name,
               const std::function<void(const JsonValue&)>& visit) {
  simdjson::dom::array array;
  const std::optional<JsonValue> member = Member(value, name);
  if (!member || member->get(array) != simdjson::SUCCESS) return;
  for (const JsonValue element : array) visit(element);
}

}  // namespace sekisho::blocklist
