#include "storage/logd/query_service.h"

#include "storage/query/executor.h"
#include "storage/query/passive_question.h"
#include "storage/query/row_text.h"

namespace sekisho::logd {
namespace {

using AddItem = std::function<void(const char*, const std::string&, const std::string&)>;

void AddExport(const exports::ExportStatus& e, const AddItem& add) {
  constexpr Duration kAlarmAfter = std::chrono::minutes(1);
  const std::string trouble = query::PrintableUtf8(e.trouble);
  const bool long_ago = !e.trouble.empty() && ReadClocks().mono - e.trouble_since >= kAlarmAfter;
  const std::string state = e.connected ? "connected" : "not connected";
  add("export", e.name + ": " + state + (trouble.empty() ? "" : ", " + trouble),
      long_ago ? "export " + e.name + ": " + trouble : "");
  const bool filling = e.waiting_bytes > e.buffer_bytes / 10 * 8;
  add("export counts",
      e.name + ": " + std::to_string(e.delivered) + " delivered, " + std::to_string(e.waiting_bytes) +
          " bytes waiting, " + std::to_string(e.lost) + " left out, " + std::to_string(e.connections) +
          " connections",
      e.lost > 0      ? "export " + e.name + " left lookups out: its buffer was full"
      : filling       ? "the buffer of export " + e.name + " is nearly full"
      : e.damages > 0 ? "export " + e.name + " could not read parts of the spool"
                      : "");
}

}  // namespace

QueryService::QueryService(lookups::LookupStore& store, const passive::PassiveStore& passive,
                           const lookups::Ingest& ingest, const ExportHost& exports, Options options)
    : store_(store), passive_(passive), ingest_(ingest), exports_(exports), options_(options) {
  for (size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Work(); });
}

QueryService::~QueryService() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void QueryService::Submit(control::Request request, std::shared_ptr<io::ReplyStream> reply) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (jobs_.size() < options_.queued && !stopping_) {
      jobs_.push_back({std::move(request), std::move(reply)});
      wake_.notify_one();
      return;
    }
  }
  ++refused_;
  reply->Fail("the log is busy with other queries; ask again");
}

void QueryService::Work() {
  for (;;) {
    Job job;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stopping_.load() || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    Answer(job);
    ++answered_;
  }
}

void QueryService::Answer(const Job& job) {
  switch (job.request.what_case()) {
    case control::Request::kLogQuery:
      AnswerQuery(job.request.log_query(), *job.reply);
      break;
    case control::Request::kStatus:
      AnswerStatus(*job.reply);
      break;
    case control::Request::kLogVerify:
      AnswerVerify(*job.reply);
      break;
    case control::Request::kLogHold:
      AnswerHold(job.request.log_hold(), *job.reply);
      break;
    case control::Request::kPassiveQuery:
      AnswerPassive(job.request.passive_query(), *job.reply);
      break;
    default:
      job.reply->Fail("logd does not know this request");
  }
}

void QueryService::AnswerQuery(const control::LogQuery& query, io::ReplyStream& reply) {
  std::string error;
  const auto filter = query::MakeFilter(query, options_.limit_cap, &error);
  if (!filter) {
    reply.Fail(error);
    return;
  }
  const MonoTime end = ReadClocks().mono + options_.deadline;
  const query::Budget budget{[&] { return stopping_.load() || reply.gone() || ReadClocks().mono >= end; }};
  const query::Executor executor(store_);
  control::Response response;
  if (query.count_only()) {
    const query::Answer answer = executor.Count(*filter, budget);
    response.mutable_log_rows()->set_count(answer.rows);
    response.mutable_log_rows()->set_lost(answer.lost);
    response.mutable_log_rows()->set_partial(answer.partial);
    reply.Finish(std::move(response));
    return;
  }
  const query::Answer answer = executor.Run(*filter, budget, [&](const record::LookupRecord& row) {
    query::FillRow(row, response.mutable_log_rows()->add_rows());
    if (response.log_rows().rows_size() < static_cast<int>(options_.rows_per_frame)) return true;
    const bool there = reply.Send(std::move(response));
    response = control::Response();
    return there;
  });
  control::LogRows* rows = response.mutable_log_rows();
  if (answer.more) rows->set_next_cursor(query::EncodeCursor(answer.last));
  rows->set_lost(answer.lost);
  rows->set_partial(answer.partial);
  reply.Finish(std::move(response));
}

void QueryService::AnswerPassive(const control::PassiveQuery& query, io::ReplyStream& reply) {
  std::string error;
  const auto question = query::MakePassiveQuestion(query, options_.limit_cap, &error);
  if (!question) {
    reply.Fail(error);
    return;
  }
  const MonoTime end = ReadClocks().mono + options_.deadline;
  control::Response response;
  const passive::Answer answer = passive_.Read(
      *question, [&] { return stopping_.load() || reply.gone() || ReadClocks().mono >= end; },
      [&](const passive::PassiveKey& key, const passive::Sum& sum) {
        query::FillPassiveRow(key, sum, response.mutable_passive_rows()->add_rows());
        if (response.passive_rows().rows_size() < static_cast<int>(options_.rows_per_frame)) return true;
        const bool there = reply.Send(std::move(response));
        response = control::Response();
        return there;
      });
  if (answer.more) response.mutable_passive_rows()->set_next_cursor(query::PassiveCursor(answer));
  response.mutable_passive_rows()->set_partial(answer.partial);
  reply.Finish(std::move(response));
}

