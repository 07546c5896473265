#include "resolver/server/worker.h"

#include <algorithm>
#include <string>
#include <utility>

#include "blocklist/trie/policy_snapshot.h"
#include "proto/base/this_thread.h"

namespace sekisho::resolver {

Worker::Worker(const WorkerDeps& deps, WorkerSockets sockets)
    : core_({.settings = deps.settings,
             .policy = deps.policy,
             .zones = deps.zones,
             .cache = deps.cache,
             .rng = &rng_,
             .sink = deps.sink,
             .notify = deps.notify,
             .worker = deps.index,
             .rollover = deps.rollover,
             .cookie_secret = deps.cookie_secret}),
      settings_(*deps.settings),
      policy_(*deps.policy),
      clock_(*deps.clock),
      now_(clock_.Read()),
      timer_(loop_, [this] { OnTimer(); }),
      outbound_udp_(loop_, &rng_, this),
      outbound_tcp_(loop_, this),
      tcp_(loop_, deps.quota, this, deps.tcp),
      index_(deps.index),
      max_upstream_(deps.max_upstream) {
  for (auto& fd : sockets.udp) {
    udp_.push_back(std::make_unique<UdpListener>(loop_, std::move(fd), &udp_clients_, this));
  }
  for (auto& fd : sockets.tcp) tcp_.AddListener(std::move(fd));
  Publish();
}

Worker::~Worker() { Stop(); }

void Worker::Start() {
  thread_ = std::thread([this] {
    BeginThread(("worker-" + std::to_string(index_)).c_str(), kAnswers);
    loop_.Run();
  });
}

void Worker::Stop() {
  if (!thread_.joinable()) return;
  loop_.Stop();
  thread_.join();
}

void Worker::SetTcpLimits(const TcpLimits& limits) {
  loop_.Post([this, limits] { tcp_.SetLimits(limits); });
}

void Worker::Wake() {
  loop_.Post([this] { OnTimer(); });
}

std::optional<std::string> Worker::AgencyOf(const IpAddress& client) {
  const Settings* settings = settings_.Get();
  const auto id = settings == nullptr ? std::nullopt : settings->agencies.Find(client);
  if (!id) return std::nullopt;
  return settings->agencies.size() > 1 ? settings->agencies.name(*id) : std::string();
}

void Worker::Expect(std::span<const std::span<const uint8_t>> packets) { core_.Expect(packets); }

Handled Worker::OnQuestion(const ClientQuestion& question, std::vector<uint8_t>* reply) {
  return core_.HandleQuestion(question, now_, reply);
}

void Worker::OnClientGone(uint64_t token) { core_.HandleClientGone(token, now_); }

void Worker::OnUpstreamReply(uint64_t ticket, std::span<const uint8_t> packet) {
  core_.HandleUpstreamReply(ticket, packet, now_);
}

void Worker::OnUpstreamFailure(uint64_t ticket, UpstreamFailure failure) {
  core_.HandleUpstreamFailure(ticket, failure, now_);
}

void Worker::OnTimer() {
  armed_.reset();
  BeginRound();
  core_.HandleTimer(now_);
  EndRound();
}

void Worker::EndRound() {
  // Each answer on a TCP connection may let its next question in, and that may want to send.
  do {
    SendQueries();
    SendReplies();
  } while (tcp_.Flush());
  for (auto& listener : udp_) listener->Flush();
  ArmTimer();
  Publish();
}

void Worker::SendQueries() {
  // A query that fails at once may be followed by another one; the core's budget ends that.
  while (auto query = core_.PollSend()) {
    const size_t open = outbound_udp_.in_flight() + outbound_tcp_.in_flight() + outbound_tcp_.idle();
    std::optional<UpstreamFailure> failure = UpstreamFailure::kNoSocket;
    if (open < max_upstream_) failure = query->tcp ? outbound_tcp_.Send(*query) : outbound_udp_.Send(*query);
    if (failure) core_.HandleUpstreamFailure(query->ticket, *failure, now_);
  }
  while (auto ticket = core_.PollCancel()) {
    outbound_udp_.Cancel(*ticket);
    outbound_tcp_.Cancel(*ticket);
  }
}

void Worker::SendReplies() {
  while (auto reply = core_.PollReply()) {
    if (reply->drop) reply->packet.clear();
    if ((reply->token & kTcpTokenBit) != 0) {
      tcp_.SendReply(reply->token, std::move(reply->packet));
      continue;
    }
    const UdpClient* client = udp_clients_.Find(reply->token);
    if (client == nullptr) continue;
    if (!reply->packet.empty()) client->listener->SendLater(client->path, std::move(reply->packet));
    udp_clients_.Release(reply->token);
  }
}

void Worker::ArmTimer() {
  const auto deadline = core_.NextDeadline();
  if (deadline == armed_) return;
  armed_ = deadline;
  if (deadline) {
    timer_.Start(std::max(Duration(0), *deadline - now_.mono));
  } else {
    timer_.Cancel();
  }
}

void Worker::Publish() {
  const blocklist::PolicySnapshot* policy = policy_.Get();
  policy_generation_.store(policy == nullptr ? 0 : policy->generation(), std::memory_order_relaxed);
  uint64_t failures = 0;
  for (const auto& listener : udp_) failures += listener->oversized() + listener->send_failures();
  udp_failures_.store(failures, std::memory_order_relaxed);
}

}  // namespace sekisho::resolver
