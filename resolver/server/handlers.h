// QuestionHandler, UpstreamHandler: what listeners and outbound sockets tell their worker. Tests bring their
// own.
//
// Threads: the worker's.
#ifndef SEKISHO_RESOLVER_SERVER_HANDLERS_H_
#define SEKISHO_RESOLVER_SERVER_HANDLERS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "proto/base/ip_address.h"
#include "resolver/core/core.h"

namespace sekisho::resolver {

class QuestionHandler {
 public:
  virtual ~QuestionHandler() = default;
  // Whose client it is; others are not even let in over TCP. Empty when there is only one agency, which then
  // has all there is.
  virtual std::optional<std::string> AgencyOf(const IpAddress& client) = 0;
  // These packets come next; see Core::Expect.
  virtual void Expect(std::span<const std::span<const uint8_t>> packets) = 0;
  virtual Handled OnQuestion(const ClientQuestion& question, std::vector<uint8_t>* reply) = 0;
  virtual void OnClientGone(uint64_t token) = 0;
  // A batch of events begins and is over: whatever the core wants now is done between them.
  virtual void BeginRound() = 0;
  virtual void EndRound() = 0;
};

class UpstreamHandler {
 public:
  virtual ~UpstreamHandler() = default;
  virtual void OnUpstreamReply(uint64_t ticket, std::span<const uint8_t> packet) = 0;
  virtual void OnUpstreamFailure(uint64_t ticket, UpstreamFailure failure) = 0;
  virtual void BeginRound() = 0;
  virtual void EndRound() = 0;
};

}  // namespace sekisho::resolver

#endif  // SEKISHO_RESOLVER_SERVER_HANDLERS_H_