// No deadline of a query: it reads the whole log, and ends when the asker goes.
void QueryService::AnswerVerify(io::ReplyStream& reply) {
  const lookups::VerifyReport report = store_.Verify([&] { return stopping_.load() || reply.gone(); });
  control::Response response;
  control::LogVerified* out = response.mutable_log_verified();
  out->set_partitions(report.partitions);
  out->set_blocks(report.blocks);
  out->set_rows(report.rows);
  out->set_counter(report.counter);
  out->set_key(report.key);
  out->set_complete(report.complete);
  constexpr int kMost = 1000;
  for (const lookups::Finding& f : report.findings) {
    if (out->findings_size() == kMost) {
      out->add_findings("and more");
      break;
    }
    out->add_findings("partition " + f.partition.FolderName() +
                      (f.block == 0 ? "" : ", block " + std::to_string(f.block)) + ": " +
                      query::PrintableUtf8(f.what));
  }
  for (const std::string& t : report.troubles)
    out->add_findings("noticed at a start: " + query::PrintableUtf8(t));
  for (const auto& [source, sum] : report.sources) {
    if (sum.lost == 0 || out->losses_size() == kMost) continue;
    out->add_losses("node " + std::to_string(source.node) + ", start " + std::to_string(source.boot) +
                    ", worker " + std::to_string(source.worker) + ": " + std::to_string(sum.lost) + " of " +
                    std::to_string(sum.lost + sum.rows) + " lookups were not recorded");
  }
  for (const auto& [id, stone] : report.gone) {
    out->add_gone(id.FolderName() + ": " + std::to_string(stone.end.rows) + " lookups, " +
                  query::PrintableUtf8(stone.why));
  }
  reply.Finish(std::move(response));
}

void QueryService::AnswerHold(const control::LogHoldChange& change, io::ReplyStream& reply) {
  std::string error;
  const bool done =
      change.kind() == control::LogHoldChange::ADD
          ? store_.AddHold({change.name(), {change.since_us(), change.until_us()}}, &error)
          : change.kind() != control::LogHoldChange::REMOVE || store_.RemoveHold(change.name(), &error);
  if (!done) {
    reply.Fail(error);
    return;
  }
  control::Response response;
  response.mutable_log_holds();
  for (const lookups::Hold& hold : store_.Holds()) {
    auto* row = response.mutable_log_holds()->add_holds();
    row->set_name(hold.name);
    row->set_since_us(hold.range.from_us);
    row->set_until_us(hold.range.end_us);
  }
  reply.Finish(std::move(response));
}

void QueryService::AnswerStatus(io::ReplyStream& reply) {
  control::Response response;
  control::StatusReply* status = response.mutable_status();
  status->set_daemon("logd");
  status->set_version(SEKISHO_VERSION);
  const auto add = [status](const char* name, const std::string& value, const std::string& alarm = "") {
    auto* item = status->add_items();
    item->set_name(name);
    item->set_value(value);
    item->set_alarm(alarm);
  };
  const lookups::StoreStatus s = store_.Status();
  const lookups::IngestCounters& c = ingest_.counters();
  add("lookups", std::to_string(s.rows + s.tail_rows));
  add("lookups lost", std::to_string(s.lost),
      s.lost > 0 ? "lookups were answered but could not be recorded" : "");
  add("waiting for a block", std::to_string(s.tail_rows));
  add("bytes on disk", std::to_string(s.disk_bytes));
  add("days", s.partitions == 0 ? "none"
                                : std::to_string(s.partitions) + ", " + s.oldest_day + " to " + s.newest_day);
  const passive::Status p = passive_.GetStatus();
  add("passive DNS records", std::to_string(p.records), query::PrintableUtf8(p.trouble));
  add("passive DNS bytes", std::to_string(p.disk_bytes));
  add("spool bytes behind", std::to_string(c.backlog_bytes.load()));
  add("spool blocks read", std::to_string(c.blocks.load()));
  add("spool segments removed", std::to_string(c.segments_removed.load()));
  add("spool torn tails", std::to_string(c.torn_tails.load()));
  add("spool damages", std::to_string(c.damages.load()),
      c.damages > 0 ? "parts of the spool could not be read" : "");
  add("spool blocks unreadable", std::to_string(s.unreadable_blocks),
      s.unreadable_blocks > 0 ? "blocks of the spool do not hold what they should" : "");
  add("signed heads", std::to_string(s.heads_counter));
  for (const std::string& t : s.troubles) add("integrity", "broken", query::PrintableUtf8(t));
  add("queries answered", std::to_string(answered_.load()));
  add("queries refused", std::to_string(refused_.load()));
  for (const lookups::DamagedPartition& d : s.damaged) {
    add("damaged partition", d.id.FolderName(), query::PrintableUtf8(d.why));
  }
  for (const std::string& trouble : ingest_.Troubles()) add("trouble", query::PrintableUtf8(trouble));
  for (const exports::ExportStatus& e : exports_.Status()) AddExport(e, add);
  reply.Finish(std::move(response));
}

}  // namespace sekisho::logd
