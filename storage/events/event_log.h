// EventLog: what was found out about past lookups, one JSON object a line in an append-only file.
//
//   {"id":…,"time":…,"kind":"retro-hunt","rule":…,"agencies":[{"agency":…,"clients":[…],…}]}
//
// An id is made of what the event is about, so an event that is told again after a crash is kept once.
//
// Threads: any. Limits: kMaxLine bytes an event, kMaxFile bytes in all; beyond it Append says no.
#ifndef SEKISHO_STORAGE_EVENTS_EVENT_LOG_H_
#define SEKISHO_STORAGE_EVENTS_EVENT_LOG_H_

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sekisho::events {

inline constexpr size_t kMaxLine = size_t{1} << 20;
inline constexpr size_t kMaxFile = size_t{1} << 30;

class EventLog {
 public:
  explicit EventLog(std::string path) : path_(std::move(path)) {}

  // Makes the events durable, those that are there already aside; `lines` are JSON objects with an "id".
  bool Append(const std::vector<std::string>& lines, std::string* error);
  // Every whole line, oldest first, until `each` returns false. False: the file cannot be read.
  static bool Read(const std::string& path, const std::function<bool(std::string_view)>& each);
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  std::mutex mutex_;
};

// The event without the agencies not in `only`, its sums made anew; empty when none is left or it is no
// event.
std::string ConfineEvent(std::string_view line, const std::set<std::string, std::less<>>& only);

}  // namespace sekisho::events

#endif  // SEKISHO_STORAGE_EVENTS_EVENT_LOG_H_
