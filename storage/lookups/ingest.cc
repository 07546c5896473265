#include "storage/lookups/ingest.h"

#include <algorithm>

namespace sekisho::lookups {
namespace {

constexpr int kBlocksPerTick = 64;
constexpr Duration kSettleEvery = std::chrono::seconds(20);
constexpr Duration kCountEvery = std::chrono::seconds(5);  // passive DNS
constexpr uint64_t kCountRows = 200'000;
constexpr Duration kRetryAfter = std::chrono::seconds(5);
constexpr size_t kTroubles = 20;

}  // namespace

Ingest::Ingest(std::string spool_dir, LookupStore* store, uint64_t tail_limit_rows)
    : spool_dir_(std::move(spool_dir)),
      store_(store),
      tail_limit_rows_(tail_limit_rows),
      reader_(std::make_unique<record::SpoolReader>(spool_dir_)) {}

void Ingest::Note(const std::string& trouble) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!troubles_.empty() && troubles_.back() == trouble) return;
  troubles_.push_back(trouble);
  if (troubles_.size() > kTroubles) troubles_.pop_front();
}

std::deque<std::string> Ingest::Troubles() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return troubles_;
}

bool Ingest::TakeBlocks(Now now) {
  bool took = false;
  for (int i = 0; i < kBlocksPerTick && store_->tail_rows() < tail_limit_rows_; ++i) {
    record::SpoolReader::Block block;
    record::SpoolReader::Damage damage;
    const auto outcome = reader_->Next(&block, &damage);
    if (outcome == record::SpoolReader::Outcome::kNothing) break;
    took = true;
    if (outcome == record::SpoolReader::Outcome::kDamage) {
      ++(damage.torn_tail ? counters_.torn_tails : counters_.damages);
      Note("spool segment " + damage.segment.FileName() + ", bytes " + std::to_string(damage.from) + " to " +
           std::to_string(damage.to) + ": " + damage.why);
      continue;
    }
    std::string error;
    const uint64_t rows = block.framed.header.rows;
    const record::SpoolPosition end = block.end;
    if (store_->Add(std::move(block), now.mono, &error)) {
      ++counters_.blocks;
      counters_.rows += rows;
    } else {
      ++counters_.damages;
      Note("spool segment " + end.segment.FileName() + ", block before " + std::to_string(end.offset) + ": " +
           error);
    }
  }
  if (!reader_->error().empty()) Note(reader_->error());
  counters_.backlog_bytes = reader_->backlog_bytes();
  return took;
}

bool Ingest::Tick(Now now) {
  if (store_->FenceDamaged()) {
    // What the fenced partition had not made durable is still in the spool: read it again from the beginning.
    store_->DropTail();
    reader_ = std::make_unique<record::SpoolReader>(spool_dir_);
  }
  bool busy = TakeBlocks(now);
  if (store_->ImportDue(now.mono) && now.mono >= retry_at_) {
    std::string error;
    busy = true;
    if (!store_->Import(&error)) {
      Note(error);
      retry_at_ = now.mono + kRetryAfter;
      busy = false;
    }
  }
  if (now.mono - counted_ >= kCountEvery) {
    counted_ = now.mono;
    std::string error;
    if (!store_->CountTail(kCountRows, &error)) Note(error);
  }
  if (now.mono - settled_ >= kSettleEvery) {
    settled_ = now.mono;
    std::string error;
    if (!Settle(&error)) Note(error);
  }
  return busy;
}

bool Ingest::ImportAll(std::string* error) {
  while (store_->tail_rows() > 0) {
    if (!store_->Import(error)) return false;
  }
  return true;
}

bool Ingest::Settle(std::string* error) {
  const auto waiting = store_->TailSegments();
  std::vector<record::SegmentId> done;
  for (const record::SegmentId& id : reader_->Finished()) {
    if (!std::binary_search(waiting.begin(), waiting.end(), id)) done.push_back(id);
  }
  if (!store_->Flush(error)) return false;
  for (const record::SegmentId& id : done) {
    if (before_removal_) before_removal_(id);
    if (!reader_->Remove(id, error)) return false;
    ++counters_.segments_removed;
  }
  return true;
}

}  // namespace sekisho::lookups
