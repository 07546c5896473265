// QueryService: answers LogQuery and StatusRequest of the control socket on threads of its own, so that no
// question waits for another's disk and none slows the ingest down.
//
// Threads: Submit on the loop's thread; answers are sent from the service's threads. The destructor stops
// what runs and waits for it. Limits: Options; a query that finds the queue full is refused at once.
// Standards: row S27 of the reliability table.
#ifndef SEKISHO_STORAGE_LOGD_QUERY_SERVICE_H_
#define SEKISHO_STORAGE_LOGD_QUERY_SERVICE_H_

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "proto/io/unix_frame_server.h"
#include "proto/schema/control.pb.h"
#include "storage/logd/export_host.h"
#include "storage/lookups/ingest.h"
#include "storage/lookups/lookup_store.h"
#include "storage/passive/passive_store.h"

namespace sekisho::logd {

class QueryService {
 public:
  struct Options {
    size_t threads = 2;
    size_t queued = 64;
    Duration deadline = std::chrono::seconds(30);
    uint64_t limit_cap = 100'000;  // rows of one answer
    size_t rows_per_frame = 500;
  };
  QueryService(lookups::LookupStore& store, const passive::PassiveStore& passive,
               const lookups::Ingest& ingest, const ExportHost& exports, Options options);
  ~QueryService();

  void Submit(control::Request request, std::shared_ptr<io::ReplyStream> reply);

  uint64_t answered() const { return answered_.load(); }

 private:
  struct Job {
    control::Request request;
    std::shared_ptr<io::ReplyStream> reply;
  };
  void Work();
  void Answer(const Job& job);
  void AnswerQuery(const control::LogQuery& query, io::ReplyStream& reply);
  void AnswerPassive(const control::PassiveQuery& query, io::ReplyStream& reply);
  void AnswerStatus(io::ReplyStream& reply);
  void AnswerVerify(io::ReplyStream& reply);
  void AnswerHold(const control::LogHoldChange& change, io::ReplyStream& reply);

  lookups::LookupStore& store_;
  const passive::PassiveStore& passive_;
  const lookups::Ingest& ingest_;
  const ExportHost& exports_;
  Options options_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> answered_{0};
  std::atomic<uint64_t> refused_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  std::vector<std::thread> threads_;
};

}  // namespace sekisho::logd

#endif  // SEKISHO_STORAGE_LOGD_QUERY_SERVICE_H_
