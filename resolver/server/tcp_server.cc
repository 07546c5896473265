#include "resolver/server/tcp_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "resolver/server/tcp_message.h"

namespace sekisho::resolver {
namespace {

constexpr size_t kReadSize = 16 << 10;
constexpr int kAcceptsPerRound = 64;
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);

}  // namespace

struct TcpServer::Listener {
  Listener(io::EventLoop& loop, io::UniqueFd socket, std::function<void(Listener*)> accept)
      : fd(std::move(socket)),
        watcher(loop, fd.get(), [this, accept](io::FdWatcher::Events) { accept(this); }),
        resume(loop, [this] { watcher.Want({.read = true}); }) {
    watcher.Want({.read = true});
  }
  io::UniqueFd fd;
  io::FdWatcher watcher;
  io::Timer resume;
};

struct TcpServer::Connection {
  uint64_t id = 0;
  io::UniqueFd fd;
  Endpoint peer;
  std::string agency;
  std::vector<uint8_t> in;  // what came in and was not yet handed over
  std::vector<uint8_t> out;
  size_t written = 0;
  std::vector<uint64_t> waiting;  // tokens of questions in progress
  io::FdWatcher::Interest interest{.read = true};
  bool input_ended = false;
  MonoTime active{};           // last whole message or last byte written
  MonoTime message_started{};  // of the incomplete message in `in`
  MonoTime stalled{};          // since when the client takes nothing; zero: it does

  size_t unwritten() const { return out.size() - written; }
  bool HasWholeMessage() const {
    return in.size() >= 2 && in.size() - 2 >= static_cast<size_t>(in[0] << 8 | in[1]);
  }
};

Duration IdleTimeUnderLoad(const TcpLimits& limits, uint32_t used) {
  const uint64_t fill = uint64_t{used} * 100 / std::max<uint32_t>(1, limits.max_connections);
  if (fill < 50) return limits.idle;
  if (fill < 75) return limits.idle / 4;
  if (fill < 90) return limits.idle / 10;
  return limits.idle / 50;
}

TcpServer::TcpServer(io::EventLoop& loop, ConnectionQuota* quota, QuestionHandler* handler,
                     const TcpLimits& limits)
    : loop_(loop),
      quota_(quota),
      handler_(handler),
      poll_(
          loop, [this](uint64_t id, io::FdWatcher::Events e) { OnEvent(id, e); },
          [this] { handler_->EndRound(); }),
      sweep_(loop, [this] { Sweep(); }) {
  SetLimits(limits);
}

TcpServer::~TcpServer() {
  while (!connections_.empty()) Close(connections_.begin()->first);
}

void TcpServer::SetLimits(const TcpLimits& limits) {
  limits_ = limits;
  const Duration shortest = std::min({limits.idle / 50, limits.message_time, limits.write_time});
  sweep_.StartRepeating(
      std::clamp<Duration>(shortest / 2, std::chrono::milliseconds(5), std::chrono::milliseconds(250)));
}

void TcpServer::AddListener(io::UniqueFd fd) {
  listeners_.push_back(std::make_unique<Listener>(loop_, std::move(fd), [this](Listener* l) { Accept(l); }));
}

void TcpServer::Accept(Listener* listener) {
  for (int i = 0; i < kAcceptsPerRound; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    io::UniqueFd fd(::accept4(listener->fd.get(), reinterpret_cast<sockaddr*>(&address), &size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EAGAIN) return;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        // The listener stays readable; looking again at once would only spin.
        listener->watcher.Want({});
        listener->resume.Start(kAcceptPause);
        return;
      }
      continue;  // that one connection failed before we took it
    }
    const Endpoint peer = Endpoint::FromSockaddr(reinterpret_cast<const sockaddr*>(&address));
    auto agency = handler_->AgencyOf(peer.address);
    if (!agency) continue;
    if (!quota_->Admit(peer.address, *agency, limits_.max_connections, limits_.max_per_address)) continue;
    Open(std::move(fd), peer, *std::move(agency));
  }
}

void TcpServer::Open(io::UniqueFd fd, const Endpoint& peer, std::string agency) {
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  auto c = std::make_unique<Connection>();
  c->id = ++last_id_;
  c->fd = std::move(fd);
  c->peer = peer;
  c->agency = std::move(agency);
  c->active = ReadClocks().mono;
  if (!poll_.Add(c->fd.get(), c->id, c->interest)) {
    quota_->Release(peer.address, c->agency);
    return;
  }
  connections_.emplace(c->id, std::move(c));
}

void TcpServer::Close(uint64_t id) {
  auto node = connections_.extract(id);
  if (node.empty()) return;
  Connection& c = *node.mapped();
  quota_->Release(c.peer.address, c.agency);
  for (const uint64_t token : c.waiting) {
    clients_.Release(token);
    handler_->OnClientGone(token);
  }
}

void TcpServer::OnEvent(uint64_t id, io::FdWatcher::Events events) {
  handler_->BeginRound();
  auto it = connections_.find(id);
  if (it == connections_.end()) return;
  Connection* c = it->second.get();
  // An error that is reported again after the end of input would come back for ever.
  if (events.hangup && c->input_ended) return Close(id);
  if (events.writable && c->unwritten() > 0 && !Write(c)) return Close(id);
  if (events.readable && !Read(c)) return Close(id);
  if (!HandleMessages(c)) return;
  Settle(c);
}

