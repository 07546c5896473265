// ControlService: answers what the tool asks of feedd over its socket.
//
//   ControlService control(store, publisher, sync, {.snapshot_folder = folder});
//   UnixFrameServer::Listen(loop, …, [&](control::Request r, std::shared_ptr<io::ReplyStream> s) {
//   control.Handle(r, s); });
//
// Local changes are in force when the answer goes out. Syncs are answered when they are done, from a worker's
// thread.
//
// Threads: Handle on the loop's thread.
#ifndef SEKISHO_BLOCKLIST_FEEDD_CONTROL_SERVICE_H_
#define SEKISHO_BLOCKLIST_FEEDD_CONTROL_SERVICE_H_

#include <absl/status/statusor.h>

#include <memory>
#include <string>

#include "blocklist/feedd/policy_publisher.h"
#include "blocklist/feedd/sync_service.h"
#include "blocklist/snapshot/snapshot_reader.h"
#include "proto/io/unix_frame_server.h"
#include "proto/schema/control.pb.h"
#include "storage/indicators/indicator_store.h"

namespace sekisho::feedd {

class ControlService {
 public:
  struct Options {
    std::string snapshot_folder;
    std::string local_export{};  // where local rules are written beside the store; empty: nowhere
    std::string rebuild_mark{};  // see open_store.h; empty: damage is only shown
    std::string store_damage{};  // what was wrong with the store at the start
  };

  ControlService(indicators::IndicatorStore& store, PolicyPublisher& publisher, SyncService& sync,
                 Options options);

  void Handle(const control::Request& request, const std::shared_ptr<io::ReplyStream>& reply);

 private:
  void Decide(const control::FeedDecision& decision, const std::shared_ptr<io::ReplyStream>& reply);
  // Answers on a worker; false when the request is no question about a feed's claims.
  bool Inspect(const control::Request& request, const std::shared_ptr<io::ReplyStream>& reply);
  absl::StatusOr<control::Response> AnswerInspection(const control::Request& request,
                                                     const std::string& feed);
  absl::StatusOr<control::Response> Answer(const control::Request& request);
  absl::StatusOr<control::BlockChanged> Change(const control::BlockChange& change);
  absl::StatusOr<control::LocalList> ListLocals() const;
  absl::StatusOr<control::FeedList> ListFeeds() const;
  absl::StatusOr<control::StatusReply> Status() const;
  // Damage met since the start.
  std::string StoreAlarm() const;
  SyncService::Done SyncDone(const std::shared_ptr<io::ReplyStream>& reply, const std::string& feed) const;

  indicators::IndicatorStore& store_;
  PolicyPublisher& publisher_;
  SyncService& sync_;
  const Options options_;
  blocklist::SnapshotReader snapshots_;
};

}  // namespace sekisho::feedd

#endif  // SEKISHO_BLOCKLIST_FEEDD_CONTROL_SERVICE_H_
