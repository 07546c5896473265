#include "resolver/config/record_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "proto/config/printable.h"

namespace sekisho::resolver {
namespace {

// Up to a ';' outside of quotes.
std::string_view WithoutComment(std::string_view line) {
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ';' && !quoted) {
      line = line.substr(0, i);
      break;
    }
  }
  const size_t begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

absl::StatusOr<std::vector<dns::TextRecord>> ParseRecords(std::string_view text, std::string_view origin,
                                                          RecordUse use) {
  std::vector<dns::TextRecord> records;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view line = WithoutComment(text.substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty()) continue;
    std::string error;
    auto record =
        use == RecordUse::kAnchors ? dns::ParseAnchor(line, &error) : dns::ParseRecord(line, &error);
    if (!record) {
      return absl::InvalidArgumentError(std::string(origin) + ":" + std::to_string(number) + ": '" +
                                        config::Printable(line) + "': " + config::Printable(error));
    }
    records.push_back(*std::move(record));
  }
  return records;
}

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file) {
    const std::string text = path + ": cannot open: " + std::strerror(errno);
    return errno == ENOENT ? absl::NotFoundError(text) : absl::PermissionDeniedError(text);
  }
  std::string text(kMaxListFile + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get())) return absl::InternalError(path + ": cannot read: " + std::strerror(errno));
  if (text.size() > kMaxListFile) return absl::InvalidArgumentError(path + ": larger than 4 MiB");
  return text;
}

absl::StatusOr<std::vector<dns::TextRecord>> ReadRecordFile(const std::string& path, RecordUse use) {
  auto text = ReadTextFile(path);
  if (!text.ok()) return text.status();
  return ParseRecords(*text, path, use);
}

}  // namespace sekisho::resolver