bool TcpServer::Read(Connection* c) {
  const size_t had = c->in.size();
  c->in.resize(had + kReadSize);
  const ssize_t n = ::recv(c->fd.get(), c->in.data() + had, kReadSize, 0);
  c->in.resize(had + static_cast<size_t>(std::max<ssize_t>(0, n)));
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) {
    // The client may have closed only its side and still wait for answers (RFC 7766 section 6.2.4 allows it).
    c->input_ended = true;
    return true;
  }
  if (had == 0) c->message_started = ReadClocks().mono;
  return true;
}

bool TcpServer::HandleMessages(Connection* c) {
  do {
    if (!TakeMessages(c) || (c->unwritten() > 0 && !Write(c))) {
      Close(c->id);
      return false;
    }
    // What was written makes room for more of what is already here.
  } while (c->HasWholeMessage() && HasRoom(*c));
  return true;
}

bool TcpServer::TakeMessages(Connection* c) {
  size_t at = 0;
  while (HasRoom(*c)) {
    const auto left = std::span<const uint8_t>(c->in).subspan(at);
    if (left.size() < 2) break;
    const size_t length = static_cast<size_t>(left[0] << 8 | left[1]);
    if (length == 0) return false;
    if (left.size() - 2 < length) break;
    HandleMessage(c, left.subspan(2, length));
    at += 2 + length;
  }
  if (at == 0) return true;
  c->active = c->message_started = ReadClocks().mono;
  c->in.erase(c->in.begin(), c->in.begin() + static_cast<std::ptrdiff_t>(at));
  if (c->in.empty() && c->in.capacity() > kReadSize * 2) c->in.shrink_to_fit();
  return true;
}

void TcpServer::HandleMessage(Connection* c, std::span<const uint8_t> message) {
  const uint64_t token = clients_.Reserve();
  clients_.Find(token)->connection = c->id;
  ClientQuestion question;
  question.packet = message;
  question.client = c->peer;
  question.transport = record::Transport::kTcp;
  question.token = token;
  switch (handler_->OnQuestion(question, &reply_)) {
    case Handled::kPending:
      c->waiting.push_back(token);
      return;
    case Handled::kReplied:
      AppendMessage(&c->out, reply_);
      break;
    case Handled::kDropped:
      break;
  }
  clients_.Release(token);
}

bool TcpServer::Write(Connection* c) {
  while (c->unwritten() > 0) {
    const ssize_t n = ::send(c->fd.get(), c->out.data() + c->written, c->unwritten(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      if (c->stalled == MonoTime{}) c->stalled = ReadClocks().mono;
      break;
    }
    if (n < 0) return false;
    c->written += static_cast<size_t>(n);
    c->stalled = MonoTime{};
  }
  if (c->unwritten() == 0) {
    c->out.clear();
    c->written = 0;
    c->active = ReadClocks().mono;
    if (c->out.capacity() > limits_.max_buffered) c->out.shrink_to_fit();
  }
  return true;
}

bool TcpServer::HasRoom(const Connection& c) const {
  return c.waiting.size() < limits_.max_pipelined && c.unwritten() <= limits_.max_buffered;
}

void TcpServer::Settle(Connection* c) {
  if (c->input_ended && c->waiting.empty() && c->unwritten() == 0 && !c->HasWholeMessage())
    return Close(c->id);
  const io::FdWatcher::Interest wanted{.read = !c->input_ended && HasRoom(*c), .write = c->unwritten() > 0};
  if (wanted.read == c->interest.read && wanted.write == c->interest.write) return;
  c->interest = wanted;
  if (!poll_.Change(c->fd.get(), c->id, wanted)) Close(c->id);
}

void TcpServer::SendReply(uint64_t token, std::vector<uint8_t> packet) {
  const Client* client = clients_.Find(token);
  if (client == nullptr) return;
  auto it = connections_.find(client->connection);
  clients_.Release(token);
  if (it == connections_.end()) return;
  Connection* c = it->second.get();
  std::erase(c->waiting, token);
  if (!packet.empty()) AppendMessage(&c->out, packet);
  touched_.push_back(c->id);
}

bool TcpServer::Flush() {
  const bool any = !touched_.empty();
  std::vector<uint64_t> touched;
  touched.swap(touched_);
  for (const uint64_t id : touched) {
    auto it = connections_.find(id);
    if (it != connections_.end() && HandleMessages(it->second.get())) Settle(it->second.get());
  }
  return any;
}

void TcpServer::Sweep() {
  const MonoTime now = ReadClocks().mono;
  const Duration idle = IdleTimeUnderLoad(limits_, quota_->total());
  std::vector<uint64_t> late;
  for (const auto& [id, c] : connections_) {
    const bool stalled = c->stalled != MonoTime{} && now - c->stalled > limits_.write_time;
    const bool unfinished =
        !c->in.empty() && !c->HasWholeMessage() && now - c->message_started > limits_.message_time;
    const bool unused = c->in.empty() && c->waiting.empty() && c->unwritten() == 0 && now - c->active > idle;
    if (stalled || unfinished || unused) late.push_back(id);
  }
  if (late.empty()) return;
  handler_->BeginRound();
  for (const uint64_t id : late) Close(id);
  handler_->EndRound();
}

}  // namespace sekisho::resolver
