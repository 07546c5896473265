#include "storage/lookups/day_rewrite.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "storage/lookups/lookup_store.h"

namespace sekisho::lookups {
namespace {

namespace fs = std::filesystem;

constexpr int kMostPerDay = 4;  // a clock gone wrong must not take all addresses at once

// The day of the last one, and how many were begun on it.
struct Ledger {
  int32_t day = -1;
  int done = 0;
};
Ledger ReadLedger(const std::string& path, int32_t today) {
  Ledger ledger;
  std::ifstream(path) >> ledger.day >> ledger.done;
  if (ledger.day != today) ledger = {today, 0};
  return ledger;
}

}  // namespace

void LookupStore::AtStep(const char* step) const {
  if (options_.at_step) options_.at_step(step);
}

PartitionId LookupStore::NextGeneration(int32_t day) const {
  PartitionId id{day, 0};
  const auto beyond = [&id](const PartitionId& other) {
    if (other.day == id.day) id.generation = std::max(id.generation, other.generation + 1);
  };
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [other, entry] : partitions_) beyond(other);
  for (const DamagedPartition& d : damaged_) beyond(d.id);
  std::lock_guard<std::mutex> heads_lock(heads_mutex_);
  for (const auto& [other, stone] : heads_->heads().gone) beyond(other);
  return id;
}

std::shared_ptr<Partition> LookupStore::DueForPseudonyms(int32_t today, uint32_t days) const {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [id, entry] : partitions_) {
    if (int64_t{id.day} + days >= today) break;
    if (Held(id) || not_rewritten_.contains(id) || entry.partition->pseudonymised() ||
        entry.partition->rows() == 0)
      continue;
    const PartitionId day = id;
    const bool waits = std::any_of(tail_.begin(), tail_.end(), [&day](const auto& block) {
      return std::any_of(block->ranges.begin(), block->ranges.end(),
                         [&day](const TimeRange& r) { return DayOf(r.from_us) == day.day; });
    });
    if (!waits) return entry.partition;
  }
  return nullptr;
}

bool LookupStore::BeginRewrite(std::shared_ptr<Partition> from, PseudonymKeys& keys, std::string* error) {
  const auto key = keys.KeyFor(from->id().day, error);
  if (!key) return false;
  auto rewrite = std::make_unique<DayRewrite>();
  rewrite->key = *key;
  rewrite->from_end = EndOf(*from);
  rewrite->blocks = from->Blocks();
  rewrite->to = Partition::Create(options_.dir, NextGeneration(from->id().day), cache_, error,
                                  {kRewriteMarker, from->id().FolderName() + "\n"});
  if (!rewrite->to) return false;
  rewrite->from = std::move(from);
  rewrite_ = std::move(rewrite);
  AtStep("created");
  return true;
}

bool LookupStore::RewriteBlock(std::string* error) {
  DayRewrite& r = *rewrite_;
  record::BlockBuilder builder({.seed = options_.seed,
                                .rows = options_.block_rows,
                                .chunk_rows = options_.chunk_rows,
                                .zstd_level = options_.zstd_level});
  builder.MapClients([&r](const IpAddress& a) { return PseudonymOf(r.key, a); });
  const auto block = r.from->OpenBlock(r.blocks[r.next].block);
  if (!block || !builder.AddBlock(*block, INT64_MIN, INT64_MAX, true)) {
    *error = "a block of " + r.from->id().FolderName() + " cannot be read";
    return false;
  }
  // The spool's positions of all generations of the day: what was imported once must not be again.
  Positions positions;
  if (r.next + 1 == r.blocks.size()) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, entry] : partitions_) {
      if (id.day != r.from->id().day) continue;
      for (const auto& [origin, at] : entry.partition->positions())
        positions[origin] = std::max(positions[origin], at);
    }
  }
  if (!r.to->Write(builder.Finish(r.to->chain(), false), positions, false)) {
    *error = "cannot write to " + r.to->id().FolderName() + ": " + r.to->error();
    return false;
  }
  ++r.next;
  AtStep("block");
  return true;
}

