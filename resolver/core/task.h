// Task<T>: a lazily started coroutine with one awaiter. The core's waiting code (iteration, validation) is
// written as straight-line Tasks; nothing in them knows of sockets or threads.
//
//   Task<ResponsePtr> Fetch(dns::Name name, dns::RRType type);
//   ResponsePtr keys = co_await Fetch(zone, dns::RRType::kDNSKEY);
//
// A Task that is destroyed while it waits destroys the Tasks it waits for, and what they had asked for is
// cancelled: dropping the root of a tree is how a Resolution ends early.
//
// House rules (they also keep clear of g++-12's known faults): arguments of a coroutine are values or
// references to things that outlive it; `co_await` stands alone in its statement (`auto x = co_await f(a);`),
// never inside ?:, &&, || or a call's arguments; arguments of an awaited call are named variables, never
// braced temporaries.
//
// Threads: a Task lives and dies on one thread. Limits: depth is bounded by Budget.
#ifndef SEKISHO_RESOLVER_CORE_TASK_H_
#define SEKISHO_RESOLVER_CORE_TASK_H_

#include <coroutine>
#include <cstdlib>
#include <optional>
#include <utility>

namespace sekisho::resolver {

namespace task_internal {

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
    auto next = self.promise().continuation;
    return next ? next : std::noop_coroutine();
  }
  void await_resume() const noexcept {}
};

struct PromiseBase {
  std::coroutine_handle<> continuation;
  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  // Our code throws nothing; what the library throws here (out of memory) ends the process.
  [[noreturn]] void unhandled_exception() const noexcept { std::abort(); }
};

}  // namespace task_internal

template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type : task_internal::PromiseBase {
    std::optional<T> value;
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    void return_value(T v) { value.emplace(std::move(v)); }
  };

  Task() = default;
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      Reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() { Reset(); }

  // Runs to the first wait. For the root of a tree; others are awaited.
  void Start() { handle_.resume(); }
  bool done() const { return handle_ && handle_.done(); }
  T& result() { return *handle_.promise().value; }
  void Reset() {
    if (handle_) std::exchange(handle_, nullptr).destroy();
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      std::coroutine_handle<promise_type> handle;
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const noexcept {
        handle.promise().continuation = awaiting;
        return handle;
      }
      T await_resume() const { return std::move(*handle.promise().value); }
    };
    return Awaiter{handle_};
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_CORE_TASK_H_
