#include "storage/events/event_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

namespace sekisho::events {
namespace {

using Json = nlohmann::ordered_json;

std::string IdOf(std::string_view line) {
  const Json j = Json::parse(line, nullptr, false);
  return j.is_object() && j.contains("id") && j["id"].is_string() ? j["id"].get<std::string>() : "";
}

}  // namespace

bool EventLog::Read(const std::string& path, const std::function<bool(std::string_view)>& each) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return access(path.c_str(), F_OK) != 0 && errno == ENOENT;
  std::string line;
  while (std::getline(in, line)) {
    if (in.eof()) break;  // a line that was not finished
    if (!line.empty() && !each(line)) break;
  }
  return true;
}

bool EventLog::Append(const std::vector<std::string>& lines, std::string* error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::set<std::string> known;
  Read(path_, [&known](std::string_view line) {
    known.insert(IdOf(line));
    return true;
  });
  std::string text;
  for (const std::string& line : lines) {
    if (line.size() <= kMaxLine && known.insert(IdOf(line)).second) text += line + "\n";
  }
  if (text.empty()) return true;
  const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  struct stat st{};
  bool good = fd >= 0 && fstat(fd, &st) == 0;
  if (good && static_cast<size_t>(st.st_size) + text.size() > kMaxFile) {
    *error = path_ + " is full; move it away";
    close(fd);
    return false;
  }
  // A line that a crash cut off is ended, so that it spoils no other.
  char last = '\n';
  if (good && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
    text = std::string(1, '\n').append(text);
  good = good && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  if (!good) *error = "cannot write " + path_ + ": " + std::strerror(errno);
  if (fd >= 0) close(fd);
  return good;
}

std::string ConfineEvent(std::string_view line, const std::set<std::string, std::less<>>& only) {
  Json j = Json::parse(line, nullptr, false);
  if (!j.is_object() || !j.contains("agencies") || !j["agencies"].is_array()) return "";
  Json kept = Json::array();
  uint64_t lookups = 0;
  uint64_t answered = 0;
  std::string first;
  std::string last;
  for (Json& agency : j["agencies"]) {
    if (!agency.is_object() || !only.contains(agency.value("agency", ""))) continue;
    lookups += agency.value("lookups", uint64_t{0});
    answered += agency.value("answered", uint64_t{0});
    const std::string from = agency.value("first", "");
    first = first.empty() ? from : std::min(first, from);
    last = std::max(last, agency.value("last", ""));
    kept.push_back(std::move(agency));
  }
  if (kept.empty()) return "";
  j["lookups"] = lookups;
  j["answered"] = answered;
  j["first"] = first;
  j["last"] = last;
  j["agencies"] = std::move(kept);
  return j.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sekisho::events
