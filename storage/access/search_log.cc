// Lines: {"id","time_us","token","who","role","address","purpose","what"} and
// {"id","end_us","status","rows"}.
#include "storage/access/search_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "proto/base/time_text.h"

namespace sekisho::access {
namespace {

std::string Cut(const std::string& text) { return text.substr(0, kMaxSearchText); }

std::string Dump(const nlohmann::ordered_json& j) {
  return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string MonthOf(int64_t us) { return FormatTime(us, {}, 0).substr(0, 7); }

Search FromJson(const nlohmann::json& j) {
  Search s;
  s.id = j.value("id", "");
  s.time_us = j.value("time_us", int64_t{0});
  s.token = j.value("token", "");
  s.who = j.value("who", "");
  s.role = j.value("role", "");
  s.address = j.value("address", "");
  s.purpose = j.value("purpose", "");
  s.what = j.value("what", "");
  return s;
}

void TakeLine(const nlohmann::json& j, int64_t from_us, int64_t end_us,
              std::unordered_map<std::string, size_t>* at, std::vector<Search>* out) {
  const std::string id = j.at("id");
  if (!j.contains("end_us")) {
    Search s = FromJson(j);
    if (s.time_us < from_us || s.time_us >= end_us) return;
    (*at)[id] = out->size();
    out->push_back(std::move(s));
  } else if (const auto known = at->find(id); known != at->end()) {
    (*out)[known->second].status = j.value("status", 0);
    (*out)[known->second].rows = j.value("rows", uint64_t{0});
  }
}

// Adds the file's searches; lines that a crash has torn are passed over.
void ReadFile(const std::string& path, int64_t from_us, int64_t end_us, std::vector<Search>* out) {
  std::ifstream in(path);
  std::unordered_map<std::string, size_t> at;
  std::string line;
  while (std::getline(in, line)) {
    try {
      TakeLine(nlohmann::json::parse(line), from_us, end_us, &at, out);
    } catch (const nlohmann::json::exception&) {
      continue;  // torn or changed by hand
    }
  }
}

}  // namespace

bool SearchLog::Append(int64_t time_us, const std::string& line, std::string* error) {
  std::error_code ec;
  std::filesystem::create_directories(dir_, ec);
  const std::string path = dir_ + "/" + MonthOf(time_us) + ".jsonl";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
  const bool good = fd >= 0 && write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (!good) *error = path + ": " + std::strerror(errno);
  if (fd >= 0) close(fd);
  return good;
}

bool SearchLog::Begin(Search* search, std::string* error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  search->id =
      std::to_string(search->time_us) + "-" + std::to_string(getpid()) + "-" + std::to_string(++number_);
  return Append(search->time_us,
                Dump({{"id", search->id},
                      {"time_us", search->time_us},
                      {"token", search->token},
                      {"who", search->who},
                      {"role", search->role},
                      {"address", search->address},
                      {"purpose", Cut(search->purpose)},
                      {"what", Cut(search->what)}}),
                error);
}

bool SearchLog::End(const Search& search, std::string* error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // Into the month in which it began, beside its other line.
  return Append(search.time_us,
                Dump({{"id", search.id},
                      {"end_us", UnixMicros(ReadClocks().wall)},
                      {"status", search.status},
                      {"rows", search.rows}}),
                error);
}

std::vector<Search> SearchLog::List(int64_t from_us, int64_t end_us, size_t limit, std::string* error) const {
  std::vector<std::string> files;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(dir_, ec)) {
    const std::string month = entry.path().stem();
    if (entry.path().extension() != ".jsonl") continue;
    if (from_us > 0 && month < MonthOf(from_us)) continue;
    files.push_back(entry.path());
  }
  if (ec && ec != std::errc::no_such_file_or_directory) *error = dir_ + ": " + ec.message();
  std::ranges::sort(files, std::greater<>());
  std::vector<Search> out;
  limit = std::min(limit, kMaxListed);
  for (const std::string& file : files) {
    if (out.size() >= limit) break;
    std::vector<Search> of_file;
    ReadFile(file, from_us, end_us, &of_file);
    out.insert(out.end(), std::make_move_iterator(of_file.rbegin()), std::make_move_iterator(of_file.rend()));
  }
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace sekisho::access
