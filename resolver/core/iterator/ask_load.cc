// The part of Iterator that bounds how much is asked of one zone and one server at once (rows D22, S24).
#include <string>
#include <utility>

#include "resolver/core/iterator/iterator.h"

namespace sekisho::resolver {

std::string Iterator::ServerKey(const IpAddress& address) {
  return {reinterpret_cast<const char*>(address.mapped().data()), address.mapped().size()};
}

// Too much is in progress there: others shall not pay for it, and nobody waits for a turn.
void Iterator::Refuse(FetchState& state) {
  if (std::exchange(state.refused, true)) return;
  state.errors.push_back(
      {dns::EdeCode::kOther, "too many questions in progress for " + state.cut.zone.ToString()});
}

// Who was silent gets fewer questions at once. Forwarders are the operator's own choice, and slow where the
// world is slow.
void Iterator::NoteLoad(const FetchState& state, const ExchangeResult& result) {
  if (result.joined || state.cut.forward) return;
  const std::string zone = state.cut.zone.LowercaseBytes();
  const std::string server = ServerKey(result.server.address);
  if (result.outcome == ExchangeOutcome::kReply) {
    zone_quota_.OnReply(zone);
    server_quota_.OnReply(server);
  } else if (result.outcome == ExchangeOutcome::kTimeout || result.outcome == ExchangeOutcome::kUnreachable) {
    zone_quota_.OnSilence(zone);
    server_quota_.OnSilence(server);
  }
}

}  // namespace sekisho::resolver