bool LookupStore::CommitRewrite(WallTime now, std::string* error) {
  DayRewrite& r = *rewrite_;
  if (!r.to->MarkPseudonymised() || !r.to->Flush()) {
    *error = "cannot make " + r.to->id().FolderName() + " durable: " + r.to->error();
    return false;
  }
  AtStep("flushed");
  std::lock_guard<std::mutex> lock(mutex_);
  const auto old = partitions_.find(r.from->id());
  if (old == partitions_.end() || EndOf(*r.from) != r.from_end || Held(r.from->id())) {
    *error = r.from->id().FolderName() + " has changed meanwhile";
    return false;
  }
  {
    std::lock_guard<std::mutex> heads_lock(heads_mutex_);
    const Heads before = heads_->heads();
    Heads& heads = heads_->heads();
    heads.days.erase(r.from->id());
    heads.days[r.to->id()] = {EndOf(*r.to)};
    heads.gone[r.from->id()] = {r.from_end, UnixMicros(now), "pseudonymised as " + r.to->id().FolderName()};
    if (!heads_->Write(now)) {
      heads_->heads() = before;
      *error = "cannot write the signed heads in " + options_.dir;
      return false;
    }
  }
  AtStep("signed");
  r.from->DropOnClose();
  partitions_.erase(old);
  partitions_[r.to->id()] = EntryOf(r.to);
  AtStep("dropped");
  std::error_code ignored;
  fs::remove(options_.dir + "/" + r.to->id().FolderName() + "/" + kRewriteMarker, ignored);
  return true;
}

// What was begun and not signed is taken back as a whole.
void LookupStore::AbandonRewrite() {
  not_rewritten_.insert(rewrite_->from->id());
  if (rewrite_->to) rewrite_->to->DropOnClose();
  rewrite_.reset();
}

LookupStore::Rewriting LookupStore::Pseudonymise(WallTime now, uint32_t days, PseudonymKeys& keys,
                                                 std::string* error) {
  if (!rewrite_) {
    const int32_t today = DayOf(UnixMicros(now));
    const std::string path = options_.dir + "/PSEUDONYMS";
    Ledger ledger = ReadLedger(path, today);
    if (ledger.done >= kMostPerDay) return Rewriting::kNothing;
    auto due = DueForPseudonyms(today, days);
    if (!due) return Rewriting::kNothing;
    std::ofstream(path) << today << " " << ledger.done + 1 << "\n";
    if (BeginRewrite(due, keys, error)) return Rewriting::kBusy;
    not_rewritten_.insert(due->id());
    return Rewriting::kFailed;
  }
  const bool more = rewrite_->next < rewrite_->blocks.size();
  const bool good = more ? RewriteBlock(error) : CommitRewrite(now, error);
  if (!good) {
    AbandonRewrite();
    return Rewriting::kFailed;
  }
  if (more) return Rewriting::kBusy;
  rewrite_.reset();
  return Rewriting::kDone;
}

// At the start, before partitions are opened. True: the folder is gone or was removed.
bool LookupStore::RemoveUnsigned(const PartitionId& id) const {
  const std::string path = options_.dir + "/" + id.FolderName();
  const Heads& heads = heads_->heads();
  std::error_code ec;
  // Signed as gone, and the process died before it had removed it.
  if (heads.gone.contains(id) && !heads.days.contains(id)) {
    fs::remove_all(path, ec);
    return true;
  }
  std::ifstream in(path + "/" + kRewriteMarker);
  std::string old;
  if (!in || !std::getline(in, old)) return false;
  const auto from = PartitionId::Parse(old);
  if (!heads.days.contains(id) && from && fs::exists(options_.dir + "/" + from->FolderName(), ec)) {
    fs::remove_all(path, ec);
    return true;
  }
  fs::remove(path + "/" + kRewriteMarker, ec);
  return false;
}

}  // namespace sekisho::lookups
