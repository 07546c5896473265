#include "resolver/server/outbound_tcp.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "proto/io/socket.h"
#include "resolver/server/tcp_message.h"

namespace sekisho::resolver {

struct OutboundTcp::Connection {
  uint64_t id = 0;
  io::UniqueFd fd;
  Endpoint server;
  uint64_t ticket = 0;  // 0: idle
  std::vector<uint8_t> out;
  size_t written = 0;
  std::vector<uint8_t> in;
  bool connected = false;
  bool reused = false;     // has answered an earlier question
  bool delivered = false;  // the whole answer went to the core
  MonoTime idle_since{};
};

OutboundTcp::OutboundTcp(io::EventLoop& loop, UpstreamHandler* handler)
    : handler_(handler),
      poll_(
          loop, [this](uint64_t id, io::FdWatcher::Events e) { OnEvent(id, e); },
          [this] { handler_->EndRound(); }),
      expire_(loop, [this] { ExpireIdle(); }) {}

OutboundTcp::~OutboundTcp() = default;

std::optional<UpstreamFailure> OutboundTcp::Send(const OutboundQuery& query) {
  std::unique_ptr<Connection> c;
  const auto kept = std::find_if(idle_.rbegin(), idle_.rend(),
                                 [&](uint64_t id) { return connections_.at(id)->server == query.server; });
  if (kept != idle_.rend()) {
    c = std::move(connections_.extract(*kept).mapped());
    idle_.erase(std::next(kept).base());
    c->reused = true;
  } else {
    c = std::make_unique<Connection>();
    c->server = query.server;
  }
  c->ticket = query.ticket;
  c->delivered = false;
  c->in.clear();
  c->out.clear();
  c->written = 0;
  AppendMessage(&c->out, query.packet);
  if (!c->reused) return Connect(std::move(c));
  Connection* at = c.get();
  by_ticket_[query.ticket] = at->id;
  connections_.emplace(at->id, std::move(c));
  if (!Write(at)) {
    at->reused = false;
    auto node = connections_.extract(at->id);
    by_ticket_.erase(query.ticket);
    return Connect(std::move(node.mapped()));
  }
  return std::nullopt;
}

// Opens a fresh connection for the question that `c` holds.
std::optional<UpstreamFailure> OutboundTcp::Connect(std::unique_ptr<Connection> c) {
  c->fd.reset();
  c->connected = false;
  c->reused = false;
  c->written = 0;
  c->in.clear();
  switch (io::ConnectTcp(c->server, &c->fd)) {
    case io::ConnectOutcome::kOk:
      break;
    case io::ConnectOutcome::kUnreachable:
      return UpstreamFailure::kUnreachable;
    case io::ConnectOutcome::kNoSocket:
      return UpstreamFailure::kNoSocket;
  }
  c->id = ++last_id_;
  if (!poll_.Add(c->fd.get(), c->id, {.read = true, .write = true})) return UpstreamFailure::kNoSocket;
  by_ticket_[c->ticket] = c->id;
  connections_.emplace(c->id, std::move(c));
  return std::nullopt;
}

void OutboundTcp::OnEvent(uint64_t id, io::FdWatcher::Events events) {
  handler_->BeginRound();
  auto it = connections_.find(id);
  if (it == connections_.end()) return;
  Connection* c = it->second.get();
  if (c->ticket == 0) {  // the server closed a kept connection, or talks out of turn
    std::erase(idle_, id);
    return Drop(id);
  }
  if (events.writable && !c->connected) {
    if (io::PendingError(c->fd.get()) != 0) return Fail(c);
    c->connected = true;
  }
  if (events.writable && !Write(c)) return Fail(c);
  if (events.readable && c->connected && !Read(c)) Fail(c);
}

bool OutboundTcp::Write(Connection* c) {
  while (c->written < c->out.size()) {
    const ssize_t n =
        ::send(c->fd.get(), c->out.data() + c->written, c->out.size() - c->written, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return poll_.Change(c->fd.get(), c->id, {.read = true, .write = true});
    if (n < 0) return false;
    c->written += static_cast<size_t>(n);
  }
  return poll_.Change(c->fd.get(), c->id, {.read = true});
}

bool OutboundTcp::Read(Connection* c) {
  std::array<uint8_t, 16384> buffer;
  const ssize_t n = ::recv(c->fd.get(), buffer.data(), buffer.size(), 0);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  // After the answer nothing is expected; whatever comes makes the connection unfit to be kept.
  if (c->delivered && c->in.size() > 65537) return true;
  c->in.insert(c->in.end(), buffer.begin(), buffer.begin() + n);
  if (!c->delivered) Deliver(c);
  return true;
}

void OutboundTcp::Deliver(Connection* c) {
  if (c->in.size() < 2) return;
  const size_t length = static_cast<size_t>(c->in[0] << 8 | c->in[1]);
  if (c->in.size() - 2 < length) return;
  c->delivered = true;
  handler_->OnUpstreamReply(c->ticket, std::span<const uint8_t>(c->in).subspan(2, length));
}

void OutboundTcp::Fail(Connection* c) {
  const uint64_t ticket = c->ticket;
  auto node = connections_.extract(c->id);
  by_ticket_.erase(ticket);
  if (c->delivered) return;
  std::optional<UpstreamFailure> failure =
      c->connected ? UpstreamFailure::kClosed : UpstreamFailure::kUnreachable;
  // A kept connection that the server had already given up says nothing about the server.
  if (c->reused && c->in.empty()) failure = Connect(std::move(node.mapped()));
  if (failure) handler_->OnUpstreamFailure(ticket, *failure);
}

void OutboundTcp::Cancel(uint64_t ticket) {
  auto at = by_ticket_.find(ticket);
  if (at == by_ticket_.end()) return;
  const uint64_t id = at->second;
  by_ticket_.erase(at);
  Connection& c = *connections_.at(id);
  const bool whole = c.delivered && c.in.size() == 2 + static_cast<size_t>(c.in[0] << 8 | c.in[1]);
  if (!whole || idle_.size() >= kMaxIdle) return Drop(id);
  c.ticket = 0;
  c.connected = true;
  c.idle_since = ReadClocks().mono;
  c.in.clear();
  c.in.shrink_to_fit();
  idle_.push_back(id);
  if (idle_.size() == 1) expire_.Start(kIdleTime);
}

void OutboundTcp::Drop(uint64_t id) { connections_.erase(id); }

void OutboundTcp::ExpireIdle() {
  const MonoTime now = ReadClocks().mono;
  while (!idle_.empty() && now - connections_.at(idle_.front())->idle_since >= kIdleTime) {
    Drop(idle_.front());
    idle_.erase(idle_.begin());
  }
  if (!idle_.empty()) {
    expire_.Start(kIdleTime - (now - connections_.at(idle_.front())->idle_since));
  }
}

}  // namespace sekisho::resolver
