// FailureLimit: slows those who try tokens — after a few failures the next tries are not even looked at for a
// time that doubles.
//
// Counted for (address, token's id), so that who guesses shuts out himself and not the others behind the same
// address.
//
// Threads: any. Limits: kMaxFailing keys; the one that waits least is forgotten first. Standards: none.
#ifndef SEKISHO_STORAGE_API_FAILURE_LIMIT_H_
#define SEKISHO_STORAGE_API_FAILURE_LIMIT_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "proto/base/now.h"

namespace sekisho::api {

inline constexpr size_t kMaxFailing = 4096;

class FailureLimit {
 public:
  // How long `key` has to wait before it is looked at; zero: not at all.
  Duration Wait(const std::string& key, MonoTime now);
  void Failed(const std::string& key, MonoTime now);

 private:
  struct State {
    uint32_t failures = 0;
    MonoTime until{};
    MonoTime last{};
  };
  std::mutex mutex_;
  std::map<std::string, State> failing_;
};

}  // namespace sekisho::api

#endif  // SEKISHO_STORAGE_API_FAILURE_LIMIT_H_
