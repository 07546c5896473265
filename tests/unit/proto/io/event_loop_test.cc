#include "proto/io/event_loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "proto/io/unique_fd.h"

namespace sekisho::io {
namespace {

using std::chrono::milliseconds;

TEST(EventLoop, PostedCallsRunInOrderOnTheLoopsThread) {
  EventLoop loop;
  std::vector<int> order;
  std::thread::id ran_on;
  std::thread poster([&] {
    for (int i = 0; i < 1000; ++i) loop.Post([&order, i] { order.push_back(i); });
    loop.Post([&] { ran_on = std::this_thread::get_id(); });
    loop.Stop();
  });
  loop.Run();
  poster.join();
  ASSERT_EQ(order.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(EventLoop, TimerFiresOnceAndNotTooEarly) {
  EventLoop loop;
  int fired = 0;
  const MonoTime start = ReadClocks().mono;
  MonoTime at{};
  Timer timer(loop, [&] {
    ++fired;
    at = ReadClocks().mono;
    loop.Stop();
  });
  timer.Start(milliseconds(20));
  loop.Run();
  EXPECT_EQ(fired, 1);
  EXPECT_GE(at - start, milliseconds(19));  // libuv counts from the millisecond it woke up in
}

TEST(EventLoop, TimerMayDestroyItself) {
  EventLoop loop;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, [&] {
    timer.reset();
    loop.Stop();
  });
  timer->Start(milliseconds(0));
  loop.Run();
  EXPECT_EQ(timer, nullptr);
}

TEST(EventLoop, WatcherReportsReadableAndMayDestroyItself) {
  EventLoop loop;
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  UniqueFd a(pair[0]);
  UniqueFd b(pair[1]);
  std::unique_ptr<FdWatcher> watcher;
  char got = 0;
  watcher = std::make_unique<FdWatcher>(loop, a.get(), [&](FdWatcher::Events e) {
    EXPECT_TRUE(e.readable);
    EXPECT_EQ(::read(a.get(), &got, 1), 1);
    watcher.reset();
    loop.Stop();
  });
  watcher->Want({.read = true});
  ASSERT_EQ(::write(b.get(), "x", 1), 1);
  loop.Run();
  EXPECT_EQ(got, 'x');
}

TEST(EventLoop, SignalArrives) {
  EventLoop loop;
  bool seen = false;
  ASSERT_TRUE(loop.OnSignal(SIGUSR2, [&] {
    seen = true;
    loop.Stop();
  }));
  loop.Post([] { ::kill(::getpid(), SIGUSR2); });
  loop.Run();
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace sekisho::io
