// Turns: how many questions may run at a time, and how many wait for one to end.
//
//   const Turns::Turn turn(turns);
//   if (!turn) …refused
//
// Threads: any. Limits: given at construction; nobody waits longer than `longest`.
#ifndef SEKISHO_STORAGE_API_TURNS_H_
#define SEKISHO_STORAGE_API_TURNS_H_

#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "proto/base/now.h"

namespace sekisho::api {

class Turns {
 public:
  Turns(size_t running, size_t waiting, Duration longest)
      : free_(running), may_wait_(waiting), longest_(longest) {}

  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(turns), mine_(turns.Take()) {}
    ~Turn() {
      if (mine_) turns_.Give();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    explicit operator bool() const { return mine_; }

   private:
    Turns& turns_;
    const bool mine_;
  };

 private:
  bool Take() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (free_ == 0) {
      if (may_wait_ == 0) return false;
      --may_wait_;
      const bool got = wake_.wait_for(lock, longest_, [this] { return free_ > 0; });
      ++may_wait_;
      if (!got) return false;
    }
    --free_;
    return true;
  }
  void Give() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++free_;
    }
    wake_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  size_t free_;
  size_t may_wait_;
  const Duration longest_;
};

}  // namespace sekisho::api

#endif  // SEKISHO_STORAGE_API_TURNS_H_
