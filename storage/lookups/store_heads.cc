// The store's signed heads: signed before a day changes, held against the days at the start.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "storage/lookups/lookup_store.h"

namespace sekisho::lookups {
namespace {

constexpr size_t kMostTroubles = 100;

}  // namespace

ChainEnd LookupStore::EndOf(const Partition& partition) {
  return {partition.chain().next_number() - 1, partition.rows(), partition.chain().last()};
}

// Troubles outlive a restart: what was seen once must not be forgotten because the next look is clean.
void LookupStore::Trouble(const std::string& what) {
  if (std::find(troubles_.begin(), troubles_.end(), what) != troubles_.end()) return;
  if (troubles_.size() >= kMostTroubles) return;
  troubles_.push_back(what);
  std::ofstream(options_.dir + "/TROUBLES", std::ios::app) << what << "\n";
}

bool LookupStore::OpenHeads(std::string* error) {
  heads_ = HeadsFile::Open(options_.dir,
                           options_.key_path.empty() ? options_.dir + ".key" : options_.key_path, error);
  if (!heads_) return false;
  if (!ReadHolds(error)) return false;
  std::ifstream in(options_.dir + "/TROUBLES");
  std::string line;
  while (troubles_.size() < kMostTroubles && std::getline(in, line)) troubles_.push_back(line);
  return true;
}

void LookupStore::CheckHeads() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::lock_guard<std::mutex> heads_lock(heads_mutex_);
  Heads& heads = heads_->heads();
  const bool none = heads_->missing() || !heads_->forged().empty();
  if (!heads_->forged().empty()) Trouble(heads_->forged());
  for (auto it = partitions_.begin(); it != partitions_.end();) {
    const auto& [id, entry] = *it;
    const ChainEnd end = EndOf(*entry.partition);
    const auto known = heads.days.find(id);
    const bool fits = known != heads.days.end() &&
                      std::find(known->second.begin(), known->second.end(), end) != known->second.end();
    if (fits || (end.blocks == 0 && known == heads.days.end()) || none) {
      if (none && end.blocks > 0) Trouble(id.FolderName() + " was found without a signed head");
      heads.days[id] = {end};
      ++it;
      continue;
    }
    // A day that was tampered with takes no more rows and gives none, until somebody has looked at it.
    const std::string why =
        known == heads.days.end() ? "it is not signed" : "it does not end where it was signed";
    Trouble(id.FolderName() + ": " + why);
    Partition::Fence(options_.dir, id, why);
    damaged_.push_back({id, why});
    it = partitions_.erase(it);
  }
  for (const auto& [id, ends] : heads.days) {
    const PartitionId day = id;
    const bool fenced = std::any_of(damaged_.begin(), damaged_.end(),
                                    [&day](const DamagedPartition& d) { return d.id == day; });
    if (!partitions_.contains(id) && !fenced && ends.back().blocks > 0)
      Trouble(id.FolderName() + " is missing, and no tombstone tells why");
  }
}

bool LookupStore::SignBefore(const Partition& partition, const ChainEnd& next, std::string* error) {
  std::lock_guard<std::mutex> lock(heads_mutex_);
  auto& ends = heads_->heads().days[partition.id()];
  if (ends.empty()) ends.push_back({});  // the empty partition
  const ChainEnd now = EndOf(partition);
  if (std::find(ends.begin(), ends.end(), now) == ends.end()) ends.push_back(now);
  if (std::find(ends.begin(), ends.end(), next) == ends.end()) ends.push_back(next);
  if (heads_->Write(ReadClocks().wall)) return true;
  *error = "cannot write the signed heads in " + options_.dir;
  return false;
}

bool LookupStore::SignFlushed(std::string* error) {
  std::vector<std::pair<PartitionId, ChainEnd>> flushed;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, entry] : partitions_) {
      if (!entry.partition->dirty()) flushed.emplace_back(id, EndOf(*entry.partition));
    }
  }
  std::lock_guard<std::mutex> lock(heads_mutex_);
  bool changed = false;
  for (const auto& [id, end] : flushed) {
    auto& ends = heads_->heads().days[id];
    if (ends.size() == 1 && ends.front() == end) continue;
    ends = {end};
    changed = true;
  }
  if (!changed || heads_->Write(ReadClocks().wall)) return true;
  *error = "cannot write the signed heads in " + options_.dir;
  return false;
}

// HOLDS := (from µs " " end µs " " name "\n")*
bool LookupStore::ReadHolds(std::string* error) {
  std::ifstream in(options_.dir + "/HOLDS");
  std::string line;
  while (in && std::getline(in, line)) {
    std::istringstream words(line);
    Hold hold;
    if (!(words >> hold.range.from_us >> hold.range.end_us >> hold.name)) {
      *error = options_.dir + "/HOLDS has a line that cannot be read: " + line.substr(0, 60);
      return false;  // better not to run than to delete what is held
    }
    holds_.push_back(std::move(hold));
  }
  return true;
}

bool LookupStore::WriteHolds(const std::vector<Hold>& holds, std::string* error) {
  std::string text;
  for (const Hold& h : holds) {
    text += std::to_string(h.range.from_us) + " " + std::to_string(h.range.end_us) + " " + h.name + "\n";
  }
  if (record::ReplaceFile(options_.dir + "/HOLDS", text, 0640)) return true;
  *error = "cannot write " + options_.dir + "/HOLDS";
  return false;
}

bool LookupStore::AddHold(const Hold& hold, std::string* error) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  if (hold.name.empty() || hold.name.size() > 64 ||
      hold.name.find_first_not_of(kLetters) != std::string::npos) {
    *error = "a hold's name has 1 to 64 letters, digits, dots, dashes and underscores";
    return false;
  }
  if (hold.range.from_us >= hold.range.end_us) {
    *error = "a hold must begin before it ends";
    return false;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Hold> holds = holds_;
  if (std::any_of(holds.begin(), holds.end(), [&](const Hold& h) { return h.name == hold.name; })) {
    *error = "there is a hold of that name";
    return false;
  }
  holds.push_back(hold);
  if (!WriteHolds(holds, error)) return false;
  holds_ = std::move(holds);
  return true;
}

bool LookupStore::RemoveHold(const std::string& name, std::string* error) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Hold> holds = holds_;
  if (std::erase_if(holds, [&](const Hold& h) { return h.name == name; }) == 0) {
    *error = "there is no hold of that name";
    return false;
  }
  if (!WriteHolds(holds, error)) return false;
  holds_ = std::move(holds);
  return true;
}

std::vector<Hold> LookupStore::Holds() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return holds_;
}

bool LookupStore::Held(const PartitionId& id) const {
  return std::any_of(holds_.begin(), holds_.end(), [&id](const Hold& h) {
    return h.range.from_us < id.end_us() && h.range.end_us > id.first_us();
  });
}

}  // namespace sekisho::lookups
