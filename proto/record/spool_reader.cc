#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "proto/base/bytes.h"
#include "proto/record/spool.h"

namespace sekisho::record {
namespace {

constexpr std::string_view kSegmentMagic = "SKSPOOL1";

std::string ReadAt(int fd, uint64_t offset, size_t size) {
  std::string out(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t n = pread(fd, out.data() + have, size - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += static_cast<size_t>(n);
  }
  out.resize(have);
  return out;
}

// The bytes of the frame at `offset`: as much as ReadFrame needs to judge it.
FrameState FrameAt(int fd, uint64_t offset, uint64_t size, FramedHeader* out) {
  std::string bytes = ReadAt(fd, offset, std::min<uint64_t>(size - offset, kFrameSize + 4096));
  FrameState state = ReadFrame(AsBytes(bytes), out);
  if (state == FrameState::kShort && offset + bytes.size() < size) {
    bytes = ReadAt(fd, offset, std::min<uint64_t>(size - offset, kFrameSize + kMaxHeaderSize));
    state = ReadFrame(AsBytes(bytes), out);
  }
  return state;
}

bool SectionsHold(const FramedHeader& framed, std::string_view block) {
  size_t at = kFrameSize + framed.header_size;
  for (const SectionInfo& s : framed.header.sections) {
    if (ShortSha256(AsBytes(block.substr(at, s.size))) != s.digest) return false;
    at += s.size;
  }
  return true;
}

}  // namespace

SpoolReader::~SpoolReader() {
  for (auto& [id, state] : segments_) {
    if (state.fd >= 0) close(state.fd);
  }
}

void SpoolReader::Rescan() {
  DIR* dir = opendir(dir_.c_str());
  if (dir == nullptr) {
    error_ = "cannot read the spool folder " + dir_ + ": " + std::strerror(errno);
    return;
  }
  error_.clear();
  while (const dirent* entry = readdir(dir)) {
    if (const auto id = SegmentId::Parse(entry->d_name)) segments_.try_emplace(*id);
  }
  closedir(dir);
}

bool SpoolReader::IsDead(const SegmentId& id, const State& state) const {
  const SegmentId next{id.node, id.boot, id.number + 1};
  if (segments_.contains(next)) return true;
  if (flock(state.fd, LOCK_SH | LOCK_NB) != 0) return false;
  flock(state.fd, LOCK_UN);
  return true;
}

SpoolReader::Outcome SpoolReader::Next(Block* block, Damage* damage) {
  for (int round = 0; round < 2; ++round) {
    for (auto& [id, state] : segments_) {
      if (state.finished) continue;
      const Outcome outcome = ReadSegment(id, &state, block, damage);
      if (outcome != Outcome::kNothing) return outcome;
    }
    if (round == 0) Rescan();
  }
  return Outcome::kNothing;
}

SpoolReader::Outcome SpoolReader::ReadSegment(const SegmentId& id, State* state, Block* block,
                                              Damage* damage) {
  if (state->fd < 0) {
    state->fd = open((dir_ + "/" + id.FileName()).c_str(), O_RDONLY | O_CLOEXEC);
    if (state->fd < 0) {
      if (errno == ENOENT) state->finished = true;  // removed by hand; Remove will say so
      error_ = "cannot open spool segment " + id.FileName() + ": " + std::strerror(errno);
      return Outcome::kNothing;
    }
  }
  const bool dead = IsDead(id, *state);  // before the size is taken: a dead segment does not grow any more
  struct stat st{};
  if (fstat(state->fd, &st) != 0) return Outcome::kNothing;
  state->size = static_cast<uint64_t>(st.st_size);
  if (state->offset == 0) {
    if (state->size < kSegmentMagic.size()) return ReadTail(id, state, dead, damage);
    state->offset = kSegmentMagic.size();
    if (ReadAt(state->fd, 0, kSegmentMagic.size()) != kSegmentMagic) {
      state->offset = 0;
      return SkipTo(id, state, FindBlock(*state, 0).value_or(state->size), false, "the segment's first bytes",
                    damage);
    }
  }
  if (state->offset >= state->size) {
    if (dead) state->finished = true;
    return Outcome::kNothing;
  }
  FramedHeader framed;
  const FrameState frame = FrameAt(state->fd, state->offset, state->size, &framed);
  if (frame != FrameState::kGood || framed.total_size > state->size - state->offset) {
    return ReadTail(id, state, dead, damage);
  }
  std::string bytes = ReadAt(state->fd, state->offset, framed.total_size);
  if (bytes.size() != framed.total_size) {
    error_ = "cannot read spool segment " + id.FileName() + ": " + std::strerror(errno);
    return Outcome::kNothing;
  }
  const uint64_t end = state->offset + framed.total_size;
  if (!SectionsHold(framed, bytes))
    return SkipTo(id, state, end, false, "a section's digest does not hold", damage);
  state->offset = end;
  *block = {std::move(bytes), std::move(framed), {id, end}};
  return Outcome::kBlock;
}

// What stands at the offset is no whole block: a write in progress, a torn tail, or damage with good blocks
// behind it.
SpoolReader::Outcome SpoolReader::ReadTail(const SegmentId& id, State* state, bool dead, Damage* damage) {
  if (const auto next = FindBlock(*state, state->offset + 1)) {
    return SkipTo(id, state, *next, false, "no block where one should begin", damage);
  }
  if (!dead) return Outcome::kNothing;
  return SkipTo(id, state, state->size, true, "the writer died while writing", damage);
}

SpoolReader::Outcome SpoolReader::SkipTo(const SegmentId& id, State* state, uint64_t to, bool torn,
                                         const char* why, Damage* damage) {
  *damage = {id, state->offset, to, torn, why};
  const bool nothing = state->offset == to;
  state->offset = to;
  if (!nothing) return Outcome::kDamage;
  state->finished = true;
  return Outcome::kNothing;
}

// The first place at or after `from` where a block's frame and header hold.
std::optional<uint64_t> SpoolReader::FindBlock(const State& state, uint64_t from) {
  constexpr size_t kStep = 1 << 20;
  const char magic[4] = {static_cast<char>(kBlockMagic & 0xff), static_cast<char>(kBlockMagic >> 8 & 0xff),
                         static_cast<char>(kBlockMagic >> 16 & 0xff), static_cast<char>(kBlockMagic >> 24)};
  for (uint64_t at = from; at + kFrameSize < state.size;) {
    const std::string bytes = ReadAt(state.fd, at, std::min<uint64_t>(kStep, state.size - at));
    if (bytes.size() < 4) return std::nullopt;
    for (size_t i = bytes.find(magic, 0, 4); i != std::string::npos; i = bytes.find(magic, i + 1, 4)) {
      FramedHeader framed;
      if (FrameAt(state.fd, at + i, state.size, &framed) == FrameState::kGood) return at + i;
    }
    at += bytes.size() - 3;
  }
  return std::nullopt;
}

std::vector<SegmentId> SpoolReader::Finished() const {
  std::vector<SegmentId> out;
  for (const auto& [id, state] : segments_) {
    if (state.finished) out.push_back(id);
  }
  return out;
}

bool SpoolReader::Remove(const SegmentId& segment, std::string* error) {
  const auto it = segments_.find(segment);
  if (it == segments_.end() || !it->second.finished) {
    *error = "spool segment " + segment.FileName() + " is not finished";
    return false;
  }
  if (unlink((dir_ + "/" + segment.FileName()).c_str()) != 0 && errno != ENOENT) {
    *error = "cannot remove spool segment " + segment.FileName() + ": " + std::strerror(errno);
    return false;
  }
  if (it->second.fd >= 0) close(it->second.fd);
  segments_.erase(it);
  return true;
}

uint64_t SpoolReader::backlog_bytes() const {
  uint64_t sum = 0;
  for (const auto& [id, state] : segments_) {
    if (!state.finished && state.size > state.offset) sum += state.size - state.offset;
  }
  return sum;
}

}  // namespace sekisho::record
