// The store's upkeep: durability, retention, compaction, scrubbing, views and status.
#include <rocksdb/cache.h>

#include <algorithm>
#include <fstream>

#include "storage/lookups/lookup_store.h"

namespace sekisho::lookups {

bool LookupStore::Flush(std::string* error) {
  std::vector<std::shared_ptr<Partition>> dirty;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, entry] : partitions_) {
      if (entry.partition->dirty()) dirty.push_back(entry.partition);
    }
  }
  if (options_.passive != nullptr && !options_.passive->Sync(error)) return false;
  bool all = true;
  for (const auto& partition : dirty) {
    if (partition->Flush()) continue;
    *error = "cannot make partition " + partition->id().FolderName() + " durable: " + partition->error();
    all = false;
  }
  return all && SignFlushed(error);
}

bool LookupStore::FenceDamaged() {
  std::lock_guard<std::mutex> lock(mutex_);
  bool any = false;
  for (auto it = partitions_.begin(); it != partitions_.end();) {
    if (!it->second.partition->damaged()) {
      ++it;
      continue;
    }
    const std::string why = it->second.partition->error();
    Partition::Fence(options_.dir, it->first, why);
    damaged_.push_back({it->first, why});
    it = partitions_.erase(it);
    any = true;
  }
  return any;
}

std::vector<std::string> LookupStore::ApplyRetention(WallTime now, uint32_t days) {
  constexpr int kMostPerDay = 2;
  const int32_t today = DayOf(UnixMicros(now));
  const std::string ledger =
      options_.dir + "/RETENTION";  // the day of the last drop, and how many were dropped on it
  int32_t ledger_day = -1;
  int dropped = 0;
  std::ifstream(ledger) >> ledger_day >> dropped;
  if (ledger_day != today) dropped = 0;
  std::vector<std::string> out;
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = partitions_.begin(); it != partitions_.end() && dropped < kMostPerDay;) {
    if (int64_t{it->first.day} + days >= today) break;
    if (Held(it->first)) {
      ++it;
      continue;
    }
    // The tombstone first: what is gone without one was taken.
    if (!Bury(it->first, EndOf(*it->second.partition), "retention", now)) break;
    out.push_back(it->first.FolderName());
    ++dropped;
    std::ofstream(ledger) << today << " " << dropped << "\n";
    it->second.partition->DropOnClose();
    it = partitions_.erase(it);
  }
  return out;
}

bool LookupStore::Bury(const PartitionId& id, const ChainEnd& end, const std::string& why, WallTime now) {
  std::lock_guard<std::mutex> lock(heads_mutex_);
  heads_->heads().days.erase(id);
  heads_->heads().gone[id] = {end, UnixMicros(now), why};
  return heads_->Write(now);
}

bool LookupStore::CompactOne(WallTime now) {
  const int32_t today = DayOf(UnixMicros(now));
  std::shared_ptr<Partition> due;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, entry] : partitions_) {
      if (id.day + 1 < today && !entry.partition->compacted()) {
        due = entry.partition;
        break;
      }
    }
  }
  if (!due) return false;
  due->Compact();
  return true;
}

void LookupStore::CompactAll() {
  std::vector<std::shared_ptr<Partition>> all;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, entry] : partitions_) all.push_back(entry.partition);
  }
  for (const auto& partition : all) partition->Compact();
}

void LookupStore::ScrubNext() {
  std::shared_ptr<Partition> next;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (partitions_.empty()) return;
    auto it = partitions_.upper_bound(scrubbed_);
    if (it == partitions_.end()) it = partitions_.begin();
    scrubbed_ = it->first;
    next = it->second.partition;
  }
  next->Verify();
}

View LookupStore::TakeView(int64_t from_us, int64_t end_us) const {
  View view;
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [id, entry] : partitions_) {
    if (id.first_us() < end_us && id.end_us() > from_us)
      view.days.push_back({entry.partition, entry.published, entry.instant});
  }
  for (const DamagedPartition& d : damaged_) {
    if (d.id.first_us() < end_us && d.id.end_us() > from_us) view.damaged.push_back(d);
  }
  for (const auto& block : tail_) {
    if (block->header.first_us < end_us && block->header.last_us >= from_us) view.tail.push_back(block);
  }
  return view;
}

StoreStatus LookupStore::Status() const {
  StoreStatus status;
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [id, entry] : partitions_) {
    for (const BlockInfo& b : *entry.published) {
      status.rows += b.rows;
      status.lost += b.lost;
    }
    status.disk_bytes += entry.partition->DiskBytes();
  }
  for (const auto& block : tail_) {
    for (const TimeRange& r : block->ranges) {
      if (block->header.first_us >= r.from_us && block->header.first_us < r.end_us)
        status.lost += block->header.lost();
    }
  }
  status.tail_rows = tail_rows_.load();
  status.unreadable_blocks = unreadable_blocks_.load();
  status.partitions = partitions_.size();
  if (!partitions_.empty()) {
    status.oldest_day = DayText(partitions_.begin()->first.day);
    status.newest_day = DayText(partitions_.rbegin()->first.day);
  }
  status.damaged = damaged_;
  std::lock_guard<std::mutex> heads_lock(heads_mutex_);
  status.troubles = troubles_;
  status.heads_counter = heads_->heads().counter;
  return status;
}

}  // namespace sekisho::lookups
