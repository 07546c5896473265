#include "proto/io/unix_frame_server.h"

#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "proto/base/bytes.h"
#include "proto/frame/frame.h"
#include "proto/io/unique_fd.h"
#include "proto/io/unix_socket.h"

namespace sekisho::io {
namespace {

// What a connection and its senders share.
struct Outbox {
  std::mutex mutex;
  std::condition_variable room;
  std::string bytes;
  bool answered = false;  // the last response is in `bytes`
  bool gone = false;
  size_t max_buffered = 0;
  std::thread::id loop_thread;
  std::function<void()> wake;  // makes the loop look at this outbox; not called once gone
};

class OutboxStream final : public ReplyStream {
 public:
  explicit OutboxStream(std::shared_ptr<Outbox> outbox) : outbox_(std::move(outbox)) {}
  ~OutboxStream() override {
    if (!finished_) Fail("the daemon gave no answer");
  }

  bool Send(control::Response response) override {
    response.set_last(false);
    return Write(response);
  }
  bool Finish(control::Response response) override {
    response.set_last(true);
    return Write(response);
  }
  bool gone() const override {
    std::lock_guard<std::mutex> lock(outbox_->mutex);
    return outbox_->gone;
  }
  bool behind() const override {
    std::lock_guard<std::mutex> lock(outbox_->mutex);
    return outbox_->bytes.size() > outbox_->max_buffered;
  }

 private:
  bool Write(const control::Response& response) {
    if (finished_) return false;
    std::string wire;
    if (!frame::AppendFrame(response, &wire)) {
      control::Response refusal;
      refusal.set_error("the answer is too large to send");
      refusal.set_last(true);
      frame::AppendFrame(refusal, &wire);
      finished_ = true;
    }
    finished_ = finished_ || response.last();
    std::unique_lock<std::mutex> lock(outbox_->mutex);
    if (std::this_thread::get_id() != outbox_->loop_thread) {
      outbox_->room.wait(lock,
                         [&] { return outbox_->gone || outbox_->bytes.size() <= outbox_->max_buffered; });
    }
    if (outbox_->gone) return false;
    outbox_->bytes += wire;
    outbox_->answered = finished_;
    outbox_->wake();
    return true;
  }

  std::shared_ptr<Outbox> outbox_;
  bool finished_ = false;
};

}  // namespace

bool ReplyStream::Fail(std::string error) {
  control::Response response;
  response.set_error(std::move(error));
  return Finish(std::move(response));
}

class UnixFrameServer::Impl {
 public:
  Impl(EventLoop& loop, Options options, Handler handler, UniqueFd fd)
      : loop_(loop),
        options_(std::move(options)),
        handler_(std::move(handler)),
        listener_(std::move(fd)),
        alive_(std::make_shared<Impl*>(this)),
        accept_watcher_(loop, listener_.get(), [this](FdWatcher::Events) { Accept(); }),
        accept_again_(loop, [this] { accept_watcher_.Want({.read = true}); }) {
    accept_watcher_.Want({.read = true});
  }

  ~Impl() {
    alive_.reset();
    while (!connections_.empty()) Close(connections_.begin()->first);
    ::unlink(options_.path.c_str());
  }

  size_t connections() const { return connections_.size(); }

 private:
  struct Connection {
    UniqueFd fd;
    std::unique_ptr<FdWatcher> watcher;
    std::unique_ptr<Timer> patience;
    frame::FrameDecoder decoder{frame::kMaxRequest};
    std::shared_ptr<Outbox> outbox;
    std::string writing;  // taken from the outbox, partly sent
    size_t written = 0;
    bool answering = false;
    bool stalled = false;  // the client takes nothing; `patience` runs
  };

  void Accept() {
    for (;;) {
      UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd) {
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (errno == EAGAIN) return;
        // Out of descriptors: the listener stays readable, so look again later instead of spinning.
        accept_watcher_.Want({});
        accept_again_.Start(std::chrono::milliseconds(100));
        return;
      }
      if (connections_.size() >= options_.max_connections) {
        Refuse(fd.get());
        continue;
      }
      Open(std::move(fd));
    }
  }

