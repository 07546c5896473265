#include "proto/io/event_loop.h"

#include <uv.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace sekisho::io {
namespace {

// Rounded up: a timer that fires early makes its owner arm it again for nothing.
uint64_t Millis(Duration d) {
  return static_cast<uint64_t>(std::max<int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(d).count()));
}

struct SignalHandle {
  uv_signal_t uv;
  std::function<void()> fn;
};

}  // namespace

class EventLoop::Impl {
 public:
  Impl() {
    uv_loop_init(&loop_);
    uv_async_init(&loop_, &wake_, [](uv_async_t* async) { static_cast<Impl*>(async->data)->RunPosted(); });
    wake_.data = this;
  }

  ~Impl() {
    // Owners destroy their own handles; what is left belongs to the loop itself.
    for (auto& signal : signals_) uv_close(reinterpret_cast<uv_handle_t*>(&signal->uv), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }

  void Post(std::function<void()> fn) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      posted_.push_back(std::move(fn));
    }
    uv_async_send(&wake_);
  }

  void RunPosted() {
    std::vector<std::function<void()>> batch;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      batch.swap(posted_);
    }
    for (auto& fn : batch) fn();
  }

  bool OnSignal(int signal_number, std::function<void()> fn) {
    auto signal = std::make_unique<SignalHandle>();
    signal->fn = std::move(fn);
    uv_signal_init(&loop_, &signal->uv);
    signal->uv.data = signal.get();
    signals_.push_back(std::move(signal));
    return uv_signal_start(
               &signals_.back()->uv, [](uv_signal_t* uv, int) { static_cast<SignalHandle*>(uv->data)->fn(); },
               signal_number) == 0;
  }

  uv_loop_t* uv() { return &loop_; }

 private:
  uv_loop_t loop_;
  uv_async_t wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  std::vector<std::unique_ptr<SignalHandle>> signals_;
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;
void EventLoop::Run() { uv_run(impl_->uv(), UV_RUN_DEFAULT); }
void EventLoop::RunOnce(bool wait) { uv_run(impl_->uv(), wait ? UV_RUN_ONCE : UV_RUN_NOWAIT); }
void EventLoop::Stop() {
  Post([this] { uv_stop(impl_->uv()); });
}
void EventLoop::Post(std::function<void()> fn) { impl_->Post(std::move(fn)); }
bool EventLoop::OnSignal(int signal_number, std::function<void()> fn) {
  return impl_->OnSignal(signal_number, std::move(fn));
}

// Handles outlive their owners until libuv has let go of them, so a callback may destroy its own owner.
struct Timer::Handle {
  uv_timer_t uv;
  std::function<void()> fn;
  static void Fire(uv_timer_t* timer) { static_cast<Handle*>(timer->data)->fn(); }
};

Timer::Timer(EventLoop& loop, std::function<void()> fn) : handle_(new Handle{{}, std::move(fn)}) {
  uv_timer_init(loop.impl().uv(), &handle_->uv);
  handle_->uv.data = handle_;
}

Timer::~Timer() {
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->uv),
           [](uv_handle_t* uv) { delete static_cast<Handle*>(uv->data); });
}

void Timer::Start(Duration delay) { uv_timer_start(&handle_->uv, &Handle::Fire, Millis(delay), 0); }
void Timer::StartRepeating(Duration period) {
  const uint64_t ms = std::max<uint64_t>(1, Millis(period));
  uv_timer_start(&handle_->uv, &Handle::Fire, ms, ms);
}
void Timer::Cancel() { uv_timer_stop(&handle_->uv); }

struct FdWatcher::Handle {
  uv_poll_t uv;
  std::function<void(Events)> fn;
  bool usable = false;
};

FdWatcher::FdWatcher(EventLoop& loop, int fd, std::function<void(Events)> fn)
    : handle_(new Handle{{}, std::move(fn)}) {
  handle_->usable = uv_poll_init(loop.impl().uv(), &handle_->uv, fd) == 0;
  handle_->uv.data = handle_;
}

FdWatcher::~FdWatcher() {
  if (!handle_->usable) {
    delete handle_;
    return;
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->uv),
           [](uv_handle_t* uv) { delete static_cast<Handle*>(uv->data); });
}

bool FdWatcher::Want(Interest interest) {
  if (!handle_->usable) return false;
  const int events = (interest.read ? UV_READABLE : 0) | (interest.write ? UV_WRITABLE : 0) |
                     (interest.hangup ? UV_DISCONNECT : 0);
  if (events == 0) return uv_poll_stop(&handle_->uv) == 0;
  return uv_poll_start(&handle_->uv, events, [](uv_poll_t* poll, int status, int ready) {
           auto* handle = static_cast<Handle*>(poll->data);
           // An error is reported to whoever reads or writes next.
           if (status < 0) return handle->fn({.readable = true, .writable = true, .hangup = true});
           handle->fn({.readable = (ready & UV_READABLE) != 0,
                       .writable = (ready & UV_WRITABLE) != 0,
                       .hangup = (ready & UV_DISCONNECT) != 0});
         }) == 0;
}

}  // namespace sekisho::io
