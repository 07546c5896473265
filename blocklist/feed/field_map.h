// FieldMap: which column of a CSV list, or which member of a JSON item, says what.
//
//   FieldMap map;  map[Field::kUrl] = "url_full";  map.items = "data.list";
//
// A column is named by its header or by "#N", N from 1. A JSON member is a path with dots. What is not given
// is looked for under the names that lists use.
//
// Threads: values.
#ifndef SEKISHO_BLOCKLIST_FEED_FIELD_MAP_H_
#define SEKISHO_BLOCKLIST_FEED_FIELD_MAP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sekisho::blocklist {

enum class Field : uint8_t {
  kIndicator,  // name, URL or address, told apart by its looks
  kUrl,
  kName,
  kAddress,
  kType,  // what kind kIndicator is; kinds that no resolver acts on are passed over
  kReference,
  kCategory,
  kActor,
  kConfidence,
  kReported,
  kValidUntil,
  kLink,
};
inline constexpr size_t kFields = 12;

struct FieldMap {
  std::array<std::string, kFields> columns{};
  std::string items{};  // JSON: path of the array; empty: the document, or the first array in it
  char separator = ',';
  int utc_offset_minutes = 0;  // of times that do not say it

  std::string& operator[](Field field) { return columns[static_cast<size_t>(field)]; }
  const std::string& operator[](Field field) const { return columns[static_cast<size_t>(field)]; }
};

}  // namespace sekisho::blocklist

#endif  // SEKISHO_BLOCKLIST_FEED_FIELD_MAP_H_
