#include "blocklist/merge/list_text.h"

#include <simdjson.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace sekisho::blocklist {
namespace {

constexpr size_t kMaxFile = size_t{256} << 20;

bool ForEachOfWarningList(std::string_view text, const EntryVisitor& visit, std::string* error) {
  simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(text);
  simdjson::ondemand::document document;
  simdjson::ondemand::array entries;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.find_field_unordered("list").get_array().get(entries) != simdjson::SUCCESS) {
    *error = "JSON without an array \"list\"";
    return false;
  }
  for (auto entry : entries) {
    std::string_view name;
    if (entry.get_string().get(name) != simdjson::SUCCESS) {
      *error = "an entry of \"list\" is no string";
      return false;
    }
    visit(name);
  }
  return true;
}

}  // namespace

bool ForEachEntry(std::string_view text, const EntryVisitor& visit, std::string* error) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return ForEachOfWarningList(text, visit, error);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, std::min(end, text.substr(0, end).find('#')));
    text.remove_prefix(std::min(text.size(), end + 1));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
      line.remove_suffix(1);
    if (!line.empty()) visit(line);
  }
  return true;
}

bool ForEachEntryOfFile(const std::string& path, const EntryVisitor& visit, std::string* error) {
  std::string text;
  if (!ReadWholeFile(path, kMaxFile, &text, error)) return false;
  if (ForEachEntry(text, visit, error)) return true;
  *error = path + ": " + *error;
  return false;
}

bool ReadWholeFile(const std::string& path, size_t limit, std::string* text, std::string* error) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (file == nullptr) {
    *error = path + ": " + std::strerror(errno);
    return false;
  }
  char buffer[1 << 16];
  for (size_t n; (n = std::fread(buffer, 1, sizeof(buffer), file.get())) > 0;) {
    if (text->size() + n > limit) {
      *error = path + ": larger than " + std::to_string(limit) + " bytes";
      return false;
    }
    text->append(buffer, n);
  }
  if (std::ferror(file.get()) != 0) {
    *error = path + ": " + std::strerror(errno);
    return false;
  }
  return true;
}

}  // namespace sekisho::blocklist
