// EventLoop, Timer, FdWatcher: one thread's loop over descriptors, timers, signals and calls posted from
// other threads.
//
//   EventLoop loop;
//   Timer timer(loop, [&] { … });   timer.Start(std::chrono::seconds(1));
//   FdWatcher watcher(loop, fd, [&](FdWatcher::Events e) { … });   watcher.Want({.read = true});
//   loop.OnSignal(SIGTERM, [&] { loop.Stop(); });
//   loop.Run();
//
// Threads: everything on the loop's thread except Post and Stop, which any thread may call. Timers and
// watchers may be destroyed inside their own callback; they must be gone before their loop is. Limits: timers
// have a resolution of a millisecond and are rounded up. Standards: none.
#ifndef SEKISHO_PROTO_IO_EVENT_LOOP_H_
#define SEKISHO_PROTO_IO_EVENT_LOOP_H_

#include <functional>
#include <memory>

#include "proto/base/now.h"

namespace sekisho::io {

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs until Stop; may be called again afterwards.
  void Run();
  // Handles what is ready now and returns at once (wait = false), or waits for one round of events.
  void RunOnce(bool wait);
  void Stop();
  // `fn` runs on the loop's thread, in the order posted. After the loop was stopped for good it is destroyed
  // unrun.
  void Post(std::function<void()> fn);
  // Calls `fn` on the loop for each delivery; false when the system refuses.
  bool OnSignal(int signal_number, std::function<void()> fn);

  class Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

class Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> fn);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Replaces what was started before. Fires once, not before `delay` has passed.
  void Start(Duration delay);
  void StartRepeating(Duration period);
  void Cancel();

 private:
  struct Handle;
  Handle* handle_;
};

class FdWatcher {
 public:
  struct Interest {
    bool read = false;
    bool write = false;
    bool hangup = false;  // the peer has closed its side, even when reading is not wanted
  };
  struct Events {
    bool readable = false;
    bool writable = false;
    bool hangup = false;
  };

  // Does not own `fd`, which must be non-blocking and stay open until the watcher is destroyed.
  FdWatcher(EventLoop& loop, int fd, std::function<void(Events)> fn);
  ~FdWatcher();
  FdWatcher(const FdWatcher&) = delete;
  FdWatcher& operator=(const FdWatcher&) = delete;

  // Level-triggered. False when the descriptor cannot be polled.
  bool Want(Interest interest);

 private:
  struct Handle;
  Handle* handle_;
};

}  // namespace sekisho::io

#endif  // SEKISHO_PROTO_IO_EVENT_LOOP_H_
