// The grammar of STATE is in the header.
#include "storage/export/backlog.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "proto/record/signature.h"

namespace sekisho::exports {
namespace {

namespace fs = std::filesystem;
using record::SegmentId;
using record::SpoolReader;

constexpr char kFirstLine[] = "sekisho export 1";
constexpr size_t kMostOrigins = 1000;  // starts of resolvers; the oldest are forgotten

}  // namespace

bool Backlog::ReadState() {
  std::ifstream in(dir_ + "/STATE");
  if (!in) return true;  // the first start
  std::string line;
  if (!std::getline(in, line) || line != kFirstLine) return false;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    record::SpoolPosition p;
    if (word == "delivered") words >> delivered_;
    if (word == "lost") words >> lost_;
    if (word == "gap") words >> gap_;
    if (word == "position" && words >> p.segment.node >> p.segment.boot >> p.segment.number >> p.offset)
      taken_[{p.segment.node, p.segment.boot}] = p;
    if (!words) return false;
  }
  return true;
}

bool Backlog::Open(std::string* error) {
  std::error_code ec;
  fs::create_directories(dir_, ec);
  for (const auto& entry : fs::directory_iterator(dir_, ec)) {
    if (const auto id = SegmentId::Parse(entry.path().filename().string())) linked_.insert(*id);
  }
  if (ec) {
    *error = "cannot use " + dir_ + ": " + ec.message();
    return false;
  }
  if (!ReadState()) *error = dir_ + "/STATE cannot be read; what waits there is sent from its beginning";
  for (const auto& [origin, position] : taken_) done_[origin] = position.segment.number - 1;
  // Before the first look: a segment that is linked once more must be read from the position, not anew.
  const bool linked = Collect(error);
  GoBack();
  return linked;
}

// Of a segment that the receiver has wholly, no link is made again; the spool may keep it a while longer.
bool Backlog::Link(const SegmentId& id, std::string* error) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto done = done_.find({id.node, id.boot});
  if ((done != done_.end() && id.number <= done->second) || linked_.contains(id)) return true;
  const std::string name = "/" + id.FileName();
  if (::link((spool_dir_ + name).c_str(), (dir_ + name).c_str()) != 0 && errno != EEXIST) {
    if (errno == ENOENT) return true;  // logd removed it after keeping it
    *error = "cannot link " + id.FileName() + " into " + dir_ + ": " + std::strerror(errno);
    return false;
  }
  linked_.insert(id);
  return true;
}

void Backlog::Keep(const SegmentId& id) {
  std::string ignored;  // the next Collect cannot try again: the loss shows in the sequence numbers
  Link(id, &ignored);
}

bool Backlog::Collect(std::string* error) {
  std::error_code ec;
  bool all = true;
  for (const auto& entry : fs::directory_iterator(spool_dir_, ec)) {
    if (const auto id = SegmentId::Parse(entry.path().filename().string())) all = Link(*id, error) && all;
  }
  if (!ec) return all;
  *error = "cannot read " + spool_dir_ + ": " + ec.message();
  return false;
}

SpoolReader::Outcome Backlog::Next(SpoolReader::Block* block, SpoolReader::Damage* damage) {
  return reader_->Next(block, damage);
}

void Backlog::GoBack() {
  reader_ = std::make_unique<SpoolReader>(dir_);
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [origin, position] : taken_) {
    if (linked_.contains(position.segment)) reader_->GoOnBehind(position);
  }
}

void Backlog::Taken(const record::SpoolPosition& position, uint64_t delivered) {
  auto& known = taken_[{position.segment.node, position.segment.boot}];
  known = std::max(known, position);
  delivered_ += delivered;
  changed_ = true;
}

void Backlog::LeftOut(const record::SpoolPosition& position, uint64_t rows) {
  Taken(position, 0);
  lost_ += rows;
  gap_ += rows;
}

void Backlog::GapTold(uint64_t rows) {
  gap_ -= std::min(rows, gap_);
  changed_ = true;
}

bool Backlog::Settle(std::string* error) {
  for (const SegmentId& id : reader_->Finished()) {
    const Origin origin{id.node, id.boot};
    const auto taken = taken_.find(origin);
    struct stat st{};
    const bool there = ::stat((dir_ + "/" + id.FileName()).c_str(), &st) == 0;
    // Read to its end is not taken to its end; damage at the end is never taken, but then a later segment is.
    constexpr off_t kEmpty = 8;  // a segment's first bytes, and no block
    const bool whole =
        (there && st.st_size <= kEmpty) ||
        (taken != taken_.end() &&
         (taken->second.segment.number > id.number ||
          (taken->second.segment == id && taken->second.offset >= static_cast<uint64_t>(st.st_size))));
    if (there && !whole) continue;
    if (!reader_->Remove(id, error)) return false;
    std::lock_guard<std::mutex> lock(mutex_);
    linked_.erase(id);
    done_[origin] = std::max(done_[origin], id.number);
  }
  if (!changed_) return true;
  while (taken_.size() > kMostOrigins) taken_.erase(taken_.begin());
  std::ostringstream out;
  out << kFirstLine << "\ndelivered " << delivered_ << "\nlost " << lost_ << "\ngap " << gap_ << "\n";
  for (const auto& [origin, p] : taken_) {
    out << "position " << p.segment.node << " " << p.segment.boot << " " << p.segment.number << " "
        << p.offset << "\n";
  }
  if (!record::ReplaceFile(dir_ + "/STATE", out.str(), 0640)) {
    *error = "cannot write " + dir_ + "/STATE";
    return false;
  }
  changed_ = false;
  return true;
}

uint64_t Backlog::bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  uint64_t sum = 0;
  for (const SegmentId& id : linked_) {
    struct stat st{};
    if (::stat((dir_ + "/" + id.FileName()).c_str(), &st) != 0) continue;
    const auto size = static_cast<uint64_t>(st.st_size);
    const auto taken = taken_.find({id.node, id.boot});
    if (taken != taken_.end() && id < taken->second.segment) continue;
    const bool begun = taken != taken_.end() && taken->second.segment == id;
    sum += size - (begun ? std::min(size, taken->second.offset) : 0);
  }
  return sum;
}

}  // namespace sekisho::exports
