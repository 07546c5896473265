// The few things that all readers of JSON lists need over simdjson: a document from untrusted bytes, members
// by path, scalars as text.
//
// Threads: one per JsonDocument. Limits: kMaxDocument; nesting of kMaxJsonDepth. Standards: RFC 8259.
#ifndef SEKISHO_BLOCKLIST_FEED_FORMATS_JSON_READER_H_
#define SEKISHO_BLOCKLIST_FEED_FORMATS_JSON_READER_H_

#include <simdjson.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sekisho::blocklist {

inline constexpr size_t kMaxJsonDepth = 64;
using JsonValue = simdjson::dom::element;

class JsonDocument {
 public:
  JsonDocument();
  // Nothing when it is no JSON; error() says why. Values live until the next call.
  std::optional<JsonValue> Parse(std::string text);
  const char* error() const { return error_; }

 private:
  simdjson::dom::parser parser_;
  std::string text_;
  const char* error_ = "";
};

// The member at "a.b"; nothing when there is none. The empty path is the value itself.
std::optional<JsonValue> Member(const JsonValue& value, std::string_view path);
// A string as it is, numbers and booleans as text in *storage, an array's first scalar; empty for the rest.
std::string_view ScalarText(const JsonValue& value, std::string* storage);
// A string member; empty when it is none.
std::string_view StringMember(const JsonValue& value, std::string_view name);
// Calls for each element of an array member, or for the value itself when it is an array and the name is
// empty.
void ForEachIn(const JsonValue& value, std::string_view name,
               const std::function<void(const JsonValue&)>& visit);

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_FORMATS_JSON_READER_H_
