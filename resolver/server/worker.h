// Worker: one thread with its sockets and its Core; turns readiness into events for the core and the core's
// wishes into system calls.
//
//   bytes → UdpListener | TcpServer → Core::HandleQuestion → reply, or wait
//   PollSend → OutboundUdp | OutboundTcp → HandleUpstreamReply | HandleUpstreamFailure
//
// Threads: made and destroyed on the main thread; Start runs it on its own; Stop, SetTcpLimits and Wake from
// any. Limits: those of its parts. Standards: see the parts.
#ifndef SEKISHO_RESOLVER_SERVER_WORKER_H_
#define SEKISHO_RESOLVER_SERVER_WORKER_H_

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "proto/base/published.h"
#include "proto/base/rng.h"
#include "proto/io/event_loop.h"
#include "proto/io/unique_fd.h"
#include "resolver/core/core.h"
#include "resolver/server/connection_quota.h"
#include "resolver/server/handlers.h"
#include "resolver/server/outbound_tcp.h"
#include "resolver/server/outbound_udp.h"
#include "resolver/server/tcp_server.h"
#include "resolver/server/udp_listener.h"

namespace sekisho::resolver {

struct WorkerSockets {
  std::vector<io::UniqueFd> udp;
  std::vector<io::UniqueFd> tcp;  // listening
};

struct WorkerDeps {
  uint16_t index = 0;
  const Published<const Settings>* settings = nullptr;
  const Published<const blocklist::PolicySnapshot>* policy = nullptr;
  const Published<const rpz::Zones>* zones = nullptr;
  RrsetCache* cache = nullptr;
  RecordSink* sink = nullptr;
  NotifySink* notify = nullptr;
  ConnectionQuota* quota = nullptr;
  FollowingClock* clock = nullptr;
  TcpLimits tcp;
  dnssec::AnchorRollover* rollover = nullptr;  // of the worker that asks after the anchors
  uint32_t max_upstream = UINT32_MAX;          // sockets on their way to servers
  CookieSecret cookie_secret{};
};

class Worker final : public QuestionHandler, public UpstreamHandler {
 public:
  Worker(const WorkerDeps& deps, WorkerSockets sockets);
  ~Worker() override;

  void Start();
  // Ends the thread; what is in flight is forgotten.
  void Stop();
  void SetTcpLimits(const TcpLimits& limits);
  // Lets the core take note of newly published settings and policy at once, so that nothing old is kept in
  // use.
  void Wake();

  const Counters& counters() const { return core_.counters(); }
  // The policy generation that the worker decides by; 0: none.
  uint64_t policy_generation() const { return policy_generation_.load(std::memory_order_relaxed); }
  // Datagrams that could not be sent or were too long.
  uint64_t udp_failures() const { return udp_failures_.load(std::memory_order_relaxed); }

 private:
  std::optional<std::string> AgencyOf(const IpAddress& client) override;
  void Expect(std::span<const std::span<const uint8_t>> packets) override;
  Handled OnQuestion(const ClientQuestion& question, std::vector<uint8_t>* reply) override;
  void OnClientGone(uint64_t token) override;
  void OnUpstreamReply(uint64_t ticket, std::span<const uint8_t> packet) override;
  void OnUpstreamFailure(uint64_t ticket, UpstreamFailure failure) override;
  void BeginRound() override { now_ = clock_.Read(); }
  void EndRound() override;

  void OnTimer();
  void SendQueries();
  void SendReplies();
  void ArmTimer();
  void Publish();

  KernelRng rng_;
  Core core_;
  Published<const Settings>::Reader settings_;
  Published<const blocklist::PolicySnapshot>::Reader policy_;
  FollowingClock& clock_;
  Now now_;
  io::EventLoop loop_;
  io::Timer timer_;
  std::optional<MonoTime> armed_;
  OutboundUdp outbound_udp_;
  OutboundTcp outbound_tcp_;
  UdpClients udp_clients_{0};
  std::vector<std::unique_ptr<UdpListener>> udp_;
  TcpServer tcp_;
  std::atomic<uint64_t> policy_generation_{0};
  std::atomic<uint64_t> udp_failures_{0};
  std::thread thread_;
  uint16_t index_;
  const size_t max_upstream_;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_WORKER_H_
