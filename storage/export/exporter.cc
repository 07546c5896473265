#include "storage/export/exporter.h"

#include <algorithm>

#include "proto/base/bytes.h"

namespace sekisho::exports {
namespace {

using record::SpoolReader;

constexpr Duration kPoll = std::chrono::milliseconds(200);
constexpr Duration kSettleEvery = std::chrono::seconds(1);
constexpr Duration kFirstBackoff = std::chrono::seconds(1);
constexpr Duration kLongestBackoff = std::chrono::minutes(1);
constexpr size_t kPendingBlocks = 256;  // sent and not yet taken
constexpr size_t kPayloadsAtOnce = 512;

}  // namespace

Exporter::Exporter(ExporterOptions options)
    : options_(std::move(options)),
      backlog_(options_.spool_dir, options_.dir),
      form_(options_.form == FormKind::kDnstap ? MakeDnstapForm(options_.identity)
                                               : MakeOcsfForm(options_.identity)) {
  status_.name = options_.name;
  status_.buffer_bytes = options_.buffer_bytes;
}

bool Exporter::Start(std::string* error) {
  if (!Open(error)) return false;
  thread_ = std::thread([this] { Work(); });
  return true;
}

// What was sent is given a moment to arrive, so that an orderly end makes no doubles.
Exporter::~Exporter() {
  stop_ = true;
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (sink_) {
    const bool all = sink_->Finish({std::chrono::seconds(1), {}});
    if (!all) TakeAcknowledged(ReadClocks());
    for (const Pending& p : pending_) {
      if (!all) break;
      backlog_.Taken(p.end, p.rows);
      backlog_.GapTold(p.gap);
    }
  }
  std::string ignored;
  backlog_.Settle(&ignored);
}

void Exporter::Work() {
  while (!stop_) {
    const Duration pause = Step(ReadClocks());
    if (pause.count() == 0) continue;
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait_for(lock, pause, [this] { return stop_.load(); });
  }
}

Duration Exporter::Step(Now now) {
  std::string error;
  disk_trouble_.clear();
  if (!backlog_.Collect(&error)) disk_trouble_ = error;
  MakeRoom(now);
  if (sink_) TakeAcknowledged(now);
  if (sink_ && !sink_->error().empty()) Disconnect(sink_->error(), now);
  if (!sink_ && now.mono >= retry_at_) Connect(now);
  const bool busy = sink_ && pending_.size() < kPendingBlocks && SendNext(now);
  if (now.mono - settled_ >= kSettleEvery) Settle(now);
  Publish();
  return busy ? Duration(0) : kPoll;
}

io::Patience Exporter::Waiting() const {
  return {std::chrono::seconds(10), [this] { return stop_.load(); }};
}

bool Exporter::Connect(Now now) {
  std::string error;
  sink_ = OpenSink(options_.sink, Waiting(), &error);
  if (!sink_) {
    Disconnect(error, now);
    return false;
  }
  backoff_ = Duration(0);
  std::lock_guard<std::mutex> lock(mutex_);
  status_.connected = true;
  status_.trouble.clear();
  ++status_.connections;
  return true;
}

void Exporter::Disconnect(std::string why, Now now) {
  sink_.reset();
  pending_.clear();
  backlog_.GoBack();
  backoff_ = std::clamp<Duration>(backoff_ * 2, kFirstBackoff, kLongestBackoff);
  retry_at_ = now.mono + backoff_;
  std::lock_guard<std::mutex> lock(mutex_);
  if (status_.trouble.empty()) status_.trouble_since = now.mono;
  status_.connected = false;
  status_.trouble = why.empty() ? "no connection" : std::move(why);
}

bool Exporter::SendNext(Now now) {
  SpoolReader::Block block;
  SpoolReader::Damage damage;
  const auto outcome = backlog_.Next(&block, &damage);
  if (outcome == SpoolReader::Outcome::kNothing) return false;
  if (outcome == SpoolReader::Outcome::kBlock) return SendBlock(block, now);
  pending_.push_back({sink_->sent(), {damage.segment, damage.to}, 0, 0});
  std::lock_guard<std::mutex> lock(mutex_);
  if (!damage.torn_tail) ++status_.damages;
  return true;
}

bool Exporter::SendBlock(const SpoolReader::Block& block, Now now) {
  std::string error;
  const auto reader = record::BlockReader::Open(AsBytes(block.bytes), &error);
  std::vector<Payload> gaps;
  uint64_t told = 0;
  for (const Pending& p : pending_) told += p.gap;
  const uint64_t gap = backlog_.gap() - std::min(told, backlog_.gap());
  if (gap > 0) form_->Gap(gap, "the buffer was full", now.wall, &gaps);
  const uint64_t lost = block.framed.header.lost();
  if (lost > 0) form_->Gap(lost, "the resolver could not record them", now.wall, &gaps);
  bool sent = gaps.empty() || sink_->Write(gaps, Waiting());
  if (sent && reader) sent = WriteRows(*reader);
  if (!sent || !sink_->EndBlock()) {
    Disconnect(sink_->error(), now);
    return false;
  }
  pending_.push_back({sink_->sent(), block.end, block.framed.header.rows, gap});
  if (reader && reader->error().empty()) return true;
  std::lock_guard<std::mutex> lock(mutex_);
  ++status_.damages;
  return true;
}

// Rows that cannot be read end the block: the rest of it is damage, which waits for nobody.
bool Exporter::WriteRows(record::BlockReader& block) {
  std::vector<Payload> payloads;
  record::LookupRecord row;
  for (uint32_t i = 0; i < block.header().rows && block.Row(i, &row); ++i) {
    form_->Row(row, &payloads);
    if (payloads.size() < kPayloadsAtOnce) continue;
    if (!sink_->Write(payloads, Waiting())) return false;
    payloads.clear();
  }
  return payloads.empty() || sink_->Write(payloads, Waiting());
}

void Exporter::TakeAcknowledged(Now now) {
  const uint64_t taken = sink_->taken(now.mono);
  while (!pending_.empty() && pending_.front().sent_up_to <= taken) {
    const Pending& p = pending_.front();
    backlog_.Taken(p.end, p.rows);
    if (p.gap > 0) backlog_.GapTold(p.gap);
    pending_.pop_front();
  }
}

// Over the bound, the oldest go.
void Exporter::MakeRoom(Now now) {
  if (backlog_.bytes() <= options_.buffer_bytes) return;
  // What is on its way may have arrived; what is dropped now is what was not sent.
  if (sink_) TakeAcknowledged(now);
  if (!pending_.empty()) return;
  while (backlog_.bytes() > options_.buffer_bytes && !stop_ && DropOldest()) {
  }
  std::string error;
  if (!backlog_.Settle(&error)) disk_trouble_ = error;
}

bool Exporter::DropOldest() {
  SpoolReader::Block block;
  SpoolReader::Damage damage;
  const auto outcome = backlog_.Next(&block, &damage);
  if (outcome == SpoolReader::Outcome::kNothing) return false;
  if (outcome == SpoolReader::Outcome::kBlock) {
    backlog_.LeftOut(block.end, block.framed.header.rows + block.framed.header.lost());
  } else {
    backlog_.LeftOut({damage.segment, damage.to}, 0);
  }
  return true;
}

void Exporter::Settle(Now now) {
  settled_ = now.mono;
  std::string error;
  if (!backlog_.Settle(&error)) disk_trouble_ = error;
}

void Exporter::Publish() {
  const uint64_t bytes = backlog_.bytes();
  std::lock_guard<std::mutex> lock(mutex_);
  status_.delivered = backlog_.delivered();
  status_.lost = backlog_.lost();
  status_.waiting_bytes = bytes;
  if (!disk_trouble_.empty())
    status_.trouble = disk_trouble_;
  else if (status_.connected)
    status_.trouble.clear();
}

ExportStatus Exporter::Status() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return status_;
}

}  // namespace sekisho::exports
