// SearchLog: the record of every search over HTTP — who, when, for what purpose, what was asked, how many
// rows were given.
//
// JSON lines, two a search: one before anything is read (so that a crash hides nothing), one with the
// outcome. A search that cannot be recorded is not answered. Files: data_dir/searches/YYYY-MM.jsonl, never
// changed but at their end.
//
// Threads: any. Limits: texts are cut at kMaxSearchText bytes; List reads kMaxListed searches at most.
#ifndef SEKISHO_STORAGE_ACCESS_SEARCH_LOG_H_
#define SEKISHO_STORAGE_ACCESS_SEARCH_LOG_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "proto/base/now.h"

namespace sekisho::access {

inline constexpr size_t kMaxSearchText = 16'384;
inline constexpr size_t kMaxListed = 10'000;

struct Search {
  std::string id = {};
  int64_t time_us = 0;
  std::string token = {};  // its id
  std::string who = {};    // the token's name
  std::string role = {};
  std::string address = {};  // the asker's
  std::string purpose = {};
  std::string what = {};  // path and parameters
  int status = 0;    // of HTTP; 0: not finished
  uint64_t rows = 0;
};

class SearchLog {
 public:
  explicit SearchLog(std::string dir) : dir_(std::move(dir)) {}

  // Gives the search its id and writes it. False and *error: it could not be written.
  bool Begin(Search* search, std::string* error);
  bool End(const Search& search, std::string* error);
  // Searches in [from, end), the newest first, `limit` at most.
  std::vector<Search> List(int64_t from_us, int64_t end_us, size_t limit, std::string* error) const;

 private:
  bool Append(int64_t time_us, const std::string& line, std::string* error);

  const std::string dir_;
  std::mutex mutex_;
  uint64_t number_ = 0;
};

}  // namespace sekisho::access

#endif  // SEKISHO_STORAGE_ACCESS_SEARCH_LOG_H_
