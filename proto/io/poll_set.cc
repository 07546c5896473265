#include "proto/io/poll_set.h"

#include <sys/epoll.h>

#include <array>
#include <utility>

namespace sekisho::io {
namespace {

// Events taken per round; the rest stay ready, so one busy set cannot starve the loop's other work.
constexpr int kBatch = 256;

}  // namespace

PollSet::PollSet(EventLoop& loop, std::function<void(uint64_t, FdWatcher::Events)> on_event,
                 std::function<void()> on_round)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), on_event_(std::move(on_event)), on_round_(std::move(on_round)) {
  if (!epoll_) return;
  watcher_ = std::make_unique<FdWatcher>(loop, epoll_.get(), [this](FdWatcher::Events) { Dispatch(); });
  watcher_->Want({.read = true});
}

bool PollSet::Control(int operation, int fd, uint64_t key, FdWatcher::Interest interest) {
  epoll_event event{};
  event.events =
      (interest.read ? EPOLLIN : 0u) | (interest.write ? EPOLLOUT : 0u) | (interest.hangup ? EPOLLRDHUP : 0u);
  event.data.u64 = key;
  return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

bool PollSet::Add(int fd, uint64_t key, FdWatcher::Interest interest) {
  return Control(EPOLL_CTL_ADD, fd, key, interest);
}
bool PollSet::Change(int fd, uint64_t key, FdWatcher::Interest interest) {
  return Control(EPOLL_CTL_MOD, fd, key, interest);
}

void PollSet::Dispatch() {
  std::array<epoll_event, kBatch> events;
  const int n = ::epoll_wait(epoll_.get(), events.data(), kBatch, 0);
  for (int i = 0; i < n; ++i) {
    const uint32_t ready = events[static_cast<size_t>(i)].events;
    const bool broken = (ready & (EPOLLERR | EPOLLHUP)) != 0;
    on_event_(events[static_cast<size_t>(i)].data.u64, {.readable = broken || (ready & EPOLLIN) != 0,
                                                        .writable = broken || (ready & EPOLLOUT) != 0,
                                                        .hangup = broken || (ready & EPOLLRDHUP) != 0});
  }
  if (n > 0) on_round_();
}

}  // namespace sekisho::io
