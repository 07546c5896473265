// PollSet: many short-lived descriptors behind one entry of an EventLoop.
//
// A descriptor costs one system call to add and none to remove: closing it is enough. For sockets that live
// as long as one query; FdWatcher is for those that stay.
//
//   PollSet set(loop, [&](uint64_t key, FdWatcher::Events e) { … }, [&] { … });
//   set.Add(fd, key, {.read = true});
//
// Threads: the loop's. Limits: an event may still come for a key whose descriptor was closed in the same
// round, so keys are never used again and unknown ones are ignored by the owner. Standards: epoll(7).
#ifndef SEKISHO_PROTO_IO_POLL_SET_H_
#define SEKISHO_PROTO_IO_POLL_SET_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "proto/io/event_loop.h"
#include "proto/io/unique_fd.h"

namespace sekisho::io {

class PollSet {
 public:
  // `on_event` for each ready descriptor (errors count as readable and writable), then `on_round` once per
  // round.
  PollSet(EventLoop& loop, std::function<void(uint64_t, FdWatcher::Events)> on_event,
          std::function<void()> on_round);

  // Level-triggered. False when the system refuses.
  bool Add(int fd, uint64_t key, FdWatcher::Interest interest);
  bool Change(int fd, uint64_t key, FdWatcher::Interest interest);
  // The system gave us an epoll descriptor.
  bool ok() const { return static_cast<bool>(epoll_); }

 private:
  bool Control(int operation, int fd, uint64_t key, FdWatcher::Interest interest);
  void Dispatch();

  UniqueFd epoll_;
  std::function<void(uint64_t, FdWatcher::Events)> on_event_;
  std::function<void()> on_round_;
  std::unique_ptr<FdWatcher> watcher_;
};

}  // namespace sekisho::io

#endif  // SEKISHO_PROTO_IO_POLL_SET_H_