  static void Refuse(int fd) {
    control::Response response;
    response.set_error("too many connections to this daemon");
    response.set_last(true);
    std::string wire;
    frame::AppendFrame(response, &wire);
    (void)!::send(fd, wire.data(), wire.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  void Open(UniqueFd fd) {
    const uint64_t id = ++last_id_;
    Connection& c = connections_[id];
    c.fd = std::move(fd);
    c.outbox = std::make_shared<Outbox>();
    c.outbox->max_buffered = options_.max_buffered;
    c.outbox->loop_thread = std::this_thread::get_id();
    c.outbox->wake = [this, id, &loop = loop_, alive = std::weak_ptr<Impl*>(alive_)] {
      loop.Post([this, id, alive] {
        if (alive.lock()) Flush(id);
      });
    };
    c.patience = std::make_unique<Timer>(loop_, [this, id] { Close(id); });
    c.patience->Start(options_.idle_timeout);
    c.watcher =
        std::make_unique<FdWatcher>(loop_, c.fd.get(), [this, id](FdWatcher::Events e) { OnReady(id, e); });
    c.watcher->Want({.read = true});
  }

  void Close(uint64_t id) {
    auto it = connections_.find(id);
    if (it == connections_.end()) return;
    {
      std::lock_guard<std::mutex> lock(it->second.outbox->mutex);
      it->second.outbox->gone = true;
    }
    it->second.outbox->room.notify_all();
    it->second.watcher.reset();  // before its descriptor
    connections_.erase(it);
  }

  void OnReady(uint64_t id, FdWatcher::Events events) {
    auto it = connections_.find(id);
    if (it == connections_.end()) return;
    if (it->second.answering) {
      if (events.hangup) return Close(id);
      return Flush(id);
    }
    Read(id);
  }

  void Read(uint64_t id) {
    Connection& c = connections_.at(id);
    uint8_t buffer[65536];
    const ssize_t n = ::recv(c.fd.get(), buffer, sizeof(buffer), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return Close(id);
    c.decoder.Append({buffer, static_cast<size_t>(n)});
    NextRequest(id);
  }

  void NextRequest(uint64_t id) {
    auto it = connections_.find(id);
    if (it == connections_.end() || it->second.answering) return;
    Connection& c = it->second;
    std::string payload;
    const auto result = c.decoder.Next(&payload);
    if (result == frame::FrameDecoder::Result::kNeedMore) return;
    if (result == frame::FrameDecoder::Result::kBad) return Close(id);
    c.answering = true;
    c.patience->Cancel();
    c.watcher->Want({.hangup = true});
    auto stream = std::make_shared<OutboxStream>(c.outbox);
    control::Request request;
    if (!request.ParseFromString(payload)) {
      stream->Fail("the request is not a control.Request");
      return;
    }
    handler_(std::move(request), std::move(stream));
  }

  void Flush(uint64_t id) {
    auto it = connections_.find(id);
    if (it == connections_.end()) return;
    Connection& c = it->second;
    for (;;) {
      if (c.written == c.writing.size()) {
        std::lock_guard<std::mutex> lock(c.outbox->mutex);
        c.writing.clear();
        c.written = 0;
        c.writing.swap(c.outbox->bytes);
        c.outbox->room.notify_all();
        if (c.writing.empty()) break;
      }
      const ssize_t n =
          ::send(c.fd.get(), c.writing.data() + c.written, c.writing.size() - c.written, MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) {
        c.watcher->Want({.write = true, .hangup = true});
        if (!c.stalled) c.patience->Start(options_.write_timeout);
        c.stalled = true;
        return;
      }
      if (n < 0) return Close(id);
      c.written += static_cast<size_t>(n);
      c.patience->Cancel();
      c.stalled = false;
    }
    EndOfOutbox(id, c);
  }

  void EndOfOutbox(uint64_t id, Connection& c) {
    {
      std::lock_guard<std::mutex> lock(c.outbox->mutex);
      if (!c.outbox->answered) {
        c.watcher->Want({.read = !c.answering, .hangup = c.answering});
        return;
      }
      c.outbox->answered = false;
    }
    c.answering = false;
    c.patience->Start(options_.idle_timeout);
    c.watcher->Want({.read = true});
    NextRequest(id);
  }

  EventLoop& loop_;
  Options options_;
  Handler handler_;
  UniqueFd listener_;
  std::shared_ptr<Impl*> alive_;
  FdWatcher accept_watcher_;
  Timer accept_again_;
  std::unordered_map<uint64_t, Connection> connections_;
  uint64_t last_id_ = 0;
};

UnixFrameServer::UnixFrameServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
UnixFrameServer::~UnixFrameServer() = default;
size_t UnixFrameServer::connections() const { return impl_->connections(); }

absl::StatusOr<std::unique_ptr<UnixFrameServer>> UnixFrameServer::Listen(EventLoop& loop, Options options,
                                                                         Handler handler) {
  auto fd = BindUnixSocket(options.path);
  if (!fd.ok()) return fd.status();
  return std::unique_ptr<UnixFrameServer>(new UnixFrameServer(
      std::make_unique<Impl>(loop, std::move(options), std::move(handler), *std::move(fd))));
}

}  // namespace sekisho::io
